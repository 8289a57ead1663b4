/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* errors FIXTURES: every error, and arguments that are wrong. */
#include "check.h"
#include <errno.h>

static const char BAD_UTF8[] = "sd\xff";

/* Takes an error of this code. */
static void expect(peripety_code code, peripety_code expected, peripety_error *error, const char *in_message) {
    CHECK(code == expected);
    CHECK(error != NULL && peripety_error_code(error) == expected);
    CHECK(peripety_error_message(error) != NULL);
    if (strstr(peripety_error_message(error), in_message) == NULL) {
        fprintf(stderr, "\"%s\" is not in \"%s\"\n", in_message, peripety_error_message(error));
        exit(1);
    }
    peripety_error_free(error);
}

static void not_found(const peripety_tree *tree) {
    peripety_block *block;
    peripety_error *error;
    size_t line;
    int number;
    peripety_code code = peripety_tree_block(tree, "sdz", &block, &error);
    CHECK(block == NULL && same(peripety_error_device(error), "sdz"));
    CHECK(peripety_error_candidate_count(error) == 0 && peripety_error_candidate(error, 0) == NULL);
    CHECK(peripety_error_path(error) == NULL);
    CHECK(!peripety_error_line(error, &line) && !peripety_error_errno(error, &number));
    expect(code, PERIPETY_NOT_FOUND, error, "no block device \"sdz\"");
}

static void ambiguous(const char *fixtures) {
    peripety_tree *tree = open_case(fixtures, "nvme-loop");
    peripety_block *block;
    peripety_error *error;
    peripety_code code = peripety_tree_kernel_block(tree, "nvme0", &block, &error);
    CHECK(block == NULL && same(peripety_error_device(error), "nvme0"));
    CHECK(peripety_error_candidate_count(error) == 2);
    CHECK(same(peripety_error_candidate(error, 0), "nvme0n1"));
    CHECK(same(peripety_error_candidate(error, 1), "nvme0n2"));
    CHECK(peripety_error_candidate(error, 2) == NULL);
    expect(code, PERIPETY_AMBIGUOUS, error, "nvme0n1, nvme0n2");
    peripety_tree_free(tree);
}

static void source(void) {
    peripety_tree *tree;
    peripety_error *error;
    int number = 0;
    peripety_code code = peripety_tree_open("/no/such/file\xff", &tree, &error);
    CHECK(tree == NULL && same(peripety_error_path(error), "/no/such/file\xff"));
    CHECK(peripety_error_errno(error, &number) && number == ENOENT);
    CHECK(peripety_error_device(error) == NULL);
    expect(code, PERIPETY_SOURCE, error, "cannot read");
    peripety_mounts *mounts;
    CHECK(peripety_tree_recorded("# peripety device tree 1\n", &tree, NULL) == PERIPETY_OK);
    code = peripety_tree_mounts(tree, &mounts, &error);
    CHECK(mounts == NULL && peripety_error_errno(error, &number) && number == ENOENT);
    expect(code, PERIPETY_SOURCE, error, "mountinfo");
    peripety_tree_free(tree);
}

static void bad_text(void) {
    peripety_tree *tree;
    peripety_error *error;
    char *text;
    size_t line = 0;
    peripety_code code = peripety_tree_recorded("# peripety device tree 1\nwrong\n", &tree, &error);
    CHECK(tree == NULL && peripety_error_line(error, &line) && line == 2);
    expect(code, PERIPETY_BAD_TEXT, error, "line 2");
    code = peripety_recorded_to_text("", &text, &error);
    CHECK(text == NULL && peripety_error_line(error, &line));
    expect(code, PERIPETY_BAD_TEXT, error, "device tree");
}

static void bad_json(void) {
    peripety_block *block;
    peripety_list *list;
    peripety_history *history;
    peripety_error *error;
    size_t line = 0;
    peripety_code code = peripety_block_from_json("{\n7", &block, &error);
    CHECK(block == NULL && peripety_error_line(error, &line) && line == 2);
    expect(code, PERIPETY_BAD_TEXT, error, "text is not the JSON that is needed");
    code = peripety_list_from_json("{}", &list, &error);
    CHECK(list == NULL);
    expect(code, PERIPETY_BAD_TEXT, error, "_to_json");
    code = peripety_history_from_json("[", &history, &error);
    CHECK(history == NULL);
    expect(code, PERIPETY_BAD_TEXT, error, "_to_json");
}

