# shellcheck shell=bash
# Devices that fail on demand. Sourced by the scenarios of the lab and by the trigger scripts of tests/; each function
# says on stdout only what its comment promises.

say() { printf '== [%s] %s\n' "$(cut -d ' ' -f 1 /proc/uptime)" "$*"; }

# until_ok SECONDS COMMAND…: waits until the command succeeds.
until_ok() {
  local end=$((SECONDS + $1)); shift
  while [ "$SECONDS" -lt "$end" ]; do "$@" > /dev/null 2>&1 && return 0; sleep 0.2; done
  say "not within the time: $*"
  return 1
}

# await SECONDS PATTERN: waits until a line of the kernel or of a daemon matches since AWAIT_SINCE, the last mark.
AWAIT_SINCE=$EPOCHREALTIME
await() { until_ok "$1" journal_has "$2"; }
journal_has() { journalctl -q -o cat --since "@$AWAIT_SINCE" -g "$1" | grep -v '^{' | grep -q .; }

# scsi_debug PARAMETERS…: a fresh scsi_debug.
scsi_debug() { modprobe -r scsi_debug 2> /dev/null; modprobe scsi_debug "$@"; udevadm settle -t 30; }
scsi_debug_disks() {
  local path
  for path in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
    [ -e "$path" ] && basename "$path"
  done
}
remove_scsi_debug() { until_ok 10 sh -c 'rmmod scsi_debug; ! [ -d /sys/module/scsi_debug ]'; }
hctl_of() { basename "$(readlink -f "/sys/block/$1/device")"; }

# inject DEVICE COMMAND KEY ASC ASCQ: every SCSI command of that code (0x28: read, 0x2a: write) of a scsi_debug disk
# ends with that sense data.
inject() { echo "2 -10000 $2 0 0 0x2 $3 $4 $5" > "$(error_file "$1")"; }
error_file() {
  mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
  echo "/sys/kernel/debug/scsi_debug/$(hctl_of "$1")/error"
}
# fail_reads DEVICE on|off: every read of a scsi_debug disk ends in a medium error.
fail_reads() {
  case $2 in
    on) inject "$1" 0x28 0x3 0x11 0x0 ;;
    off) echo "- 2 0x28" > "$(error_file "$1")" ;;
  esac
}
# read_block DEVICE BLOCK: one direct read of 4 KiB.
read_block() { dd if="/dev/$1" of=/dev/null bs=4096 skip="$2" count=1 iflag=direct status=none 2> /dev/null; }
offline() { local name; for name in "$@"; do echo offline > "/sys/block/$name/device/state"; done; }
running() { local name; for name in "$@"; do echo running > "/sys/block/$name/device/state"; done; }

# loop_of NAME SIZE: a loop device on a fresh file.
loop_of() { truncate -s "$2" "/var/tmp/lab-$1.img"; losetup -f --show "/var/tmp/lab-$1.img"; }
remove_loops() {
  local file
  for file in /var/tmp/lab-*.img; do losetup -j "$file" | cut -d : -f 1 | xargs -r losetup -d; rm -f "$file"; done
}

# swap_table NAME < TABLE: replaces the table of a live dm device without flushing.
swap_table() { dmsetup load "$1" && dmsetup suspend --noflush --nolockfs "$1" && dmsetup resume "$1"; }
