#!/usr/bin/env python3
"""Tests of what recordings are made with: python3 tests/lab/test_recording.py"""

import importlib.util
import io
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


load("record_tree", "record-tree.py")
changes = load("record_changes", "guest/record-changes.py")
recording = load("make_recording", "make-recording.py")
trim = sys.modules["trim_export"]


class Differences(unittest.TestCase):
    before = {"/sys/a/one": ("f", b"1\n"), "/sys/a/two": ("f", b"2\n"), "/sys/b/c": ("l", "../a"), "/dev/sda": ("f", b"")}

    def test_nothing(self):
        self.assertEqual(changes.difference(self.before, dict(self.before)), "")

    def test_changed_and_new(self):
        after = {**self.before, "/sys/a/one": ("f", b"x\n"), "/sys/d": ("d",)}
        self.assertEqual(changes.difference(self.before, after), "# peripety device tree 1\n/sys/a/one = x\n/sys/d/\n")

    def test_what_is_gone_is_named_by_its_topmost_path(self):
        after = {"/sys/a/one": ("f", b"1\n"), "/dev/sda": ("f", b"")}
        text = changes.difference(self.before, after)
        self.assertEqual([line for line in text.splitlines() if line.startswith("- ")], ["- /sys/a/two", "- /sys/b"])

    def test_uevents_of_the_kernel_and_of_udev(self):
        kernel = b"add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=block\0"
        self.assertEqual(changes.properties(kernel)["DEVPATH"], "/devices/x")
        header = b"libudev\0" + (0xFEEDCAFE).to_bytes(4, "big") + (40).to_bytes(4, sys.byteorder) + (40).to_bytes(4, sys.byteorder)
        udev = header.ljust(40, b"\0") + b"ACTION=change\0DEVPATH=/devices/y\0"
        self.assertEqual(changes.properties(udev), {"ACTION": "change", "DEVPATH": "/devices/y"})


class Cleaning(unittest.TestCase):
    def test_binary_fields_and_order_stay(self):
        text = b"__CURSOR=a\nMESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n_PID=1\n\n__CURSOR=b\nMESSAGE=x\n\n"
        entries = list(trim.entries(io.BytesIO(text)))
        self.assertEqual(entries[0][1], (b"MESSAGE", b"a\nb"))
        out = io.BytesIO()
        for entry in entries:
            trim.write(out, entry)
        self.assertEqual(out.getvalue(), text)

    def test_own_lines(self):
        self.assertTrue(recording.OWN_MESSAGES.search(b"bash (889): drop_caches: 3"))
        self.assertFalse(recording.OWN_MESSAGES.search(b"sd 2:0:0:0: [sda] tag#1 Sense Key : Medium Error"))


if __name__ == "__main__":
    done = unittest.main(exit=False).result
    bad = len(done.failures) + len(done.errors)
    print(f"test result: {'FAILED' if bad else 'ok'}. {done.testsRun - bad} passed; {bad} failed; 0 ignored")
    sys.exit(1 if bad else 0)
