#!/bin/bash
# run.sh: builds Peripety and runs the daemon in the foreground, printing events, until Ctrl-C. It follows this machine's journal if
# that has a storage event since boot (or always with LIVE=1); otherwise it plays a recorded incident. PROGRAMS=DIR takes the programs
# from there instead of building them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source scripts/incident.sh

# Time limit of the probe, in seconds.
PROBE_LIMIT=9

clean_up() { rm -rf "$WORK"; }

# Does this machine's journal have a storage event since boot? Sets PROBE to 0 (yes), 3 (no) or 4 (it cannot be read), and ANSWER to the
# daemon's answer.
probe() {
    PROBE=0
    ANSWER=$(timeout "$PROBE_LIMIT" "$PERIPETYD" --probe 2>/dev/null) || PROBE=$?
    case $PROBE in
    0 | 3) ;;
    124) PROBE=4 ANSWER="reading it took longer than $PROBE_LIMIT seconds" ;;
    *) PROBE=4 ANSWER=${ANSWER:-peripetyd --probe failed} ;;
    esac
}

hints() {
    local prpt=${PRPT#"$PWD"/} python="\$(scripts/python-varlink.sh)" varlinkctl="\$(scripts/varlinkctl.sh)"
    ! have varlinkctl || varlinkctl=varlinkctl
    cat <<EOF2

In a second terminal, in this directory, try:
    export PERIPETY_ADDRESS=$ADDRESS
    $prpt query                        # the events so far
    $prpt query --severity error -o json-pretty
    $prpt monitor                      # new events as they happen
    $prpt list                         # block devices and their WWIDs
    $prpt info ${DEVICE:-DEVICE}
    $varlinkctl introspect $ADDRESS io.peripety
    $python docs/examples/monitor.py
Ctrl-C ends the daemon.

EOF2
}

# run_daemon PLACE OPTION…: the daemon in the foreground. PLACE says where events
# are stored: "machine" (its journald), "private" (one only for this run) or
# "nowhere".
run_daemon() {
    local place=$1 daemon
    shift
    daemon=("$PERIPETYD" --varlink "$ADDRESS" --state-directory "$WORK/state" --stdout "$@")
    hints
    case $place in
    machine) supervise "${daemon[@]}" ;;
    private) supervise scripts/private-journald.sh "${PRIVATE[@]}" "$WORK/journald" -- "${daemon[@]}" ;;
    nowhere) supervise "${daemon[@]}" --no-store ;;
    esac
}

# Chooses a substitute for the machine's journald; sets PLACE.
choose_private() {
    local reason
    if reason=$(scripts/private-journald.sh --check); then
        PLACE=private
    say "The events of this run are stored by a private journald, not in this machine's journal."
        return 0
    fi
    PLACE=nowhere
    say "Events are not stored in this run, so \"prpt query\" has nothing to show (monitor works):"
    say "    $reason"
}

play_incident() {
    local options
    say "Playing a recorded incident instead: ext4 and xfs on LVM on multipath, whose paths fail."
    incident_journal "$WORK/incident.journal"
    mapfile -t options < <(incident_options "$WORK/incident.journal")
    PRIVATE=() DEVICE=/dev/mapper/labvg-e
    choose_private
    run_daemon "$PLACE" "${options[@]}"
}

follow_machine() {
    PRIVATE=(--machine-journal) PLACE=machine
    if [ ! -S /run/systemd/journal/socket ]; then
        say "journald is not running here."
        choose_private
    fi
    run_daemon "$PLACE"
}

main() {
    scripts/deps.sh run
    build_programs
    WORK=$(short_temp_dir)
    ADDRESS=unix:$WORK/io.peripety
    trap clean_up EXIT
    mkdir "$WORK/state"
    probe
    case $PROBE in
    0) say "This machine's journal has storage events of this boot${ANSWER:+: $ANSWER}" ;;
    3) say "This machine's journal can be read, but has no storage event of this boot." ;;
    4) say "This machine's journal cannot be read: ${ANSWER##*$'\n'}" ;;
    esac
    if [ "$PROBE" = 0 ] || [ "${LIVE:-0}" = 1 ]; then
        follow_machine
    else
        [ "$PROBE" = 4 ] || say "To follow it regardless: make run LIVE=1"
        play_incident
    fi
}

main
