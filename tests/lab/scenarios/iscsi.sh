#!/bin/bash
#@ round short
#@ seconds 150
# One session with ext4, its port dropped under write until the session is given up; back.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-iscsi.sh"
cleanup() { umount -l /mnt/iscsi; stop_iscsi; }
begin
mkdir -p /mnt/iscsi
iscsi_target labserial1 127.0.0.1:3262
iscsi_login 8 127.0.0.1:3262
D=$(iscsi_disk 3262); disk disk "$D"
mkfs.ext4 -q -F "/dev/$D"; mount "/dev/$D" /mnt/iscsi; cp /bin/bash /mnt/iscsi/; sync; udevadm settle
fs fs /mnt/iscsi
fault dropped "port dropped under write"
drop_port 3262
( timeout 40 dd if=/dev/urandom of=/mnt/iscsi/g bs=64k count=40 conv=fsync status=none ) &
await 25 'session recovery timed out'; sleep 1
touch /mnt/iscsi/q; sync -f /mnt/iscsi; sleep 3
mark open "port open again"
open_ports; await 25 "operational after recovery|is operational"; sleep 2
mark mount-again
umount /mnt/iscsi; mount "/dev/$D" /mnt/iscsi; umount /mnt/iscsi; sleep 1
