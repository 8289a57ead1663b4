/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * dump TREE: answers the questions on standard input, one a line, in the words of the fixtures' expected.txt, made
 * from what the getters return.
 */
#include "check.h"
#include <inttypes.h>

static void text(const char *key, const char *value) {
    if (value != NULL) printf("%-14s%s\n", key, value);
}

/* The value is stored before it is read. */
#define NUMBER(key, getter)                                                           \
    do {                                                                              \
        uint64_t value_;                                                              \
        if (getter(block, &value_)) printf("%-14s%" PRIu64 "\n", (key), value_);     \
    } while (0)

#define FLAG(key, getter)                                                             \
    do {                                                                              \
        bool value_;                                                                  \
        if (getter(block, &value_)) printf("%-14s%s\n", (key), value_ ? "true" : "false"); \
    } while (0)

#define DEV_NUMBER(key, getter)                                                        \
    do {                                                                              \
        uint32_t major_, minor_;                                                      \
        if (getter(block, &major_, &minor_)) printf("%-14s%" PRIu32 ":%" PRIu32 "\n", (key), major_, minor_); \
    } while (0)

#include "print_fields.h"

static const char *or_dash(const char *text) { return text == NULL ? "-" : text; }

static void print_lists(const peripety_block *block) {
    print_first_list(block);
    for (size_t i = 0; i < peripety_block_owner_count(block); i++) {
        const peripety_owner *owner = peripety_block_owner(block, i);
        printf("%-14s%s %s %s\n", "owner", peripety_owner_kdev(owner), peripety_owner_dev_path(owner),
               or_dash(peripety_owner_dev_wwid(owner)));
        CHECK(same(peripety_owner_dev_path(owner), peripety_block_owners_path(block, i)));
    }
    print_other_lists(block);
    for (size_t i = 0; i < peripety_block_path_count(block); i++) {
        const peripety_path *path = peripety_block_path(block, i);
        printf("%-14s%s %s %s %s\n", "path", peripety_path_kdev(path), or_dash(peripety_path_address(path)),
               or_dash(peripety_path_state(path)), or_dash(peripety_path_access_state(path)));
    }
    for (size_t i = 0; i < peripety_block_extension_count(block); i++) {
        const char *key = peripety_block_extension_key(block, i);
        const char *value = peripety_block_extension_value(block, i);
        printf("%-14s%s=%s\n", "extension", key, value);
        CHECK(same(peripety_block_extension(block, key), value));
    }
}

static void print_block(const peripety_block *block) {
    print_fields(block);
    print_lists(block);
}

/* Takes the answer to a question for one block. */
static void finish_block(peripety_code code, peripety_block *block, peripety_error *error) {
    if (code == PERIPETY_OK) {
        print_block(block);
    } else {
        CHECK(peripety_error_code(error) == code);
        printf("error: %s\n", peripety_error_message(error));
    }
    peripety_block_free(block);
    peripety_error_free(error);
}

static void print_side(const peripety_topology *topology, bool below, int depth) {
    size_t count = below ? peripety_topology_below_count(topology) : peripety_topology_above_count(topology);
    for (size_t i = 0; i < count; i++) {
        const peripety_topology *next =
            below ? peripety_topology_below(topology, i) : peripety_topology_above(topology, i);
        const peripety_block *block = peripety_topology_block(next);
        printf("%*s%s %s %s\n", depth, "", below ? "below" : "above", peripety_block_kdev(block),
               peripety_blk_type_name(peripety_block_blk_type(block)));
        print_side(next, below, depth + 2);
    }
}

static void print_topology(const peripety_tree *tree, const char *device) {
    peripety_topology *topology;
    peripety_error *error;
    if (peripety_tree_topology(tree, device, &topology, &error) == PERIPETY_OK) {
        const peripety_block *block = peripety_topology_block(topology);
        printf("%s %s\n", peripety_block_kdev(block), peripety_blk_type_name(peripety_block_blk_type(block)));
        print_side(topology, true, 2);
        print_side(topology, false, 2);
    } else {
        printf("error: %s\n", peripety_error_message(error));
    }
    peripety_topology_free(topology);
    peripety_error_free(error);
}

static void print_list(const peripety_tree *tree) {
    peripety_list *list;
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK);
    for (size_t i = 0; i < peripety_list_count(list); i++)
        printf("%s\n", peripety_block_kdev(peripety_list_block(list, i)));
    peripety_list_free(list);
}

static void print_mounts(const peripety_tree *tree) {
    peripety_mounts *mounts;
    peripety_tree_mounts(tree, &mounts, NULL);
    for (size_t i = 0; i < peripety_mounts_count(mounts); i++) {
        const peripety_mount *mount = peripety_mounts_mount(mounts, i);
        uint32_t major, minor;
        CHECK(peripety_mount_major_minor(mount, &major, &minor));
        if (major != 0)
            printf("%" PRIu32 ":%" PRIu32 " %s %s %s %s\n", major, minor, peripety_mount_root(mount),
                   peripety_mount_mount_point(mount), peripety_mount_fs_type(mount),
                   peripety_mount_source(mount));
    }
    peripety_mounts_free(mounts);
}

static void print_boot_id(const peripety_tree *tree) {
    char *boot_id;
    printf("%s\n", peripety_tree_boot_id(tree, &boot_id, NULL) == PERIPETY_OK ? boot_id : "none");
    peripety_string_free(boot_id);
}

static void print_map(const peripety_tree *tree, const char *kdev) {
    peripety_block *map;
    CHECK(peripety_tree_holders_of_type(tree, kdev, PERIPETY_BLK_TYPE_DM_MULTIPATH, &map, NULL) == PERIPETY_OK);
    printf("%s\n", map == NULL ? "none" : peripety_block_kdev(map));
    peripety_block_free(map);
}

/* The rest of a question that begins with this word; else NULL. */
static const char *after(const char *question, const char *word) {
    size_t length = strlen(word);
    return strncmp(question, word, length) == 0 ? question + length : NULL;
}

static void answer(const peripety_tree *tree, const char *question) {
    peripety_block *block;
    peripety_error *error;
    const char *rest;
    if (same(question, "!list")) {
        print_list(tree);
    } else if (same(question, "!mounts")) {
        print_mounts(tree);
    } else if (same(question, "!boot")) {
        print_boot_id(tree);
    } else if ((rest = after(question, "!topology ")) != NULL) {
        print_topology(tree, rest);
    } else if ((rest = after(question, "!map ")) != NULL) {
        print_map(tree, rest);
    } else if ((rest = after(question, "!kernel ")) != NULL) {
        peripety_code code = peripety_tree_kernel_block(tree, rest, &block, &error);
        finish_block(code, block, error);
    } else {
        peripety_code code = peripety_tree_block(tree, question, &block, &error);
        finish_block(code, block, error);
    }
}

int main(int count, char **arguments) {
    peripety_tree *tree;
    char line[8192];
    CHECK(count == 2);
    CHECK(peripety_tree_open(arguments[1], &tree, NULL) == PERIPETY_OK);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#') continue;
        printf("> %s\n", line);
        answer(tree, line);
        printf("\n");
    }
    peripety_tree_free(tree);
    return 0;
}
