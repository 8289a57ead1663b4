#!/bin/bash
# torture.sh: kills and stops peripetyd and journald, fills disks, removes and damages journal files, in random order under
# a stream of known lines, and then judges every line: docs/reliability.md explains it. Beside a journald of its own; as
# root also with lines of the kernel.
#
# Environment:
#   MINUTES    how long (default 10)
#   SEED       repeats the run with this seed
#   PROGRAMS   directory with a built peripetyd; without it, it is built first (release)
#   SABOTAGE   1: one stored event is hidden from the judge; the run must fail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build_programs() {
    [ -z "${PROGRAMS:-}" ] || return 0
    scripts/deps.sh demo
    scripts/cargo.sh build --release --locked -p peripety
    PROGRAMS=$(target_dir)/release
}

find_tools() {
    have python3 || die "python3 is missing. Please install it."
    systemd_helper systemd-journal-remote >/dev/null || die "systemd-journal-remote is missing. Please run: make deps"
}

run_torture() {
    local options=(--program "$PROGRAMS/peripetyd" --minutes "${MINUTES:-10}" --seed "$SEED") kmsg=()
    # The namespace's own mounts hide nothing of what is kept here.
    options+=(--directory "$(target_dir)/torture/$SEED")
    [ "$(id -u)" != 0 ] || { kmsg=(--kmsg) && options+=(--kernel); }
    [ -z "${SABOTAGE:-}" ] || options+=(--sabotage)
    scripts/private-journald.sh "${kmsg[@]}" "$WORK" Storage=auto SystemMaxFileSize=4M SystemMaxUse=200M RuntimeMaxFileSize=4M \
        RuntimeMaxUse=100M -- python3 tests/torture/torture.py "${options[@]}"
}

find_tools
build_programs
SEED=${SEED:-$RANDOM$RANDOM}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
run_torture
