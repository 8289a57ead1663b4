/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/**
 * libperipety: look up block devices. One file of over 400 lines, because it is the whole interface of the library.
 *
 * libperipety takes any string that names a block device ("sdb", "8:16", "2:0:0:1", "/dev/disk/by-id/...",
 * "mpatha", "vg/lv", a file system UUID, a mount point) and returns one peripety_block: its WWID, what it is built
 * from, its content, and how it is attached. It reads sysfs, links in /dev, udev's database and the mount table. It
 * never opens a device node: a lookup causes no I/O on a dead disk and cannot block.
 *
 * Handles. The caller owns a handle that is returned through a pointer to a non-const handle, and frees it with the
 * function named after its type. A const handle returned by a getter belongs to the handle it was obtained from: it is
 * valid until that one is freed, and is not freed separately. All _free functions accept NULL.
 *
 * Strings are UTF-8 and NUL-terminated. A "const char *" belongs to the handle it was obtained from. A "char *" belongs
 * to the caller: free it with peripety_string_free. Unprintable bytes are written as \xNN.
 *
 * Errors. A function that can fail returns a peripety_code. Its last two arguments receive the result and the error:
 * after PERIPETY_OK the error is NULL, otherwise the result is NULL. The pointer for the error may be NULL. A NULL
 * argument, or a string that is not UTF-8, is PERIPETY_INVALID_ARGUMENT.
 *
 * Getters return NULL, 0 or false if their argument is NULL or the value is unknown. An index past the end gives NULL.
 * Getters of numbers and flags return whether the value is known, and store it only then.
 *
 * Threads. There is no global state. Handles are immutable (except peripety_history, which has an internal lock), so
 * threads may share them; only freeing a handle requires that no other thread uses it.
 */
#ifndef PERIPETY_H
#define PERIPETY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a call ended. Later versions may add codes. */
typedef enum peripety_code {
    PERIPETY_OK = 0,
    PERIPETY_NOT_FOUND = 1,        /**< No block device goes by that string. */
    PERIPETY_AMBIGUOUS = 2,        /**< Several do: see peripety_error_candidate. */
    PERIPETY_SOURCE = 3,           /**< A file or directory that is needed could not be read. */
    PERIPETY_BAD_TEXT = 4,         /**< A recorded tree, or JSON, is not in its format. */
    PERIPETY_BAD_BOOT_ID = 5,      /**< The tree's boot id is not one. */
    PERIPETY_INVALID_ARGUMENT = 6, /**< NULL, not UTF-8, or an unknown number. */
    PERIPETY_BUG = 7,              /**< A bug in this library. */
    PERIPETY_NO_LISTS = 8,         /**< An archive, directory or file contains no list of block devices. */
    PERIPETY_MACHINE = 9           /**< An archive contains several machines, or not the requested one: see
                                        peripety_error_candidate. */
} peripety_code;

/** What kind of block device it is. Later versions may add kinds. */
typedef enum peripety_blk_type {
    PERIPETY_BLK_TYPE_OTHER = 0,
    PERIPETY_BLK_TYPE_SCSI = 1,         /**< SCSI, SATA, SAS, FC, iSCSI, USB. */
    PERIPETY_BLK_TYPE_NVME = 2,         /**< An NVMe namespace, or a path to one. */
    PERIPETY_BLK_TYPE_DM_MULTIPATH = 3, /**< A multipath map. */
    PERIPETY_BLK_TYPE_DM_LVM = 4,       /**< A logical volume, inner ones too. */
    PERIPETY_BLK_TYPE_DM_CRYPT = 5,
    PERIPETY_BLK_TYPE_DM = 6,           /**< Any other device-mapper device. */
    PERIPETY_BLK_TYPE_MD = 7,           /**< A software RAID array. */
    PERIPETY_BLK_TYPE_PARTITION = 8,    /**< The kernel's or kpartx's. */
    PERIPETY_BLK_TYPE_LOOP = 9,
    PERIPETY_BLK_TYPE_VIRTIO = 10,
    PERIPETY_BLK_TYPE_MMC = 11,
    PERIPETY_BLK_TYPE_ZRAM = 12
} peripety_blk_type;

