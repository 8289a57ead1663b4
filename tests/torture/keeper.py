"""Preserves the contents of every journal file that ever existed: the record of what was logged.

A file is kept open, because journald notices when one that it writes has another link after it was removed. It is linked
as well, because journald deallocates what it vacuums when there is no other link. When a file is gone, it is copied, and
then the link goes and its blocks are deallocated, as journald would have done.
"""

import ctypes
import os
import shutil
import threading
import time
from dataclasses import dataclass, field

from journals import tail_number

# Pause between two looks for files, s.
PAUSE = 0.02
# For so long journald may write to a removed file, s: then it is copied and closed.
SETTLES = 30
NEVER = float("inf")
# Directory for links, in each root; libsystemd looks into those named after a machine only.
LINKS = ".links"
# fallocate(2): FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE.
PUNCH_HOLE = 1 | 2


def now():
    """µs since the epoch."""
    return time.time_ns() // 1000


@dataclass
class Snapshot:
    """A copy that was made before a file was damaged."""
    path: str
    taken: int
    last: int      # number of its last entry
    renumbered: set = field(default_factory=set)   # keys of entries to which the damage gave another number


@dataclass
class Kept:
    """A journal file."""
    name: str
    opened: object
    link: str = ""
    paths: set = field(default_factory=set)
    last_seen: int = 0
    gone: bool = False
    snapshots: list = field(default_factory=list)
    copy: str = ""

    def readable_until(self, stored):
        """Until when an entry that was stored in it at that time could be read."""
        damaged = next((snapshot.taken for snapshot in self.snapshots if snapshot.taken >= stored), None)
        if damaged is None and self.snapshots:
            # What is written to a damaged file may never be readable.
            damaged = stored
        gone = self.last_seen if self.gone else NEVER
        return gone if damaged is None else min(damaged, gone)

    def renumbered(self, key):
        """When the entry with this key got another number."""
        return min((snapshot.taken for snapshot in self.snapshots if key in snapshot.renumbered), default=NEVER)

    def is_archived(self):
        return any("@" in os.path.basename(path) for path in self.paths)


class Keeper(threading.Thread):
    """Watches directories for journal files and keeps them. `roots` are directories whose subdirectories hold journald's
    files, `others` hold files of which nobody vacuums any."""

    def __init__(self, roots, others, directory):
        super().__init__(name="keeper", daemon=True)
        self.roots, self.others, self.directory = roots, others, directory
        self.files, self.done, self.lock, self.ended = {}, [], threading.RLock(), threading.Event()
        # Whether files that are removed are vacuumed.
        self.vacuums = True
        os.makedirs(directory, exist_ok=True)

    def run(self):
        while not self.ended.wait(PAUSE):
            self.look()

    def look(self):
        """Takes note of new and removed files."""
        with self.lock:
            seen = {self.open(path, root) for path, root in self.paths()}
            at = now()
            for key, kept in list(self.files.items()):
                if key in seen:
                    kept.gone, kept.last_seen = False, at
                elif not kept.gone:
                    self.is_gone(key, kept)
                elif at - kept.last_seen > SETTLES * 1_000_000:
                    self.close(key)

    def paths(self):
        for root in self.roots:
            for directory in (entry.path for entry in scan(root) if entry.name != LINKS):
                yield from ((path, root) for path in journals_in(directory))
        for directory in self.others:
            yield from ((path, "") for path in journals_in(directory))

    def open(self, path, root):
        """Opens a file that is new. Returns what identifies it."""
        try:
            about = os.stat(path)
            key = about.st_dev, about.st_ino
            if key not in self.files:
                opened = open(path, "rb", buffering=0)
                about = os.fstat(opened.fileno())
                key = about.st_dev, about.st_ino
                if key in self.files:
                    opened.close()
                else:
                    self.files[key] = Kept(f"{len(self.files) + len(self.done):05d}", opened)
                    self.link(self.files[key], path, root)
        except OSError:
            return None
        self.files[key].paths.add(path)
        return key

    @staticmethod
    def link(kept, path, root):
        if root:
            os.makedirs(os.path.join(root, LINKS), exist_ok=True)
            link = os.path.join(root, LINKS, kept.name)
            os.link(path, link)
            kept.link = link

    def is_gone(self, key, kept):
        kept.gone = True
        if kept.is_archived():
            self.close(key)
        elif kept.link:
            unlink(kept.link)

    def close(self, key):
        """Nobody writes to a file any more."""
        kept = self.files.pop(key)
        kept.copy = self.copy(kept, "")
        if kept.gone and kept.link:
            unlink(kept.link)
            if self.vacuums and kept.is_archived():
                deallocate(f"/proc/self/fd/{kept.opened.fileno()}")
        kept.opened.close()
        self.done.append(kept)

    def copy(self, kept, suffix):
        path = os.path.join(self.directory, f"{kept.name}{suffix}.journal")
        kept.opened.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(kept.opened, copy, 1 << 20)
        return path

    def snapshot(self, path):
        """Copies a file that is about to be damaged; journald must not write meanwhile. Returns what is kept of it; `None`
        when it is not there."""
        with self.lock:
            self.look()
            about = os.stat(path)
            kept = self.files.get((about.st_dev, about.st_ino))
            if not kept:
                return None
            kept.opened.seek(0)
            last = tail_number(kept.opened.read(208))
            copy = self.copy(kept, f"-{len(kept.snapshots)}")
            kept.snapshots.append(Snapshot(copy, now(), last))
            return kept

    def finish(self):
        """Ends, and returns every file with a copy of its contents."""
        self.ended.set()
        self.join()
        self.look()
        for key in list(self.files):
            self.close(key)
        return self.done


def scan(directory):
    try:
        with os.scandir(directory) as found:
            return list(found)
    except OSError:
        return []


def journals_in(directory):
    return [entry.path for entry in scan(directory) if entry.name.endswith((".journal", ".journal~"))]


def unlink(path):
    try:
        os.unlink(path)
    except OSError:
        # Gone with its directory.
        pass


def deallocate(path):
    """Takes the blocks of a file, which who has it open reads as zeros from then on."""
    with open(path, "r+b", buffering=0) as file:
        libc = ctypes.CDLL(None, use_errno=True)
        size = ctypes.c_int64(os.fstat(file.fileno()).st_size)
        libc.fallocate(file.fileno(), PUNCH_HOLE, ctypes.c_int64(0), size)
