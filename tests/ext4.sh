#!/bin/bash
# ext4.sh [--yes]: an ext4 file system on a loop device reports an error. It is the kernel that reports it, on demand: trigger_fs_error
# in /sys/fs/ext4 (fs/ext4/sysfs.c). Needs no special module, and damages nothing.
source "$(dirname "$0")/lab/scenarios/trigger.sh"
MOUNT=/mnt/peripety-ext4-error
cleanup() { umount -l "$MOUNT"; remove_loops; rmdir "$MOUNT"; }
trigger "It makes a loop device of 32 MB on a file in /var/tmp, and mounts an ext4 file system on $MOUNT." \
  "" "losetup mkfs.ext4" "FS_ERROR (ext4, Critical) for $MOUNT"
mkdir -p "$MOUNT"
loop=$(loop_of ext4-error 32M)
mkfs.ext4 -q -F "$loop"
mount -t ext4 "$loop" "$MOUNT" || refuse "the kernel cannot mount ext4."
udevadm settle 2> /dev/null
fs ext4 "$MOUNT"
fault error "ext4 reports an error"
echo "a test of Peripety" > "/sys/fs/ext4/${loop#/dev/}/trigger_fs_error"
sleep 1