typedef struct peripety_tree peripety_tree;         /**< The block devices of a machine. */
typedef struct peripety_block peripety_block;       /**< One block device, as it was when asked. */
typedef struct peripety_owner peripety_owner;       /**< A device that a block is built from. */
typedef struct peripety_path peripety_path;         /**< A way to a multipath map or NVMe namespace. */
typedef struct peripety_list peripety_list;         /**< Several blocks. */
typedef struct peripety_mount peripety_mount;       /**< A line of the mount table. */
typedef struct peripety_mounts peripety_mounts;     /**< Several mounts. */
typedef struct peripety_topology peripety_topology; /**< A block with all below and above it. */
typedef struct peripety_history peripety_history;   /**< Which device had a name, at any time of a boot. */
typedef struct peripety_uevent peripety_uevent;     /**< A message of the kernel's about a device. */
typedef struct peripety_error peripety_error;       /**< Why a call failed. */
typedef struct peripety_answer peripety_answer;     /**< Where a function of peripety_source puts its answer. */

/* ---- Everything ------------------------------------------------------------------------------------------- */

/** The version of the library: "0.1.0". */
const char *peripety_version(void);
/** Frees a string that a function handed over as "char *". */
void peripety_string_free(char *text);
/** The name of a code: "NOT_FOUND". NULL for an unknown number. */
const char *peripety_code_name(peripety_code code);
/** The name of a kind: "dm-multipath". NULL for an unknown number. */
const char *peripety_blk_type_name(peripety_blk_type blk_type);
/** Reads "8:16". False, and nothing is stored, for anything else. */
bool peripety_dev_number_parse(const char *text, uint32_t *major, uint32_t *minor);
/** The natural order of kernel names (sdb before sdaa, sda2 before sda10): -1, 0 or 1. NULL comes first. */
int peripety_natural_cmp(const char *a, const char *b);

/* ---- Errors ----------------------------------------------------------------------------------------------- */

void peripety_error_free(peripety_error *error);
/** PERIPETY_OK for NULL. */
peripety_code peripety_error_code(const peripety_error *error);
/** What happened, where, and what can be done. For people; its wording may change. */
const char *peripety_error_message(const peripety_error *error);
/** NOT_FOUND, AMBIGUOUS: the string that was asked about. MACHINE: the requested machine. */
const char *peripety_error_device(const peripety_error *error);
/** AMBIGUOUS: the kernel names of the devices, in natural order. MACHINE: the machines in the archive. */
size_t peripety_error_candidate_count(const peripety_error *error);
const char *peripety_error_candidate(const peripety_error *error, size_t index);
/** SOURCE, BAD_BOOT_ID: the path, as seen inside the tree. NO_LISTS, MACHINE: the archive. Not always UTF-8. */
const char *peripety_error_path(const peripety_error *error);
/** BAD_TEXT: the number of the line, from 1; 0 where JSON has no line. */
bool peripety_error_line(const peripety_error *error, size_t *line);
/** SOURCE: the errno, when there is one that says why. */
bool peripety_error_errno(const peripety_error *error, int *number);

/* ---- Trees ------------------------------------------------------------------------------------------------ */

void peripety_tree_free(peripety_tree *tree);
/** The running machine. */
peripety_code peripety_tree_live(peripety_tree **tree, peripety_error **error);
/** A directory with a copy of a machine's files, or a file with a recorded tree. The path may hold any bytes. */
peripety_code peripety_tree_open(const char *path, peripety_tree **tree, peripety_error **error);
/** The tree below a directory, "/" for the running machine. The path may hold any bytes. Nothing is read yet. */
peripety_code peripety_tree_directory(const char *root, peripety_tree **tree, peripety_error **error);
/**
 * The machine in a support archive: a sosreport, a supportconfig, a directory, or a single file with the output of lsblk,
 * multipath -ll, udevadm info --export-db and similar tools, packed or not. If an archive contains several machines, `host`
 * selects one by its host name or its directory in the archive; otherwise it may be NULL. The path may hold any bytes.
 */
peripety_code peripety_tree_archive(const char *path, const char *host, peripety_tree **tree, peripety_error **error);
/** A recorded tree: a text whose first line is "# peripety device tree 1". */
peripety_code peripety_tree_recorded(const char *text, peripety_tree **tree, peripety_error **error);

/**
 * A machine's files, read by functions of your own. Each is given `user` and an absolute path, puts its answer
 * into `answer` with peripety_answer_add, and returns 0, or the errno why there is none. They may be called from
 * any thread that uses the tree, several at once, and must return (no longjmp, no exception).
 */
