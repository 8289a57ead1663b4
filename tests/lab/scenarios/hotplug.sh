#!/bin/bash
#@ round short
#@ seconds 200
# Two disks with ext4 and XFS under write are deleted; a third changes its capacity and becomes write protected; the
# file under a mounted loop device is cut short.
source "$(dirname "$0")/common.sh"
cleanup() { umount -l /mnt/plug{1,2,3}; remove_scsi_debug; remove_loops; }
begin
mkdir -p /mnt/plug{1,2,3}
scsi_debug dev_size_mb=320 per_host_store=1 add_host=3 num_tgts=1 max_luns=1 vpd_use_hostno=1 lbpu=0 virtual_gb=0
mapfile -t D < <(scsi_debug_disks)
disk ext4 "${D[0]}"; disk xfs "${D[1]}"; disk third "${D[2]}"
mkfs.ext4 -q -F "/dev/${D[0]}"; mkfs.xfs -q -f "/dev/${D[1]}"
mount "/dev/${D[0]}" /mnt/plug1; mount "/dev/${D[1]}" /mnt/plug2; udevadm settle
fs ext4fs /mnt/plug1; fs xfsfs /mnt/plug2
fault ext4-gone "disk with ext4 deleted under write"
dd if=/dev/zero of=/mnt/plug1/f bs=64k count=400 oflag=direct status=none 2> /dev/null & writer=$!
sleep 0.3; echo 1 > "/sys/block/${D[0]}/device/delete"
wait "$writer"; touch /mnt/plug1/x; sync -f /mnt/plug1; sleep 2
fault xfs-gone "disk with XFS deleted under write"
dd if=/dev/zero of=/mnt/plug2/f bs=64k count=400 oflag=direct status=none 2> /dev/null & writer=$!
sleep 0.3; echo 1 > "/sys/block/${D[1]}/device/delete"
wait "$writer"; touch /mnt/plug2/x; sync -f /mnt/plug2; sleep 2
mark unmounted; umount -l /mnt/plug1 /mnt/plug2; sleep 1
mark capacity "the third disk grows"
echo 1 > /sys/bus/pseudo/drivers/scsi_debug/virtual_gb; read_block "${D[2]}" 1; echo 1 > "/sys/block/${D[2]}/device/rescan"; sleep 3
mark loop
L=$(loop_of plug 40M); mkfs.ext4 -q -F "$L"; mount "$L" /mnt/plug3; cp /bin/bash /mnt/plug3/; udevadm settle
fs loopfs /mnt/plug3; var loop.path "$L"
sync; echo 3 > /proc/sys/vm/drop_caches
fault cut "the file under the loop device is cut short"
truncate -s 1M /var/tmp/lab-plug.img; cat /mnt/plug3/bash > /dev/null 2>&1; touch /mnt/plug3/y; sync -f /mnt/plug3; sleep 4
