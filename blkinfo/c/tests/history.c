/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* history FIXTURES: which device had a name, while disks come and go. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>

/* A SCSI disk at 2:0:0:1, as peripety_block_to_json writes one. */
static peripety_block *disk(const char *kdev, const char *identity, unsigned diskseq) {
    const char *form =
        "{\"kdev\":\"%s\",\"major_minor\":\"8:16\",\"address\":\"2:0:0:1\",\"dev_path\":\"/dev/%s\","
        "\"blk_type\":\"scsi\",\"dev_wwid\":\"%s\",\"owners\":[],\"slaves\":[],\"holders\":[],\"size_bytes\":512,"
        "\"mount_points\":[],\"extension\":{},\"paths\":[],\"diskseq\":%u}";
    char text[1024];
    peripety_block *block;
    peripety_error *error;
    snprintf(text, sizeof text, form, kdev, kdev, identity, diskseq);
    peripety_code code = peripety_block_from_json(text, &block, &error);
    if (code != PERIPETY_OK) fprintf(stderr, "%s\n", peripety_error_message(error));
    CHECK(code == PERIPETY_OK);
    return block;
}

static void seen(peripety_history *history, peripety_block *block, uint64_t now) {
    CHECK(peripety_history_seen(history, block, now, NULL) == PERIPETY_OK);
    peripety_block_free(block);
}

static void give(peripety_history *history, uint64_t now) {
    CHECK(peripety_history_advance(history, now, NULL) == PERIPETY_OK);
}

/* Had the device of this identity the name then, and has it the name still? */
static bool known(const peripety_history *history, const char *name, uint64_t time, const char *identity,
                  bool present) {
    peripety_history_answer who;
    peripety_block *block;
    bool still = !present;
    CHECK(peripety_history_at(history, name, time, &who, &still, &block, NULL) == PERIPETY_OK);
    bool answer = who == PERIPETY_HISTORY_KNOWN && still == present &&
                  same(peripety_block_dev_wwid(block), identity);
    peripety_block_free(block);
    return answer;
}

static bool nobody(const peripety_history *history, const char *name, uint64_t time, peripety_history_answer why) {
    peripety_history_answer who;
    peripety_block *block;
    bool present = true;
    CHECK(peripety_history_at(history, name, time, &who, &present, &block, NULL) == PERIPETY_OK);
    return who == why && block == NULL && !present;
}

static peripety_history *empty(uint64_t time) {
    const peripety_window looked = {time, time};
    peripety_list *list;
    peripety_history *history;
    CHECK(peripety_list_from_json("[]", &list, NULL) == PERIPETY_OK && peripety_list_count(list) == 0);
    CHECK(peripety_history_new("6f0c2b1e3d524c0a9f0b2f7a1c9d4e10", looked, list, &history, NULL) == PERIPETY_OK);
    peripety_list_free(list);
    return history;
}

/* A disk goes, and another takes its name. */
static peripety_history *two_disks(void) {
    const uint64_t old = 1, other = 7;
    peripety_history *history = empty(100);
    seen(history, disk("sdb", "old", 1), 110);
    give(history, 200);
    CHECK(peripety_history_gone(history, "sdb", &other, 205, NULL) == PERIPETY_OK);
    CHECK(known(history, "sdb", 200, "old", true));
    CHECK(peripety_history_gone(history, "sdb", &old, 210, NULL) == PERIPETY_OK);
    give(history, 220);
    CHECK(known(history, "2:0:0:1", 215, "old", true)); /* its last words */
    CHECK(peripety_history_address_gone(history, "2:0:0:1", 230, NULL) == PERIPETY_OK);
    give(history, 240);
    seen(history, disk("sdb", "new", 2), 300);
    give(history, 310);
    return history;
}

