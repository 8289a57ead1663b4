"""The disturbances, and their order, which the seed alone decides."""

import glob
import os
import random
import shutil
import signal
import subprocess
import time

from journals import BadCursor, entries, parts
from journald import FLUSH, RELINQUISH, RUN, VAR

# How often each comes, relative to the others.
WEIGHTS = {
    "kill": 30, "term": 5, "stop": 4, "hup": 2, "forget": 2,
    "journald stopped": 5, "journald killed": 3, "journald terminated": 3, "rotated": 6, "vacuumed": 3, "flushed": 2,
    "made volatile": 2, "directory removed": 2, "directory replaced": 2, "disk full": 3, "state disk full": 2,
    "archive truncated": 3, "archive flipped": 3, "active file truncated": 2, "other file": 3,
    "other directory replaced": 2, "other file damaged": 2, "quiet": 2,
}
PAUSES = (0.02, 0.1, 0.4, 1.0, 2.5)
# How often a disturbance waits until the daemons have read everything, and for how long at most, s. Without that, a slow machine
# would only see daemons that start.
CALM, CALMS_WITHIN = 0.3, 12


def plan(seed):
    """The order: names, each with a random generator of its own. The same seed gives the same, however long each takes."""
    order = random.Random(f"{seed} order")
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    number = 0
    while True:
        number += 1
        yield order.choices(names, weights)[0], random.Random(f"{seed} step {number}")


