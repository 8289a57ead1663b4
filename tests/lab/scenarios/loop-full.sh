#!/bin/bash
#@ round short
#@ seconds 120
# A loop device whose file is on a file system that is full.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/inner /mnt/full; remove_loops; }
begin
mkdir -p /mnt/full /mnt/inner
truncate -s 24M /var/tmp/lab-full.img; mkfs.ext4 -q -F -m0 /var/tmp/lab-full.img; mount -o loop /var/tmp/lab-full.img /mnt/full
truncate -s 64M /mnt/full/inner.img; mkfs.ext4 -q -F -E lazy_itable_init=1 /mnt/full/inner.img; mount -o loop /mnt/full/inner.img /mnt/inner
udevadm settle; fs fs /mnt/inner
dd if=/dev/zero of=/mnt/full/fill bs=64k status=none; sync
fault full "the inner file system is written"
dd if=/dev/urandom of=/mnt/inner/data bs=64k count=300 status=none; sync; touch /mnt/inner/y; sync; sleep 4
mark unmount; umount /mnt/inner; umount /mnt/full; sleep 1
