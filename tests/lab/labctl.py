#!/usr/bin/env python3
"""The host's side of the agent in a lab VM.

usage: labctl.py wait SECONDS            until the agent answers
       labctl.py run SECONDS COMMAND     runs a command in the VM, prints its output, exits with its status
       labctl.py qmp JSON...             sends commands to qemu, prints the answers
       labctl.py shell                   an interactive shell in the VM; Ctrl-] leaves it

The VM is $VM (default vm0) below $LAB (default /var/tmp/peripety-lab). A command that does not end in time is killed
with its whole process group; exit status 124.
"""

import os
import select
import socket
import sys
import termios
import time
import tty

TIMED_OUT = 124
# How long the agent may take to report the end of a job that it killed. A process in uninterruptible sleep does not end.
KILL_TIMEOUT = 15


class Stuck(Exception):
    """The VM does not answer, or a job cannot be killed: only a reboot helps."""


def run_directory():
    return os.path.join(os.environ.get("LAB", "/var/tmp/peripety-lab"), "run", os.environ.get("VM", "vm0"))


class Agent:
    """A connection to the agent of the VM whose files are in that directory."""

    def __init__(self, directory, until):
        self.directory = directory
        self.socket = connect(f"{directory}/lab.sock", until)
        self.buffer = b""

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def lines(self, until):
        """What the agent says, line by line, until that time."""
        while time.time() < until:
            if not select.select([self.socket], [], [], 0.5)[0]:
                if not alive(self.directory):
                    raise Stuck("qemu is gone")
                continue
            data = self.socket.recv(65536)
            if not data:
                raise Stuck("the agent's socket was closed")
            self.buffer += data
            *whole, self.buffer = self.buffer.split(b"\n")
            yield from [line.decode(errors="replace") for line in whole]

    def wait(self, until):
        self.send("ping")
        return any(line.startswith(("pong", "ready")) for line in self.lines(until))

    def answer(self, job, until):
        """The status of that job, or None."""
        words = (line.split() for line in self.lines(until))
        return next((int(found[1]) for found in words if len(found) == 2 and found[0] == job), None)

    def run(self, seconds, command):
        """Runs a command in the VM. Its exit status, TIMED_OUT when it was killed, and its output."""
        job = f"{time.time_ns() // 1000000}-{os.getpid()}"
        self.send(f"{job} {command}")
        status = self.answer(job, time.time() + seconds)
        if status is None:
            self.send(f"kill {job}")
            if self.answer(job, time.time() + KILL_TIMEOUT) is None:
                raise Stuck(f"a command cannot be killed: {command}")
            status = TIMED_OUT
        return status, self.output(job)

    def output(self, job):
        try:
            with open(f"{self.directory}/share/jobs/{job}.out", encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""


def connect(path, until):
    while True:
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            return connection
        except OSError:
            if time.time() > until:
                raise Stuck(f"{path} does not answer") from None
            time.sleep(0.1)


def alive(directory):
    try:
        with open(f"{directory}/pid", encoding="ascii") as file:
            os.kill(int(file.read()), 0)
        return True
    except (OSError, ValueError):
        return False


def qmp(directory, commands):
    """Sends each command to qemu. Its answers, a line of JSON each."""
    answers = []
    with connect(f"{directory}/qmp.sock", time.time() + 5).makefile("rw") as file:
        file.readline()
        for command in ['{"execute":"qmp_capabilities"}'] + list(commands):
            file.write(command + "\n")
            file.flush()
            answer = file.readline()
            while '"return"' not in answer and '"error"' not in answer:
                answer = file.readline()
            answers.append(answer.strip())
    return answers[1:]


def shell(directory):
    """Joins the terminal to the shell on the VM's second console."""
    console, terminal = connect(f"{directory}/shell.sock", time.time() + 5), sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    print("A shell in the VM; Ctrl-] leaves it.")
    try:
        tty.setraw(terminal)
        console.sendall(b"\n")
        while True:
            for ready in select.select([console, terminal], [], [])[0]:
                data = console.recv(4096) if ready is console else os.read(terminal, 4096)
                if not data or (ready == terminal and b"\x1d" in data):
                    return
                if ready is console:
                    os.write(sys.stdout.fileno(), data)
                else:
                    console.sendall(data)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    what, *rest = sys.argv[1:]
    directory = run_directory()
    if what == "qmp":
        print("\n".join(qmp(directory, rest)))
        return 0
    if what == "shell":
        shell(directory)
        return 0
    until = time.time() + float(rest[0])
    agent = Agent(directory, until)
    if what == "run":
        status, output = agent.run(float(rest[0]), rest[1])
        sys.stdout.write(output)
        if status == TIMED_OUT:
            print("labctl: timed out", file=sys.stderr)
        return status
    return 0 if agent.wait(until) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stuck as error:
        sys.exit(f"labctl: {error}")
