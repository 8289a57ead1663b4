#!/bin/bash
#@ seconds 150
# scsi.sh [--yes]: SCSI errors of disks of the kernel's scsi_debug driver: a read error (three times), a hardware error, a write
# error, a disk that is offline, a disk that is removed.
source "$(dirname "$0")/lab/scenarios/trigger.sh"
cleanup() { remove_scsi_debug; }
trigger "It loads the module scsi_debug (and unloads it first where it is loaded), which makes five disks of 32 MB." \
  "scsi_debug" "dd udevadm" \
  "BLK_IO_ERROR (Critical) of the first and the third disk, BLK_IO_ERROR (Error) of the second, each with the lines of the SCSI layer;
SCSI_REJECT_IO_OFFLINE (Error) of the fourth. The first disk's later errors follow from its first."
scsi_debug dev_size_mb=32 per_host_store=1 add_host=5 num_tgts=1 max_luns=1 vpd_use_hostno=1
mapfile -t names < <(scsi_debug_disks)
for number in 1 2 3 4 5; do disk "disk$number" "${names[$((number - 1))]}"; done
fault medium "an unrecovered read error"
inject "${names[0]}" 0x28 0x3 0x11 0x0; read_block "${names[0]}" 100; sleep 2
fault hardware "an internal target failure"
inject "${names[1]}" 0x28 0x4 0x44 0x0; read_block "${names[1]}" 100; sleep 2
fault write "a write error"
inject "${names[2]}" 0x2a 0x3 0xc 0x0; dd if=/dev/zero of="/dev/${names[2]}" bs=4096 seek=100 count=1 oflag=direct status=none; sleep 2
fault again "the first disk fails again"
read_block "${names[0]}" 200; sleep 2
fault third "and a third time"
read_block "${names[0]}" 300; sleep 2
fault offline "a disk is set offline under I/O"
exec 7< "/dev/${names[3]}"; offline "${names[3]}"; dd of=/dev/null bs=4096 count=1 iflag=direct status=none <&7; exec 7<&-; sleep 2
mark removed "a disk that nobody uses is removed"
echo 1 > "/sys/block/${names[4]}/device/delete"; sleep 2
