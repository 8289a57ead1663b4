"""Streams of known lines: a tool's, the kernel's, and a journal file with lines that look like the kernel's.

Every writer says of each line which device it is about (`DEVICES`), so that the judge knows.
"""

import os
import random
import re
import socket
import subprocess
import threading
import time

NATIVE = "/run/systemd/journal/socket"
REMOTE = ("/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote")

# Rules for the tool's lines; no built-in rule knows them. Bursts are counted often.
CONFIGURATION = r"""
[burst]
enabled = true
interval_seconds = 2

[[collector_regexs]]
regex = '^wearctl: path (?P<kdev>8:[0-9]+) is worn$'
sub_system = "wear"
event_type = "WEAR_PATH"
severity = "Info"
identifier = "wearctl"

[[collector_regexs]]
regex = '^wearctl: disk (?P<kdev>sd[a-z]+) is hot, reading [0-9]+$'
sub_system = "wear"
event_type = "WEAR_HOT"
severity = "Warning"
identifier = "wearctl"

[[collector_regexs]]
regex = '^wearctl: disk (?P<kdev>sd[a-z]+) is fine$'
sub_system = "wear"
event_type = "WEAR_FINE"
severity = "Info"
identifier = "wearctl"
"""

# In the kernel's lines: those of earlier runs are still in its ring buffer.
TAG = f"torture-{os.getpid()}"
# What a line of the streams is about.
DEVICES = [re.compile(pattern) for pattern in (
    r"wearctl: path (8:\d+) is worn",
    r"wearctl: disk (sd[a-z]+) is (?:hot, reading \d+|fine)",
    rf"EXT4-fs error \(device (loop\d+)\): trigger_test_error:\d+: comm .*: {TAG} line \d+",
    r"device-mapper: multipath: 253:2: Failing path (8:\d+)\.",
    r"EXT4-fs error \(device (sd[a-z]1)\): ext4_find_entry:1463: inode #\d+: comm x: reading directory lblock 0",
    r"sd \d:0:0:\d+: \[(sd[a-z])\] .*",
    r"critical medium error, dev (sd[a-z]), sector .*",
    r"Buffer I/O error on dev (sd[a-z]), logical block \d+, .*",
)]


def device_of(line):
    """The device that a line of the streams is about; `None` for any other line."""
    return next((found[1] for pattern in DEVICES if (found := pattern.fullmatch(line))), None)


class Writer(threading.Thread):
    """Writes lines until it is ended. `paused` holds up all writers."""

    def __init__(self, seed, rate, paused):
        super().__init__(name=type(self).__name__, daemon=True)
        self.random, self.rate, self.paused = random.Random(f"{seed} {type(self).__name__}"), rate, paused
        self.ended, self.written, self.number = threading.Event(), 0, 0

    def run(self):
        while not self.ended.is_set():
            pause = self.random.expovariate(self.rate)
            if self.paused.is_set():
                time.sleep(0.05)
                continue
            self.number += 1
            self.write()
            self.ended.wait(pause)

    def finish(self):
        self.ended.set()
        self.join()


class ToolWriter(Writer):
    """Lines of a tool, in journald's native protocol: single ones, bursts, and equal ones."""
    socket = None

    def write(self):
        kind, number = self.random.random(), self.number
        if kind < 0.55:
            self.send(f"wearctl: path 8:{number} is worn")
        elif kind < 0.80:
            self.send(f"wearctl: disk sd{self.letter(6)} is hot, reading {number}")
        elif kind < 0.90:
            self.send(f"wearctl: disk sd{self.letter(3)} is fine")
        elif kind < 0.99:
            self.send(f"noise {number}", "other")
        else:
            disk = f"sdz{self.letter(26)}"
            for reading in range(self.random.randrange(5, 200)):
                self.send(f"wearctl: disk {disk} is hot, reading {number}{reading:03d}")

    def letter(self, count):
        return chr(ord("a") + self.random.randrange(count))

    def send(self, line, identifier="wearctl"):
        entry = f"SYSLOG_IDENTIFIER={identifier}\nPRIORITY=4\nMESSAGE={line}\n".encode()
        while not self.ended.is_set():
            try:
                if not self.socket:
                    self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    self.socket.settimeout(0.5)
                    self.socket.connect(NATIVE)
                self.socket.send(entry)
                self.written += identifier == "wearctl"
                return
            except OSError:
                self.socket = None
                self.ended.wait(0.02)