typedef struct peripety_source {
    void *user;
    /** The content of a regular file. It may be added in pieces. */
    int (*read)(void *user, const char *path, peripety_answer *answer);
    /** The target of a symbolic link, as it is written there; EINVAL when the path is no link. */
    int (*read_link)(void *user, const char *path, peripety_answer *answer);
    /** The names in a directory, each added by one call, in any order. */
    int (*read_dir)(void *user, const char *path, peripety_answer *answer);
    /** Called once with `user` when the tree is freed; may be NULL. Not called when peripety_tree_new fails. */
    void (*free)(void *user);
} peripety_source;

/** A tree that is read from a source of your own. The structure is copied. */
peripety_code peripety_tree_new(const peripety_source *source, peripety_tree **tree, peripety_error **error);
/** Adds bytes to an answer. False when answer or data is NULL; only while a function of peripety_source runs. */
bool peripety_answer_add(peripety_answer *answer, const void *data, size_t length);

/** Reads a recorded tree and writes it again: sorted, each entry once. */
peripety_code peripety_recorded_to_text(const char *text, char **plain, peripety_error **error);

/** Is it the running machine, whose state changes from one question to the next? */
bool peripety_tree_is_live(const peripety_tree *tree);
/** The boot that the tree belongs to, as journald writes it in _BOOT_ID: 32 hexadecimal digits. */
peripety_code peripety_tree_boot_id(const peripety_tree *tree, char **boot_id, peripety_error **error);

/* ---- Questions -------------------------------------------------------------------------------------------- */

/** The block device that any device string means. */
peripety_code peripety_tree_block(const peripety_tree *tree, const char *device, peripety_block **block,
                                  peripety_error **error);
/**
 * The block device that a string means which the kernel wrote ("sdb", "8:16", "2:0:0:1", "ata3.00", "dm-0-8").
 * Never takes the name of a disk that is gone for a map, label or identity of the same spelling.
 */
peripety_code peripety_tree_kernel_block(const peripety_tree *tree, const char *kdev, peripety_block **block,
                                         peripety_error **error);
/** The block device on which the file system of that UUID lies: of several the topmost. */
peripety_code peripety_tree_identity_of_fs(const peripety_tree *tree, const char *uuid, peripety_block **block,
                                           peripety_error **error);
/**
 * The nearest device of that kind above a device that the kernel names so: the multipath map above "8:48".
 * PERIPETY_OK with NULL as the block when there is none.
 */
peripety_code peripety_tree_holders_of_type(const peripety_tree *tree, const char *kdev,
                                            peripety_blk_type blk_type, peripety_block **block,
                                            peripety_error **error);
/** All block devices that lsblk(8) shows, in natural order of their names. */
peripety_code peripety_tree_list(const peripety_tree *tree, peripety_list **list, peripety_error **error);
/** All block devices, those too that peripety_tree_list leaves out: empty loop devices, RAM disks, hidden paths. */
peripety_code peripety_tree_list_all(const peripety_tree *tree, peripety_list **list, peripety_error **error);
/** A device (any device string) with all that it is built from and all that is built on it. */
peripety_code peripety_tree_topology(const peripety_tree *tree, const char *device,
                                     peripety_topology **topology, peripety_error **error);
/** All mounts, the oldest first. */
peripety_code peripety_tree_mounts(const peripety_tree *tree, peripety_mounts **mounts, peripety_error **error);
/** The mounts of one device, the oldest first; none when the mount table cannot be read. */
peripety_code peripety_tree_mount_of(const peripety_tree *tree, uint32_t major, uint32_t minor,
                                     peripety_mounts **mounts, peripety_error **error);
/**
 * The mount on which an absolute path lies, which is compared as text and never touched.
 * PERIPETY_OK with NULL as the mount when there is none.
 */
peripety_code peripety_tree_mount_at(const peripety_tree *tree, const char *path, peripety_mount **mount,
                                     peripety_error **error);

/* ---- One block device ------------------------------------------------------------------------------------- */

