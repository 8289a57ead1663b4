#!/bin/bash
# check.sh: everything that must hold before a change goes in: formatting, lints,
# documentation, build, tests. Ends with a line "N passed, N failed, N skipped"
# (tests, and any other step that failed) and exits non-zero when one failed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FAILED_STEPS=()
SKIPPED_STEPS=()
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export PERIPETY_SKIP_LOG=$WORK/skipped
: >"$PERIPETY_SKIP_LOG"

# step NAME COMMAND…: runs and times it; what is printed stays visible.
step() {
    local name=$1 start=$SECONDS result=ok
    shift
    printf '\n==> %s\n' "$name"
    "$@" </dev/null || { result=FAILED && FAILED_STEPS+=("$name"); }
    say "==> $name: $result, $((SECONDS - start)) s"
}

skip() {
    printf '\n==> %s: skipped: %s\n' "$1" "$2"
    SKIPPED_STEPS+=("$1: $2")
}

formatting() {
    if rustfmt --version >/dev/null 2>&1; then
        step "cargo fmt" cargo fmt --all --check
    else
        skip "cargo fmt" "this toolchain has no rustfmt (with rustup: rustup component add rustfmt)"
    fi
}

lints() {
    if cargo-clippy --version >/dev/null 2>&1; then
        step "cargo clippy" cargo clippy --workspace --all-targets --locked -- -D warnings
    else
        skip "cargo clippy" "this toolchain has no clippy (with rustup: rustup component add clippy)"
    fi
    if have shellcheck; then
        step "shellcheck" shellcheck -x -P scripts -P tests -P tests/lab/scenarios scripts/*.sh tests/*.sh tests/lab/*.sh tests/lab/cases/*.sh \
            tests/lab/scenarios/*.sh .ci/run
    else
        skip "shellcheck" "it is not installed"
    fi
}

documentation() {
    RUSTDOCFLAGS="-D warnings" step "cargo doc" cargo doc --workspace --no-deps --locked
}

# tool VARIABLE SCRIPT: where a test finds a tool that it cannot do without, or
# the reason why there is none.
tool() {
    local said status=0
    said=$("$2" 2>&1) || status=$?
    said=${said##*$'\n'}
    if [ "$status" = 0 ]; then
        export "$1=$said"
    else
        export "$1_REASON=$said"
        say "Without $1, the tests that need it are skipped: $said"
    fi
}

prepare_tools() {
    tool PERIPETY_VARLINKCTL scripts/varlinkctl.sh
    tool PERIPETY_PYTHON scripts/python-varlink.sh
}

# Most tests wait for a daemon most of the time.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((2 * $(nproc)))}
run_tests() { cargo test --workspace --locked --no-fail-fast 2>&1 | tee -a "$WORK/tests"; }

# The tests of another script, which prints a line "test result:" as cargo does.
other_tests() { PROGRAMS=$(target_dir)/debug "$@" 2>&1 | tee -a "$WORK/tests"; }

# in_background NAME COMMAND…: starts tests of another script, whose step is finish NAME.
declare -A STARTED
in_background() {
    PROGRAMS=$(target_dir)/debug "${@:2}" >"$WORK/$1.log" 2>&1 </dev/null &
    STARTED[$1]=$!
}

finish() {
    local status=0
    wait "${STARTED[$1]}" || status=$?
    tee -a "$WORK/tests" <"$WORK/$1.log"
    return "$status"
}

# Sum of the numbers that stand before WORD in cargo's "test result:" lines.
sum() { awk -v word="$1" -F'[ ;]+' '/^test result:/ {for (i = 2; i <= NF; i++) if ($i == word) n += $(i - 1)} END {print n + 0}' "$WORK/tests"; }

# What did not run, a line each, into the file "skips", and how many tests of them
# cargo counts as passed, because they skipped themselves.
collect_skips() {
    sed -n 's/^SKIPPED //p' "$PERIPETY_SKIP_LOG" | sort -u >"$WORK/skips"
    THEMSELVES=$(wc -l <"$WORK/skips")
    sed -n 's/^test \(.*\) \.\.\. ignored,* *\(.*\)$/\1: \2/p' "$WORK/tests" >>"$WORK/skips"
    [ "${#SKIPPED_STEPS[@]}" = 0 ] || printf '%s\n' "${SKIPPED_STEPS[@]}" >>"$WORK/skips"
}

# Failed tests, and failed steps. The step of cargo's tests counts only when no test
# of it failed: then they did not even build. Those of other tests never count: their
# result says it.
count_failed() {
    local name failed
    failed=$(sum failed)
    local in_tests=$failed
    for name in "${FAILED_STEPS[@]}"; do
        [[ $name == "C library" || $name == "Python module" || $name == *"of the lab" || $name == *"of torture" ]] && continue
        [[ $name == "cargo test" && $in_tests != 0 ]] || failed=$((failed + 1))
    done
    say "$failed"
}

summary() {
    local failed skipped
    : >>"$WORK/tests"
    collect_skips
    failed=$(count_failed)
    skipped=$(wc -l <"$WORK/skips")
    printf '\nThe whole check took %s s.\n' "$SECONDS"
    [ "$skipped" = 0 ] || { say "Skipped:" && sed 's/^/    /' "$WORK/skips"; }
    [ "${#FAILED_STEPS[@]}" = 0 ] || { say "Failed:" && printf '    %s\n' "${FAILED_STEPS[@]}"; }
    say "$(($(sum passed) - THEMSELVES)) passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}

scripts/deps.sh check
use_rust || die "There is no Rust $(min_rust) or later on this machine. Please run: make deps"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
prepare_tools
formatting
lints
documentation
step "cargo build" cargo build --workspace --locked
in_background "C library" scripts/c-tests.sh
in_background "Python module" scripts/python-tests.sh
step "cargo test" run_tests
step "C library" finish "C library"
step "Python module" finish "Python module"
step "judge of the lab" other_tests python3 tests/lab/test_judge.py
step "judge of torture" other_tests python3 tests/torture/test_judge.py
step "recordings of the lab" other_tests python3 tests/lab/test_recording.py
summary
