/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* values FIXTURES: what dump.c does not reach, against known values. */
#include "check.h"

static void names(void) {
    uint32_t major = 1, minor = 2;
    CHECK(peripety_version() != NULL && strchr(peripety_version(), '.') != NULL);
    CHECK(same(peripety_code_name(PERIPETY_OK), "OK"));
    CHECK(same(peripety_code_name(PERIPETY_BUG), "BUG"));
    CHECK(same(peripety_code_name(PERIPETY_NO_LISTS), "NO_LISTS"));
    CHECK(same(peripety_code_name(PERIPETY_MACHINE), "MACHINE"));
    CHECK(peripety_code_name((peripety_code)99) == NULL);
    CHECK(same(peripety_blk_type_name(PERIPETY_BLK_TYPE_OTHER), "other"));
    CHECK(same(peripety_blk_type_name(PERIPETY_BLK_TYPE_ZRAM), "zram"));
    CHECK(peripety_blk_type_name((peripety_blk_type)99) == NULL);
    CHECK(!peripety_dev_number_parse("+8:16", &major, &minor) && major == 1 && minor == 2);
    CHECK(peripety_dev_number_parse("8:16", &major, &minor) && major == 8 && minor == 16);
    CHECK(peripety_natural_cmp("sdb", "sdaa") < 0);
    CHECK(peripety_natural_cmp("sda10", "sda2") > 0);
    CHECK(peripety_natural_cmp("sda", "sda") == 0);
    CHECK(peripety_natural_cmp(NULL, "sda") < 0 && peripety_natural_cmp(NULL, NULL) == 0);
}

static void mounts(const peripety_tree *tree) {
    peripety_mounts *mounts;
    peripety_mount *mount;
    uint32_t major, minor, id = 0;
    CHECK(peripety_tree_mount_of(tree, 253, 1, &mounts, NULL) == PERIPETY_OK);
    CHECK(peripety_mounts_count(mounts) == 1);
    CHECK(same(peripety_mount_mount_point(peripety_mounts_mount(mounts, 0)), "/mnt/test"));
    CHECK(peripety_mounts_mount(mounts, 1) == NULL);
    peripety_mounts_free(mounts);
    CHECK(peripety_tree_mount_of(tree, 1, 1, &mounts, NULL) == PERIPETY_OK);
    CHECK(peripety_mounts_count(mounts) == 0);
    peripety_mounts_free(mounts);
    CHECK(peripety_tree_mount_at(tree, "/mnt/test/deep", &mount, NULL) == PERIPETY_OK);
    CHECK(peripety_mount_id(mount, &id) && id != 0);
    CHECK(peripety_mount_major_minor(mount, &major, &minor) && major == 253 && minor == 1);
    CHECK(same(peripety_mount_root(mount), "/"));
    CHECK(same(peripety_mount_fs_type(mount), "ext4"));
    CHECK(same(peripety_mount_source(mount), "/dev/mapper/vg-lv"));
    peripety_mount_free(mount);
    CHECK(peripety_tree_mount_at(tree, "relative", &mount, NULL) == PERIPETY_OK && mount == NULL);
}

static void owners(const peripety_tree *tree) {
    peripety_block *block;
    CHECK(peripety_tree_identity_of_fs(tree, "47841ee5-047d-4f73-8951-5a3d7a4c770e", &block, NULL) ==
          PERIPETY_OK);
    CHECK(same(peripety_block_kdev(block), "dm-1"));
    CHECK(peripety_block_owner_count(block) == 9);
    CHECK(peripety_block_owners_path_count(block) == 9);
    CHECK(same(peripety_block_owners_path(block, 0), "/dev/mapper/mpatha"));
    CHECK(same(peripety_owner_kdev(peripety_block_owner(block, 8)), "sdi"));
    CHECK(peripety_block_owner(block, 9) == NULL && peripety_block_owners_path(block, 9) == NULL);
    CHECK(peripety_block_owners_wwid_count(block) == 2);
    CHECK(same(peripety_block_owners_wwid(block, 1), "t10.Linux-scsi_debug-2000"));
    CHECK(peripety_block_owners_wwid(block, 2) == NULL);
    CHECK(peripety_block_mount_point(block, 1) == NULL && peripety_block_holder(block, 0) == NULL);
    peripety_block_free(block);
}

