/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the tests share: checks that say where they failed, and a tree from the fixtures. */
#ifndef CHECK_H
#define CHECK_H

#include <peripety.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* Are both the same string, or both NULL? */
static inline bool same(const char *a, const char *b) {
    if (a == NULL || b == NULL) return a == b;
    return strcmp(a, b) == 0;
}

/* The string that a function returns, freed after it was compared. */
static inline bool same_freed(char *a, const char *b) {
    bool answer = same(a, b);
    peripety_string_free(a);
    return answer;
}

/* The tree of the case CASE below the directory of the fixtures. */
static inline peripety_tree *open_case(const char *fixtures, const char *name) {
    char path[4096];
    peripety_tree *tree;
    peripety_error *error;
    snprintf(path, sizeof path, "%s/%s/tree.txt", fixtures, name);
    CHECK(peripety_tree_open(path, &tree, &error) == PERIPETY_OK);
    CHECK(tree != NULL && error == NULL);
    return tree;
}

#endif
