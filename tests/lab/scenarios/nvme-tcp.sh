#!/bin/bash
#@ round short
#@ seconds 170
# NVMe/TCP with two paths and XFS: one path is lost under write and returns, then both are lost until they are given up.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-nvme.sh"
cleanup() { umount -l /mnt/nvme; stop_nvme; }
begin
mkdir -p /mnt/nvme
nvme_target 4422 4423; nvme_connect 4422 4423
D=$(nvme_disk); disk disk "$D"; C=$(controller_of 4422); var controller "$C"
mkfs.xfs -q -f "/dev/$D"; mount "/dev/$D" /mnt/nvme; udevadm settle
fs fs /mnt/nvme
fault one-lost "one path lost under write"
dd if=/dev/urandom of=/mnt/nvme/g bs=256k count=40 oflag=direct status=none &
close_nvme_port 4422; until_ok 15 controller_is "$C" connecting; sleep 3
mark one-back; open_nvme_port 4422; until_ok 15 controller_is "$C" live; sleep 2
fault both-lost "both paths lost until they are given up"
close_nvme_port 4422; close_nvme_port 4423
timeout 40 dd if=/dev/urandom of=/mnt/nvme/h bs=1M count=2 conv=fsync status=none
await 40 'Removing controller'; sleep 4
mark unmount; umount -l /mnt/nvme; sleep 1
