#!/bin/bash
#@ seconds 150
# The disk below ext4 fails, works again, and fails again after the file system was repaired and mounted: two faults.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/again; dmsetup remove -f labagain; remove_loops; }
begin
mkdir -p /mnt/again
L=$(loop_of again 100M); N=$(blockdev --getsz "$L"); echo "0 $N linear $L 0" | dmsetup create labagain
mkfs.ext4 -q /dev/mapper/labagain; mount /dev/mapper/labagain /mnt/again; cp /bin/bash /mnt/again/; sync -f /mnt/again; udevadm settle
fs fs /mnt/again
for round in 1 2 3; do
  fault "down-$round" "the disk fails under write"
  echo "0 $N error" | swap_table labagain
  dd if=/dev/urandom of=/mnt/again/f bs=64k count=20 conv=fsync status=none; touch /mnt/again/x; sync -f /mnt/again; sleep 2
  mark "repair-$round" "it works again, is checked and mounted"
  echo "0 $N linear $L 0" | swap_table labagain; umount /mnt/again; e2fsck -fy /dev/mapper/labagain > /dev/null 2>&1
  mount /dev/mapper/labagain /mnt/again; sleep 1
done
umount /mnt/again
