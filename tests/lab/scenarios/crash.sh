#!/bin/bash
#@ seconds 200
#@ phases 2
# The kernel crashes just after a disk failed that the daemon had no time to read of; the next boot reports it.
source "$(dirname "$0")/common.sh"
cleanup() { :; }
if [ "$PHASE" = 1 ]; then
  MORE_PHASES=1; TAIL=0
  begin
  scsi_debug dev_size_mb=16 per_host_store=1 add_host=2 num_tgts=1 max_luns=1 vpd_use_hostno=1
  mapfile -t D < <(scsi_debug_disks); disk seen "${D[0]}"; disk unseen "${D[1]}"
  fail_reads "${D[0]}" on; fail_reads "${D[1]}" on; udevadm settle
  # The daemon writes what it knows of the devices to disk every minute.
  until_ok 100 grep -q "$(wwid_of "${D[1]}")" /var/lib/peripety/devices.json || exit 1
  fault seen "a disk fails, and the daemon sees it"
  read_block "${D[0]}" 100; until_ok 10 grep -q "critical medium error" "$OUT/events.jsonl"; sleep 1
  fault unseen "a disk fails while the daemon stands still; then the kernel crashes"
  kill -STOP "$(systemctl show -p MainPID --value peripetyd)"; read_block "${D[1]}" 100; sleep 2; journalctl --sync; sync
  (sleep 15; sync; echo c > /proc/sysrq-trigger) > /dev/null 2>&1 < /dev/null & disown
  exit 0
fi
begin
until_ok 60 caught_up; sleep 3
