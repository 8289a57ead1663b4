#!/usr/bin/env python3
"""Tortures two peripetyd beside a private journald, and judges every line that was logged.

usage: torture.py --program PERIPETYD --directory DIR [--minutes N] [--seed N] [--kernel] [--sabotage]

To be run by scripts/torture.sh, as the command of scripts/private-journald.sh. One daemon reads the local journal with
lines of a tool and (--kernel) of the kernel, the other a directory of journal files; both store into the same journal.
Prints a report; exits with 1 when a line was lost, stored twice, or has a wrong event. --sabotage removes one stored
event from what is judged: such a run must fail.
"""

import argparse
import os
import resource
import shutil
import signal
import sys
import threading
import time

from collect import Stored, lines_of
from daemon import Daemon
from journald import RUN, VAR, Journald
from judge import judge
from keeper import Keeper
from report import figures, sentences, versions, write
from trouble import Trouble, plan
from writers import CONFIGURATION, FileWriter, KernelWriter, ToolWriter

DISK = "400m"
# Lines a second: of the tool, the kernel and the other machine.
RATES = 40, 8, 20
# For how long a daemon that has not read and stored everything may make no progress when the disturbances are over, s.
SETTLES = 60


class Run:
    """A whole run."""

    def __init__(self, options):
        self.options, self.paused = options, threading.Event()
        self.directory = os.path.abspath(options.directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.journald = Journald(self.path("journald.log"), DISK)
        self.other = FileWriter(options.seed, RATES[2], self.paused, self.path("other"))
        self.keeper = Keeper([VAR, RUN], [self.other.directory], self.path("kept"))
        self.tool = ToolWriter(options.seed, RATES[0], self.paused)
        self.kernel = KernelWriter(options.seed, RATES[1], self.paused, self.directory)
        self.writers = [self.tool, self.other]
        self.daemons = [self.daemon("local"), self.daemon("other", "--journal-directory", self.other.directory)]
        with open(self.path("trouble.log"), "w", encoding="utf-8") as log:
            self.trouble = Trouble(self.journald, self.daemons, self.keeper, self.other, self.paused, log)
            self.torture()

    def path(self, name):
        return os.path.join(self.directory, name)

    def daemon(self, name, *arguments):
        configuration = self.path("peripetyd.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        return Daemon(os.path.abspath(self.options.program), name, self.directory, configuration, arguments)

    def torture(self):
        if self.options.kernel:
            reason = self.kernel.prepare()
            if reason:
                print(f"without the kernel's lines: {reason}", flush=True)
            else:
                self.writers.append(self.kernel)
        try:
            for thread in [self.keeper, *self.writers]:
                thread.start()
            for daemon in self.daemons:
                daemon.start()
            self.disturb()
        finally:
            for writer in self.writers:
                writer.finish()
            self.kernel.clean()
        self.calm_down()

    def disturb(self):
        end = time.monotonic() + self.options.minutes * 60
        for name, chance in plan(self.options.seed):
            if time.monotonic() > end:
                return
            self.trouble.step(name, chance)

    def calm_down(self):
        """Waits until everything is read and stored, ends the daemons, and has journald write all it has."""
        self.trouble.recover()
        self.trouble.note("calm")
        # Changes while a daemon was down are checked when it starts.
        for daemon in self.daemons:
            daemon.settle(SETTLES)
        for daemon in self.daemons:
            daemon.end(signal.SIGTERM)
            daemon.start()
        for daemon in self.daemons:
            daemon.settle(SETTLES)
            daemon.end(signal.SIGTERM)
        self.trouble.note("over")

    def findings(self):
        found = [finding for daemon in self.daemons for finding in daemon.findings]
        return found + [f"{daemon.name} panicked" for daemon in self.daemons if "panicked at" in daemon.text()]

    def facts(self):
        return {"seed": self.options.seed, "minutes": self.options.minutes, "versions": versions(self.options.program),
                "steps": sum(self.trouble.counts.values()), "disturbances": self.trouble.counts,
                "kills": sum(daemon.kills for daemon in self.daemons), "journald_kills": self.journald.kills,
                "written": sum(writer.written for writer in self.writers), "findings": self.findings()}

    def judge(self, files):
        lines = lines_of(files)
        stored = Stored(files, lines)
        events = list(stored.events.values())
        if self.options.sabotage:
            keys = {line.key for line in lines}
            events.remove(next(event for event in events if event.covers & keys))
        given_up = [event_id for daemon in self.daemons for event_id in daemon.given_up()]
        return judge(lines, events, stored.gaps(given_up))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kernel", action="store_true")
    parser.add_argument("--sabotage", action="store_true")
    options = parser.parse_args()
    print(f"torture: seed {options.seed}, {options.minutes:g} minutes, in {options.directory}", flush=True)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run = Run(options)
    files = run.keeper.finish()
    verdict = run.judge(files)
    numbers = figures(verdict, run.facts())
    write(run.directory, numbers, verdict, files)
    print("\n".join(sentences(numbers)))
    return 0 if verdict.holds() and not numbers["findings"] else 1


if __name__ == "__main__":
    sys.exit(main())