static void answers(const peripety_history *history) {
    const char *names[] = {"sdb", "[sdb]", "8:16", "b8:16", "/dev/sdb", "2:0:0:1", "+scsi:2:0:0:1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(nobody(history, names[i], 100, PERIPETY_HISTORY_ABSENT));
        CHECK(nobody(history, names[i], 105, PERIPETY_HISTORY_UNCERTAIN));
        CHECK(known(history, names[i], 200, "old", false));
        CHECK(nobody(history, names[i], 235, PERIPETY_HISTORY_ABSENT));
        CHECK(nobody(history, names[i], 295, PERIPETY_HISTORY_UNCERTAIN));
        CHECK(known(history, names[i], 300, "new", true));
        /* Not known yet what happened until then. */
        CHECK(nobody(history, names[i], 311, PERIPETY_HISTORY_UNCERTAIN));
    }
    CHECK(nobody(history, "sdc", 200, PERIPETY_HISTORY_ABSENT));
}

static uint64_t generation(const peripety_history *history) {
    uint64_t number = 0;
    CHECK(peripety_history_generation(history, &number));
    return number;
}

static void changes(peripety_history *history) {
    uint64_t until = 0, before = generation(history);
    give(history, 320);
    CHECK(peripety_history_complete_until(history, &until) && until == 320 && generation(history) == before);
    peripety_block *same_disk = disk("sdb", "new", 2), *other = disk("sdb", "else", 3);
    CHECK(peripety_history_refresh(history, same_disk, NULL) == PERIPETY_OK && generation(history) == before);
    CHECK(peripety_history_refresh(history, other, NULL) == PERIPETY_OK && known(history, "sdb", 320, "new", true));
    CHECK(peripety_block_is_same(same_disk, same_disk) && !peripety_block_is_same(same_disk, other));
    peripety_block_free(same_disk);
    peripety_block_free(other);
    CHECK(peripety_history_len(history) == 2 && peripety_history_most_ended() >= 1024);
    CHECK(same(peripety_history_boot_id(history), "6f0c2b1e3d524c0a9f0b2f7a1c9d4e10"));
}

static void saved_and_read(const peripety_history *history) {
    peripety_history *again;
    char *text = peripety_history_to_json(history);
    CHECK(peripety_history_from_json(text, &again, NULL) == PERIPETY_OK);
    answers(again);
    CHECK(peripety_history_len(again) == 2 && generation(again) == generation(history));
    peripety_string_free(text);
    /* Nobody listened until 500: of sdb the same disk is found. */
    const peripety_window looked = {490, 500};
    peripety_list *list;
    peripety_block *block = disk("sdb", "new", 2);
    char *json = peripety_block_to_json(block), array[2048];
    snprintf(array, sizeof array, "[%s]", json);
    CHECK(peripety_list_from_json(array, &list, NULL) == PERIPETY_OK);
    CHECK(peripety_history_resync(again, looked, list, NULL) == PERIPETY_OK);
    CHECK(known(again, "sdb", 400, "new", true) && known(again, "sdb", 200, "old", false));
    peripety_list_free(list);
    CHECK(peripety_list_from_json("[]", &list, NULL) == PERIPETY_OK);
    CHECK(peripety_history_resync(again, looked, list, NULL) == PERIPETY_OK);
    CHECK(nobody(again, "sdb", 495, PERIPETY_HISTORY_UNCERTAIN));
    peripety_list_free(list);
    peripety_string_free(json);
    peripety_block_free(block);
    peripety_history_free(again);
}

/* A look at a whole tree: each disk is found by its name, its number and its address. */
static void of_a_tree(const char *fixtures) {
    const peripety_window looked = {10000000, 10000100};
    peripety_tree *tree = open_case(fixtures, "fs-lvm-multipath");
    peripety_list *list;
    peripety_history *history;
    char *boot_id;
    CHECK(peripety_tree_list_all(tree, &list, NULL) == PERIPETY_OK);
    CHECK(peripety_tree_boot_id(tree, &boot_id, NULL) == PERIPETY_OK);
    CHECK(peripety_history_new(boot_id, looked, list, &history, NULL) == PERIPETY_OK);
    CHECK(peripety_history_len(history) == peripety_list_count(list) && peripety_list_count(list) > 0);
    give(history, 10000200);
    for (size_t i = 0; i < peripety_list_count(list); i++) {
        const peripety_block *block = peripety_list_block(list, i);
        const char *identity = peripety_block_dev_wwid(block);
        CHECK(known(history, peripety_block_kdev(block), 10000150, identity, true));
    }
    peripety_string_free(boot_id);
    peripety_history_free(history);
    peripety_list_free(list);
    peripety_tree_free(tree);
}