static void bad_boot_id(void) {
    peripety_tree *tree;
    peripety_error *error;
    char *boot_id;
    const char *text = "# peripety device tree 1\n/proc/sys/kernel/random/boot_id = 17\n";
    CHECK(peripety_tree_recorded(text, &tree, NULL) == PERIPETY_OK);
    peripety_code code = peripety_tree_boot_id(tree, &boot_id, &error);
    CHECK(boot_id == NULL && same(peripety_error_path(error), "/proc/sys/kernel/random/boot_id"));
    expect(code, PERIPETY_BAD_BOOT_ID, error, "not a boot id");
    peripety_tree_free(tree);
}

#define INVALID(call, answer, in_message)                                   \
    do {                                                                    \
        peripety_code code_ = (call);                                       \
        CHECK((answer) == NULL);                                            \
        expect(code_, PERIPETY_INVALID_ARGUMENT, error, (in_message));      \
    } while (0)

/* Each way to ask, with each argument wrong. */
static void questions(const peripety_tree *tree) {
    typedef peripety_code question(const peripety_tree *, const char *, peripety_block **, peripety_error **);
    question *const all[] = {peripety_tree_block, peripety_tree_kernel_block, peripety_tree_identity_of_fs};
    peripety_error *error;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        peripety_block *block;
        INVALID(all[i](NULL, "sda", &block, &error), block, "tree is NULL");
        INVALID(all[i](tree, NULL, &block, &error), block, "is NULL");
        INVALID(all[i](tree, BAD_UTF8, &block, &error), block, "is not UTF-8");
        INVALID(all[i](tree, "sda", NULL, &error), NULL, "answer is NULL");
        CHECK(all[i](NULL, NULL, NULL, NULL) == PERIPETY_INVALID_ARGUMENT);
    }
    peripety_block *block;
    const peripety_blk_type md = PERIPETY_BLK_TYPE_MD;
    INVALID(peripety_tree_holders_of_type(NULL, "sda", md, &block, &error), block, "tree is NULL");
    INVALID(peripety_tree_holders_of_type(tree, NULL, md, &block, &error), block, "kdev is NULL");
    INVALID(peripety_tree_holders_of_type(tree, BAD_UTF8, md, &block, &error), block, "not UTF-8");
    INVALID(peripety_tree_holders_of_type(tree, "sda", (peripety_blk_type)99, &block, &error), block, "blk_type");
    INVALID(peripety_tree_holders_of_type(tree, "sda", md, NULL, &error), NULL, "answer is NULL");
    peripety_topology *topology;
    peripety_list *list;
    INVALID(peripety_topology_all_below(NULL, &list, &error), list, "topology is NULL");
    INVALID(peripety_topology_all_above(NULL, &list, &error), list, "topology is NULL");
    INVALID(peripety_multipathd_complete(NULL, &list, &error), list, "list is NULL");
    INVALID(peripety_multipathd_complete_block(NULL, &block, &error), block, "block is NULL");
    INVALID(peripety_multipathd_complete_topology(NULL, &topology, &error), topology, "topology is NULL");
    INVALID(peripety_tree_topology(NULL, "sda", &topology, &error), topology, "tree is NULL");
    INVALID(peripety_tree_topology(tree, NULL, &topology, &error), topology, "device is NULL");
    INVALID(peripety_tree_topology(tree, BAD_UTF8, &topology, &error), topology, "not UTF-8");
    INVALID(peripety_tree_topology(tree, "sda", NULL, &error), NULL, "answer is NULL");
}