class Trouble:
    """Makes disturbances. `log` receives a line for each."""

    def __init__(self, journald, daemons, keeper, other, paused, log):
        self.journald, self.daemons, self.keeper, self.other, self.paused = journald, daemons, keeper, other, paused
        self.log, self.counts, self.began = log, dict.fromkeys(WEIGHTS, 0), time.monotonic()

    def note(self, text):
        print(f"{time.strftime('%H:%M:%S')} {time.monotonic() - self.began:7.2f} {text}", file=self.log, flush=True)

    def step(self, name, chance):
        """One disturbance, and all of it undone."""
        time.sleep(chance.choice(PAUSES) * chance.random() * 2)
        if chance.random() < CALM:
            self.wait_for_calm()
        self.note(name)
        self.counts[name] += 1
        getattr(self, name.replace(" ", "_"))(chance)
        self.recover()

    def wait_for_calm(self):
        end = time.monotonic() + CALMS_WITHIN
        while time.monotonic() < end and not all(daemon.is_settled() for daemon in self.daemons):
            self.recover()
            time.sleep(0.2)

    def recover(self):
        """Whoever ended by itself is started again."""
        self.journald.start()
        for daemon in self.daemons:
            daemon.check()

    def some(self, chance):
        """One of the daemons, or all."""
        return chance.choice([*([daemon] for daemon in self.daemons), self.daemons])

    def kill_some(self, chance, often):
        """Kills a daemon in the middle of another disturbance."""
        if chance.random() < often:
            self.restart(self.some(chance), signal.SIGKILL, chance.random() * 0.5)

    def restart(self, daemons, number, pause):
        self.note(f"    {signal.Signals(number).name} to {', '.join(daemon.name for daemon in daemons)}")
        for daemon in daemons:
            daemon.end(number)
        time.sleep(pause)
        for daemon in daemons:
            daemon.start()

    # The daemon's life.

    def kill(self, chance):
        self.restart(self.some(chance), signal.SIGKILL, chance.random() * chance.choice([0, 0.3, 1.5]))

    def term(self, chance):
        self.restart(self.some(chance), signal.SIGTERM, chance.random() * 0.5)

    def stop(self, chance):
        daemons = self.some(chance)
        for daemon in daemons:
            daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(chance.random() * 3)
        if chance.random() < 0.3:
            self.restart(daemons, signal.SIGKILL, 0)
        for daemon in daemons:
            daemon.process.send_signal(signal.SIGCONT)

    def hup(self, chance):
        for daemon in self.some(chance):
            daemon.process.send_signal(signal.SIGHUP)

    def forget(self, chance):
        """Position lost, cut, or all of the state directory: only of a daemon that has read everything, since nothing
        then says what it did not read."""
        daemon = chance.choice(self.daemons)
        kind, length = chance.choice(["removed", "cut", "everything"]), chance.randrange(80)
        if not daemon.is_settled():
            return
        daemon.end(signal.SIGKILL)
        try:
            if kind == "removed":
                os.unlink(daemon.position())
            elif kind == "cut":
                os.truncate(daemon.position(), length)
            else:
                daemon.remove_state()
        except OSError:
            pass
        daemon.start()

    # journald's life.

    def journald_stopped(self, chance):
        self.journald.signal(signal.SIGSTOP)
        time.sleep(chance.random() * 4)
        self.kill_some(chance, 0.4)
        self.journald.signal(signal.SIGCONT)

    def journald_killed(self, chance, number=signal.SIGKILL):
        self.journald.end(number)
        time.sleep(chance.random() * 1.5)
        self.kill_some(chance, 0.4)
        self.journald.start()

    def journald_terminated(self, chance):
        self.journald_killed(chance, signal.SIGTERM)

    def rotated(self, chance):
        self.journald.rotate()
        self.kill_some(chance, 0.2)

    def vacuumed(self, chance):
        subprocess.run(["journalctl", "--quiet", f"--vacuum-files={chance.randrange(1, 6)}"], check=False,
                       stderr=subprocess.DEVNULL)

    def flushed(self, chance):
        os.makedirs(VAR, exist_ok=True)
        self.journald.signal(FLUSH)
        self.kill_some(chance, 0.3)

    def made_volatile(self, chance):
        """The journal moves to /run, and later back."""
        self.journald.signal(RELINQUISH)
        time.sleep(chance.random() * 4)
        self.kill_some(chance, 0.3)
        self.journald.signal(FLUSH)

    # Directories.

    def directory_removed(self, chance):
        """Below a running journald, which is then made to begin new files."""
        root = chance.choice([VAR, RUN])
        self.remove([root] if chance.random() < 0.3 else glob.glob(f"{root}/*"))
        time.sleep(chance.random() * 2)
        self.kill_some(chance, 0.3)
        os.makedirs(VAR, exist_ok=True)
        self.journald.rotate()

    def directory_replaced(self, chance):
        """While journald is away: by an empty one, or by a file system that is mounted over it."""
        self.journald.end(signal.SIGTERM)
        kind, old = chance.choice(["moved", "removed", "mounted"]), f"/var/log/old-{self.counts['directory replaced']}"
        self.note(f"    {kind}")
        if kind == "moved" and os.path.ismount(VAR):
            # The daemons have files of it open.
            subprocess.run(["umount", "--lazy", VAR], check=True)
        elif kind == "moved" and os.path.isdir(VAR):
            os.rename(VAR, old)
        elif kind == "removed":
            self.remove([VAR])
        os.makedirs(VAR, exist_ok=True)
        if kind == "mounted":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", VAR], check=True)
        self.kill_some(chance, 0.3)
        self.journald.start()
        self.journald.signal(FLUSH)
        shutil.rmtree(old, ignore_errors=True)

    def remove(self, paths):
        """Removes directories of journald's; unlike vacuuming, that deallocates nothing."""
        self.keeper.vacuums = False
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
        self.keeper.look()
        self.keeper.vacuums = True

    # Disks.

    def disk_full(self, chance):
        left, ballasts = chance.choice([0, 4096, 1 << 20]), []
        for root in {VAR, "/var/log"}:
            ballasts.append(fill(root, left))
        self.journald.rotate()
        time.sleep(1 + chance.random() * 5)
        self.kill_some(chance, 0.4)
        for ballast in filter(None, ballasts):
            os.unlink(ballast)

    def state_disk_full(self, chance):
        daemon = chance.choice(self.daemons)
        ballast = fill(daemon.state, 0)
        time.sleep(chance.random() * 3)
        self.kill_some(chance, 0.4)
        if ballast:
            os.unlink(ballast)

    # Damage. journald is stopped while a file is copied, so that the copy shows what was logged.

    def archive_truncated(self, chance):
        self.damage(self.journald.files(archived=True), truncate, chance)

    def archive_flipped(self, chance):
        self.damage(self.journald.files(archived=True), flip, chance)

    def active_file_truncated(self, chance):
        self.damage(self.journald.files(archived=False), truncate, chance)

    def other_file_damaged(self, chance):
        """One that is complete: the newest is still written."""
        files = sorted(glob.glob(f"{self.other.directory}/*.journal"))[:-1]
        self.damage(files, chance.choice([truncate, flip]), chance)

    def damage(self, files, how, chance):
        newest, place = chance.random() < 0.6, chance.random()
        if not files:
            return
        path = files[-1 if newest else int(place * len(files))]
        self.journald.signal(signal.SIGSTOP)
        try:
            kept = self.keeper.snapshot(path)
            if kept:
                self.note(f"    {path}: {how(path, chance)}")
                kept.snapshots[-1].renumbered = renumbered(kept.snapshots[-1].path, path)
        except FileNotFoundError:
            pass
        finally:
            self.journald.signal(signal.SIGCONT)
        self.kill_some(chance, 0.3)

    # The other machine's files.

    def other_file(self, chance):
        """A new one; of many, the oldest are removed."""
        self.other.next_file()
        for path in sorted(glob.glob(f"{self.other.directory}/*.journal"))[:-4]:
            os.unlink(path)
        self.kill_some(chance, 0.2)

    def other_directory_replaced(self, chance):
        old = f"{self.other.directory}.old"
        with self.other.lock:
            os.rename(self.other.directory, old)
            self.other.next_file()
        self.kill_some(chance, 0.3)
        shutil.rmtree(old, ignore_errors=True)

    def quiet(self, chance):
        self.paused.set()
        time.sleep(chance.random() * 4)
        self.paused.clear()


def fill(directory, left):
    """Takes the free space of a disk but so many bytes. Returns the file that holds it."""
    disk = os.statvfs(directory)
    size = disk.f_bavail * disk.f_frsize - left
    path = os.path.join(directory, "ballast")
    if size <= 0 or os.path.exists(path):
        return None
    with open(path, "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            # Others write meanwhile: then it is full already.
            pass
    return path


def renumbered(before, after):
    """The keys of entries that have another number in the damaged file."""
    numbers = dict(numbers_of(before))
    return {key for key, number in numbers_of(after) if numbers.get(key, number) != number}


def numbers_of(path):
    for entry in entries(path, ()):
        try:
            number, key, _ = parts(entry["__CURSOR"])
            yield key, number
        except (BadCursor, KeyError):
            pass


def truncate(path, chance):
    length = int(os.path.getsize(path) * chance.random())
    os.truncate(path, length)
    return f"truncated to {length} bytes"


def flip(path, chance):
    """Flips single bits anywhere in it."""
    count, size = chance.choice([1, 20, 200]), os.path.getsize(path)
    with open(path, "r+b") as file:
        for _ in range(count):
            place, bit = int(size * chance.random()), chance.randrange(8)
            file.seek(place)
            byte = file.read(1)
            if byte:
                file.seek(place)
                file.write(bytes([byte[0] ^ 1 << bit]))
    return f"{count} bits flipped"
