/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* threads FIXTURES: eight threads share one tree and one block, and all get the same answers. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>

enum { THREADS = 8, ROUNDS = 1 };

struct shared {
    const peripety_tree *tree;
    const peripety_block *block;
    const char *list;
    const char *json;
    pthread_barrier_t start;
};

static void round_of_questions(const struct shared *shared) {
    peripety_list *list;
    peripety_block *block;
    peripety_error *error;
    CHECK(peripety_tree_list(shared->tree, &list, NULL) == PERIPETY_OK);
    CHECK(same_freed(peripety_list_to_json(list), shared->list));
    peripety_list_free(list);
    CHECK(peripety_tree_block(shared->tree, "vg/lv", &block, NULL) == PERIPETY_OK);
    CHECK(same_freed(peripety_block_to_json(block), shared->json));
    peripety_block_free(block);
    CHECK(same_freed(peripety_block_to_json(shared->block), shared->json));
    CHECK(same(peripety_block_owners_wwid(shared->block, 0), "mpath-333333330000007d0"));
    CHECK(peripety_tree_block(shared->tree, "sdz", &block, &error) == PERIPETY_NOT_FOUND);
    CHECK(same(peripety_error_device(error), "sdz"));
    peripety_error_free(error);
}

static void *run(void *argument) {
    struct shared *shared = argument;
    pthread_barrier_wait(&shared->start);
    for (int i = 0; i < ROUNDS; i++) round_of_questions(shared);
    return NULL;
}

int main(int count, char **arguments) {
    struct shared shared;
    pthread_t threads[THREADS];
    peripety_list *list;
    peripety_block *block;
    CHECK(count == 2);
    peripety_tree *tree = open_case(arguments[1], "ext4-lvm-multipath");
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK);
    CHECK(peripety_tree_block(tree, "vg/lv", &block, NULL) == PERIPETY_OK);
    char *list_json = peripety_list_to_json(list), *block_json = peripety_block_to_json(block);
    peripety_list_free(list);
    peripety_tree_free(tree);
    /* A fresh tree, which keeps nothing from earlier questions. */
    tree = open_case(arguments[1], "ext4-lvm-multipath");
    shared = (struct shared){.tree = tree, .block = block, .list = list_json, .json = block_json};
    CHECK(pthread_barrier_init(&shared.start, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, run, &shared) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_destroy(&shared.start);
    peripety_string_free(list_json);
    peripety_string_free(block_json);
    peripety_block_free(block);
    peripety_tree_free(tree);
    return 0;
}
