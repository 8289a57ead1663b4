#!/bin/bash
#@ seconds 170
# A RAID 1 with ext4: a member fails under write, is added again and rebuilt; then both fail.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/raid; mdadm --stop /dev/md/lab; dmsetup remove -f labraid0 labraid1; remove_loops; }
idle() { ! grep -qE 'resync|recovery' /proc/mdstat; }
failed_member() { grep -q '(F)' /proc/mdstat; }
begin
mkdir -p /mnt/raid; modprobe raid1
for i in 0 1; do
  L[i]=$(loop_of "raid$i" 40M); N=$(blockdev --getsz "${L[i]}"); echo "0 $N linear ${L[i]} 0" | dmsetup create "labraid$i"
done
mdadm -q --create /dev/md/lab --run --level=1 --raid-devices=2 --metadata=1.2 --bitmap=none /dev/mapper/labraid0 /dev/mapper/labraid1
until_ok 60 idle; until_ok 30 test -e /dev/md/lab; udevadm settle
MD=$(basename "$(readlink -f /dev/md/lab)"); mkfs.ext4 -q "/dev/$MD"; mount "/dev/$MD" /mnt/raid; udevadm settle
var array "$(cat "/sys/block/$MD/md/uuid" 2> /dev/null || mdadm --detail --export /dev/md/lab | sed -n 's/^MD_UUID=//p' | tr -d : | sed -E 's/(.{8})(.{4})(.{4})(.{4})/\1-\2-\3-\4-/')"; var array.name "$MD"; fs fs /mnt/raid
fault member "a member fails under write"
echo "0 $N error" | swap_table labraid1; dd if=/dev/urandom of=/mnt/raid/f bs=64k count=20 conv=fsync status=none; until_ok 20 failed_member; sleep 4
mark rebuild "the member works again and is rebuilt"
echo "0 $N linear ${L[1]} 0" | swap_table labraid1
mdadm /dev/md/lab --remove /dev/mapper/labraid1; mdadm /dev/md/lab --add /dev/mapper/labraid1; sleep 1; until_ok 60 idle; sleep 3
fault both "both members fail"
for i in 0 1; do echo "0 $N error" | swap_table "labraid$i"; done
dd if=/dev/urandom of=/mnt/raid/g bs=64k count=20 conv=fsync status=none; touch /mnt/raid/z; sync -f /mnt/raid; sleep 4
mark unmount; umount -l /mnt/raid; sleep 1
