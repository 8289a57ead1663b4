#!/bin/bash
# demo.sh: demonstrates Peripety on a recorded incident. Builds the programs, starts the daemon on the recording with a private journald,
# queries it with every client, and ends. Exits 0 only if each step produced what it should.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source scripts/incident.sh

# Seconds after which the daemon must have played the incident.
PLAY_LIMIT=30
STEP_LIMIT=20

# --- Outside of the private journald --------------------------------------------

outside() {
    local reason
    scripts/deps.sh demo
    build_programs
    reason=$(scripts/private-journald.sh --check) || die "The demo cannot run here. $reason"
    PERIPETY_PYTHON=$(scripts/python-varlink.sh 2>&1) || PYTHON_REASON=$PERIPETY_PYTHON PERIPETY_PYTHON=""
    VARLINKCTL=$(command -v varlinkctl) || VARLINKCTL=""
    if [ -z "$PERIPETY_PYTHON" ] && [ -z "$VARLINKCTL" ]; then
        VARLINKCTL=$(scripts/varlinkctl.sh 2>&1) ||
            die "The demo needs a Varlink client beside prpt. Python: $PYTHON_REASON varlinkctl: $VARLINKCTL"
    fi
    export PERIPETY_PYTHON VARLINKCTL
    WORK=$(short_temp_dir)
    trap 'rm -rf "$WORK"' EXIT
    mkdir "$WORK/state"
    incident_journal "$WORK/incident.journal"
    supervise scripts/private-journald.sh "$WORK/journald" -- "$BASH" "${BASH_SOURCE[0]}" --inside "$WORK"
}

# --- Inside ---------------------------------------------------------------------

start_daemon() {
    local options
    mapfile -t options < <(incident_options "$WORK/incident.journal")
    say "\$ peripetyd --varlink $PERIPETY_ADDRESS --state-directory $WORK/state ${options[*]} &"
    setpriv --pdeathsig TERM "$PERIPETYD" --varlink "$PERIPETY_ADDRESS" --state-directory "$WORK/state" "${options[@]}" \
        </dev/null >"$WORK/daemon.log" 2>&1 &
    DAEMON=$!
    trap stop_daemon EXIT
}

stop_daemon() {
    kill "$DAEMON" 2>/dev/null || true
    wait "$DAEMON" || true
}

# fail SENTENCE…: exits with the daemon's last messages.
fail() {
    say "--- the daemon's messages:" >&2
    tail -n 20 "$WORK/daemon.log" >&2
    die "The demo failed: $*"
}

all_played() {
    local status
    status=$("$PRPT" status -J 2>/dev/null | tr -d ' \n') || return 1
    [[ $status == *'"caught_up":true'* && $status =~ \"in_flight\":0[,}] ]]
}

wait_until_played() {
    local end=$((SECONDS + PLAY_LIMIT))
    until all_played; do
        kill -0 "$DAEMON" 2>/dev/null || fail "the daemon ended."
        [ "$SECONDS" -lt "$end" ] || fail "the daemon had not played the incident after $PLAY_LIMIT seconds."
        sleep 0.2
    done
}

# The words of a command as one would type them, quoted where need be.
command_line() {
    local word
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=@-]*) printf ' %s' "${word@Q}" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
}

# step TITLE PATTERN COMMAND…: runs COMMAND and shows it; it must succeed, and
# print something that fits PATTERN.
step() {
    local title=$1 pattern=$2
    shift 2
    printf '\n== %s\n$%s\n' "$title" "$(command_line "$@")"
    timeout "$STEP_LIMIT" "$@" </dev/null >"$WORK/output" 2>"$WORK/errors" ||
        fail "the command above ended with an error: $(cat "$WORK/errors")"
    cat "$WORK/output"
    grep -qE "$pattern" "$WORK/output" || fail "the command above printed nothing that fits \"$pattern\"."
}

# The time of the first event of the recording, as the Varlink clients take it.
first_time() {
    "$PRPT" query -o json --limit 1 | tr -d ' \n' | sed -n 's/.*"timestamp":\([0-9]*\).*/\1/p'
}

as_date() { date -d "@$(($1 / 1000000))" '+%Y-%m-%d %H:%M:%S'; }

ask_prpt() {
    step "What the daemon has done" . prpt status
    step "Everything that was serious" . prpt query --severity error --limit 10
    step "What happened to the paths" 8:48 prpt query --event-type DM_MPATH_PATH_FAILED
    step "What happened to the file systems" '/mnt/d[12]' prpt query --sub-system ext4 --sub-system xfs --limit 12
    step "What happened to one disk and everything on it" . prpt query --blk sdb --limit 5
    step "One event in full" '"event_id"' prpt query --event-type FS_JOURNAL_ABORTED --sub-system ext4 -o json-pretty --limit 1
    step "What is this device?" labvg-e prpt info /dev/mapper/labvg-e
    step "All block devices" mpathb prpt list
}

ask_to_follow() {
    local first
    first=$(first_time)
    [ -n "$first" ] || fail "prpt query gave no event with a timestamp."
    step "Following events, from the first one on" . prpt monitor --since "$(as_date "$first")" --limit 3
    if [ -n "$PERIPETY_PYTHON" ]; then
        step "The same from Python" . "$PERIPETY_PYTHON" docs/examples/monitor.py --since "$first" --limit 3
    fi
    if [ -n "$VARLINKCTL" ]; then
        step "The same with varlinkctl" '"event_id"' "$VARLINKCTL" call --more "$PERIPETY_ADDRESS" \
            io.peripety.Monitor "{\"since\": $first, \"limit\": 3}"
    fi
}

inside() {
    WORK=$1
    PATH=$(dirname "$PRPT"):$PATH
    export PATH PERIPETY_ADDRESS=unix:$WORK/io.peripety NO_COLOR=1
    say "The recorded incident: ext4 and xfs on LVM on multipath, whose paths fail."
    say "\$ export PERIPETY_ADDRESS=$PERIPETY_ADDRESS"
    start_daemon
    wait_until_played
    ask_prpt
    ask_to_follow
    printf '\nAll steps of the demo worked. To run the daemon on this machine: make run\n'
}

if [ "${1:-}" = --inside ]; then
    inside "$2"
else
    outside
fi
