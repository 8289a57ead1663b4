/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* nulls FIXTURES: every getter and every _free function takes NULL, and a getter a place that is NULL. */
#include "check.h"

static void free_functions(void) {
    peripety_string_free(NULL);
    peripety_error_free(NULL);
    peripety_tree_free(NULL);
    peripety_block_free(NULL);
    peripety_list_free(NULL);
    peripety_topology_free(NULL);
    peripety_mount_free(NULL);
    peripety_mounts_free(NULL);
    peripety_history_free(NULL);
    peripety_uevent_free(NULL);
}

static void block_strings(void) {
    CHECK(peripety_block_kdev(NULL) == NULL && peripety_block_dev_path(NULL) == NULL);
    CHECK(peripety_block_address(NULL) == NULL);
    CHECK(peripety_block_stable_path(NULL) == NULL && peripety_block_dev_wwid(NULL) == NULL);
    CHECK(peripety_block_serial(NULL) == NULL && peripety_block_model(NULL) == NULL);
    CHECK(peripety_block_vendor(NULL) == NULL && peripety_block_transport(NULL) == NULL);
    CHECK(peripety_block_fs_type(NULL) == NULL && peripety_block_fs_uuid(NULL) == NULL);
    CHECK(peripety_block_fs_label(NULL) == NULL);
    CHECK(peripety_block_to_json(NULL) == NULL && peripety_block_to_text(NULL) == NULL);
    CHECK(peripety_block_blk_type(NULL) == PERIPETY_BLK_TYPE_OTHER);
}

static void block_lists(void) {
    CHECK(peripety_block_owner_count(NULL) == 0 && peripety_block_owner(NULL, 0) == NULL);
    CHECK(peripety_block_owners_wwid_count(NULL) == 0 && peripety_block_owners_wwid(NULL, 0) == NULL);
    CHECK(peripety_block_owners_path_count(NULL) == 0 && peripety_block_owners_path(NULL, 0) == NULL);
    CHECK(peripety_block_slave_count(NULL) == 0 && peripety_block_slave(NULL, 0) == NULL);
    CHECK(peripety_block_holder_count(NULL) == 0 && peripety_block_holder(NULL, 0) == NULL);
    CHECK(peripety_block_mount_point_count(NULL) == 0 && peripety_block_mount_point(NULL, 0) == NULL);
    CHECK(peripety_block_path_count(NULL) == 0 && peripety_block_path(NULL, 0) == NULL);
    CHECK(peripety_block_extension_count(NULL) == 0 && peripety_block_extension_key(NULL, 0) == NULL);
    CHECK(peripety_block_extension_value(NULL, 0) == NULL && peripety_block_extension(NULL, "x") == NULL);
}

/* The place stays as it was when the handle is NULL, and may be NULL itself. */
static void block_numbers(const peripety_block *block) {
    uint32_t major = 7, minor = 7;
    uint64_t number = 7;
    bool flag = true;
    CHECK(!peripety_block_major_minor(NULL, &major, &minor) && major == 7 && minor == 7);
    CHECK(!peripety_block_major_minor(block, NULL, &minor) && !peripety_block_major_minor(block, &major, NULL));
    CHECK(minor == 7 && major == 7);
    CHECK(!peripety_block_size_bytes(NULL, &number) && !peripety_block_size_bytes(block, NULL));
    CHECK(!peripety_block_present_since(NULL, &number) && !peripety_block_present_since(block, NULL));
    CHECK(!peripety_block_diskseq(NULL, &number) && !peripety_block_diskseq(block, NULL));
    CHECK(number == 7);
    CHECK(!peripety_block_removable(NULL, &flag) && !peripety_block_removable(block, NULL));
    CHECK(!peripety_block_rotational(NULL, &flag) && !peripety_block_rotational(block, NULL));
    CHECK(!peripety_block_read_only(NULL, &flag) && !peripety_block_read_only(block, NULL));
    CHECK(peripety_block_extension(block, NULL) == NULL);
    CHECK(!peripety_block_is_same(block, NULL) && !peripety_block_is_same(NULL, block));
    CHECK(flag);
}

