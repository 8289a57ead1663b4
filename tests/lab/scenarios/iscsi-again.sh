#!/bin/bash
#@ round short
#@ seconds 150
# One session with ext4; its port is dropped, opened, and dropped again within a minute: two faults.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-iscsi.sh"
cleanup() { umount -l /mnt/iscsi; stop_iscsi; }
begin
mkdir -p /mnt/iscsi
iscsi_target labserial2 127.0.0.1:3263
iscsi_login 6 127.0.0.1:3263
D=$(iscsi_disk 3263); disk disk "$D"
mkfs.ext4 -q -F "/dev/$D"; mount "/dev/$D" /mnt/iscsi; cp /bin/bash /mnt/iscsi/; sync; udevadm settle
fs fs /mnt/iscsi
for round in 1 2; do
  fault "dropped-$round" "port dropped"; drop_port 3263; await 25 'session recovery timed out'; sleep 2
  mark "open-$round" "port open again"; open_ports; await 20 'operational after recovery'; sleep 3
done
umount /mnt/iscsi; sleep 1
