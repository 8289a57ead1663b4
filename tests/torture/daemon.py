"""A peripetyd that is started, stopped, killed and queried. It is a violation if it exits by itself."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from datetime import datetime

# For how long it may take to end by SIGTERM, s.
ENDS_WITHIN = 30
REPLY = 10
# What counts up in GetStatus.
PROGRESS = ("entries_read", "events", "events_stored")
# The log messages for an event that was given up, and for a panic.
GIVEN_UP = re.compile(r"did not keep an event in \d+ attempts.*?event_id=\"?([0-9a-f-]{36})")


class Daemon:
    """`name` distinguishes daemons, `arguments` select the journal."""

    def __init__(self, program, name, directory, configuration, arguments):
        self.name, self.process, self.kills, self.findings = name, None, 0, []
        # A small disk of its own, which can be full.
        self.state = os.path.join(directory, f"{name}-state")
        os.makedirs(self.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.state], check=True)
        self.log = os.path.join(directory, f"{name}.log")
        # The path of a socket must stay below 108 bytes (unix(7)).
        self.socket = f"/run/torture-{name}"
        self.command = [program, "--config", configuration, "--varlink", f"unix:{self.socket}", "--state-directory",
                        os.path.join(self.state, "state"), *arguments]

    def start(self):
        self.put("--- started")
        self.process = subprocess.Popen(self.command, env={**os.environ, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        threading.Thread(target=self.listen, args=(self.process.stderr,), daemon=True).start()

    def listen(self, lines):
        for line in lines:
            self.put(line.rstrip("\n"))

    def put(self, line):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"{datetime.now():%H:%M:%S.%f} {line}\n")

    def check(self):
        """Starts it again when it ended by itself, as systemd would."""
        if self.process.poll() is not None:
            self.findings.append(f"{self.name} ended by itself ({ending(self.process.returncode)}): {self.last_words()}")
            self.start()

    def end(self, number):
        self.check()
        self.process.send_signal(number)
        self.process.send_signal(signal.SIGCONT)
        try:
            status = self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.findings.append(f"{self.name} did not end within {ENDS_WITHIN} s of {signal.Signals(number).name}")
            self.process.kill()
            self.process.wait()
            return
        self.kills += number == signal.SIGKILL
        self.put(f"--- ended, at {self.saved()}")
        if number == signal.SIGTERM and status not in (0, -signal.SIGTERM):
            self.findings.append(f"{self.name} ended by SIGTERM with {ending(status)}: {self.last_words()}")

    def position(self):
        return os.path.join(self.state, "state", "position.json")

    def saved(self):
        """The saved position, for a person who looks for a fault."""
        try:
            with open(self.position(), encoding="utf-8") as file:
                return file.read()
        except (OSError, ValueError) as error:
            return error

    def remove_state(self):
        shutil.rmtree(os.path.join(self.state, "state"), ignore_errors=True)

    def status(self):
        """The reply of GetStatus; `None` if there is none."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(REPLY)
                connection.connect(self.socket)
                connection.sendall(b'{"method":"io.peripety.GetStatus"}\0')
                reply = b""
                while not reply.endswith(b"\0"):
                    part = connection.recv(65536)
                    if not part:
                        return None
                    reply += part
            return json.loads(reply[:-1])["parameters"]["status"]
        except (OSError, ValueError, KeyError):
            return None

    def is_settled(self):
        """Everything was read, and its events are stored: how far it is, else `None`."""
        status = self.status()
        if not status or not status["caught_up"] or status["in_flight"]:
            return None
        return status["entries_read"], status["events_stored"]

    def settle(self, seconds):
        """Waits until nothing more comes; for so long at most after the last progress."""
        end, before, progress = time.monotonic() + seconds, None, None
        while time.monotonic() < end:
            self.check()
            status = self.status() or {}
            if progress != (progress := [status.get(name) for name in PROGRESS]):
                end = time.monotonic() + seconds
            settled = self.is_settled()
            if settled and settled == before:
                return
            before = settled
            # Groups of lines and counts of bursts are stored after their time.
            time.sleep(3)
        self.findings.append(f"{self.name} made no progress for {seconds} s, and did not settle: {self.status()}")

    def text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def last_words(self):
        return " | ".join(self.text().splitlines()[-2:])

    def given_up(self):
        """The event_ids of events that journald did not keep."""
        return GIVEN_UP.findall(self.text())


def ending(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