void peripety_block_free(peripety_block *block);
/* Getters of a block: generated from io.peripety.varlink by `make generate`, do not edit. */
/** Kernel name: "sdb", "dm-3", "nvme0n1", "cciss/c0d0". Always known. */
const char *peripety_block_kdev(const peripety_block *block);
/** Device number, "MAJOR:MINOR"; null for a hidden path of an NVMe namespace. */
bool peripety_block_major_minor(const peripety_block *block, uint32_t *major, uint32_t *minor);
/** SCSI address (host, channel, target, LUN) of a SCSI disk: "2:0:0:1". */
const char *peripety_block_address(const peripety_block *block);
/** The kernel's sequence number of the disk (Linux 5.15 and later), unique within a boot. */
bool peripety_block_diskseq(const peripety_block *block, uint64_t *diskseq);
/**
 * Device node to use: "/dev/sdb", "/dev/mapper/NAME" for a device-mapper device, the node of the
 * namespace for a path of an NVMe namespace. Always known.
 */
const char *peripety_block_dev_path(const peripety_block *block);
/**
 * Symbolic link to that node that survives reboots, in /dev/disk/by-id or else in
 * /dev/disk/by-path; for device-mapper the node itself. Null when udev made none.
 */
const char *peripety_block_stable_path(const peripety_block *block);
/**
 * Kind of block device: "scsi", "nvme", "dm-multipath", "dm-lvm", "dm-crypt",
 * "dm", "md", "partition", "loop", "virtio", "mmc", "zram" or "other".
 */
peripety_blk_type peripety_block_blk_type(const peripety_block *block);
/**
 * World wide id: the same on every path, after a reboot and under another name. Null when the
 * device has no identifier of its own; none is made up.
 */
const char *peripety_block_dev_wwid(const peripety_block *block);
/**
 * The block devices it is built from, on all levels, nearest first, each once. A partition has
 * its disk first.
 */
size_t peripety_block_owner_count(const peripety_block *block);
const peripety_owner *peripety_block_owner(const peripety_block *block, size_t index);
/** World wide ids of the block devices it is built from, nearest first, each once. */
size_t peripety_block_owners_wwid_count(const peripety_block *block);
const char *peripety_block_owners_wwid(const peripety_block *block, size_t index);
/**
 * Device nodes of the block devices it is built from, nearest first. Not parallel to
 * owners_wwids: all paths of a multipath map share one.
 */
size_t peripety_block_owners_path_count(const peripety_block *block);
const char *peripety_block_owners_path(const peripety_block *block, size_t index);
/**
 * Kernel names of the block devices directly below it: the disk of a partition, the paths of a
 * map.
 */
size_t peripety_block_slave_count(const peripety_block *block);
const char *peripety_block_slave(const peripety_block *block, size_t index);
/** Kernel names of the block devices directly on top of it: partitions, maps, arrays. */
size_t peripety_block_holder_count(const peripety_block *block);
const char *peripety_block_holder(const peripety_block *block, size_t index);
/** The paths of a multipath map or of a multipathed NVMe namespace. */
size_t peripety_block_path_count(const peripety_block *block);
const peripety_path *peripety_block_path(const peripety_block *block, size_t index);
/** Size in bytes. Always known. */
bool peripety_block_size_bytes(const peripety_block *block, uint64_t *size_bytes);
/** Serial number of the disk. For a virtio disk it is also the dev_wwid. */
const char *peripety_block_serial(const peripety_block *block);
/** Model of the disk; for an MMC or SD card the product name. */
const char *peripety_block_model(const peripety_block *block);
/** Vendor of the disk. */
const char *peripety_block_vendor(const peripety_block *block);
/** The medium is removable. A partition has the value of its disk. */
bool peripety_block_removable(const peripety_block *block, bool *removable);
/** The medium rotates, or the driver does not know. A partition has the value of its disk. */
bool peripety_block_rotational(const peripety_block *block, bool *rotational);
/** The device is read-only. */
bool peripety_block_read_only(const peripety_block *block, bool *read_only);
/**
 * Maximum number of commands that the kernel sends to a SCSI disk at once. The driver may lower it
 * while the disk reports a full queue. Null for other devices.
 */
bool peripety_block_queue_depth(const peripety_block *block, uint64_t *queue_depth);
/**
 * NUMA node that the controllers of an NVMe namespace are attached to. Null when there is none, when
 * they are attached to different nodes, and for other devices.
 */
bool peripety_block_numa_node(const peripety_block *block, uint64_t *numa_node);
/**
 * Type of its content: a file system ("ext4") or a member of something else ("LVM2_member").
 * From udev, else from the mount table.
 */
