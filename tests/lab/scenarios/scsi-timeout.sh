#!/bin/bash
#@ seconds 150
# A command gets no answer until the error handler gives up the disk.
source "$(dirname "$0")/common.sh"
cleanup() { echo 0 > /sys/bus/pseudo/drivers/scsi_debug/opts; sleep 2; remove_scsi_debug; }
begin
scsi_debug dev_size_mb=16 num_tgts=1 max_luns=1 every_nth=0
D=$(scsi_debug_disks); disk disk "$D"
for file in timeout eh_timeout; do echo 3 > "/sys/block/$D/device/$file"; done
fault silent "commands time out"
echo 1 > /sys/bus/pseudo/drivers/scsi_debug/every_nth; echo 4 > /sys/bus/pseudo/drivers/scsi_debug/opts
timeout 100 dd if="/dev/$D" of=/dev/null bs=4096 count=1 iflag=direct status=none &
await 90 'rejecting I/O|Device offlined|device offline|I/O error'; sleep 5
mark over; echo 0 > /sys/bus/pseudo/drivers/scsi_debug/every_nth; echo 0 > /sys/bus/pseudo/drivers/scsi_debug/opts
