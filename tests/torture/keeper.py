"""Keeps the contents of every journal file that ever existed, whatever becomes of it: they say what was logged.

Files are kept open, not linked: journald goes on writing to a removed file that has a link.
"""

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


def now():
    """µs since the epoch."""
    return time.time_ns() // 1000


@dataclass
class Snapshot:
    """A copy that was made before a file was damaged."""
    path: str
    taken: int
    last: int      # number of its last entry


@dataclass
class Kept:
    """A journal file."""
    name: str
    opened: object
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


class Keeper(threading.Thread):
    """Watches directories for journal files and keeps them open. `roots` are directories whose subdirectories hold
    files, or that hold files themselves."""

    def __init__(self, roots, directory):
        super().__init__(name="keeper", daemon=True)
        self.roots, self.directory = roots, directory
        self.files, self.done, self.lock, self.ended = {}, [], threading.RLock(), threading.Event()
        os.makedirs(directory, exist_ok=True)

    def run(self):
        while not self.ended.wait(PAUSE):
            self.look()

    def look(self):
        """Takes note of new and removed files."""
        with self.lock:
            seen = set()
            for path in self.paths():
                key = self.open(path)
                if key:
                    seen.add(key)
            at = now()
            for key, kept in list(self.files.items()):
                kept.gone = key not in seen
                if not kept.gone:
                    kept.last_seen = at
                elif at - kept.last_seen > SETTLES * 1_000_000:
                    self.close(key)

    def paths(self):
        for root in self.roots:
            for directory in [root, *(entry.path for entry in scan(root) if entry.is_dir(follow_symlinks=False))]:
                yield from (entry.path for entry in scan(directory) if entry.name.endswith((".journal", ".journal~")))

    def open(self, path):
        """Opens a file that is new. Returns what identifies it."""
        try:
            about = os.stat(path)
            key = about.st_dev, about.st_ino
            if key not in self.files:
                opened = open(path, "rb")
                about = os.fstat(opened.fileno())
                key = about.st_dev, about.st_ino
                if key in self.files:
                    opened.close()
                else:
                    self.files[key] = Kept(f"{len(self.files) + len(self.done):05d}", opened)
        except OSError:
            return None
        self.files[key].paths.add(path)
        return key

    def close(self, key):
        kept = self.files.pop(key)
        kept.copy = self.copy(kept, "")
        kept.opened.close()
        self.done.append(kept)

    def copy(self, kept, suffix):
        path = os.path.join(self.directory, f"{kept.name}{suffix}.journal")
        kept.opened.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(kept.opened, copy, 1 << 20)
        return path

    def snapshot(self, path):
        """Copies a file that is about to be damaged; journald must not write meanwhile. False: it is not there."""
        with self.lock:
            self.look()
            key = self.open(path)
            if not key:
                return False
            kept = self.files[key]
            kept.opened.seek(0)
            last = tail_number(kept.opened.read(208))
            copy = self.copy(kept, f"-{len(kept.snapshots)}")
            kept.snapshots.append(Snapshot(copy, now(), last))
            return True

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
