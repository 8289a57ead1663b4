#!/usr/bin/env python3
"""The host's side of the agent in a lab VM.

usage: labctl.py wait SECONDS            until the agent answers
       labctl.py run SECONDS COMMAND     runs a command in the VM, prints its output, exits with its status
       labctl.py qmp JSON...             sends commands to qemu, prints the answers

The VM is $VM (default vm0) below $LAB (default /var/tmp/peripety-lab).
"""

import os
import select
import socket
import sys
import time

RUN = os.path.join(os.environ.get("LAB", "/var/tmp/peripety-lab"), "run", os.environ.get("VM", "vm0"))
TIMED_OUT = 124


def connect(name, until):
    while True:
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(f"{RUN}/{name}")
            return connection
        except OSError:
            if time.time() > until:
                sys.exit(f"labctl: {RUN}/{name} does not answer")
            time.sleep(0.1)


def alive():
    try:
        with open(f"{RUN}/pid", encoding="ascii") as file:
            os.kill(int(file.read()), 0)
        return True
    except (OSError, ValueError):
        return False


def lines(connection, until):
    """What the agent says, line by line, until that time."""
    buffer = b""
    while time.time() < until:
        if not select.select([connection], [], [], 0.5)[0]:
            if not alive():
                sys.exit("labctl: qemu is gone")
            continue
        data = connection.recv(65536)
        if not data:
            sys.exit("labctl: the agent's socket was closed")
        buffer += data
        *whole, buffer = buffer.split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)


def qmp(commands):
    with connect("qmp.sock", time.time() + 5).makefile("rw") as file:
        file.readline()
        for number, command in enumerate(['{"execute":"qmp_capabilities"}'] + commands):
            file.write(command + "\n")
            file.flush()
            answer = file.readline()
            while '"return"' not in answer and '"error"' not in answer:
                answer = file.readline()
            if number:
                print(answer.strip())


def run(until, command):
    job = f"{time.time_ns() // 1000000}-{os.getpid()}"
    connection = connect("lab.sock", until)
    connection.sendall(f"{job} {command}\n".encode())
    words = (line.split() for line in lines(connection, until))
    status = next((int(found[1]) for found in words if found and found[0] == job), TIMED_OUT)
    try:
        with open(f"{RUN}/share/jobs/{job}.out", encoding="utf-8", errors="replace") as file:
            sys.stdout.write(file.read())
    except OSError:
        pass
    if status == TIMED_OUT:
        print("labctl: timed out", file=sys.stderr)
    return status


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    what, *rest = sys.argv[1:]
    if what == "qmp":
        qmp(rest)
        return 0
    until = time.time() + float(rest[0])
    if what == "run":
        return run(until, rest[1])
    connection = connect("lab.sock", until)
    connection.sendall(b"ping\n")
    return 0 if any(line.startswith(("pong", "ready")) for line in lines(connection, until)) else 1


if __name__ == "__main__":
    sys.exit(main())
