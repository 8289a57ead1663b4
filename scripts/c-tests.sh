#!/bin/bash
# c-tests.sh: tests libperipety as C programs see it: installed, found by pkg-config,
# linked shared and static, on the recorded device trees, under valgrind. See
# test-lib.sh for how it ends.
#
# Environment:
#   PROGRAMS    directory with the built library; without it, it is built first (debug)
#   MEMORY=all  everything runs under valgrind, also the static library and the questions of all recorded trees
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source scripts/test-lib.sh

TESTS=blkinfo/c/tests
FIXTURES=$PWD/blkinfo/tests/fixtures
HEADER=blkinfo/c/include/peripety.h
STRICT=(-std=c11 -Wall -Wextra -Werror -pedantic -g)

# try NAME COMMAND…: one test. What it prints is shown when it fails.
try() {
    local name=$1
    shift
    if "$@" >"$WORK/said" 2>&1; then
        say "test $name ... ok"
        PASSED=$((PASSED + 1))
    else
        say "test $name ... FAILED"
        head -n 60 "$WORK/said" | sed 's/^/    /'
        FAILED=$((FAILED + 1))
    fi
}

# Into a directory that only pkg-config and LD_LIBRARY_PATH know.
install_library() {
    PROGRAMS=$PROGRAMS prefix=$WORK/root DESTDIR="" clibdir=$WORK/root/lib/own scripts/install.sh install-library
    export PKG_CONFIG_PATH=$WORK/root/lib/own/pkgconfig
    export LD_LIBRARY_PATH=$WORK/root/lib/own
}

# compile shared|static SOURCE: the program is $WORK/LINKING/NAME.
compile() {
    local linking=$1 source=$2 program flags libs
    program=$WORK/$linking/$(basename "$source" .c)
    mkdir -p "$WORK/$linking"
    read -ra flags < <(pkg-config --cflags peripety)
    if [ "$linking" = shared ]; then
        read -ra libs < <(pkg-config --libs peripety)
    else
        read -ra libs < <(pkg-config --static --libs peripety | sed 's|-lperipety|-l:libperipety.a|')
    fi
    cc "${STRICT[@]}" "${flags[@]}" "$source" -o "$program" "${libs[@]}" -pthread
    # Only the shared library is looked for when a program starts.
    readelf -d "$program" >"$program.needs"
    case $linking in
    shared) grep -qF '[libperipety.so.0]' "$program.needs" ;;
    static) ! grep -qF libperipety "$program.needs" ;;
    esac
}

# checked PROGRAM ARGUMENT…: under valgrind, where there is one.
checked() {
    if have valgrind; then
        valgrind --quiet --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all --error-exitcode=9 "$@"
    else
        "$@"
    fi
}

# The recorded trees whose questions run under valgrind, where they take long: a damaged one, one with all kinds of
# strings, one with stacks.
CHECKED=(odd strings stacks)

# answers LINKING FIXTURE: the questions of a recorded device tree.
answers() {
    local with=()
    [[ ${MEMORY-} != all && "$1 ${CHECKED[*]} " != "shared "*"$2 "* ]] || with=(checked)
    "${with[@]}" "$WORK/$1/dump" "$FIXTURES/$2/tree.txt" <"$FIXTURES/$2/queries.txt" >"$WORK/answers" || return
    diff -u "$FIXTURES/$2/expected.txt" "$WORK/answers"
}

# The functions that the header declares.
declared() { grep -o '\bperipety_[a-z_]*(' "$HEADER" | tr -d '(' | sort -u; }

same_symbols() {
    nm -D --defined-only "$LD_LIBRARY_PATH/libperipety.so" | awk '{print $3}' | sort >"$WORK/exported"
    declared >"$WORK/declared"
    [ "$(wc -l <"$WORK/declared")" -gt 100 ] && diff -u "$WORK/declared" "$WORK/exported"
}

all_functions_are_tested() {
    local name missing=0
    while read -r name; do
        grep -qw "$name" "$TESTS"/*.[ch] && continue
        say "no test in $TESTS calls $name"
        missing=1
    done < <(declared)
    return $missing
}

header_in_cplusplus() {
    local flags
    read -ra flags < <(pkg-config --cflags peripety)
    printf '#include <peripety.h>\nint main() { return peripety_version() == nullptr; }\n' >"$WORK/header.cc"
    c++ -std=c++11 -Wall -Wextra -Werror -pedantic "${flags[@]}" -fsyntax-only "$WORK/header.cc"
}

# The example of the man page, copied from the terminal.
example() {
    sed -n '/^\.Bd -literal$/,/^\.Ed$/ { /^\.[BE]d/d; s/\\e/\\/g; p }' docs/libperipety.3 >"$WORK/wwid.c"
    compile shared "$WORK/wwid.c" || return
    ! checked "$WORK/shared/wwid" no-such-device || return
    grep -q 'no block device "no-such-device"' "$WORK/said"
}

# The functions that the manual page names are those that the header declares.
manual_names_all() {
    grep -o '\bperipety_[a-z_]*' < <(sed -n '/^\.Sh FUNCTIONS$/,/^\.Sh RETURN/p' docs/libperipety.3) | sort >"$WORK/named"
    declared >"$WORK/declared"
    diff -u "$WORK/declared" "$WORK/named"
}

man_page() {
    groff -mandoc -ww -z -Tutf8 docs/libperipety.3 2>"$WORK/groff" && [ ! -s "$WORK/groff" ] && return
    cat "$WORK/groff"
    return 1
}

run_with() {
    local linking=$1 source name tree with=(checked)
    # The code is the same.
    [[ $linking == shared || ${MEMORY-} == all ]] || with=()
    for source in "$TESTS"/*.c; do
        try "$linking: $(basename "$source") compiles" compile "$linking" "$source"
    done
    for name in values errors nulls source threads history; do
        try "$linking: $name" "${with[@]}" "$WORK/$linking/$name" "$FIXTURES"
    done
    for tree in "$FIXTURES"/*/tree.txt; do
        name=$(basename "$(dirname "$tree")")
        try "$linking: the answers about $name" answers "$linking" "$name"
    done
}

if ! have cc || ! have pkg-config; then
    die "The tests of the C library need a C compiler and pkg-config. Please run: make deps"
fi
build_library
install_library
have valgrind || skipped "C library: memory" "there is no valgrind; the tests ran without it"
try "the library exports what its header declares" same_symbols
try "all functions of the header are tested" all_functions_are_tested
try "the manual page names the functions of the header" manual_names_all
run_with shared
run_with static
try "the example of the manual page" example
if have c++; then
    try "the header in C++" header_in_cplusplus
else
    skipped "C library: the header in C++" "there is no C++ compiler"
fi
if have groff && groff -mandoc -z /dev/null 2>/dev/null; then
    try "the manual page is well formed" man_page
else
    skipped "C library: the manual page" "there is no groff with macros for manual pages"
fi
