"""The private journald, seen from inside its mount namespace, and the places of its files."""

import glob
import os
import signal
import socket
import subprocess
import time

PROGRAMS = ("/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald")
SOCKET = "/run/systemd/journal/socket"
VAR, RUN = "/var/log/journal", "/run/log/journal"
ROTATE, FLUSH, RELINQUISH = signal.SIGUSR2, signal.SIGUSR1, signal.SIGRTMIN + 1
# For how long journald may take for anything, s.
TIMEOUT = 30


class Journald:
    """Finds, stops and starts journald. `log` receives its own messages, `size` is that of its disk."""

    def __init__(self, log, size):
        self.log, self.kills = log, 0
        self.namespace = os.readlink("/proc/self/ns/mnt")
        self.child = None
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", "/var/log"], check=True)
        os.mkdir(VAR)
        self.signal(FLUSH)
        wait_for("the flush", lambda: glob.glob(f"{VAR}/*/system.journal"))

    def pid(self):
        """The process; `None` when there is none."""
        if self.child:
            self.child.poll()
        return next((int(pid) for pid in os.listdir("/proc") if pid.isdigit() and self.is_it(pid)), None)

    def is_it(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                program = file.read().split("\0")[0]
            return program.endswith("/systemd-journald") and os.readlink(f"/proc/{pid}/ns/mnt") == self.namespace
        except OSError:
            return False

    def signal(self, number):
        """Sends a signal. False: it does not run."""
        pid = self.pid()
        if pid:
            os.kill(pid, number)
        return pid is not None

    def end(self, number):
        self.kills += number == signal.SIGKILL
        if self.signal(number):
            self.signal(signal.SIGCONT)
            wait_for("the end of journald", lambda: self.pid() is None)

    def start(self):
        """Starts it, unless it runs."""
        if self.pid():
            return
        program = next(path for path in PROGRAMS if os.path.exists(path))
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([program], env={**os.environ, "SYSTEMD_LOG_TARGET": "console"}, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=log)
        wait_for("the new journald", listens)
        # It listens before it is ready for signals, which would end it.
        wait_for("journald to wait for signals", lambda: self.pid() is None or blocks(self.pid(), FLUSH))

    def rotate(self):
        return self.signal(ROTATE)

    @staticmethod
    def files(archived):
        """The files of the system's journal, the oldest first: the archived ones, or those that are written."""
        found = [path for root in (RUN, VAR) for path in glob.glob(f"{root}/*/*.journal")
                 if ("@" in os.path.basename(path)) == archived]
        return sorted(found, key=lambda path: os.stat(path).st_mtime if os.path.exists(path) else 0)


def listens():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOCKET)
        except OSError:
            return False
    return True


def blocks(pid, number):
    """The process blocks this signal: it has other means to receive it (proc_pid_status(5))."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            mask = next(line.split()[1] for line in file if line.startswith("SigBlk:"))
    except (OSError, StopIteration):
        return False
    return bool(int(mask, 16) >> (number - 1) & 1)


def wait_for(what, ready):
    end = time.monotonic() + TIMEOUT
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.01)
