#!/bin/bash
#@ round short
#@ seconds 170
# An NFS server does not answer for a while.
source "$(dirname "$0")/common.sh"
cleanup() { nft flush ruleset; umount -f -l /mnt/nfs; systemctl stop nfs-server; : > /etc/exports; rm -rf /srv/lab; }
begin
ip link set lo up; mkdir -p /srv/lab /mnt/nfs
echo '/srv/lab 127.0.0.1(rw,no_root_squash,insecure,fsid=0,no_subtree_check)' > /etc/exports
timeout 60 systemctl start nfs-server; exportfs -ra
timeout 60 mount -t nfs -o vers=4.2,timeo=20,retrans=1,hard 127.0.0.1:/ /mnt/nfs || exit 1
dd if=/dev/urandom of=/mnt/nfs/f bs=64k count=10 status=none; sync
fault hung "the server's port is dropped"
nft add table inet lab; nft add chain inet lab input '{ type filter hook input priority 0; }'; nft add rule inet lab input tcp dport 2049 drop
( timeout 60 dd if=/dev/urandom of=/mnt/nfs/g bs=64k count=10 conv=fsync status=none ) &
await 60 'not responding'; sleep 3
mark back "open again"; nft flush ruleset; await 60 'nfs: server 127.0.0.1 OK'; sleep 2
