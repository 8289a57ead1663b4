/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* nulls FIXTURES: every getter and every _free function takes NULL, and a getter a place that is NULL. */
#include "check.h"

/* The place stays as it was when the handle is NULL, and may be NULL itself. */
#define NULL_VALUE(type, getter, handle)                                              \
    do {                                                                              \
        type value_ = 1;                                                              \
        CHECK(!getter(NULL, &value_) && !getter(handle, NULL) && value_ == 1);        \
    } while (0)
#define NULL_NUMBER(getter, handle) NULL_VALUE(uint64_t, getter, handle)
#define NULL_FLAG(getter, handle) NULL_VALUE(bool, getter, handle)

#define NULL_DEV_NUMBER(getter, handle)                                               \
    do {                                                                              \
        uint32_t major_ = 7, minor_ = 7;                                              \
        CHECK(!getter(NULL, &major_, &minor_) && !getter(handle, NULL, &minor_));     \
        CHECK(!getter(handle, &major_, NULL) && major_ == 7 && minor_ == 7);          \
    } while (0)

#include "null_fields.h"

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

static void blocks(const peripety_tree *tree) {
    peripety_block *block, *map;
    CHECK(peripety_tree_block(tree, "sdb", &block, NULL) == PERIPETY_OK);
    CHECK(peripety_tree_block(tree, "mpatha", &map, NULL) == PERIPETY_OK);
    null_block(block);
    null_owner(peripety_block_owner(map, 0));
    null_path(peripety_block_path(map, 0));
    CHECK(peripety_block_to_json(NULL) == NULL && peripety_block_to_text(NULL) == NULL);
    CHECK(!peripety_block_is_same(block, NULL) && !peripety_block_is_same(NULL, block));
    peripety_block_free(block);
    peripety_block_free(map);
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
    CHECK(count == 2);
    peripety_tree *tree = open_case(arguments[1], "ext4-lvm-multipath");
    free_functions();
    blocks(tree);
    several();
    mounts();
    histories();
    errors_and_names();
    peripety_tree_free(tree);
    return 0;
}