const char *peripety_block_fs_type(const peripety_block *block);
/** UUID of the content. */
const char *peripety_block_fs_uuid(const peripety_block *block);
/** Label of the content. */
const char *peripety_block_fs_label(const peripety_block *block);
/**
 * Where it is mounted, bind mounts included (except directories mounted on themselves): mounts of
 * its root directory first, each group with the oldest mount first. "[SWAP]" comes last when it is
 * in use as swap. On the wire these are the mounts in the daemon's mount namespace.
 */
size_t peripety_block_mount_point_count(const peripety_block *block);
const char *peripety_block_mount_point(const peripety_block *block, size_t index);
/**
 * How it is attached: "FC", "iSCSI", "SAS", "SATA", "ATA", "USB", "SPI", "UFS", "MMC", "virtio",
 * "NVMe-PCIe", "NVMe-TCP" ...
 */
const char *peripety_block_transport(const peripety_block *block);
/**
 * Further properties by name, as in StorageEvent.extension: how it is attached, and what backs a
 * loop device.
 */
size_t peripety_block_extension_count(const peripety_block *block);
const char *peripety_block_extension_key(const peripety_block *block, size_t index);
const char *peripety_block_extension_value(const peripety_block *block, size_t index);
const char *peripety_block_extension(const peripety_block *block, const char *key);
/**
 * Since when the device has certainly had its name, in microseconds of CLOCK_MONOTONIC; 0 is since
 * boot. Null when unknown, as for a loop device, whose node stays when its file changes.
 */
bool peripety_block_present_since(const peripety_block *block, uint64_t *present_since);
/* End of the getters of a block. */
/** All fields as a JSON object with the names that are used here; what is not known is null. */
char *peripety_block_to_json(const peripety_block *block);
/** A block from what peripety_block_to_json wrote. */
peripety_code peripety_block_from_json(const char *text, peripety_block **block, peripety_error **error);
/** One fact a line, for people. */
char *peripety_block_to_text(const peripety_block *block);
/**
 * Seen again later, under the same name, is it the same device? By the kernel's sequence number or else udev's first
 * sight, and the identity, which may be learned but not lost. False when nothing tells.
 */
bool peripety_block_is_same(const peripety_block *block, const peripety_block *later);

/* Getters of an owner: generated from io.peripety.varlink by `make generate`, do not edit. */
/** Kernel name. Always known. */
const char *peripety_owner_kdev(const peripety_owner *owner);
/** Device node, as dev_path of BlockInfo. Always known. */
const char *peripety_owner_dev_path(const peripety_owner *owner);
/** World wide id, as dev_wwid of BlockInfo. */
const char *peripety_owner_dev_wwid(const peripety_owner *owner);
/* End of the getters of an owner. */

/* Getters of a path: generated from io.peripety.varlink by `make generate`, do not edit. */
/** Kernel name: "sdb", "nvme0c1n1". Always known. */
const char *peripety_path_kdev(const peripety_path *path);
/** SCSI address "2:0:0:1", or the NVMe controller "nvme1". */
const char *peripety_path_address(const peripety_path *path);
/**
 * State of the SCSI device ("running", "offline", "blocked", "transport-offline" ...:
 * drivers/scsi/scsi_sysfs.c, sdev_states) or of the NVMe controller ("live", "connecting" ...).
 */
const char *peripety_path_state(const peripety_path *path);
/**
 * ALUA state ("active/optimized", "standby" ...: drivers/scsi/scsi.c, sdev_access_states) or ANA
 * state ("optimized", "inaccessible" ...).
 */
const char *peripety_path_access_state(const peripety_path *path);
/** The target prefers this path (ALUA). */
bool peripety_path_preferred(const peripety_path *path, bool *preferred);
/**
 * State of a path of a multipath map in device-mapper, as reported by multipathd: "active" or
 * "failed"; "unknown" when multipathd does not answer within 100 ms. Null when it was not asked,
 * and for other paths.
 */
const char *peripety_path_dm_state(const peripety_path *path);
/** Further properties of the path, as in BlockInfo. */
size_t peripety_path_extension_count(const peripety_path *path);
const char *peripety_path_extension_key(const peripety_path *path, size_t index);
const char *peripety_path_extension_value(const peripety_path *path, size_t index);
const char *peripety_path_extension(const peripety_path *path, const char *key);
/* End of the getters of a path. */

/* ---- Several block devices -------------------------------------------------------------------------------- */

