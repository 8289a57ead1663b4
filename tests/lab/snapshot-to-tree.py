#!/usr/bin/env python3
"""Turns one snapshot directory of the lab into a recorded device tree.

usage: snapshot-to-tree.py [--boot-id HEX] FOLDER > tree.txt

A snapshot holds `sysfs.json` (block devices with their attributes, classes, links in /dev/disk), `udev-db.txt`
(udevadm info --export-db), `mountinfo`, and perhaps `iscsi-session.txt` (iscsiadm -m session -P3). What they do not
record is not written. The format is the one of peripety_blkinfo::Recorded.
"""

import argparse
import json
import os
import re
import sys

# Properties that udev takes from the kernel's uevent or keeps elsewhere: its database has no E: line for them.
NOT_STORED = {
    "DEVPATH", "SUBSYSTEM", "DEVNAME", "DEVTYPE", "DISKSEQ", "MAJOR", "MINOR", "DRIVER", "MODALIAS", "PARTN",
    "PARTNAME", "PARTUUID", "USEC_INITIALIZED", "DEVLINKS", "TAGS", "CURRENT_TAGS", "NVME_TRTYPE", "NVME_TRADDR",
    "NVME_TRSVCID", "NVME_HOST_TRADDR", "NVME_HOST_IFACE", "NVME_CTRL_TYPE",
}
# Counters and binary pages: nothing that says who a device is.
NOT_WANTED = re.compile(r"device/(vpd_|io\w+_cnt)|queue/|ext_range$|removable$|ro$")
CLASSES_WITH_LINKS = ("scsi_host", "scsi_device", "scsi_disk", "iscsi_session", "iscsi_connection", "iscsi_host",
                      "fc_host", "nvme", "nvme-subsystem")


class Tree:
    """The nodes of a tree by path; prints itself in the text format."""

    def __init__(self):
        self.lines = {}

    @staticmethod
    def escape(text, blanks):
        def one(match):
            return "\\\\" if match[0] == "\\" else "".join(f"\\x{b:02x}" for b in match[0].encode())
        return re.sub(r"[\\\x00-\x1f\x7f ]" if blanks else r"[\\\x00-\x1f\x7f]| $", one, text)

    def put(self, path, rest):
        self.lines[self.escape(path, True)] = rest

    def file(self, path, content):
        self.put(path, f" = {self.escape(content, False)}" if content.strip(" ") else " =\n\t")

    def table(self, path, lines):
        self.put(path, "".join([" ="] + [f"\n\t{self.escape(line, False)}" for line in lines]))

    def directory(self, path):
        self.put(path, "/")

    def link(self, path, target):
        """A relative link, as sysfs and udev make them."""
        self.put(path, f" -> {self.escape(os.path.relpath(target, os.path.dirname(path)), True)}")

    def print(self):
        print("# peripety device tree 1")
        for path in sorted(self.lines):
            print(path + self.lines[path])


def udev_records(text):
    """The blocks of udevadm's export as (list of (letter, value), properties)."""
    for block in text.split("\n\n"):
        facts = [line.split(": ", 1) for line in block.splitlines() if ": " in line]
        yield facts, dict(value.split("=", 1) for letter, value in facts if letter == "E" and "=" in value)


def one(facts, letter):
    return next((value for found, value in facts if found == letter), None)


def add_udev(tree, facts, properties):
    """udev's database file, and the node and links that it made below /dev."""
    number, node = one(facts, "D"), one(facts, "N")
    if not number or not node:
        return
    kind, number = number.split()
    links = [value for letter, value in facts if letter == "S"]
    lines = [f"S:{link}" for link in links] + [f"L:{one(facts, 'L') or 0}"]
    if "USEC_INITIALIZED" in properties:
        lines.append(f"I:{properties['USEC_INITIALIZED']}")
    lines += [f"E:{key}={value}" for key, value in properties.items() if key not in NOT_STORED]
    tags = [tag for tag in properties.get("TAGS", "").split(":") if tag]
    lines += [f"{letter}:{tag}" for tag in tags for letter in "GQ"] + ["V:1"]
    tree.table(f"/run/udev/data/{kind}{number}", lines)
    tree.put(f"/dev/{node}", " =")
    if kind == "c":
        dir_ = "/sys" + one(facts, "P")
        tree.file(f"{dir_}/dev", number)
        tree.link(f"/sys/dev/char/{number}", dir_)


def add_links(tree, records, dev_disk):
    """The links below /dev. The snapshot says who won those that several devices claim."""
    for facts, _ in sorted(records, key=lambda record: int(one(record[0], "L") or 0)):
        for link in [value for letter, value in facts if letter == "S" and one(facts, "D")]:
            tree.link(f"/dev/{link}", f"/dev/{one(facts, 'N')}")
    for link, node in dev_disk.items():
        tree.link(link, f"/dev/{node}")


