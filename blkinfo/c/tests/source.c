/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* source FIXTURES: a tree that functions of the program read, here a made-up disk. */
#include "check.h"
#include <errno.h>

struct disk {
    int reads;
    int freed;
};

static bool add(peripety_answer *answer, const char *text) {
    return peripety_answer_add(answer, text, strlen(text));
}

static int read_file(void *user, const char *path, peripety_answer *answer) {
    struct disk *disk = user;
    disk->reads++;
    if (same(path, "/sys/devices/x/block/sdx/size")) return add(answer, "20") && add(answer, "48\n") ? 0 : EIO;
    if (same(path, "/sys/devices/x/block/sdx/dev")) return add(answer, "8:368\n") ? 0 : EIO;
    CHECK(peripety_answer_add(answer, NULL, 0) && !peripety_answer_add(answer, NULL, 1));
    return ENOENT;
}

static int read_link_of(void *user, const char *path, peripety_answer *answer) {
    (void)user;
    if (same(path, "/sys/class/block/sdx"))
        return add(answer, "../../devices/x/") && add(answer, "block/sdx") ? 0 : EIO;
    return EINVAL;
}

static int read_directory(void *user, const char *path, peripety_answer *answer) {
    (void)user;
    if (same(path, "/sys/class/block")) return add(answer, "sdx") ? 0 : EIO;
    if (same(path, "/sys/devices/x/block/sdx")) return add(answer, "dev") && add(answer, "size") ? 0 : EIO;
    return EACCES;
}

static void free_disk(void *user) { ((struct disk *)user)->freed++; }

int main(void) {
    struct disk disk = {0, 0};
    const peripety_source source = {&disk, read_file, read_link_of, read_directory, free_disk};
    peripety_tree *tree;
    peripety_block *block;
    peripety_list *list;
    peripety_mounts *mounts;
    peripety_error *error;
    uint64_t size = 0;
    int number = 0;
    CHECK(peripety_tree_new(&source, &tree, &error) == PERIPETY_OK && error == NULL);
    CHECK(!peripety_tree_is_live(tree));
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 1);
    peripety_list_free(list);
    CHECK(peripety_tree_block(tree, "sdx", &block, NULL) == PERIPETY_OK);
    CHECK(peripety_block_size_bytes(block, &size) && size == 1048576);
    peripety_block_free(block);
    CHECK(peripety_tree_mounts(tree, &mounts, &error) == PERIPETY_SOURCE && mounts == NULL);
    CHECK(peripety_error_errno(error, &number) && number == ENOENT);
    CHECK(same(peripety_error_path(error), "/proc/self/mountinfo"));
    peripety_error_free(error);
    CHECK(disk.reads > 0 && disk.freed == 0);
    peripety_tree_free(tree);
    CHECK(disk.freed == 1);
    return 0;
}
