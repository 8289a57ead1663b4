# shellcheck shell=bash
# Common ground of the scripts beside this file: each sources it first.
# It changes to the top directory of the source tree and finds the Rust toolchain.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One plain sentence for the person at the terminal.
say() { printf '%s\n' "$*"; }

# The same on stderr, and the end.
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# version_at_least HAVE WANT: dotted numbers.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The oldest Rust that builds the workspace.
min_rust() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml; }

# rust_at DIR: DIR holds a cargo and a rustc that are new enough.
rust_at() {
    local tool version
    for tool in cargo rustc; do
        [ -x "$1/$tool" ] || return 1
        version=$("$1/$tool" --version 2>/dev/null | awk '{print $2}') || return 1
        version_at_least "${version:-0}" "$(min_rust)" || return 1
    done
}

# Directories where a toolchain may be, the best first: what the user's PATH names,
# then rustup's, then the versioned packages of Ubuntu.
rust_directories() {
    { type -ap cargo || true; } | xargs -r -n 1 dirname
    printf '%s\n' "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin" /usr/bin
    printf '%s\n' /usr/lib/rust-*/bin | sort -Vr
}

# Puts the first toolchain that is new enough at the front of PATH; fails when
# there is none.
use_rust() {
    local directory
    [ -z "${RUST_FOUND:-}" ] || return 0
    while read -r directory; do
        rust_at "$directory" || continue
        PATH=$directory:$PATH
        export PATH
        RUST_FOUND=1
        return 0
    done < <(rust_directories)
    return 1
}

# systemd_helper NAME: the path of a program of systemd's that PATH does not reach.
systemd_helper() {
    local directory
    for directory in /usr/lib/systemd /lib/systemd; do
        [ -x "$directory/$1" ] || continue
        printf '%s\n' "$directory/$1"
        return 0
    done
    return 1
}

# The directory where cargo puts what it builds.
target_dir() { printf '%s\n' "${CARGO_TARGET_DIR:-$PWD/target}"; }

# A Python that can make virtual environments and speak TLS. A Python that
# somebody built by hand often lacks one of them, so that the system's is first.
find_python() {
    local python
    for python in /usr/bin/python3 python3; do
        have "$python" || continue
        "$python" -c 'import ssl, venv, ensurepip' 2>/dev/null || continue
        printf '%s\n' "$python"
        return 0
    done
    return 1
}

# supervise COMMAND…: runs COMMAND, passes SIGTERM and SIGHUP on to it, and returns its status only after it has ended. Bash alone
# would end at once and clean up while COMMAND still runs. A Ctrl-C at the terminal reaches COMMAND directly; if this shell is killed,
# COMMAND gets SIGTERM.
supervise() {
    local status signals=(env --default-signal=INT --default-signal=QUIT)
    # A shell starts background jobs with SIGINT ignored and without standard input. An env other than that of GNU may not reset it.
    "${signals[@]}" true 2>/dev/null || signals=()
    "${signals[@]}" setpriv --pdeathsig TERM "$@" <&0 &
    SUPERVISED=$!
    trap : INT
    trap 'kill -TERM "$SUPERVISED" 2>/dev/null || true' TERM HUP
    while :; do
        status=0
        wait "$SUPERVISED" || status=$?
        # A signal interrupts wait: then COMMAND is still there.
        if [ "$status" -le 128 ] || ! kill -0 "$SUPERVISED" 2>/dev/null; then break; fi
    done
    trap - TERM HUP
    return "$status"
}

# A fresh directory with a short name: the path of a socket in it must stay below
# 108 bytes (unix(7)).
short_temp_dir() {
    local base=${TMPDIR:-/tmp}
    [ "${#base}" -le 60 ] || base=/tmp
    mktemp -d "$base/peripety.XXXXXX"
}
