#!/bin/bash
#@ seconds 170
# One iSCSI disk over two portals under multipath with ext4: one portal is lost under write and returns, then both.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-iscsi.sh"; source "$(dirname "$0")/with-multipath.sh"
cleanup() { umount -l /mnt/imp; stop_multipathd; stop_iscsi; }
begin
mkdir -p /mnt/imp
iscsi_target labserialmp 127.0.0.1:3264 127.0.0.1:3265
iscsi_login 5 127.0.0.1:3264 127.0.0.1:3265
start_multipathd fail; until_ok 60 map_with 2 || exit 1; udevadm settle
MAP=$(multipathd show maps raw format "%n" | awk 'NR == 1 {print $1}')
disk disk "$(iscsi_disk 3264)"; node=$(basename "$(readlink -f "/dev/mapper/$MAP")")
var map "$(cat "/sys/block/$node/dm/uuid")"; var map.path "/dev/mapper/$MAP"
mkfs.ext4 -q "/dev/mapper/$MAP"; mount "/dev/mapper/$MAP" /mnt/imp; cp /bin/bash /mnt/imp/; sync -f /mnt/imp; udevadm settle; fs fs /mnt/imp
fault one-lost "one portal lost under write"
drop_port 3264; dd if=/dev/urandom of=/mnt/imp/f bs=64k count=100 oflag=direct status=none & until_ok 30 active_paths 1; wait $!; sleep 2
mark one-back; open_ports; until_ok 30 active_paths 2; sleep 2
fault both-lost "both portals lost under write"
drop_port 3264 3265; ( timeout 30 dd if=/dev/urandom of=/mnt/imp/g bs=64k count=10 conv=fsync status=none; touch /mnt/imp/x ) & until_ok 30 active_paths 0; sleep 4
mark both-back; open_ports; until_ok 30 active_paths 2; sleep 1
mark unmount; umount /mnt/imp; sleep 1
