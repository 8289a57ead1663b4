#!/usr/bin/env python3
"""Follow the storage events of peripetyd: one line an event.

Needs the package "varlink" (PyPI: pip install varlink). The daemon must run. Events may be read by
root and by members of the groups systemd-journal and adm.

Exit status: 0 after --limit events, after Ctrl-C, and when nobody reads the output any more;
1 when the daemon cannot be reached, refuses, or goes away; 2 for a wrong command line.
"""

import argparse
import datetime
import os
import sys

import varlink

INTERFACE = "io.peripety"
ADDRESS = "unix:/run/peripety/io.peripety"
SEVERITIES = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Info", "Debug"]


def arguments():
    parser = argparse.ArgumentParser(description="Follow the storage events of peripetyd.")
    parser.add_argument("--address", default=os.environ.get("PERIPETY_ADDRESS") or ADDRESS,
                        help="where the daemon listens (default: $PERIPETY_ADDRESS, else " + ADDRESS + ")")
    parser.add_argument("--since", type=int, metavar="MICROSECONDS",
                        help="first print the stored events from this time on (microseconds since 1970)")
    parser.add_argument("--limit", type=int, metavar="N", help="end after N events")
    parser.add_argument("--severity", type=str.capitalize, choices=SEVERITIES,
                        help="only events of this severity or worse")
    return parser.parse_args()


def parameters(args):
    """The parameters of Monitor: what is left out does not restrict."""
    wanted = {"since": args.since, "limit": args.limit}
    if args.severity:
        wanted["filter"] = {"severity": args.severity}
    return {name: value for name, value in wanted.items() if value is not None}


def printable(text):
    """Text from logs and devices may hold terminal escapes: show them, do not send them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def line(event):
    """Time, host, severity, type, device, mount point, message."""
    time = datetime.datetime.fromtimestamp(event["timestamp"] / 1_000_000)
    words = [time.isoformat(sep=" ", timespec="milliseconds"), event["hostname"], event["severity"],
             event["event_type"], event.get("dev_path") or event.get("kdev") or "-"]
    mount_point = event["extension"].get("mount_point")
    if mount_point:
        words.append("[" + mount_point + "]")
    return printable(" ".join(words + [event["msg"]]))


def show(event):
    try:
        print(line(event), flush=True)
    except BrokenPipeError:
        # Nobody reads the output any more. Python would complain when it flushes once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def follow(args):
    with varlink.Client(args.address) as client, client.open(INTERFACE) as peripety:
        for reply in peripety.Monitor(**parameters(args), _more=True):
            # The first reply is empty, and so is one every 15 seconds: keepalives.
            if reply.get("lost"):
                print("warning: %d events were missed" % reply["lost"], file=sys.stderr)
            if reply.get("event"):
                show(reply["event"])


def main():
    args = arguments()
    try:
        follow(args)
    except KeyboardInterrupt:
        pass
    except varlink.VarlinkError as error:
        reason = (error.parameters() or {}).get("message") or error.error()
        sys.exit("peripetyd refused the call: " + printable(reason))
    except OSError as error:
        sys.exit("no connection to peripetyd at %s (%s): check that it runs" % (args.address, error))


if __name__ == "__main__":
    main()