/* What the mount table says, and a file system's UUID. */
static void contents(const char *fixtures) {
    const char *uuid = "47841ee5-047d-4f73-8951-5a3d7a4c770e", *names[] = {uuid, "/mnt/test", "vg-lv", "dm-1"};
    const peripety_window looked = {10000000, 10000000};
    peripety_tree *tree = open_case(fixtures, "ext4-lvm-multipath");
    peripety_list *list;
    peripety_mounts *mounts, *copy;
    peripety_history *history;
    peripety_block *block;
    peripety_history_answer who;
    bool present;
    CHECK(peripety_tree_list_all(tree, &list, NULL) == PERIPETY_OK);
    CHECK(peripety_tree_mounts(tree, &mounts, NULL) == PERIPETY_OK);
    char *json = peripety_mounts_to_json(mounts);
    CHECK(peripety_mounts_from_json(json, &copy, NULL) == PERIPETY_OK);
    CHECK(same_freed(peripety_mounts_to_json(copy), json) && peripety_mounts_count(copy) > 0);
    CHECK(peripety_history_new("b", looked, list, &history, NULL) == PERIPETY_OK);
    give(history, 10000100);
    CHECK(peripety_history_mounts(history, (peripety_window){10000050, 10000060}, copy, NULL) == PERIPETY_OK);
    CHECK(peripety_history_advance_mounts(history, 10000100, NULL) == PERIPETY_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(peripety_history_any_at(history, names[i], 10000090, &who, &present, &block, NULL) == PERIPETY_OK);
        CHECK(who == PERIPETY_HISTORY_KNOWN && present && same(peripety_block_kdev(block), "dm-1"));
        peripety_block_free(block);
        CHECK(peripety_history_content_at(history, names[i], 10000090, &who, NULL, &block, NULL) == PERIPETY_OK);
        CHECK((block != NULL) == (i < 2) && (who == PERIPETY_HISTORY_ABSENT) == (i >= 2));
        peripety_block_free(block);
    }
    peripety_string_free(json);
    peripety_mounts_free(mounts);
    peripety_mounts_free(copy);
    peripety_history_free(history);
    peripety_list_free(list);
    peripety_tree_free(tree);
}

struct look {
    int looks;
    bool there;
};

static bool is_there(void *user, const peripety_block *held) {
    struct look *look = user;
    look->looks++;
    return look->there && same(peripety_block_dev_wwid(held), "new");
}

/* Messages may be missing: a look at the very device tells. */
static void looks(const peripety_history *history) {
    struct look look = {0, true};
    peripety_history_answer who;
    peripety_block *block;
    bool present = false;
    CHECK(nobody(history, "sdb", 900, PERIPETY_HISTORY_UNCERTAIN));
    CHECK(peripety_history_at_or_look(history, "sdb", 900, 950, is_there, &look, &who, &present, &block, NULL) ==
          PERIPETY_OK);
    CHECK(who == PERIPETY_HISTORY_KNOWN && present && same(peripety_block_dev_wwid(block), "new"));
    peripety_block_free(block);
    look.there = false;
    CHECK(peripety_history_at_or_look(history, "sdb", 900, 950, is_there, &look, &who, NULL, &block, NULL) ==
          PERIPETY_OK);
    CHECK(who == PERIPETY_HISTORY_UNCERTAIN && block == NULL && look.looks == 2);
    CHECK(peripety_history_at_or_look(history, "sdb", 900, 950, NULL, NULL, &who, NULL, &block, NULL) == PERIPETY_OK);
    CHECK(who == PERIPETY_HISTORY_UNCERTAIN);
    CHECK(peripety_history_at_or_look(history, "sdb", 200, 950, is_there, &look, &who, NULL, &block, NULL) ==
          PERIPETY_OK);
    CHECK(who == PERIPETY_HISTORY_KNOWN && look.looks == 2);
    peripety_block_free(block);
}