void peripety_list_free(peripety_list *list);
size_t peripety_list_count(const peripety_list *list);
const peripety_block *peripety_list_block(const peripety_list *list, size_t index);
/** A JSON array of what peripety_block_to_json gives. */
char *peripety_list_to_json(const peripety_list *list);
/** A list from such an array; "[]" is one without blocks. */
peripety_code peripety_list_from_json(const char *text, peripety_list **list, peripety_error **error);

void peripety_topology_free(peripety_topology *topology);
const peripety_block *peripety_topology_block(const peripety_topology *topology);
/** What it is built from, one level. Within this branch nothing is above. */
size_t peripety_topology_below_count(const peripety_topology *topology);
const peripety_topology *peripety_topology_below(const peripety_topology *topology, size_t index);
/** What is built on it, one level. Within this branch nothing is below. */
size_t peripety_topology_above_count(const peripety_topology *topology);
const peripety_topology *peripety_topology_above(const peripety_topology *topology, size_t index);
/** All devices below, nearest first, each once. */
peripety_code peripety_topology_all_below(const peripety_topology *topology, peripety_list **list,
                                          peripety_error **error);
/** All devices above, nearest first, each once. */
peripety_code peripety_topology_all_above(const peripety_topology *topology, peripety_list **list,
                                          peripety_error **error);
/** {"block": ..., "below": [...], "above": [...]}, the same again in the arrays. */
char *peripety_topology_to_json(const peripety_topology *topology);

/* ---- multipathd ------------------------------------------------------------------------------------------- */

/*
 * Whether device-mapper uses a path of a multipath map, only multipathd tells. These functions ask the one of the running
 * machine, for at most 100 ms, and answer with a copy in which peripety_path_dm_state is known of the paths of all
 * multipath maps: "unknown" where multipathd does not tell. It is not asked when there is no map. Where systemd starts
 * multipathd on demand, a question starts it. Nothing else of this library speaks to a daemon.
 */

peripety_code peripety_multipathd_complete(const peripety_list *list, peripety_list **completed,
                                           peripety_error **error);
peripety_code peripety_multipathd_complete_block(const peripety_block *block, peripety_block **completed,
                                                 peripety_error **error);
peripety_code peripety_multipathd_complete_topology(const peripety_topology *topology,
                                                    peripety_topology **completed, peripety_error **error);

/* ---- The history of devices ------------------------------------------------------------------------------- */

/**
 * Which device had a name at a time in the past? The message about a lost disk arrives when the disk is gone, and its
 * name may belong to another disk by then. A history is given the devices that appear and disappear, and answers for any
 * time since. It reads nothing by itself. All times are microseconds of CLOCK_MONOTONIC.
 *
 * It starts with a scan of all devices (peripety_history_new). Then read the kernel's uevents (netlink(7),
 * NETLINK_KOBJECT_UEVENT, group 1) and for each call:
 *   subsystem block, ADD or CHANGE: peripety_tree_kernel_block with its name, and peripety_history_seen with the result;
 *   subsystem block, REMOVE: peripety_history_gone;
 *   subsystem block, MOVE: peripety_history_gone with the old name, and then as for ADD with the new one;
 *   subsystem scsi, REMOVE: peripety_history_address_gone with its name.
 * When the queue is empty: peripety_history_advance with the time before you checked it. If uevents were lost:
 * peripety_history_resync.
 */

/** A period within which something happened. */
typedef struct peripety_window {
    uint64_t after; /**< Its beginning: it had not happened yet. */
    uint64_t by;    /**< Its end: it had happened. */
} peripety_window;

/** Which device had a name at some time. */
typedef enum peripety_history_answer {
    PERIPETY_HISTORY_ABSENT = 0,    /**< No device, as far as this history knows. */
    PERIPETY_HISTORY_UNCERTAIN = 1, /**< Something appeared or disappeared around that time. */
    PERIPETY_HISTORY_KNOWN = 2      /**< This device, as it was last seen. */
} peripety_history_answer;

void peripety_history_free(peripety_history *history);
/**
 * Starts with the devices that peripety_tree_list_all found within the period `looked`. Uevents after its beginning are
 * passed in later. The list is copied.
 */
peripety_code peripety_history_new(const char *boot_id, peripety_window looked, const peripety_list *blocks,
                                   peripety_history **history, peripety_error **error);
