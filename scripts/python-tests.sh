#!/bin/bash
# python-tests.sh: builds the wheel of the Python module peripety, installs it into a
# virtual environment of its own, and runs its tests there; checks its types. See test-lib.sh
# for how it ends.
#
# Environment:
#   PROGRAMS    directory with the built library; without it, it is built first (debug)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source scripts/test-lib.sh

PYTEST=pytest==8.4.2
MYPY=mypy==1.18.2

# skip_all REASON: ends here, as one test that was skipped.
skip_all() {
    skipped "Python module" "$1"
    exit 0
}

# The wheel has the module and the library, and goes into a fresh environment with
# no other means than pip.
make_environment() {
    local python=$1
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || skip_all "$("$python" --version) is older than 3.9"
    "$python" blkinfo/python/wheel_builder.py --output "$WORK" --library "$PROGRAMS/libperipety.so"
    "$python" -m venv --system-site-packages "$WORK/venv"
    pip install --no-index --no-deps "$WORK"/peripety-*.whl
}

pip() { "$WORK/venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }

# The system's pytest, else the one that pip fetches.
find_pytest() {
    local said
    "$WORK/venv/bin/python" -c 'import pytest' 2>/dev/null && return
    said=$(pip install "$PYTEST" 2>&1) || skip_all "there is no pytest, and pip could not install it: ${said##*$'\n'}"
}

# The types that the module declares, by the settings in its pyproject.toml: one test.
check_types() {
    local said
    if ! "$WORK/venv/bin/python" -c 'import mypy' 2>/dev/null && ! said=$(pip install "$MYPY" 2>&1); then
        skipped "Python module: types" "there is no mypy, and pip could not install it: ${said##*$'\n'}"
    elif (cd blkinfo/python && "$WORK/venv/bin/python" -m mypy --cache-dir=/dev/null); then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
    fi
}

# Not in the source tree, so that the installed module is the one that is tested.
run_pytest() {
    cp -r blkinfo/python/tests "$WORK/tests"
    (cd "$WORK/tests" && env -u PYTHONPATH -u PERIPETY_LIBRARY PERIPETY_FIXTURES="$FIXTURES" \
        "$WORK/venv/bin/python" -m pytest -q -p no:cacheprovider --junitxml="$WORK/report.xml" .)
}

# count ATTRIBUTE: a number in pytest's report.
count() { sed -n "s/.*<testsuite [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$WORK/report.xml" | head -n 1; }

count_tests() {
    [ -s "$WORK/report.xml" ] || die "pytest did not run."
    FAILED=$(($(count failures) + $(count errors)))
    PASSED=$(($(count tests) - FAILED))
}

FIXTURES=$PWD/blkinfo/tests/fixtures
PYTHON=$(find_python) || skip_all "there is no python3 with the modules venv and ssl (on Debian: python3-venv)"
build_library
make_environment "$PYTHON"
find_pytest
run_pytest || true
count_tests
check_types
