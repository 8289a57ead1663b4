"""Where the recorded device trees are, and the module's own way to the C library's JSON."""

import json
import os
from ctypes import c_void_p
from pathlib import Path

import pytest

import peripety
from peripety import _library, _tree

FIXTURES = Path(os.environ["PERIPETY_FIXTURES"])
CASES = sorted(path.parent.name for path in FIXTURES.glob("*/tree.txt"))


def open_case(name):
    return peripety.Tree.open(FIXTURES / name / "tree.txt")


def block_json(tree, device):
    """What the library writes about a device by itself."""
    write = _library.function("peripety_block_to_json", c_void_p, c_void_p)
    handle = _tree._block(tree._handle, _library.encoded(device))
    try:
        return json.loads(_library.taken(write(handle)))
    finally:
        _tree._block_free(handle)


def list_json(tree):
    write = _library.function("peripety_list_to_json", c_void_p, c_void_p)
    handle = _tree._list(tree._handle)
    try:
        return json.loads(_library.taken(write(handle)))
    finally:
        _tree._list_free(handle)


def topology_json(tree, device):
    write = _library.function("peripety_topology_to_json", c_void_p, c_void_p)
    handle = _tree._topology(tree._handle, _library.encoded(device))
    try:
        return json.loads(_library.taken(write(handle)))
    finally:
        _tree._topology_free(handle)


@pytest.fixture
def lvm():
    return open_case("ext4-lvm-multipath")
