#!/bin/bash
#@ round short
#@ seconds 150
#@ phases 2
# A boot with a disk that fails while it is probed, and with two fstab lines whose devices are missing or cannot be
# mounted.
source "$(dirname "$0")/common.sh"
if [ "$PHASE" = 1 ]; then
  MORE_PHASES=1
  begin
  echo "options scsi_debug dev_size_mb=64 opts=2 medium_error_start=0 medium_error_count=64" > /etc/modprobe.d/lab.conf
  echo scsi_debug > /etc/modules-load.d/lab.conf
  truncate -s 64M /var/tmp/boot.img; mkfs.ext4 -q -F /var/tmp/boot.img
  dd if=/dev/urandom of=/var/tmp/boot.img bs=4096 seek=1 count=8 conv=notrunc status=none
  mkdir -p /mnt/bad{1,2,3}
  cat > /etc/fstab << 'FSTAB'
UUID=deadbeef-0000-4000-8000-000000000001 /mnt/bad1 ext4 nofail,x-systemd.device-timeout=15s 0 2
UUID=deadbeef-0000-4000-8000-000000000002 /mnt/bad2 ext4 nofail,x-systemd.device-timeout=15s 0 2
FSTAB
  journalctl -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p' > "$OUT/cursor"
  fault boot "the guest reboots"
  sync; journalctl --sync
  (sleep 6; systemctl reboot) > /dev/null 2>&1 < /dev/null & disown
  TAIL=0
  exit 0
fi
cleanup() { : > /etc/fstab; rm -f /etc/modules-load.d/lab.conf /etc/modprobe.d/lab.conf; remove_scsi_debug; systemctl daemon-reload; }
begin
disk disk "$(scsi_debug_disks | head -n 1)"
AWAIT_SINCE=$(($(date +%s) - $(cut -d . -f 1 /proc/uptime)))
await 40 'Timed out waiting for device'; sleep 3
