#!/bin/bash
#@ seconds 170
# Fibre Channel by software: an FCoE initiator and a tcm_fc target on the two ends of a veth pair, under multipath with
# ext4. The link is lost under write and returns; then it is lost until
# the remote port is given up.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-fcoe.sh"; source "$(dirname "$0")/with-multipath.sh"
cleanup() { umount -l /mnt/fc; stop_multipathd; stop_fcoe; }
begin
mkdir -p /mnt/fc
fcoe_fabric || exit 1
D=$(fc_disk); disk disk "$D"; var rport "$(rport_of "$D")"
start_multipathd fail; until_ok 60 map_with 1 || exit 1; udevadm settle
MAP=$(multipathd show maps raw format "%n" | awk 'NR == 1 {print $1}'); node=$(basename "$(readlink -f "/dev/mapper/$MAP")")
var map "$(cat "/sys/block/$node/dm/uuid")"; var map.path "/dev/mapper/$MAP"
mkfs.ext4 -q "/dev/mapper/$MAP"; mount "/dev/mapper/$MAP" /mnt/fc; cp /bin/bash /mnt/fc/; sync -f /mnt/fc; udevadm settle; fs fs /mnt/fc
fault lost "the link is cut under write, and returns before the remote port is given up"
cut_fabric; ( timeout 40 dd if=/dev/urandom of=/mnt/fc/f bs=64k count=20 conv=fsync status=none ) & until_ok 20 active_paths 0; sleep 1
mark back; join_fabric; until_ok 40 active_paths 1; sleep 2
mark mount-again; umount /mnt/fc; e2fsck -fy "/dev/mapper/$MAP" > /dev/null 2>&1; mount "/dev/mapper/$MAP" /mnt/fc; sleep 1
fault gone "the link is cut until the remote port is given up"
cut_fabric; await 40 'blocked FC remote port time out'; sleep 4
mark found; umount /mnt/fc; join_fabric; until_ok 40 fc_disk; sleep 3