class KernelWriter(Writer):
    """Lines of this kernel: errors of an ext4 file system on a loop device, made by its attribute `trigger_fs_error`
    (Documentation/ABI/testing/sysfs-fs-ext4)."""

    def __init__(self, seed, rate, paused, directory):
        super().__init__(seed, rate, paused)
        self.directory, self.loop = directory, None

    def prepare(self):
        """Makes the file system. Returns why that is not possible, or nothing."""
        image, mount = os.path.join(self.directory, "image"), os.path.join(self.directory, "mnt")
        try:
            with open(image, "wb") as file:
                file.truncate(32 << 20)
            run("mkfs.ext4", "-q", "-F", image)
            self.loop = run("losetup", "--find", "--show", image).strip()
            os.makedirs(mount, exist_ok=True)
            run("mount", self.loop, mount)
            with open(self.attribute("err_ratelimit_interval_ms"), "w", encoding="ascii") as file:
                file.write("0")
        except (OSError, subprocess.CalledProcessError) as error:
            self.clean()
            return str(error)
        return ""

    def attribute(self, name):
        return f"/sys/fs/ext4/{os.path.basename(self.loop)}/{name}"

    def write(self):
        try:
            with open(self.attribute("trigger_fs_error"), "w", encoding="ascii") as file:
                file.write(f"{TAG} line {self.number}\n")
            self.written += 1
        except OSError as error:
            print(f"the kernel's lines end: {error}", flush=True)
            self.ended.set()

    def clean(self):
        if self.loop:
            subprocess.run(["umount", os.path.join(self.directory, "mnt")], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["losetup", "--detach", self.loop], check=False, stderr=subprocess.DEVNULL)


class FileWriter(Writer):
    """Journal files of another machine that grow in a directory, with its kernel's messages about failing disks."""
    BOOT = "0123456789abcdef0123456789abcdef"

    def __init__(self, seed, rate, paused, directory):
        super().__init__(seed, rate, paused)
        self.directory, self.lock, self.remote, self.files = directory, threading.RLock(), None, 0
        self.realtime, self.monotonic = 0, 1_000_000
        self.next_file()

    def next_file(self):
        """Goes on in a new file; the one before is complete."""
        with self.lock:
            self.close()
            os.makedirs(self.directory, exist_ok=True)
            self.files += 1
            path = os.path.join(self.directory, f"other-{self.files:04d}.journal")
            program = next(path for path in REMOTE if os.path.exists(path))
            self.remote = subprocess.Popen([program, "--split-mode=none", "-o", path, "-"], stdin=subprocess.PIPE,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.put(["a line that no rule knows"], counts=False)
            for _ in range(500):
                if os.path.exists(path):
                    break
                time.sleep(0.01)

    def close(self):
        if self.remote:
            try:
                self.remote.stdin.close()
            except OSError:
                pass
            self.remote.wait()

    def finish(self):
        super().finish()
        self.close()

    def put(self, lines, counts=True):
        export, self.realtime = [], max(time.time_ns() // 1000, self.realtime + 1)
        for line in lines:
            self.realtime += 1
            self.monotonic += 7
            export.append(f"__REALTIME_TIMESTAMP={self.realtime}\n__MONOTONIC_TIMESTAMP={self.monotonic}\n_BOOT_ID={self.BOOT}\n"
                          f"_SOURCE_MONOTONIC_TIMESTAMP={self.monotonic - 3}\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\n"
                          f"SYSLOG_IDENTIFIER=kernel\nPRIORITY=3\n_HOSTNAME=other\nMESSAGE={line}\n\n")
        self.monotonic += self.random.randrange(20_000)
        try:
            self.remote.stdin.write("".join(export).encode())
            self.remote.stdin.flush()
            self.written += len(lines) if counts else 0
        except OSError:
            pass

    def write(self):
        number, kind, random_ = self.number, self.random.random(), self.random
        disk = f"sd{chr(ord('a') + random_.randrange(8))}"
        with self.lock:
            if self.remote.poll() is not None:
                self.next_file()
            if kind < 0.35:
                self.put([f"device-mapper: multipath: 253:2: Failing path 8:{number}."])
            elif kind < 0.55:
                self.put([f"EXT4-fs error (device {disk}1): ext4_find_entry:1463: inode #{number}: comm x: reading directory lblock 0"])
            elif kind < 0.85:
                self.command(disk, random_.randrange(1 << 20) * 8)
            elif kind < 0.98:
                self.put([f"Buffer I/O error on dev {disk}, logical block {number}, async page read"])
            else:
                count = random_.randrange(5, 300)
                self.put([f"Buffer I/O error on dev {disk}, logical block {number}{block:03d}, lost async page write"
                          for block in range(count)])

    def command(self, disk, sector):
        """The kernel's messages about one failed command; sometimes they are late."""
        before = f"sd 0:0:0:{ord(disk[2]) - ord('a')}: [{disk}] tag#{self.random.randrange(200)} "
        lines = [f"{before}FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s",
                 f"{before}Sense Key : Medium Error [current] ",
                 f"{before}Add. Sense: Unrecovered read error",
                 f"{before}CDB: Read(10) 28 00 {sector.to_bytes(4, 'big').hex(' ')} 00 00 08 00",
                 f"critical medium error, dev {disk}, sector {sector} op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0"]
        self.put(lines[:3])
        if self.random.random() < 0.3:
            time.sleep(self.random.random() * 0.3)
        self.put(lines[3:])


def run(*command):
    """The output of a program that must succeed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
