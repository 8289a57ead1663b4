#!/bin/bash
#@ round short
#@ seconds 150
# An LVM thin pool under ext4 runs full.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/thin; timeout 15 lvchange -q --monitor n labthin/pool; timeout 15 vgchange -q -an labthin; dmsetup remove -f labthin-{volume,pool,pool-tpool,pool_tdata,pool_tmeta}; remove_loops; }
begin
mkdir -p /mnt/thin; L=$(loop_of thin 100M); modprobe dm-thin-pool
pvcreate -q "$L"; vgcreate -q labthin "$L"
lvcreate -q -y --type thin-pool -L 64M --monitor y -n pool labthin; lvchange -q -y --errorwhenfull y labthin/pool
lvcreate -q -y -V 300M -T labthin/pool -n volume; mkfs.ext4 -q /dev/labthin/volume; mount /dev/labthin/volume /mnt/thin
udevadm settle
fs fs /mnt/thin
pool=$(basename "$(readlink -f /dev/mapper/labthin-pool-tpool)"); var pool "$(cat "/sys/block/$pool/dm/uuid")"
volume=$(basename "$(readlink -f /dev/labthin/volume)"); var volume "$(cat "/sys/block/$volume/dm/uuid")"
fault full "the pool runs full"
dd if=/dev/zero of=/mnt/thin/f bs=1M count=100 status=none; sync; touch /mnt/thin/x; sync; await 15 'out-of-data-space|100.00% full'; sleep 4