/* The Fibre Channel map of the first published example. */
static void paths(const char *fixtures) {
    peripety_tree *tree = open_case(fixtures, "fc-multipath");
    peripety_block *map;
    CHECK(peripety_tree_holders_of_type(tree, "8:48", PERIPETY_BLK_TYPE_DM_MULTIPATH, &map, NULL) ==
          PERIPETY_OK);
    CHECK(peripety_block_path_count(map) == 2 && peripety_block_path(map, 2) == NULL);
    const peripety_path *path = peripety_block_path(map, 0);
    CHECK(same(peripety_path_kdev(path), "sdd") && same(peripety_path_address(path), "3:0:0:1"));
    CHECK(same(peripety_path_state(path), "running") && peripety_path_access_state(path) == NULL);
    CHECK(same(peripety_path_extension(path, "driver_name"), "lpfc"));
    CHECK(peripety_path_extension(path, "no such key") == NULL && peripety_path_extension(path, NULL) == NULL);
    CHECK(peripety_path_extension_count(path) >= 5);
    for (size_t i = 0; i < peripety_path_extension_count(path); i++)
        CHECK(same(peripety_path_extension(path, peripety_path_extension_key(path, i)),
                   peripety_path_extension_value(path, i)));
    CHECK(peripety_path_extension_key(path, 99) == NULL && peripety_path_extension_value(path, 99) == NULL);
    peripety_block_free(map);
    CHECK(peripety_tree_holders_of_type(tree, "8:48", PERIPETY_BLK_TYPE_MD, &map, NULL) == PERIPETY_OK);
    CHECK(map == NULL);
    peripety_tree_free(tree);
}

/* The machine that tests has no path of that name, or no multipathd: its state is not known. */
static void multipathd(const peripety_tree *tree) {
    peripety_list *list, *more;
    peripety_block *map, *full;
    peripety_topology *topology, *stack;
    CHECK(peripety_tree_block(tree, "mpatha", &map, NULL) == PERIPETY_OK);
    CHECK(peripety_path_dm_state(peripety_block_path(map, 0)) == NULL);
    CHECK(peripety_multipathd_complete_block(map, &full, NULL) == PERIPETY_OK);
    CHECK(peripety_path_dm_state(peripety_block_path(full, 0)) != NULL);
    CHECK(peripety_path_dm_state(peripety_block_path(map, 0)) == NULL);
    peripety_block_free(map);
    peripety_block_free(full);
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK);
    CHECK(peripety_multipathd_complete(list, &more, NULL) == PERIPETY_OK);
    CHECK(peripety_list_count(more) == peripety_list_count(list));
    CHECK(peripety_path_dm_state(peripety_block_path(peripety_list_block(more, 0), 0)) != NULL);
    peripety_list_free(list);
    peripety_list_free(more);
    CHECK(peripety_tree_topology(tree, "vg/lv", &topology, NULL) == PERIPETY_OK);
    CHECK(peripety_multipathd_complete_topology(topology, &stack, NULL) == PERIPETY_OK);
    const peripety_block *below = peripety_topology_block(peripety_topology_below(stack, 0));
    CHECK(peripety_path_dm_state(peripety_block_path(below, 0)) != NULL);
    CHECK(peripety_topology_below_count(stack) == peripety_topology_below_count(topology));
    peripety_topology_free(topology);
    peripety_topology_free(stack);
}

