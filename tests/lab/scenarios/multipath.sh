#!/bin/bash
#@ round short
#@ seconds 150
# Two paths with XFS: one fails and returns, both fail and return, one is deleted.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-multipath.sh"
cleanup() { umount -l /mnt/multi; stop_multipathd; }
begin
two_paths 400 || exit 1
mkdir -p /mnt/multi
mkfs.xfs -q -f "/dev/mapper/$MAP"; mount "/dev/mapper/$MAP" /mnt/multi; cp /bin/bash /mnt/multi/; sync; udevadm settle
fs fs /mnt/multi
fault one-down "one path offline"
offline "${path_names[0]}"
read_block "mapper/$MAP" 64; until_ok 10 active_paths 1; sleep 1
mark one-back; running "${path_names[0]}"; until_ok 10 active_paths 2; sleep 1
fault all-down "all paths offline under write"
offline "${path_names[@]}"
cp /bin/bash /mnt/multi/b2; sync -f /mnt/multi; touch /mnt/multi/x; until_ok 10 active_paths 0; sleep 2
mark all-back; running "${path_names[@]}"; until_ok 10 active_paths 2; sleep 1
mark mount-again
umount /mnt/multi; mount "/dev/mapper/$MAP" /mnt/multi; umount /mnt/multi; sleep 1
fault path-deleted "a path is deleted under the map"
echo 1 > "/sys/block/${path_names[1]}/device/delete"; sleep 3
