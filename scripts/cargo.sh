#!/bin/bash
# cargo.sh ARGUMENT…: cargo from a toolchain that is new enough.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

use_rust || die "There is no Rust $(min_rust) or later on this machine. Please run: make deps"
exec cargo "$@"