/* ALUA: the kernel says that no path is preferred. */
static void preferred(const char *fixtures) {
    peripety_tree *tree = open_case(fixtures, "fs-lvm-multipath");
    peripety_list *list;
    size_t known = 0;
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK);
    for (size_t i = 0; i < peripety_list_count(list); i++) {
        const peripety_block *block = peripety_list_block(list, i);
        for (size_t j = 0; j < peripety_block_path_count(block); j++) {
            bool preferred = true;
            if (!peripety_path_preferred(peripety_block_path(block, j), &preferred)) continue;
            known++;
            CHECK(!preferred);
        }
    }
    CHECK(known > 0);
    CHECK(peripety_list_block(list, peripety_list_count(list)) == NULL);
    peripety_list_free(list);
    peripety_tree_free(tree);
}

static bool begins_and_ends(char *text, const char *begin, char end) {
    bool answer = text != NULL && strncmp(text, begin, strlen(begin)) == 0 && text[strlen(text) - 1] == end;
    peripety_string_free(text);
    return answer;
}

static void json_and_text(const peripety_tree *tree) {
    peripety_block *block;
    peripety_list *list;
    peripety_topology *topology;
    CHECK(peripety_tree_block(tree, "/dev/vg/lv", &block, NULL) == PERIPETY_OK);
    CHECK(begins_and_ends(peripety_block_to_json(block), "{\"kdev\":\"dm-1\",\"major_minor\":\"253:1\"", '}'));
    CHECK(begins_and_ends(peripety_block_to_text(block), "kdev          dm-1\n", '\n'));
    peripety_block_free(block);
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK);
    CHECK(begins_and_ends(peripety_list_to_json(list), "[{\"kdev\":\"dm-0\"", ']'));
    peripety_list_free(list);
    CHECK(peripety_tree_topology(tree, "dm-0", &topology, NULL) == PERIPETY_OK);
    CHECK(begins_and_ends(peripety_topology_to_json(topology), "{\"block\":{\"kdev\":\"dm-0\"", '}'));
    CHECK(peripety_topology_below_count(topology) == 8 && peripety_topology_above_count(topology) == 1);
    CHECK(same(peripety_block_kdev(peripety_topology_block(peripety_topology_above(topology, 0))), "dm-1"));
    CHECK(peripety_topology_below(topology, 8) == NULL && peripety_topology_above(topology, 1) == NULL);
    peripety_topology_free(topology);
}