/* What was saved when it changed last, and later how far it is complete. */
static void progress(peripety_history *history) {
    peripety_history *again;
    uint64_t until = 0;
    char *text = peripety_history_to_json(history);
    give(history, 5000);
    CHECK(peripety_history_advance_in_part(history, 5001, NULL) == PERIPETY_OK);
    char *small = peripety_history_progress(history);
    CHECK(peripety_history_from_json(text, &again, NULL) == PERIPETY_OK);
    CHECK(peripety_history_catch_up(again, small, NULL) == PERIPETY_OK);
    CHECK(peripety_history_complete_until(again, &until) && until == 5000);
    CHECK(same_freed(peripety_history_progress(again), small));
    peripety_string_free(text);
    peripety_string_free(small);
    peripety_history_free(again);
}

#define MESSAGE(text) text, sizeof text

static void uevents(void) {
    peripety_uevent *uevent;
    uint64_t number = 0;
    CHECK(peripety_uevent_parse(MESSAGE("remove@/devices/x/block/cciss!c0d0\0ACTION=remove\0"
                                        "DEVPATH=/devices/x/block/cciss!c0d0\0SUBSYSTEM=block\0SEQNUM=4711\0"
                                        "DISKSEQ=9"),
                                &uevent, NULL) == PERIPETY_OK);
    CHECK(peripety_uevent_action(uevent) == PERIPETY_ACTION_REMOVE);
    CHECK(same(peripety_uevent_devpath(uevent), "/devices/x/block/cciss!c0d0"));
    CHECK(same(peripety_uevent_name(uevent), "cciss/c0d0") && same(peripety_uevent_subsystem(uevent), "block"));
    CHECK(peripety_uevent_seqnum(uevent, &number) && number == 4711);
    CHECK(peripety_uevent_diskseq(uevent, &number) && number == 9);
    CHECK(peripety_uevent_devpath_old(uevent) == NULL && peripety_uevent_old_name(uevent) == NULL);
    peripety_uevent_free(uevent);
    CHECK(peripety_uevent_parse(MESSAGE("move@/devices/b\0DEVPATH=/devices/b\0DEVPATH_OLD=/devices/a\0"
                                        "SUBSYSTEM=block\0SEQNUM=1"),
                                &uevent, NULL) == PERIPETY_OK);
    CHECK(peripety_uevent_action(uevent) == PERIPETY_ACTION_MOVE && !peripety_uevent_diskseq(uevent, &number));
    CHECK(same(peripety_uevent_devpath_old(uevent), "/devices/a") && same(peripety_uevent_old_name(uevent), "a"));
    peripety_uevent_free(uevent);
    CHECK(peripety_uevent_parse(MESSAGE("libudev\0\xfe\xed"), &uevent, NULL) == PERIPETY_OK && uevent == NULL);
    CHECK(peripety_uevent_parse("", 0, &uevent, NULL) == PERIPETY_OK && uevent == NULL);
}

/* Threads tell and ask the same history. */
static void *tell_and_ask(void *argument) {
    peripety_history *history = argument;
    for (uint64_t time = 400; time < 440; time++) {
        seen(history, disk("sdb", "new", 2), time);
        give(history, time);
        CHECK(known(history, "sdb", 300, "new", true));
    }
    return NULL;
}

static void threads(peripety_history *history) {
    pthread_t all[4];
    uint64_t until = 0;
    for (size_t i = 0; i < 4; i++) CHECK(pthread_create(&all[i], NULL, tell_and_ask, history) == 0);
    for (size_t i = 0; i < 4; i++) CHECK(pthread_join(all[i], NULL) == 0);
    CHECK(peripety_history_complete_until(history, &until) && until == 439 && peripety_history_len(history) == 2);
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    peripety_history *history = two_disks();
    answers(history);
    saved_and_read(history);
    changes(history);
    threads(history);
    looks(history);
    progress(history);
    peripety_history_free(history);
    contents(arguments[1]);
    of_a_tree(arguments[1]);
    uevents();
    return 0;
}
