#!/usr/bin/env python3
"""Makes a small fixture of a recorded journal.

Reads the journal export format (systemd.io/JOURNAL_EXPORT_FORMATS) on stdin and writes it to
stdout: every entry of the kernel, of journald's driver and of the storage tools, a few ordinary
ones, and of each only the fields that Peripety looks at. Order and framing stay as they were.

    journalctl -o export | tests/lab/trim_export.py > journal.export
"""

import argparse
import re
import struct
import sys

# Fields that identify an entry, its writer and its device. `_SOURCE_…` and so on are prefixes.
FIELDS = {
    "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID", "_MACHINE_ID", "_HOSTNAME",
    "_TRANSPORT", "PRIORITY", "MESSAGE", "MESSAGE_ID", "N_DROPPED", "UNIT",
    "_UID", "_PID", "_COMM", "_EXE", "_SYSTEMD_UNIT",
}
PREFIXES = ("SYSLOG_", "_SOURCE_", "_KERNEL_", "_UDEV_")
DROP = {"SYSLOG_TIMESTAMP", "SYSLOG_RAW"}

STORAGE_TOOLS = {
    "multipathd", "multipath", "dmeventd", "lvm", "mdadm", "iscsid", "smartd", "udisksd",
    "stratisd", "zed", "systemd-fsck", "blkdeactivate",
}


def entries(stream):
    """Yields each entry as a list of (name, value), both bytes."""
    entry = []
    while line := stream.readline():
        line = line.rstrip(b"\n")
        if not line:
            if entry:
                yield entry
            entry = []
        elif b"=" in line:
            name, value = line.split(b"=", 1)
            entry.append((name, value))
        else:
            (size,) = struct.unpack("<Q", read(stream, 8))
            entry.append((line, read(stream, size)))
            if read(stream, 1) != b"\n":
                sys.exit(f"trim_export: no newline after the binary field {line!r}")
    if entry:
        yield entry


def read(stream, size):
    data = stream.read(size)
    if len(data) != size:
        sys.exit("trim_export: the input ends inside a binary field")
    return data


def write(stream, entry):
    """Writes an entry; a value with control characters or not in UTF-8 in its binary form."""
    for name, value in entry:
        if is_plain(value):
            stream.write(name + b"=" + value + b"\n")
        else:
            stream.write(name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
    stream.write(b"\n")


def is_plain(value):
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(c >= " " or c == "\t" for c in text)


def wanted_field(name):
    name = name.decode("ascii", "replace")
    return name not in DROP and (name in FIELDS or name.startswith(PREFIXES))


def form(message):
    """What lines that differ only in numbers and disk names have in common."""
    text = message.decode("utf-8", "replace")
    return re.sub(r"\d+", "N", re.sub(r"\b(sd[a-z]+|mpath[a-z]+)\b", "X", text))


class Chooser:
    """Decides which entries stay."""

    def __init__(self, max_per_form, ordinary, skip):
        self.max_per_form, self.ordinary, self.skip = max_per_form, ordinary, skip
        self.seen = {}

    def keep(self, entry):
        fields = dict(entry)
        get = lambda name: fields.get(name, b"").decode("utf-8", "replace")
        if self.skipped(int(get(b"_SOURCE_MONOTONIC_TIMESTAMP") or get(b"__MONOTONIC_TIMESTAMP"))):
            return False
        if get(b"_TRANSPORT") in ("kernel", "driver"):
            return True
        tool = get(b"SYSLOG_IDENTIFIER")
        if tool in STORAGE_TOOLS:
            return self.count((tool, form(fields.get(b"MESSAGE", b"")))) <= self.max_per_form
        return self.count(tool) <= 5 and self.count(None) <= self.ordinary

    def skipped(self, microseconds):
        return any(start <= microseconds / 1e6 < end for start, end in self.skip)

    def count(self, key):
        self.seen[key] = self.seen.get(key, 0) + 1
        return self.seen[key]


def seconds(text):
    start, end = text.split(":")
    return float(start), float(end)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max-per-form", type=int, default=1000, metavar="N",
                        help="lines of a storage tool that differ in numbers and names only")
    parser.add_argument("--ordinary", type=int, default=20, metavar="N",
                        help="entries that have nothing to do with storage, at most 5 a writer")
    parser.add_argument("--skip", type=seconds, action="append", default=[], metavar="START:END",
                        help="leave out this span of the boot, in seconds")
    options = parser.parse_args()
    chooser = Chooser(options.max_per_form, options.ordinary, options.skip)
    for entry in entries(sys.stdin.buffer):
        if chooser.keep(entry):
            write(sys.stdout.buffer, [(n, v) for n, v in entry if wanted_field(n)])


if __name__ == "__main__":
    main()