static void parts_of_blocks(void) {
    bool flag = true;
    CHECK(peripety_owner_kdev(NULL) == NULL && peripety_owner_dev_path(NULL) == NULL);
    CHECK(peripety_owner_dev_wwid(NULL) == NULL);
    CHECK(peripety_path_kdev(NULL) == NULL && peripety_path_address(NULL) == NULL);
    CHECK(peripety_path_dm_state(NULL) == NULL);
    CHECK(peripety_path_state(NULL) == NULL && peripety_path_access_state(NULL) == NULL);
    CHECK(!peripety_path_preferred(NULL, &flag) && flag);
    CHECK(peripety_path_extension_count(NULL) == 0 && peripety_path_extension_key(NULL, 0) == NULL);
    CHECK(peripety_path_extension_value(NULL, 0) == NULL && peripety_path_extension(NULL, "x") == NULL);
}

static void several(void) {
    CHECK(peripety_list_count(NULL) == 0 && peripety_list_block(NULL, 0) == NULL);
    CHECK(peripety_list_to_json(NULL) == NULL);
    CHECK(peripety_topology_block(NULL) == NULL && peripety_topology_to_json(NULL) == NULL);
    CHECK(peripety_topology_below_count(NULL) == 0 && peripety_topology_below(NULL, 0) == NULL);
    CHECK(peripety_topology_above_count(NULL) == 0 && peripety_topology_above(NULL, 0) == NULL);
}

static void mounts(void) {
    uint32_t number = 7;
    CHECK(peripety_mounts_to_json(NULL) == NULL);
    CHECK(peripety_mounts_count(NULL) == 0 && peripety_mounts_mount(NULL, 0) == NULL);
    CHECK(!peripety_mount_id(NULL, &number) && !peripety_mount_major_minor(NULL, &number, &number));
    CHECK(number == 7);
    CHECK(peripety_mount_root(NULL) == NULL && peripety_mount_mount_point(NULL) == NULL);
    CHECK(peripety_mount_fs_type(NULL) == NULL && peripety_mount_source(NULL) == NULL);
}

static void histories(void) {
    uint64_t number = 7;
    CHECK(peripety_history_boot_id(NULL) == NULL && peripety_history_to_json(NULL) == NULL);
    CHECK(peripety_history_len(NULL) == 0 && peripety_history_progress(NULL) == NULL);
    CHECK(!peripety_history_complete_until(NULL, &number) && !peripety_history_generation(NULL, &number));
    CHECK(peripety_uevent_action(NULL) == PERIPETY_ACTION_OTHER);
    CHECK(peripety_uevent_devpath(NULL) == NULL && peripety_uevent_devpath_old(NULL) == NULL);
    CHECK(peripety_uevent_name(NULL) == NULL && peripety_uevent_old_name(NULL) == NULL);
    CHECK(peripety_uevent_subsystem(NULL) == NULL);
    CHECK(!peripety_uevent_seqnum(NULL, &number) && !peripety_uevent_diskseq(NULL, &number));
    CHECK(number == 7);
}

static void errors_and_names(void) {
    uint32_t number = 7;
    size_t line = 7;
    int system_error = 7;
    CHECK(peripety_error_code(NULL) == PERIPETY_OK && peripety_error_message(NULL) == NULL);
    CHECK(peripety_error_device(NULL) == NULL && peripety_error_path(NULL) == NULL);
    CHECK(peripety_error_candidate_count(NULL) == 0 && peripety_error_candidate(NULL, 0) == NULL);
    CHECK(!peripety_error_line(NULL, &line) && !peripety_error_errno(NULL, &system_error));
    CHECK(line == 7 && system_error == 7);
    CHECK(!peripety_dev_number_parse(NULL, &number, &number) && !peripety_dev_number_parse("8:1", NULL, NULL));
    CHECK(!peripety_dev_number_parse("\xff", &number, &number) && number == 7);
    CHECK(!peripety_tree_is_live(NULL));
    CHECK(!peripety_answer_add(NULL, "x", 1));
}

int main(int count, char **arguments) {
    peripety_block *block;
    CHECK(count == 2);
    peripety_tree *tree = open_case(arguments[1], "ext4-lvm-multipath");
    CHECK(peripety_tree_block(tree, "sdb", &block, NULL) == PERIPETY_OK);
    free_functions();
    block_strings();
    block_lists();
    block_numbers(block);
    parts_of_blocks();
    several();
    mounts();
    histories();
    errors_and_names();
    peripety_block_free(block);
    peripety_tree_free(tree);
    return 0;
}
