# shellcheck shell=bash
# Shared by run.sh and demo.sh: the programs and the recorded incident. Source it after lib.sh. PROGRAMS names a directory with programs
# that are built already.
# shellcheck disable=SC2034 # used by those that source this file

INCIDENT=$PWD/tests/fixtures/incidents/fs-lvm-multipath
PERIPETYD=${PROGRAMS:-$(target_dir)/release}/peripetyd
PRPT=${PROGRAMS:-$(target_dir)/release}/prpt

build_programs() {
    [ -z "${PROGRAMS:-}" ] || return 0
    say "Building peripetyd and prpt (this takes some minutes the first time)."
    scripts/cargo.sh build --release --quiet -p peripety -p prpt
}

# incident_journal FILE.journal: writes the recorded log lines to a journal file, and next to it a configuration that reports repeats
# every two seconds instead of every minute.
incident_journal() {
    local log
    printf '[burst]\ninterval_seconds = 2\n' >"$1.conf"
    log=$("$(systemd_helper systemd-journal-remote)" --split-mode=none --output="$1" - <"$INCIDENT/journal.export" 2>&1) ||
        die "systemd-journal-remote could not write the recorded incident: ${log##*$'\n'}"
}

# The options that make the daemon play the incident written to the file $1.
incident_options() {
    printf '%s\n' --journal-file "$1" --device-tree "$INCIDENT/tree.txt" --config "$1.conf"
}
