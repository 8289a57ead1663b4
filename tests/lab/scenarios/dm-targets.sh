#!/bin/bash
#@ round short
#@ seconds 120
# Damaged data below dm-integrity and dm-verity, and failing writes below btrfs.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/flaky; integritysetup close labint; veritysetup close labver; dmsetup remove -f labflaky; remove_loops; }
begin
mkdir -p /mnt/flaky
L0=$(loop_of int 8M); integritysetup -q format --integrity crc32c "$L0" > /dev/null
dd if=/dev/urandom of="$L0" bs=4096 seek=1000 count=2 conv=notrunc status=none; sync
integritysetup open --integrity crc32c "$L0" labint; udevadm settle
var integrity "$(dmsetup info -c --noheadings -o uuid labint)"
fault integrity "a damaged block is read"
dd if=/dev/mapper/labint of=/dev/null bs=64k status=none; sleep 2
L2=$(loop_of data 8M); L3=$(loop_of hash 4M); dd if=/dev/urandom of="$L2" bs=1M count=8 status=none
H=$(veritysetup format "$L2" "$L3" | awk '/Root hash/{print $3}'); veritysetup open "$L2" labver "$L3" "$H"; udevadm settle
var data.path "$L2"
dd if=/dev/urandom of="$L2" bs=4096 seek=100 count=1 conv=notrunc status=none; sync; blockdev --flushbufs "$L2"
fault verity "a damaged block is read"
dd if=/dev/mapper/labver of=/dev/null bs=64k status=none; sleep 2
L=$(loop_of flaky 300M); N=$(blockdev --getsz "$L"); modprobe dm-flakey
echo "0 $N linear $L 0" | dmsetup create labflaky; mkfs.btrfs -q -f -m single -d single /dev/mapper/labflaky
mount /dev/mapper/labflaky /mnt/flaky; dd if=/dev/urandom of=/mnt/flaky/f bs=1M count=10 status=none; sync; udevadm settle
fs btrfs /mnt/flaky
fault btrfs "writes below btrfs fail"
echo "0 $N flakey $L 0 0 60 1 error_writes" | swap_table labflaky
echo x > /mnt/flaky/new; sync; touch /mnt/flaky/n2; sleep 3
mark unmount; umount /mnt/flaky; sleep 1
