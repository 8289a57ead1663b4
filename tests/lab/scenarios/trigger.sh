# shellcheck shell=bash
# Sourced by the trigger scripts of tests/, which make storage faults on an expendable machine. By hand they ask first,
# print what they do and which events to expect, and clean up however they end; in the lab ($LAB) they are scenarios.
#
# The script defines cleanup, then calls: trigger "what it does to the machine" MODULES TOOLS EXPECTED

# trigger DAMAGE "MODULE…" "TOOL…" EXPECTED-EVENTS
trigger() {
  local damage=$1 modules=$2 tools=$3 expected=$4
  check_tools "$tools"
  if [ -n "${LAB:-}" ]; then begin; check_modules "$modules"; return 0; fi
  [ "$(id -u)" = 0 ] || refuse "It must run as root."
  check_modules "$modules"
  printf '%s\n\n' "THIS SCRIPT MAKES STORAGE FAIL ON THIS MACHINE, $(uname -n). Run it only where nothing is lost." \
    "$damage" "Events to expect (prpt monitor shows them):" "$expected"
  confirm "${ANSWER:-}"
  trap stop_trigger EXIT
  trap 'exit 130' INT TERM
}

refuse() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

confirm() {
  local answer
  [ "$1" != --yes ] || return 0
  read -r -p "Type yes to go on: " answer || answer=
  [ "$answer" = yes ] || refuse "nothing was done."
}

check_tools() {
  local tool
  for tool in $1; do command -v "$tool" > /dev/null || refuse "the program $tool is missing."; done
}
check_modules() {
  local module
  for module in $1; do modprobe --dry-run --quiet "$module" || refuse "the kernel has no module $module."; done
}

stop_trigger() {
  local status=$?
  trap - EXIT INT TERM
  say "cleaning up"
  cleanup > /dev/null 2>&1 < /dev/null
  exit "$status"
}

here=$(dirname "${BASH_SOURCE[0]}")
if [ -n "${LAB:-}" ]; then
  # shellcheck source=tests/lab/scenarios/common.sh
  source "$here/common.sh"
else
  # shellcheck source=tests/lab/scenarios/faults.sh
  source "$here/faults.sh"
  mark() { say "$*"; AWAIT_SINCE=$EPOCHREALTIME; }
  fault() { say "FAULT $*"; AWAIT_SINCE=$EPOCHREALTIME; }
  var() { say "$1 is $2"; }
  disk() { say "$1 is /dev/$2"; }
  fs() { say "$1 is $(findmnt -no UUID "$2") on $2"; }
fi
ANSWER=${1:-}
