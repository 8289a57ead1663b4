#!/bin/bash
#@ seconds 200
# fs.sh [--yes]: ext4, XFS and btrfs on disks that fail under write until each file system is shut down; back again.
source "$(dirname "$0")/lab/scenarios/trigger.sh"
cleanup() { umount -l /mnt/peripety-{ext4,xfs,btrfs}; dmsetup remove -f peripety-{ext4,xfs,btrfs}; remove_loops; rmdir /mnt/peripety-*; }
trigger "It makes three loop devices of 320 MB on files in /var/tmp, device-mapper devices on them, and mounts file systems
on /mnt/peripety-ext4, -xfs and -btrfs." \
  "dm_mod ext4 xfs btrfs" "dmsetup losetup mkfs.ext4 mkfs.xfs mkfs.btrfs" \
  "FS_JOURNAL_ABORTED, FS_REMOUNT_READ_ONLY (ext4), FS_SHUTDOWN (XFS), FS_TRANSACTION_ABORTED, FS_REMOUNT_READ_ONLY (btrfs), all Critical"
declare -A OPTIONS=([ext4]="-q -F" [xfs]="-q -f" [btrfs]="-q -f -m single -d single")
for kind in ext4 xfs btrfs; do
  mount=/mnt/peripety-$kind; mkdir -p "$mount"
  loop=$(loop_of "$kind" 320M); sectors=$(blockdev --getsz "$loop")
  echo "0 $sectors linear $loop 0" | dmsetup create "peripety-$kind"
  # shellcheck disable=SC2086 # a list of options
  "mkfs.$kind" ${OPTIONS[$kind]} "/dev/mapper/peripety-$kind"
  mount "/dev/mapper/peripety-$kind" "$mount"; cp /bin/bash "$mount/"; sync -f "$mount"; udevadm settle; fs "$kind" "$mount"
  fault "$kind-down" "the disk below $kind fails"
  echo "0 $sectors error" | swap_table "peripety-$kind"
  dd if=/dev/urandom of="$mount/new" bs=64k count=20 conv=fsync status=none; touch "$mount/x"; sync -f "$mount"; sleep 3
  mark "$kind-back" "the disk works again, and is mounted anew"
  echo "0 $sectors linear $loop 0" | swap_table "peripety-$kind"
  umount "$mount"; mount "/dev/mapper/peripety-$kind" "$mount"; sleep 1; umount "$mount"; sleep 1
done