/* All that is below a volume: the map first, then its paths, each once. */
static void flat(const peripety_tree *tree) {
    peripety_topology *topology;
    peripety_list *list;
    CHECK(peripety_tree_topology(tree, "vg/lv", &topology, NULL) == PERIPETY_OK);
    CHECK(peripety_topology_all_below(topology, &list, NULL) == PERIPETY_OK);
    CHECK(peripety_list_count(list) == 9 && same(peripety_block_kdev(peripety_list_block(list, 0)), "dm-0"));
    peripety_list_free(list);
    CHECK(peripety_topology_all_above(topology, &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 0);
    peripety_list_free(list);
    peripety_topology_free(topology);
    CHECK(peripety_tree_topology(tree, "sdb", &topology, NULL) == PERIPETY_OK);
    CHECK(peripety_topology_all_above(topology, &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 2);
    CHECK(same(peripety_block_kdev(peripety_list_block(list, 1)), "dm-1"));
    peripety_list_free(list);
    peripety_topology_free(topology);
}

/* What JSON holds is the same again. */
static void from_json(const peripety_tree *tree) {
    peripety_block *block, *again;
    peripety_list *list, *copy;
    CHECK(peripety_tree_block(tree, "sdb", &block, NULL) == PERIPETY_OK);
    char *json = peripety_block_to_json(block);
    CHECK(peripety_block_from_json(json, &again, NULL) == PERIPETY_OK);
    CHECK(same_freed(peripety_block_to_json(again), json) && peripety_block_is_same(block, again));
    peripety_string_free(json);
    peripety_block_free(again);
    CHECK(peripety_tree_block(tree, "sdc", &again, NULL) == PERIPETY_OK && !peripety_block_is_same(block, again));
    peripety_block_free(again);
    peripety_block_free(block);
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK);
    json = peripety_list_to_json(list);
    CHECK(peripety_list_from_json(json, &copy, NULL) == PERIPETY_OK);
    CHECK(same_freed(peripety_list_to_json(copy), json));
    peripety_string_free(json);
    peripety_list_free(copy);
    peripety_list_free(list);
}

/* An empty loop device is not in the list, but in the list of all. */
static void list_all(void) {
    const char *text = "# peripety device tree 1\n/sys/class/block/loop9 -> ../../devices/virtual/block/loop9\n"
                       "/sys/devices/virtual/block/loop9/dev = 7:9\n"
                       "/sys/devices/virtual/block/loop9/size = 0\n";
    peripety_tree *tree;
    peripety_list *list;
    CHECK(peripety_tree_recorded(text, &tree, NULL) == PERIPETY_OK);
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 0);
    peripety_list_free(list);
    CHECK(peripety_tree_list_all(tree, &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 1);
    peripety_list_free(list);
    peripety_tree_free(tree);
}

static void trees(const char *fixtures) {
    peripety_tree *tree;
    peripety_list *list;
    char *text;
    CHECK(peripety_tree_live(&tree, NULL) == PERIPETY_OK && peripety_tree_is_live(tree));
    peripety_tree_free(tree);
    CHECK(peripety_tree_directory("/", &tree, NULL) == PERIPETY_OK && peripety_tree_is_live(tree));
    peripety_tree_free(tree);
    CHECK(peripety_tree_open(fixtures, &tree, NULL) == PERIPETY_OK && !peripety_tree_is_live(tree));
    peripety_tree_free(tree);
    const char *unsorted = "# peripety device tree 1\n# remark\n/sys/class/block/b/\n/sys/class/block/a/\n";
    CHECK(peripety_tree_recorded(unsorted, &tree, NULL) == PERIPETY_OK);
    CHECK(peripety_tree_list(tree, &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 0);
    peripety_list_free(list);
    peripety_tree_free(tree);
    CHECK(peripety_recorded_to_text(unsorted, &text, NULL) == PERIPETY_OK);
    CHECK(same_freed(text, "# peripety device tree 1\n/sys/class/block/a/\n/sys/class/block/b/\n"));
}

/* Another machine, by what lsblk printed there. */
static void archive(const char *fixtures) {
    char path[4096];
    peripety_tree *tree;
    peripety_block *block;
    snprintf(path, sizeof path, "%s/emulated-hardware/lsblk.json", fixtures);
    CHECK(peripety_tree_archive(path, NULL, &tree, NULL) == PERIPETY_OK && !peripety_tree_is_live(tree));
    CHECK(peripety_tree_block(tree, "0:0:1:0", &block, NULL) == PERIPETY_OK);
    CHECK(same(peripety_block_kdev(block), "sda"));
    CHECK(same(peripety_block_dev_wwid(block), "naa.5000c50000000500"));
    peripety_block_free(block);
    peripety_tree_free(tree);
}

int main(int count, char **arguments) {
    char *boot_id;
    CHECK(count == 2);
    names();
    peripety_tree *tree = open_case(arguments[1], "ext4-lvm-multipath");
    CHECK(!peripety_tree_is_live(tree));
    CHECK(peripety_tree_boot_id(tree, &boot_id, NULL) == PERIPETY_OK);
    CHECK(same_freed(boot_id, "6f0c2b1e3d524c0a9f0b2f7a1c9d4e10"));
    mounts(tree);
    owners(tree);
    json_and_text(tree);
    flat(tree);
    from_json(tree);
    list_all();
    multipathd(tree);
    peripety_tree_free(tree);
    paths(arguments[1]);
    preferred(arguments[1]);
    trees(arguments[1]);
    archive(arguments[1]);
    return 0;
}