static void other_questions(const peripety_tree *tree) {
    peripety_error *error;
    peripety_list *list;
    peripety_mounts *mounts;
    peripety_mount *mount;
    char *boot_id;
    INVALID(peripety_tree_list(NULL, &list, &error), list, "tree is NULL");
    INVALID(peripety_tree_list(tree, NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_tree_list_all(NULL, &list, &error), list, "tree is NULL");
    INVALID(peripety_tree_list_all(tree, NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_list_from_json(BAD_UTF8, &list, &error), list, "not UTF-8");
    INVALID(peripety_list_from_json(NULL, &list, &error), list, "text is NULL");
    INVALID(peripety_tree_mounts(NULL, &mounts, &error), mounts, "tree is NULL");
    INVALID(peripety_tree_mounts(tree, NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_mounts_from_json(NULL, &mounts, &error), mounts, "text is NULL");
    INVALID(peripety_tree_mount_of(NULL, 8, 0, &mounts, &error), mounts, "tree is NULL");
    INVALID(peripety_tree_mount_of(tree, 8, 0, NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_tree_mount_at(NULL, "/", &mount, &error), mount, "tree is NULL");
    INVALID(peripety_tree_mount_at(tree, NULL, &mount, &error), mount, "path is NULL");
    INVALID(peripety_tree_mount_at(tree, BAD_UTF8, &mount, &error), mount, "not UTF-8");
    INVALID(peripety_tree_mount_at(tree, "/", NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_tree_boot_id(NULL, &boot_id, &error), boot_id, "tree is NULL");
    INVALID(peripety_tree_boot_id(tree, NULL, &error), NULL, "answer is NULL");
}

static void openings(void) {
    typedef peripety_code opening(const char *, peripety_tree **, peripety_error **);
    opening *const all[] = {peripety_tree_open, peripety_tree_directory, peripety_tree_recorded};
    peripety_error *error;
    peripety_tree *tree;
    char *text;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        INVALID(all[i](NULL, &tree, &error), tree, "is NULL");
        INVALID(all[i]("/", NULL, &error), NULL, "answer is NULL");
    }
    INVALID(peripety_tree_live(NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_tree_recorded(BAD_UTF8, &tree, &error), tree, "not UTF-8");
    INVALID(peripety_recorded_to_text(NULL, &text, &error), text, "text is NULL");
    INVALID(peripety_recorded_to_text(BAD_UTF8, &text, &error), text, "not UTF-8");
    INVALID(peripety_recorded_to_text("", NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_tree_new(NULL, &tree, &error), tree, "source is NULL");
    const peripety_source nothing = {NULL, NULL, NULL, NULL, NULL};
    INVALID(peripety_tree_new(&nothing, &tree, &error), tree, "function of the source is NULL");
    INVALID(peripety_tree_new(&nothing, NULL, &error), NULL, "answer is NULL");
}

static void archives(const char *fixtures) {
    char path[4096];
    peripety_tree *tree;
    peripety_error *error;
    peripety_code code = peripety_tree_archive("/no/such/file", NULL, &tree, &error);
    CHECK(tree == NULL && same(peripety_error_path(error), "/no/such/file"));
    expect(code, PERIPETY_SOURCE, error, "cannot read");
    snprintf(path, sizeof path, "%s/odd/tree.txt", fixtures);
    code = peripety_tree_archive(path, NULL, &tree, &error);
    CHECK(tree == NULL && same(peripety_error_path(error), path));
    expect(code, PERIPETY_NO_LISTS, error, "no list of block devices");
    snprintf(path, sizeof path, "%s/emulated-hardware/lsblk.json", fixtures);
    code = peripety_tree_archive(path, "other", &tree, &error);
    CHECK(tree == NULL && same(peripety_error_device(error), "other"));
    CHECK(peripety_error_candidate_count(error) == 1 && same(peripety_error_candidate(error, 0), path));
    expect(code, PERIPETY_MACHINE, error, "other");
    INVALID(peripety_tree_archive(NULL, NULL, &tree, &error), tree, "path is NULL");
    INVALID(peripety_tree_archive(path, BAD_UTF8, &tree, &error), tree, "not UTF-8");
    INVALID(peripety_tree_archive(path, NULL, NULL, &error), NULL, "answer is NULL");
}

/* A history, with each argument wrong. Nothing that is wrong changes it. */
static void histories(const peripety_tree *tree) {
    const peripety_window looked = {1, 2};
    peripety_error *error;
    peripety_history *history, *none;
    peripety_list *list;
    peripety_block *block;
    peripety_uevent *uevent;
    CHECK(peripety_tree_list_all(tree, &list, NULL) == PERIPETY_OK);
    INVALID(peripety_history_new(NULL, looked, list, &history, &error), history, "boot_id is NULL");
    INVALID(peripety_history_new("b", looked, NULL, &history, &error), history, "blocks is NULL");
    INVALID(peripety_history_new("b", looked, list, NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_history_from_json(NULL, &none, &error), none, "text is NULL");
    CHECK(peripety_history_new("b", looked, list, &history, NULL) == PERIPETY_OK);
    char *before = peripety_history_to_json(history);
    INVALID(peripety_history_at(NULL, "sdb", 1, NULL, NULL, &block, &error), block, "history is NULL");
    INVALID(peripety_history_at(history, NULL, 1, NULL, NULL, &block, &error), block, "name is NULL");
    INVALID(peripety_history_at(history, BAD_UTF8, 1, NULL, NULL, &block, &error), block, "not UTF-8");
    INVALID(peripety_history_at(history, "sdb", 1, NULL, NULL, NULL, &error), NULL, "answer is NULL");
    INVALID(peripety_history_content_at(NULL, "/", 1, NULL, NULL, &block, &error), block, "history is NULL");
    INVALID(peripety_history_any_at(history, NULL, 1, NULL, NULL, &block, &error), block, "name is NULL");
    INVALID(peripety_history_at_or_look(history, NULL, 1, 2, NULL, NULL, NULL, NULL, &block, &error), block,
            "name is NULL");
    INVALID(peripety_history_advance_in_part(NULL, 1, &error), NULL, "history is NULL");
    INVALID(peripety_history_advance_mounts(NULL, 1, &error), NULL, "history is NULL");
    INVALID(peripety_history_mounts(history, looked, NULL, &error), NULL, "mounts is NULL");
    INVALID(peripety_history_catch_up(history, NULL, &error), NULL, "progress is NULL");
    peripety_code code = peripety_history_catch_up(history, "{}", &error);
    expect(code, PERIPETY_BAD_TEXT, error, "_to_json");
    INVALID(peripety_history_advance(NULL, 1, &error), NULL, "history is NULL");
    INVALID(peripety_history_seen(history, NULL, 1, &error), NULL, "block is NULL");
    INVALID(peripety_history_seen(NULL, peripety_list_block(list, 0), 1, &error), NULL, "history is NULL");
    INVALID(peripety_history_refresh(history, NULL, &error), NULL, "block is NULL");
    INVALID(peripety_history_gone(history, NULL, NULL, 1, &error), NULL, "kdev is NULL");
    INVALID(peripety_history_gone(NULL, "sdb", NULL, 1, &error), NULL, "history is NULL");
    INVALID(peripety_history_address_gone(history, BAD_UTF8, 1, &error), NULL, "not UTF-8");
    INVALID(peripety_history_resync(history, looked, NULL, &error), NULL, "blocks is NULL");
    CHECK(peripety_history_resync(NULL, looked, list, NULL) == PERIPETY_INVALID_ARGUMENT);
    CHECK(same_freed(peripety_history_to_json(history), before));
    INVALID(peripety_uevent_parse(NULL, 1, &uevent, &error), uevent, "message is NULL");
    peripety_string_free(before);
    peripety_list_free(list);
    peripety_history_free(history);
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    peripety_tree *tree = open_case(arguments[1], "ext4-lvm-multipath");
    not_found(tree);
    ambiguous(arguments[1]);
    source();
    archives(arguments[1]);
    bad_text();
    bad_json();
    bad_boot_id();
    questions(tree);
    other_questions(tree);
    openings();
    histories(tree);
    peripety_tree_free(tree);
    return 0;
}
