# shellcheck shell=bash
# Common ground of the tests that cargo does not run: each sources it after lib.sh.
# They end with a line "test result: …" as cargo's tests do, in which a test that was
# skipped counts as passed; why it was is added to the file PERIPETY_SKIP_LOG, as Rust's
# tests do. In WORK they keep what is removed at the end.

PASSED=0
FAILED=0
WORK=$(mktemp -d)

# However it ends, it prints the result.
result() {
    local status=$? word=ok
    rm -rf "$WORK"
    [ "$status" = 0 ] || [ "$FAILED" != 0 ] || FAILED=1
    [ "$FAILED" = 0 ] || word=FAILED
    printf '\ntest result: %s. %s passed; %s failed\n' "$word" "$PASSED" "$FAILED"
    [ "$FAILED" = 0 ] || exit 1
}
trap result EXIT

# skipped NAME REASON
skipped() {
    say "SKIPPED $1: $2"
    [ -z "${PERIPETY_SKIP_LOG:-}" ] || say "SKIPPED $1: $2" >>"$PERIPETY_SKIP_LOG"
    PASSED=$((PASSED + 1))
}

# build_library: PROGRAMS is the directory with it; when it names none, it is built first.
build_library() {
    [ -z "${PROGRAMS:-}" ] || return 0
    scripts/cargo.sh build --locked -p peripety-blkinfo-c
    PROGRAMS=$(target_dir)/debug
}
