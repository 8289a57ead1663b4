# shellcheck shell=bash
# Sourced first by each scenario; runs in the guest. A scenario calls begin, notes its devices with disk and var, and
# calls fault before each fault that it makes and mark at other moments. At its end, however it ends, the recorder is
# stopped and the function cleanup of the scenario is called.
#
# $OUT (/lab/out/NAME, the host reads it) receives:
#   marks.jsonl     marks and variables
#   events.jsonl    what prpt monitor printed, with the time of receipt
#   journal.export, uevents.txt, tree.txt, trees/, query.jsonl, stats.json, status.txt

# shellcheck source=tests/lab/scenarios/faults.sh
source "${BASH_SOURCE[0]%/*}/faults.sh"
SCENARIO=$(basename "$0" .sh); PHASE=${LAB_PHASE:-1}; OUT=/lab/out/$SCENARIO
export LC_ALL=C.UTF-8 SYSTEMD_PAGER='' PAGER=cat SCENARIO OUT
mkdir -p "$OUT/trees"
RECORDERS=()

uptime_us() { local up; read -r up _ < /proc/uptime; echo "${up/./}0000"; }

# json_note KIND NAME TEXT: a line of marks.jsonl. The text must hold no quote and no backslash.
json_note() {
  local monotonic realtime
  realtime=${EPOCHREALTIME/./}
  monotonic=$(uptime_us)
  printf '{"%s": "%s", "text": "%s", "monotonic": %s, "realtime": %s, "phase": %s}\n' "$1" "$2" "$3" "$monotonic" \
    "$realtime" "$PHASE" >> "$OUT/marks.jsonl"
}

# The device tree as it is now, from the recorder that runs all the time.
tree_now() {
  local request=/run/lab-tree-request i
  [ -e /run/lab-tree-ready ] || return 0
  : > "$request"
  for i in $(seq 100); do [ -e "$request" ] || return 0; sleep 0.05; done
  say "no tree after $i tries"
}

# mark NAME [TEXT]: a moment that sentences of the expectations name.
mark() { note_mark mark "$@"; }
# fault NAME [TEXT]: the same, just before a fault is made.
fault() { note_mark fault "$@"; }
note_mark() {
  local kind=$1 name=$2; shift 2
  tree_now
  logger -t lab-scenario -p user.info -- "$SCENARIO: $kind $name $*"
  say "$kind $name: $*"
  AWAIT_SINCE=$EPOCHREALTIME
  json_note "$kind" "$name" "$*"
}

# var NAME VALUE: a word that sentences name as $NAME.
var() {
  [ -n "$2" ] || { say "the set-up failed: $1 has no value"; exit 1; }
  say "$1 = $2"
  json_note var "$1" "$2"
}

# disk NAME DEVICE: notes $NAME (its wwid) and $NAME.name, $NAME.path, $NAME.hctl.
disk() {
  local wwid path
  wwid=$(wwid_of "$2"); path=$(readlink -f "/sys/block/$2/device" 2> /dev/null || true)
  var "$1" "$wwid"; var "$1.name" "$2"; var "$1.path" "/dev/$2"
  [[ ${path##*/} =~ ^[0-9]+:[0-9]+:[0-9]+:[0-9]+$ ]] && var "$1.hctl" "${path##*/}"
  return 0
}

# The dev_wwid of a disk: what the kernel says, else udev's serial number.
wwid_of() {
  local file value
  for file in "/sys/block/$1/wwid" "/sys/block/$1/device/wwid" "/sys/block/$1/dm/uuid"; do
    value=$(tr -d '\0' < "$file" | sed -E 's/^[[:space:]]+//; s/[[:space:]]+$//; s/[[:space:]]+/-/g')
    [ -z "$value" ] || { echo "$value"; return 0; }
  done 2> /dev/null
  udevadm info --query=property --name="/dev/$1" | sed -n 's/^ID_SERIAL=//p'
}

# fs NAME MOUNTPOINT: notes $NAME, the file system's UUID, and $NAME.mount.
fs() { var "$1" "$(findmnt -no UUID "$2")"; var "$1.mount" "$2"; }

start_recorders() {
  python3 -ISE /lab/tests/lab/guest/record-events.py "$OUT/events.jsonl" & RECORDERS+=($!)
  until_ok 60 grep -q ready "$OUT/events.jsonl" || { say "prpt monitor does not connect"; exit 1; }
  [ -n "${LAB_RECORD:-}" ] || return 0
  rm -f "$OUT"/trees/*
  udevadm monitor --kernel --property > "$OUT/uevents.txt" & RECORDERS+=($!)
  rm -f /run/lab-tree-ready
  nice -n 19 python3 -SE /lab/tests/lab/guest/record-changes.py "$OUT" & RECORDERS+=($!)
  until_ok 60 test -e /run/lab-tree-ready || { say "no device tree"; exit 1; }
}

# CPU time and memory of the daemon, one JSON object a line: stats WHEN
stats() {
  local pid; pid=$(systemctl show -p MainPID --value peripetyd)
  printf '{"when": "%s", "uptime_us": %s, "cpu_ns": %s, "rss_kb": %s, "restarts": %s}\n' "$1" "$(uptime_us)" \
    "$(systemctl show -p CPUUsageNSec --value peripetyd)" \
    "$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status" 2> /dev/null || echo 0)" \
    "$(systemctl show -p NRestarts --value peripetyd)" >> "$OUT/stats.jsonl"
}

begin() {
  udevadm settle -t 20
  until_ok 90 caught_up || say "peripetyd has not caught up"
  journalctl --sync
  if [ "$PHASE" = 1 ]; then
    journalctl -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p' > "$OUT/cursor"
    echo "${EPOCHREALTIME/./}" > "$OUT/since"
  fi
  trap finish EXIT
  start_recorders
  stats begin
  mark begin
}
caught_up() { prpt status | grep -q 'Caught up: *yes'; }

finish() {
  local status=$?
  trap - EXIT
  say "end, status $status"
  sleep "${TAIL:-2}"
  json_note mark end ""
  stats end
  timeout 5 prpt status > "$OUT/status.txt"
  journalctl --sync
  stop_recorders
  [ -n "${MORE_PHASES:-}" ] || export_journal
  if declare -F cleanup > /dev/null; then cleanup > "$OUT/cleanup.txt" 2>&1 < /dev/null; fi
  exit "$status"
}

stop_recorders() {
  tree_now
  kill "${RECORDERS[@]}" 2> /dev/null
  rm -f /run/lab-tree-ready
}

export_journal() {
  journalctl --after-cursor="$(cat "$OUT/cursor")" -o export --all | zstd -q -1 -f -o "$OUT/journal.export.zst"
  local since; since=$(cat "$OUT/since")
  prpt query --since "@${since:0:-6}" -J > "$OUT/query.jsonl"
}