/** The boot that it covers: 32 hexadecimal digits. */
const char *peripety_history_boot_id(const peripety_history *history);
/** The history is complete up to this time. Always known. */
bool peripety_history_complete_until(const peripety_history *history, uint64_t *complete_until);
/** Increases with every change except those covered by peripety_history_progress: a history saved with the same number need not be
 * saved again. */
bool peripety_history_generation(const peripety_history *history, uint64_t *generation);
/** The number of devices, present and past. */
size_t peripety_history_len(const peripety_history *history);
/** Maximum number of ended names that are kept: the newest. */
size_t peripety_history_most_ended(void);
/**
 * Which device had this name at that time? A name is one that the kernel or journald writes: "sdb", "[sdb]", "8:16", "b8:16",
 * "2:0:0:1", "+scsi:2:0:0:1", "dm-0-8"; a device-mapper name as "/dev/mapper/NAME". After PERIPETY_OK, `who` is
 * the kind of answer. Only with KNOWN there is a block, which the caller owns, and `present` says whether it still has the
 * name. `who` and `present` may be NULL.
 */
peripety_code peripety_history_at(const peripety_history *history, const char *name, uint64_t time,
                                  peripety_history_answer *who, bool *present, peripety_block **block,
                                  peripety_error **error);
/**
 * The device that the UUID of a file system, or a mount point, referred to at that time. KNOWN only if it is the only
 * device that had it and was present, or is on top of all others. Otherwise like peripety_history_at.
 */
peripety_code peripety_history_content_at(const peripety_history *history, const char *name, uint64_t time,
                                          peripety_history_answer *who, bool *present, peripety_block **block,
                                          peripety_error **error);
/** Like peripety_history_at, also for names that people use: a device-mapper name, a file system UUID, a mount point. */
peripety_code peripety_history_any_at(const peripety_history *history, const char *name, uint64_t time,
                                      peripety_history_answer *who, bool *present, peripety_block **block,
                                      peripety_error **error);
/**
 * Like peripety_history_at, for a history that may be incomplete: `is_same` checks, after `now`, whether the last known
 * holder of the name is still present; in that case it had the name up to now. The function gets `user`; it must return
 * (no longjmp, no exception) and must not change this history. The block is valid until it returns. NULL stands for a
 * function that always returns false.
 */
peripety_code peripety_history_at_or_look(const peripety_history *history, const char *name, uint64_t time,
                                          uint64_t now, bool (*is_same)(void *user, const peripety_block *held),
                                          void *user, peripety_history_answer *who, bool *present,
                                          peripety_block **block, peripety_error **error);
/** All uevents up to `now` have been passed in: the queue is empty. */
peripety_code peripety_history_advance(peripety_history *history, uint64_t now, peripety_error **error);
/** The queue is empty at `now`, but uevents may have been lost. */
peripety_code peripety_history_advance_in_part(peripety_history *history, uint64_t now, peripety_error **error);
/**
 * The mount table (peripety_tree_mounts) was read within `looked`. All uevents up to `looked.by` must have been passed in
 * before. Mounts are known only from these tables.
 */
peripety_code peripety_history_mounts(peripety_history *history, peripety_window looked,
                                      const peripety_mounts *mounts, peripety_error **error);
/** The mount table has not changed up to this time. */
peripety_code peripety_history_advance_mounts(peripety_history *history, uint64_t now, peripety_error **error);
/** A device appeared or changed between complete_until and `now`. */
peripety_code peripety_history_seen(peripety_history *history, const peripety_block *block, uint64_t now,
                                    peripety_error **error);
/**
 * Updates the properties of a present device, but not its names: for example, after a mount. Ignored if the device no
 * longer has the name.
 */
peripety_code peripety_history_refresh(peripety_history *history, const peripety_block *block,
                                       peripety_error **error);
/**
 * The block device with that kernel name was removed. Its SCSI address stays until peripety_history_address_gone, because
 * the driver may still log messages. If `diskseq` is not NULL, only that disk was removed: ignored if the name belongs to
 * another disk by now.
 */
peripety_code peripety_history_gone(peripety_history *history, const char *kdev, const uint64_t *diskseq,
                                    uint64_t now, peripety_error **error);
/** The SCSI device with that address was removed. */
peripety_code peripety_history_address_gone(peripety_history *history, const char *address, uint64_t now,
                                            peripety_error **error);
