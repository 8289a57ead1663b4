#!/usr/bin/python3
"""Runs in the guest: writes each event that `prpt monitor` prints with the time of its receipt.

usage: record-events.py FILE

A line is {"received": µs since the epoch, "event": {…}}. The first line, {"ready": µs}, says that the monitor is
connected. A monitor that ends, as it does when the daemon restarts, is started again.
"""

import json
import signal
import subprocess
import sys
import time


def now():
    return time.time_ns() // 1000


def follow(output):
    monitor = subprocess.Popen(["prpt", "monitor", "-J"], stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGTERM, lambda *_: (monitor.terminate(), sys.exit(0)))
    time.sleep(0.5)
    if monitor.poll() is None:
        output.write(f'{{"ready": {now()}}}\n')
    for line in monitor.stdout:
        received = now()
        output.write(f'{{"received": {received}, "event": {line.strip()}}}\n')
    output.write(json.dumps({"ended": now(), "status": monitor.wait()}) + "\n")


def main():
    with open(sys.argv[1], "a", buffering=1, encoding="utf-8") as output:
        while True:
            follow(output)
            time.sleep(0.5)


if __name__ == "__main__":
    main()
