#!/bin/bash
#@ seconds 170
#@ profile errors
# Disks at emulated controllers (SATA, USB, virtio-scsi, virtio-blk, NVMe) cannot read a sector.
source "$(dirname "$0")/common.sh"
cleanup() { :; }
# by_serial SERIAL: the name of the disk that udev knows by that serial number.
by_serial() { basename "$(readlink -f "$(find /dev/disk/by-id -name "*$1*" ! -name '*-part*' | head -n 1)")"; }
begin
declare -A D
for kind in sata usb vscsi vblk nvme; do
  case $kind in
    sata) D[sata]=$(basename "$(readlink -f /dev/disk/by-id/wwn-0x5000c50000000100)") ;;
    vscsi) D[vscsi]=$(basename "$(readlink -f /dev/disk/by-id/wwn-0x5000c50000000600)") ;;
    *) D[$kind]=$(by_serial "LAB-${kind}0") ;;
  esac
  disk "$kind" "${D[$kind]}"
done
for kind in sata usb vscsi vblk nvme; do
  fault "$kind" "sector 30000 of ${D[$kind]} cannot be read"
  read_block "${D[$kind]}" 3750; sleep 3
done
