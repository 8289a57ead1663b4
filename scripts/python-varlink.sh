#!/bin/bash
# python-varlink.sh: prints the path of a Python that has the package "varlink"
# (PyPI, Apache-2.0), in a virtual environment under .cache. Exits 1 with the
# reason when there cannot be one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VENV=$PWD/.cache/venv
PACKAGE=varlink==31.0.0

ready() { [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c 'import varlink' 2>/dev/null; }

make_venv() {
    local python log
    python=$(find_python) || die "There is no python3 with the modules venv and ssl (on Debian: python3-venv)."
    log=$("$python" -m venv --clear "$VENV" 2>&1) || die "\"$python -m venv\" failed: ${log##*$'\n'}"
    log=$("$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$PACKAGE" 2>&1) ||
        die "pip could not install $PACKAGE: ${log##*$'\n'}"
}

ready || make_venv
ready || die "The Python package varlink was installed, but cannot be imported."
say "$VENV/bin/python"
