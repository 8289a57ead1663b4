#!/bin/sh
# rustc.sh RUSTC ARGUMENT…: compiles the project's own crates for libFuzzer, all others as usual: with RUSTFLAGS, the
# programs that build scripts try out would not link. Build scripts and what they link are compiled without optimisation, and are
# left alone. For RUSTC_WRAPPER, without cargo-fuzz; see README.md.
rustc=$1
shift
case "$CARGO_PKG_NAME $*" in
peripety*opt-level=3*)
    set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing
    ;;
esac
exec "$rustc" "$@"
