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

static const char *or_dash(const char *text) { return text == NULL ? "-" : text; }

static void print_flags(const peripety_block *block) {
    FLAG("removable", peripety_block_removable);
    FLAG("rotational", peripety_block_rotational);
    FLAG("read_only", peripety_block_read_only);
}

static void print_lists(const peripety_block *block) {
    for (size_t i = 0; i < peripety_block_mount_point_count(block); i++)
        text("mount_point", peripety_block_mount_point(block, i));
    for (size_t i = 0; i < peripety_block_owner_count(block); i++) {
        const peripety_owner *owner = peripety_block_owner(block, i);
        printf("%-14s%s %s %s\n", "owner", peripety_owner_kdev(owner), peripety_owner_dev_path(owner),
               or_dash(peripety_owner_dev_wwid(owner)));
        CHECK(same(peripety_owner_dev_path(owner), peripety_block_owners_path(block, i)));
    }
    for (size_t i = 0; i < peripety_block_slave_count(block); i++)
        text("slave", peripety_block_slave(block, i));
    for (size_t i = 0; i < peripety_block_holder_count(block); i++)
        text("holder", peripety_block_holder(block, i));
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
    uint32_t major, minor;
    text("kdev", peripety_block_kdev(block));
    if (peripety_block_major_minor(block, &major, &minor))
        printf("%-14s%" PRIu32 ":%" PRIu32 "\n", "major_minor", major, minor);
    text("address", peripety_block_address(block));
    text("dev_path", peripety_block_dev_path(block));
    text("blk_type", peripety_blk_type_name(peripety_block_blk_type(block)));
    text("dev_wwid", peripety_block_dev_wwid(block));
    text("stable_path", peripety_block_stable_path(block));
    NUMBER("size_bytes", peripety_block_size_bytes);
    text("serial", peripety_block_serial(block));
    text("model", peripety_block_model(block));
    text("vendor", peripety_block_vendor(block));
    print_flags(block);
    text("fs_type", peripety_block_fs_type(block));
    text("fs_uuid", peripety_block_fs_uuid(block));
    text("fs_label", peripety_block_fs_label(block));
    text("transport", peripety_block_transport(block));
    NUMBER("present_since", peripety_block_present_since);
    NUMBER("diskseq", peripety_block_diskseq);
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
