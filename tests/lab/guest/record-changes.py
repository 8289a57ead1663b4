#!/usr/bin/python3
"""Runs in the guest: records the device tree, and after each change what became different.

usage: record-changes.py FOLDER

FOLDER/tree.txt is the tree at the start. FOLDER/trees/µs.txt (CLOCK_MONOTONIC) holds the difference to the tree before:
lines "- PATH" for what is gone, with all below it, then what is new or has changed in the tree's own format. After each
uevent of the kernel and of udev the devices that it names are recorded anew; after a change of the mount table, that;
when /run/lab-tree-request appears, everything, and the file is removed when that is done.
"""

import os
import re
import select
import socket
import sys
import time

import record_tree
from record_tree import Tree

REQUEST, READY = "/run/lab-tree-request", "/run/lab-tree-ready"
MOUNTS = "/proc/self/mountinfo"
KERNEL_GROUP, UDEV_GROUP = 1, 2
BLOCK = re.compile(r"/block/([^/]+)(?:/([^/]+))?$")


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def uevents():
    """A socket that receives the uevents of the kernel and of udev."""
    receiver = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 15)
    receiver.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    receiver.bind((0, KERNEL_GROUP | UDEV_GROUP))
    receiver.setblocking(False)
    return receiver


def properties(message):
    """The properties of a uevent, from the kernel (after "action@path") or from udev (after its binary header)."""
    if message.startswith(b"libudev\0"):
        message = message[int.from_bytes(message[16:20], sys.byteorder):]
    pairs = (part.partition(b"=") for part in message.split(b"\0"))
    return {name.decode(): value.decode(errors="replace") for name, equal, value in pairs if equal}


def drain(receiver):
    """Every uevent that waits."""
    found = []
    while True:
        try:
            found.append(properties(receiver.recv(65536)))
        except BlockingIOError:
            return found
        except OSError:
            continue  # the queue ran over: the next full tree has it


def whole():
    tree = Tree(False)
    record_tree.add_everything(tree)
    return tree.nodes


def below(path, directory):
    return path == directory or path.startswith(directory + "/")


def update(nodes, event):
    """The tree with the device of a uevent recorded anew."""
    directory = "/sys" + event.get("DEVPATH", "")
    found = BLOCK.search(directory)
    tree = Tree(False)
    gone = {directory}
    if event.get("SUBSYSTEM") == "block" and found:
        name = found[2] or found[1]
        number = f"{event.get('MAJOR')}:{event.get('MINOR')}"
        gone |= {f"/sys/class/block/{name}", f"/sys/block/{name}", f"/sys/dev/block/{number}", f"/run/udev/data/b{number}"}
        if os.path.exists(f"/sys/class/block/{name}"):
            record_tree.add_block(tree, name)
            tree.link(f"/sys/dev/block/{number}")
            tree.file(f"/run/udev/data/b{number}", 65536)
    elif event.get("ACTION") != "remove":
        return nodes
    record_tree.add_dev(tree)
    kept = {path: node for path, node in nodes.items()
            if not path.startswith("/dev/") and not any(below(path, root) for root in gone)}
    return {**kept, **tree.nodes}


def difference(before, after):
    """Text of what changed from one tree to the next; empty when nothing did."""
    gone = sorted(path for path in before if path not in after)
    left = {parent for path in after for parent in record_tree.parents(path)} | set(after)
    tops = []
    for path in gone:
        above = [parent for parent in record_tree.parents(path) if parent not in left]
        top = above[-1] if above else path
        if not tops or tops[-1] != top:
            tops.append(top)
    tree = Tree(False)
    tree.nodes = {path: node for path, node in after.items() if before.get(path) != node}
    if not tops and not tree.nodes:
        return ""
    lines = [f"- {record_tree.escape(os.fsencode(path), True)}\n" for path in sorted(set(tops))]
    body = tree.text(directories_of=after)
    return "".join(lines) + body


class Recorder:
    """The tree as last recorded, and where differences go."""

    def __init__(self, directory):
        self.directory, self.nodes = directory, whole()
        tree = Tree(False)
        tree.nodes = self.nodes
        with open(f"{directory}/tree.txt", "w", encoding="utf-8") as file:
            file.write(tree.text())

    def note(self, nodes, moment):
        text = difference(self.nodes, nodes)
        self.nodes = nodes
        if text:
            with open(f"{self.directory}/trees/{moment}.txt", "w", encoding="utf-8") as file:
                file.write(text)

    def mounts_changed(self):
        tree = Tree(False)
        tree.file(MOUNTS, 1 << 20)
        tree.file("/proc/swaps", 1 << 20)
        self.note({**self.nodes, **tree.nodes}, now())


def main():
    receiver, mounts = uevents(), open(MOUNTS, "rb")
    recorder = Recorder(sys.argv[1])
    open(READY, "w").close()
    poll = select.poll()
    poll.register(receiver, select.POLLIN)
    poll.register(mounts, select.POLLERR | select.POLLPRI)
    while True:
        ready = {number for number, _ in poll.poll(50)}
        if mounts.fileno() in ready:
            mounts.seek(0)
            mounts.read()
            recorder.mounts_changed()
        if receiver.fileno() in ready:
            moment = now()
            nodes = recorder.nodes
            for event in drain(receiver):
                nodes = update(nodes, event)
            recorder.note(nodes, moment)
        if os.path.exists(REQUEST):
            moment = now()
            recorder.note(whole(), moment)
            os.unlink(REQUEST)


if __name__ == "__main__":
    main()
