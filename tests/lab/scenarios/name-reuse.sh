#!/bin/bash
#@ round short
#@ seconds 240
# Disks are removed and their name is taken by another disk at once. Three times a disk with a mounted ext4 under write
# is deleted and the next disk fails at once; then six disks fail and are deleted one after the other.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/reuse{1,2,3}; remove_scsi_debug; }
# new_disk VARIABLE: one more disk, its name in NEW.
new_disk() {
  echo 1 > /sys/bus/pseudo/drivers/scsi_debug/add_host
  until_ok 15 has_disk
  NEW=$(scsi_debug_disks | head -n 1)
}
has_disk() { [ -n "$(scsi_debug_disks)" ]; }
delete() { echo 1 > "/sys/block/$1/device/delete"; }
begin
mkdir -p /mnt/reuse{1,2,3}
scsi_debug dev_size_mb=64 per_host_store=1 add_host=1 num_tgts=1 max_luns=1 vpd_use_hostno=1 lbpu=0
NEW=$(scsi_debug_disks | head -n 1)
for round in 1 2 3; do
  [ "$round" = 1 ] || new_disk
  D=$NEW; udevadm settle; disk "old$round" "$D"
  mkfs.ext4 -q -F "/dev/$D"; mount "/dev/$D" "/mnt/reuse$round"; udevadm settle; fs "fs$round" "/mnt/reuse$round"
  fault "removed-$round" "$D is deleted under write, the next disk comes at once"
  dd if=/dev/zero of="/mnt/reuse$round/f" bs=64k count=500 oflag=direct status=none 2> /dev/null & writer=$!
  sleep 0.3; delete "$D"; new_disk
  disk "new$round" "$NEW"; fail_reads "$NEW" on
  fault "error-$round" "medium error on the new $NEW"
  read_block "$NEW" 100; fail_reads "$NEW" off
  touch "/mnt/reuse$round/x"; wait "$writer"; sync -f "/mnt/reuse$round"; sleep 2
  mark "unmount-$round"; umount -l "/mnt/reuse$round"; udevadm settle; delete "$NEW"; sleep 1
done
for round in 1 2 3 4 5 6; do
  new_disk; disk "fast$round" "$NEW"; fail_reads "$NEW" on
  fault "fast-$round" "medium error on $NEW, which is deleted at once"
  read_block "$NEW" 100; delete "$NEW"
done
TAIL=5