def add_block(tree, name, block, diskseq, blocks):
    """A disk's or partition's directory and the links that lead to it."""
    path = block["path"]
    hardware = block.get("device->")
    for key, value in block.items():
        if not isinstance(value, str) or key == "path" or key.endswith("->") or NOT_WANTED.search(key):
            continue
        if key.startswith("device/") and hardware:
            tree.file(f"{hardware}/{key.removeprefix('device/')}", value)
        else:
            tree.file(f"{path}/{key}", value)
    if hardware:
        tree.link(f"{path}/device", hardware)
        add_scsi(tree, hardware)
        if os.path.basename(hardware).startswith("nvme-subsys"):
            for entry in block.get("device_entries", []):
                if re.fullmatch(r"nvme\d+", entry):
                    controller = next((b["device->"] for b in blocks.values()
                                       if os.path.basename(b.get("device->", "")) == entry), None)
                    if controller:
                        tree.link(f"{hardware}/{entry}", controller)
    for kind in ("slaves", "holders"):
        if kind in block:
            tree.directory(f"{path}/{kind}")
        for other in block.get(kind, []):
            if other in blocks:
                del_directory(tree, f"{path}/{kind}")
                tree.link(f"{path}/{kind}/{other}", blocks[other]["path"])
    if diskseq:
        tree.file(f"{path}/diskseq", diskseq)
    tree.link(f"/sys/class/block/{name}", path)
    if "partition" not in block:
        tree.link(f"/sys/block/{name}", path)
    if "dev" in block:
        tree.link(f"/sys/dev/block/{block['dev']}", path)


def del_directory(tree, path):
    """A directory with something in it needs no line."""
    if tree.lines.get(tree.escape(path, True)) == "/":
        del tree.lines[tree.escape(path, True)]


def add_scsi(tree, hardware):
    address = os.path.basename(hardware)
    if re.fullmatch(r"\d+:\d+:\d+:\d+", address):
        tree.link(f"/sys/bus/scsi/devices/{address}", hardware)
        tree.put(f"{hardware}/subsystem", " -> " + os.path.relpath("/sys/bus/scsi", hardware))


def add_classes(tree, classes):
    for kind in CLASSES_WITH_LINKS:
        for name, path in classes.get(kind, {}).items():
            if f"{path}/".startswith("/sys/devices/"):
                tree.link(f"/sys/class/{kind}/{name}", path)
                if not any(line.startswith(tree.escape(path, True) + "/") for line in tree.lines):
                    tree.directory(path)


def add_iscsi(tree, text, classes):
    """What iscsiadm read from the classes iscsi_session and iscsi_connection."""
    target = address = port = tpgt = iface = None
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "Target":
            target = value.split()[0]
        elif key == "Current Portal":
            address, port, tpgt = re.fullmatch(r"(.*):(\d+),(\d+)", value).groups()
        elif key == "Iface Name":
            iface = value
        elif key == "SID":
            session = classes.get("iscsi_session", {}).get(f"session{value}")
            connection = classes.get("iscsi_connection", {}).get(f"connection{value}:0")
            attrs = [(session, "targetname", target), (session, "tpgt", tpgt), (session, "ifacename", iface),
                     (connection, "address", address), (connection, "port", port)]
            for path, attr, content in attrs:
                if path and content:
                    del_directory(tree, path)
                    tree.file(f"{path}/{attr}", content)


def read(directory, name):
    try:
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boot-id", help="the boot to which the snapshot belongs (_BOOT_ID of its journal)")
    parser.add_argument("directory", help="snapshot directory")
    arguments = parser.parse_args()
    snapshot = json.loads(read(arguments.directory, "sysfs.json"))
    records = list(udev_records(read(arguments.directory, "udev-db.txt")))
    diskseq = {one(facts, "N"): properties.get("DISKSEQ") for facts, properties in records}
    blocks = dict(snapshot["block"])
    for block in snapshot["block"].values():
        blocks.update(block.get("parts", {}))

    tree = Tree()
    for name, block in blocks.items():
        add_block(tree, name, block, None if "partition" in block else diskseq.get(name), blocks)
    for facts, properties in records:
        add_udev(tree, facts, properties)
    add_links(tree, records, snapshot["dev_disk"])
    add_classes(tree, snapshot["class"])
    add_iscsi(tree, read(arguments.directory, "iscsi-session.txt"), snapshot["class"])
    tree.table("/proc/self/mountinfo", read(arguments.directory, "mountinfo").splitlines())
    if arguments.boot_id:
        b = arguments.boot_id.replace("-", "").lower()
        if not re.fullmatch(r"[0-9a-f]{32}", b):
            sys.exit(f"{arguments.boot_id} is not a boot id: 32 hexadecimal digits are one")
        tree.file("/proc/sys/kernel/random/boot_id", f"{b[:8]}-{b[8:12]}-{b[12:16]}-{b[16:20]}-{b[20:]}")
    tree.print()


if __name__ == "__main__":
    main()
