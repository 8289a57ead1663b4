#!/bin/bash
#@ seconds 200
# Medium errors while journald and the daemon are restarted, stopped and killed: each is one alarm, none is lost.
source "$(dirname "$0")/common.sh"
cleanup() { systemctl start peripetyd.service; remove_scsi_debug; }
begin
scsi_debug dev_size_mb=16 per_host_store=1 add_host=6 num_tgts=1 max_luns=1 vpd_use_hostno=1
mapfile -t D < <(scsi_debug_disks)
for i in 1 2 3 4 5 6; do disk "disk$i" "${D[i - 1]}"; fail_reads "${D[i - 1]}" on; done
fault journald "an error while journald restarts"
systemctl restart systemd-journald & restart=$!; read_block "${D[0]}" 100; wait "$restart"; sleep 3
fault stopped "an error while the daemon is stopped"
systemctl stop peripetyd.service; read_block "${D[1]}" 100; sleep 1; systemctl start peripetyd.service; until_ok 60 caught_up; sleep 2
fault socket "an error while the daemon is stopped and its socket starts it"
systemctl stop peripetyd.service; read_block "${D[2]}" 100; until_ok 60 caught_up; sleep 2
fault killed "an error as the daemon is killed"
systemctl kill -s KILL peripetyd.service; read_block "${D[3]}" 100; sleep 2; until_ok 60 caught_up; sleep 2
fault reload "an error while the configuration is read anew"
systemctl reload peripetyd.service; read_block "${D[4]}" 100; sleep 3
fault rotate "an error while the journal is rotated"
journalctl --rotate; read_block "${D[5]}" 100; sleep 3
