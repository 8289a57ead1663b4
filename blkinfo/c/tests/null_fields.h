/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from io.peripety.varlink by `make generate`: do not edit. */

static void null_owner(const peripety_owner *owner) {
    (void)owner;
    CHECK(peripety_owner_kdev(NULL) == NULL);
    CHECK(peripety_owner_dev_path(NULL) == NULL);
    CHECK(peripety_owner_dev_wwid(NULL) == NULL);
}

static void null_path(const peripety_path *path) {
    (void)path;
    CHECK(peripety_path_kdev(NULL) == NULL);
    CHECK(peripety_path_address(NULL) == NULL);
    CHECK(peripety_path_state(NULL) == NULL);
    CHECK(peripety_path_access_state(NULL) == NULL);
    NULL_FLAG(peripety_path_preferred, path);
    CHECK(peripety_path_dm_state(NULL) == NULL);
    CHECK(peripety_path_extension_count(NULL) == 0 && peripety_path_extension_key(NULL, 0) == NULL);
    CHECK(peripety_path_extension_value(NULL, 0) == NULL);
    CHECK(peripety_path_extension(NULL, "x") == NULL && peripety_path_extension(path, NULL) == NULL);
}

static void null_block(const peripety_block *block) {
    (void)block;
    CHECK(peripety_block_kdev(NULL) == NULL);
    NULL_DEV_NUMBER(peripety_block_major_minor, block);
    CHECK(peripety_block_address(NULL) == NULL);
    NULL_NUMBER(peripety_block_diskseq, block);
    CHECK(peripety_block_dev_path(NULL) == NULL);
    CHECK(peripety_block_stable_path(NULL) == NULL);
    CHECK(peripety_block_blk_type(NULL) == PERIPETY_BLK_TYPE_OTHER);
    CHECK(peripety_block_dev_wwid(NULL) == NULL);
    CHECK(peripety_block_owner_count(NULL) == 0 && peripety_block_owner(NULL, 0) == NULL);
    CHECK(peripety_block_owners_wwid_count(NULL) == 0 && peripety_block_owners_wwid(NULL, 0) == NULL);
    CHECK(peripety_block_owners_path_count(NULL) == 0 && peripety_block_owners_path(NULL, 0) == NULL);
    CHECK(peripety_block_slave_count(NULL) == 0 && peripety_block_slave(NULL, 0) == NULL);
    CHECK(peripety_block_holder_count(NULL) == 0 && peripety_block_holder(NULL, 0) == NULL);
    CHECK(peripety_block_path_count(NULL) == 0 && peripety_block_path(NULL, 0) == NULL);
    NULL_NUMBER(peripety_block_size_bytes, block);
    CHECK(peripety_block_serial(NULL) == NULL);
    CHECK(peripety_block_model(NULL) == NULL);
    CHECK(peripety_block_vendor(NULL) == NULL);
    NULL_FLAG(peripety_block_removable, block);
    NULL_FLAG(peripety_block_rotational, block);
    NULL_FLAG(peripety_block_read_only, block);
    NULL_NUMBER(peripety_block_queue_depth, block);
    NULL_NUMBER(peripety_block_numa_node, block);
    CHECK(peripety_block_fs_type(NULL) == NULL);
    CHECK(peripety_block_fs_uuid(NULL) == NULL);
    CHECK(peripety_block_fs_label(NULL) == NULL);
    CHECK(peripety_block_mount_point_count(NULL) == 0 && peripety_block_mount_point(NULL, 0) == NULL);
    CHECK(peripety_block_transport(NULL) == NULL);
    CHECK(peripety_block_extension_count(NULL) == 0 && peripety_block_extension_key(NULL, 0) == NULL);
    CHECK(peripety_block_extension_value(NULL, 0) == NULL);
    CHECK(peripety_block_extension(NULL, "x") == NULL && peripety_block_extension(block, NULL) == NULL);
    NULL_NUMBER(peripety_block_present_since, block);
}