/**
 * Uevents were lost, or not read: these are the devices that are present now, as in peripety_history_new. A device that is
 * the same as before had its name all the time.
 */
peripety_code peripety_history_resync(peripety_history *history, peripety_window looked,
                                      const peripety_list *blocks, peripety_error **error);
/** The whole history, for saving; peripetyd keeps this in devices.json. */
char *peripety_history_to_json(const peripety_history *history);
/** The high-water mark as JSON: small, while the whole history need be saved only when the generation changed. */
char *peripety_history_progress(const peripety_history *history);
/** Applies the mark to a history that was saved: it is complete up to there, with no other changes. Ignored for another generation. */
peripety_code peripety_history_catch_up(peripety_history *history, const char *progress, peripety_error **error);
/** A history that continues from a saved one; call peripety_history_resync next if it is the same boot. */
peripety_code peripety_history_from_json(const char *text, peripety_history **history, peripety_error **error);

/** The action of a uevent. Later versions may add actions. */
typedef enum peripety_action {
    PERIPETY_ACTION_OTHER = 0,  /**< Bind, unbind, online, offline: no effect on names. */
    PERIPETY_ACTION_ADD = 1,    /**< The device appeared. */
    PERIPETY_ACTION_REMOVE = 2, /**< The device was removed. */
    PERIPETY_ACTION_CHANGE = 3, /**< Its properties changed. */
    PERIPETY_ACTION_MOVE = 4    /**< It was renamed. */
} peripety_action;

void peripety_uevent_free(peripety_uevent *uevent);
/**
 * Reads a message of the kernel's: "add@/devices/..." and then KEY=value, each ended by a NUL. PERIPETY_OK with NULL as
 * the uevent when it is none, as those of udev.
 */
peripety_code peripety_uevent_parse(const void *message, size_t length, peripety_uevent **uevent,
                                    peripety_error **error);
/** What happened. */
peripety_action peripety_uevent_action(const peripety_uevent *uevent);
/** The directory below /sys. After a MOVE it is the new one. */
const char *peripety_uevent_devpath(const peripety_uevent *uevent);
/** Where it was before a MOVE. */
const char *peripety_uevent_devpath_old(const peripety_uevent *uevent);
/** The kernel's name of the device, its "/" spelled as one. */
const char *peripety_uevent_name(const peripety_uevent *uevent);
/** The name it had before a MOVE. */
const char *peripety_uevent_old_name(const peripety_uevent *uevent);
/** "block", "scsi", "nvme" ... */
const char *peripety_uevent_subsystem(const peripety_uevent *uevent);
/** The number of the message; each is one more than the last. Always known. */
bool peripety_uevent_seqnum(const peripety_uevent *uevent, uint64_t *seqnum);
/** The sequence number of the disk (Linux 5.15 and later). */
bool peripety_uevent_diskseq(const peripety_uevent *uevent, uint64_t *diskseq);

/* ---- Mounts ----------------------------------------------------------------------------------------------- */

void peripety_mount_free(peripety_mount *mount);
void peripety_mounts_free(peripety_mounts *mounts);
size_t peripety_mounts_count(const peripety_mounts *mounts);
const peripety_mount *peripety_mounts_mount(const peripety_mounts *mounts, size_t index);
/** A JSON array of objects with the names that are used here. */
char *peripety_mounts_to_json(const peripety_mounts *mounts);
/** Mounts from such an array. */
peripety_code peripety_mounts_from_json(const char *text, peripety_mounts **mounts, peripety_error **error);
/** The kernel's number of the mount; used again after an unmount. */
bool peripety_mount_id(const peripety_mount *mount, uint32_t *id);
/** The device of the file system; for btrfs and bcachefs the device that was named when mounting. */
bool peripety_mount_major_minor(const peripety_mount *mount, uint32_t *major, uint32_t *minor);
/** The directory of the file system that is mounted; other than "/" for a bind mount or a subvolume. */
const char *peripety_mount_root(const peripety_mount *mount);
/** Where. */
const char *peripety_mount_mount_point(const peripety_mount *mount);
/** "ext4", "nfs4" ... */
const char *peripety_mount_fs_type(const peripety_mount *mount);
/** What was mounted: a device path, or whatever the file system takes instead. */
const char *peripety_mount_source(const peripety_mount *mount);

#ifdef __cplusplus
}
#endif
#endif
