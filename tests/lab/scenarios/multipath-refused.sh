#!/bin/bash
#@ seconds 100
# multipathd cannot make a map: the device is in use. All the same, the disk works.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-multipath.sh"
cleanup() { umount -l /mnt/refused; MAP=none; stop_multipathd; }
begin
mkdir -p /mnt/refused
scsi_debug dev_size_mb=64 num_tgts=1 max_luns=1
D=$(scsi_debug_disks | head -n 1); disk disk "$D"; mkfs.ext4 -q -F "/dev/$D"; mount "/dev/$D" /mnt/refused; udevadm settle
fault refused "multipathd starts"
start_multipathd fail; sleep 6
