#!/bin/bash
# check-more.sh: what takes minutes, or needs more than `make check` does: the tests that are marked for it, the C library
# under valgrind, a minute of torture, and each fuzz target for FUZZ_SECONDS (default 60). Ends with a line "N passed, N failed, N skipped".
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PASSED=0 FAILED=0 SKIPPED=0

# more NAME COMMAND…: runs, times and counts it.
more() {
    local name=$1 start=$SECONDS result=ok
    shift
    printf '\n==> %s\n' "$name"
    if "$@" </dev/null; then PASSED=$((PASSED + 1)); else result=FAILED FAILED=$((FAILED + 1)); fi
    say "==> $name: $result, $((SECONDS - start)) s"
}

# Builds the fuzz targets and runs each, beginning with its seeds.
fuzz_all() (
    cd fuzz || exit
    RUSTC_WRAPPER=$PWD/rustc.sh cargo +nightly build --release || exit
    for target in fuzz_targets/*.rs; do
        name=$(basename "$target" .rs)
        seeds=()
        [ ! -d "seeds/$name" ] || seeds=("seeds/$name")
        mkdir -p "corpus/$name"
        printf '\n--> %s\n' "$name"
        "target/release/$name" -max_total_time="${FUZZ_SECONDS:-60}" "corpus/$name" "${seeds[@]}" 2>&1 | tail -n 3
        [ "${PIPESTATUS[0]}" = 0 ] || exit 1
    done
)

scripts/deps.sh check
use_rust || die "There is no Rust $(min_rust) or later on this machine. Please run: make deps"
more "tests that take minutes" cargo test --workspace --locked -- --ignored
more "memory of the C library" env MEMORY=all scripts/c-tests.sh
if reason=$(scripts/private-journald.sh --check); then
    more "torture" env MINUTES=1 scripts/torture.sh
else
    say "Skipped: torture: no private journald can run here: $reason"
    SKIPPED=$((SKIPPED + 1))
fi
if cargo +nightly --version >/dev/null 2>&1; then
    more "fuzz targets" fuzz_all
else
    say "Skipped: fuzz targets: there is no nightly toolchain (rustup toolchain install nightly)"
    SKIPPED=$((SKIPPED + 1))
fi
say "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" = 0 ]
