#!/bin/bash
# private-journald.sh [--check] [--kmsg] [--machine-journal] DIR [SETTING=VALUE…] -- COMMAND…
#
# Runs COMMAND beside a systemd-journald of its own, in a mount namespace of its
# own, so that nothing reaches the machine's journal and nothing remains. Ends
# with the exit code of COMMAND; journald ends with it, also when this script is
# killed. Works as root, and without root where user namespaces are allowed.
#
#   DIR                an empty directory for the mounts and journald's own messages
#   SETTING=VALUE      lines for the [Journal] section of its configuration
#   --kmsg             journald reads the kernel's messages too (root only)
#   --machine-journal  COMMAND sees the machine's journal files beside the private ones
#   --check            only try: exit 0 when it works here, else 1 and the reason
#
# What COMMAND sees: /run/systemd, /run/log and (unless --machine-journal)
# /var/log/journal are fresh, and /etc/machine-id has an id even where the
# machine's is empty. Everything else is the machine's.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SETTINGS=(Storage=volatile Audit=no RateLimitIntervalSec=0 ForwardToWall=no ForwardToSyslog=no)

# --- Inside the namespace -----------------------------------------------------

# remake DIRECTORY NAME…: mounts a fresh file system over DIRECTORY that has everything in it except NAME…, so that mount points can be
# created that the machine does not have.
remake() {
    local directory=$1 skip=" ${*:2} " old=$DIR/old$1 entry name
    mkdir -p "$old"
    mount --rbind "$directory" "$old"
    mount -t tmpfs -o mode=755 tmpfs "$directory"
    for entry in "$old"/* "$old"/.[!.]*; do
        name=${entry##*/}
        [[ $skip != *" $name "* ]] || continue
        reappear "$entry" "$directory/$name"
    done
}

reappear() {
    if [ -L "$1" ]; then
        cp -P "$1" "$2"
    elif [ -d "$1" ]; then
        mkdir -p "$2" && mount --rbind "$1" "$2"
    elif [ -e "$1" ]; then
        : >"$2" && mount --bind "$1" "$2"
    fi
}

# journald cannot work without a machine id; a fresh container often has none.
give_machine_id() {
    local id
    ! grep -qxE '[0-9a-f]{32}' /etc/machine-id 2>/dev/null || return 0
    id=$(tr -d - </proc/sys/kernel/random/uuid)
    if [ -e /etc/machine-id ]; then
        printf '%s\n' "$id" >"$DIR/machine-id"
        mount --bind "$DIR/machine-id" /etc/machine-id
    else
        remake /etc
        printf '%s\n' "$id" >/etc/machine-id
    fi
}

hide_machine_journal() {
    [ "$MACHINE_JOURNAL" = no ] && [ -d /var/log/journal ] || return 0
    mount -t tmpfs tmpfs /var/log/journal
}

# A drop-in of this name has the last word, whatever the machine configures.
configure() {
    mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
    { say "[Journal]" && printf '%s\n' "${SETTINGS[@]}"; } >/run/systemd/journald.conf.d/zzzz-private.conf
}

# journald's messages about itself would go to the kernel's log, and from there
# into the machine's journal. With a session of its own a Ctrl-C at the terminal
# ends COMMAND first.
start_journald() {
    SYSTEMD_LOG_TARGET=console setpriv --pdeathsig TERM setsid "$(systemd_helper systemd-journald)" \
        </dev/null >"$DIR/journald.log" 2>&1 &
    JOURNALD=$!
    for ((i = 0; i < 200; i++)); do
        [ ! -S /run/systemd/journal/socket ] || return 0
        kill -0 "$JOURNALD" 2>/dev/null || break
        sleep 0.05
    done
    cat "$DIR/journald.log" >&2
    die "The private journald did not start."
}

# Arguments: DIR MACHINE_JOURNAL SETTING… -- COMMAND…
inside() {
    local status=0
    DIR=$1 MACHINE_JOURNAL=$2 SETTINGS=()
    shift 2
    while [ "$1" != -- ]; do SETTINGS+=("$1") && shift; done
    shift
    give_machine_id
    remake /run systemd log
    hide_machine_journal
    configure
    start_journald
    supervise "$@" || status=$?
    kill "$JOURNALD" 2>/dev/null || true
    wait "$JOURNALD" || true
    exit "$status"
}

# --- Outside ------------------------------------------------------------------

# The options of unshare(1) that work here; fails with the reason when none do.
namespace_options() {
    local options reason=""
    for options in "--mount" "--user --map-root-user --mount"; do
        # shellcheck disable=SC2086 # a list of words
        if reason=$(unshare $options --propagation slave mount -t tmpfs tmpfs /mnt 2>&1); then
            say "$options"
            return 0
        fi
    done
    say "$reason"
    return 1
}

start() {
    local dir=$1 options
    shift
    options=$(namespace_options) || die "A private journald needs a mount namespace, and this machine does not allow one: $options"
    [[ $options != *--user* || $KMSG == no ]] || die "Only root may read the kernel's messages (--kmsg)."
    mkdir -p "$dir"
    # shellcheck disable=SC2086 # a list of words
    exec unshare $options --propagation slave bash "${BASH_SOURCE[0]}" --inside \
        "$(realpath "$dir")" "$MACHINE_JOURNAL" "${SETTINGS[@]}" "ReadKMsg=$KMSG" "$@"
}

check() {
    local dir status=0
    dir=$(mktemp -d)
    (start "$dir" -- true) 2>&1 || status=1
    rm -rf "$dir"
    exit "$status"
}

KMSG=no MACHINE_JOURNAL=no
while [[ ${1:-} == --* ]]; do
    case $1 in
    --inside) shift && inside "$@" ;;
    --check) check ;;
    --kmsg) KMSG=yes ;;
    --machine-journal) MACHINE_JOURNAL=yes ;;
    *) die "Unknown option $1. See the head of scripts/private-journald.sh." ;;
    esac
    shift
done
[[ $# -ge 3 && " $* " == *" -- "* ]] || die "Usage: private-journald.sh [--check] [--kmsg] [--machine-journal] DIR [SETTING=VALUE…] -- COMMAND…"
start "$@"
