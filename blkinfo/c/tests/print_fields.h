/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from io.peripety.varlink by `make generate`: do not edit. */

static void print_fields(const peripety_block *block) {
    text("kdev", peripety_block_kdev(block));
    DEV_NUMBER("major_minor", peripety_block_major_minor);
    text("address", peripety_block_address(block));
    text("dev_path", peripety_block_dev_path(block));
    text("blk_type", peripety_blk_type_name(peripety_block_blk_type(block)));
    text("dev_wwid", peripety_block_dev_wwid(block));
    text("stable_path", peripety_block_stable_path(block));
    NUMBER("size_bytes", peripety_block_size_bytes);
    text("serial", peripety_block_serial(block));
    text("model", peripety_block_model(block));
    text("vendor", peripety_block_vendor(block));
    FLAG("removable", peripety_block_removable);
    FLAG("rotational", peripety_block_rotational);
    FLAG("read_only", peripety_block_read_only);
    NUMBER("queue_depth", peripety_block_queue_depth);
    NUMBER("numa_node", peripety_block_numa_node);
    text("fs_type", peripety_block_fs_type(block));
    text("fs_uuid", peripety_block_fs_uuid(block));
    text("fs_label", peripety_block_fs_label(block));
    text("transport", peripety_block_transport(block));
    NUMBER("present_since", peripety_block_present_since);
    NUMBER("diskseq", peripety_block_diskseq);
}

static void print_first_list(const peripety_block *block) {
    for (size_t i = 0; i < peripety_block_mount_point_count(block); i++)
        text("mount_point", peripety_block_mount_point(block, i));
}

static void print_other_lists(const peripety_block *block) {
    for (size_t i = 0; i < peripety_block_slave_count(block); i++)
        text("slave", peripety_block_slave(block, i));
    for (size_t i = 0; i < peripety_block_holder_count(block); i++)
        text("holder", peripety_block_holder(block, i));
}
