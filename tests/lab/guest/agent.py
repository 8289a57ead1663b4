#!/usr/bin/python3 -u
"""Runs in the guest: runs commands that arrive on the virtio-serial port "lab.0".

A line "ID COMMAND" runs COMMAND with bash in a process group of its own. Its output goes to /lab/jobs/ID.out, and
"ID STATUS" is the answer when it ends. "kill ID" kills the process group. "ping" is answered with "pong 0".
"""

import glob
import os
import select
import signal
import subprocess
import time


def open_port():
    while True:
        for directory in glob.glob("/sys/class/virtio-ports/*"):
            try:
                with open(f"{directory}/name", encoding="ascii") as file:
                    if file.read().strip() == "lab.0":
                        return os.open(f"/dev/{os.path.basename(directory)}", os.O_RDWR | os.O_NONBLOCK)
            except OSError:
                pass
        time.sleep(0.2)


def read(port):
    """What arrived on the port; empty after a short while, also when the host has not connected."""
    if not select.select([port], [], [], 0.2)[0]:
        return b""
    try:
        data = os.read(port, 4096)
    except BlockingIOError:
        data = b""
    if not data:
        time.sleep(0.1)
    return data


def write(port, text):
    data = text.encode() + b"\n"
    while data:
        try:
            data = data[os.write(port, data):]
        except BlockingIOError:
            time.sleep(0.05)


def start(job, command):
    with open(f"/lab/jobs/{job}.out", "wb") as output:
        return subprocess.Popen(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, cwd="/lab", start_new_session=True)


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass


def obey(port, jobs, line):
    word, _, rest = line.partition(" ")
    if word == "ping":
        write(port, "pong 0")
    elif word == "kill":
        if rest in jobs:
            kill(jobs[rest])
    elif word:
        jobs[word] = start(word, rest)


def main():
    port = open_port()
    write(port, "ready 0")
    jobs, buffer = {}, b""
    while True:
        buffer += read(port)
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            obey(port, jobs, line.decode(errors="replace"))
        for job in [job for job, process in jobs.items() if process.poll() is not None]:
            write(port, f"{job} {jobs.pop(job).returncode}")


if __name__ == "__main__":
    main()
