#!/usr/bin/env python3
"""Makes recordings of scenarios: what `make check` replays without a virtual machine.

usage: make-recording.py RESULTS TARGET [NAME...]

RESULTS is what a round with RECORD=1 left (target/lab), TARGET tests/fixtures/captures. tests/fixtures/captures/README.md
says what a recording holds.
"""

import argparse
import io
import lzma
import os
import re
import shutil
import subprocess
import sys

from trim_export import entries, wanted_field, write

# The lab's own lines, and the daemon's.
OWN_IDENTIFIERS = {b"peripetyd", b"lab-scenario", b"lab-agent"}
OWN_MESSAGES = re.compile(rb"drop_caches: \d|^Received client request to sync journal|^scsi_debug:|scsi_debug_(?:unlock|inject)")
# Subsystems of uevents that do not concern storage.
OTHER_SUBSYSTEMS = {"module", "drivers", "net", "queues", "tty", "vc", "mem", "cpuid", "slab", "workqueue", "bdi", "netfilter"}
LIMIT = 600_000


def journal(source, target):
    """The entries but the lab's and the daemon's own, with the fields that matter."""
    text = subprocess.run(["zstd", "-dcq", source], check=True, capture_output=True).stdout
    kept = io.BytesIO()
    for entry in entries(io.BytesIO(text)):
        fields = dict(entry)
        if fields.get(b"SYSLOG_IDENTIFIER") in OWN_IDENTIFIERS or OWN_MESSAGES.search(fields.get(b"MESSAGE", b"")):
            continue
        cursor = [(name, value) for name, value in entry if name == b"__CURSOR"]
        write(kept, cursor + [(name, value) for name, value in entry if wanted_field(name)])
    with lzma.open(target, "wb", preset=9) as file:
        file.write(kept.getvalue())


def uevents(source, target):
    """The kernel's uevents about storage, as `udevadm monitor` printed them."""
    with open(source, encoding="utf-8", errors="replace") as file:
        blocks = file.read().split("\n\n")
    kept = []
    for block in blocks:
        found = re.search(r"^SUBSYSTEM=(.*)$", block, re.M)
        start = block.find("KERNEL[")
        if start >= 0 and found and found[1] not in OTHER_SUBSYSTEMS:
            kept.append(block[start:])
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n\n".join(kept) + "\n")


def size(directory):
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(directory) for name in names)


def make(source, target):
    """One recording. Its size in bytes, or None where the scenario was not recorded."""
    needed = [f"{source}/{name}" for name in ("tree.txt", "uevents.txt", "journal.export.zst", "marks.json", "expect")]
    if not all(os.path.exists(path) for path in needed):
        return None
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(f"{target}/trees")
    journal(f"{source}/journal.export.zst", f"{target}/journal.export.xz")
    uevents(f"{source}/uevents.txt", f"{target}/uevents.txt")
    for name in ("tree.txt", "marks.json", "expect"):
        shutil.copy(f"{source}/{name}", f"{target}/{name}")
    for name in sorted(os.listdir(f"{source}/trees")):
        shutil.copy(f"{source}/trees/{name}", f"{target}/trees/{name}")
    return size(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("target")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    status = 0
    for name in options.name or sorted(os.listdir(options.results)):
        source = f"{options.results}/{name}"
        if not os.path.isdir(source):
            continue
        made = make(source, f"{options.target}/{name}")
        print(f"{name}: {'not recorded' if made is None else f'{made / 1000:.0f} kB'}")
        if made and made > LIMIT:
            print("    that is large for a recording: is there noise in its trees or journal?")
        status = status or (1 if options.name and made is None else 0)
    return status


if __name__ == "__main__":
    sys.exit(main())
