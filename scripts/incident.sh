# shellcheck shell=bash
# What run.sh and demo.sh share: the programs, and the recorded incident. Source
# it after lib.sh.
# shellcheck disable=SC2034 # used by those that source this file

INCIDENT=$PWD/tests/fixtures/incidents/fs-lvm-multipath
PERIPETYD=$(target_dir)/release/peripetyd
PRPT=$(target_dir)/release/prpt

build_programs() {
    say "Building peripetyd and prpt (the first time this takes some minutes)."
    scripts/cargo.sh build --release --quiet -p peripety -p prpt
}

# incident_journal FILE.journal: the recorded log lines as a journal file, and beside it a configuration with which
# what is said again and again is told every two seconds, so that nobody waits for the usual minute.
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
