#!/usr/bin/env python3
"""logcheck-lines.py DIRECTORY…: log lines that administrators of Debian machines do not want to see in a report.

Prints lines of the form IDENTIFIER<TAB>MESSAGE that the ignore rules of logcheck match, in alphabetical order. DIRECTORY is etc/logcheck
of the package logcheck-database, or of another one that has rules for it (mdadm), unpacked with "dpkg-deb -x". To renew the lines of
the test: scripts/logcheck-lines.py DIRECTORY… > tests/fixtures/logcheck.tsv

A rule is an extended regular expression of POSIX. Each of its alternatives becomes a line; what may be repeated stands once, what
may be missing stands there, and a class is one of its characters. Only lines of writers that the rules know are printed.
"""

import argparse
import pathlib
import re
import re._constants as sre
import re._parser as parser
import sys

# The writers that matter here: the kernel, and tools that have rules of their own.
WRITERS = re.compile(r"^(kernel|smartd|mdadm|multipathd?|dmeventd|lvm|iscsid|systemd|systemd-(?:fsck|udevd|cryptsetup|growfs)|fsck|mount|"
                     r"automount|rpc\.mountd|udisksd|zed|swapon|nvme|ceph-(?:osd|mon)|sbd|pvestatd)$")
IGNORED = ("ignore.d.paranoid", "ignore.d.server", "ignore.d.workstation")
# What a rule begins with: a date, a host, and who speaks.
HEAD = re.compile(r"^\^?\(?(?:\\w|\[\[:alpha:\]\])\{3\} .*?\[\._\[:alnum:\]-\]\+ ")
SPEAKER = re.compile(r"^(?P<name>[\w./-]+?)(?:\\?\[\[\[:digit:\]\]\+\\?\]|\\\[\[0-9\]\+\\\])?\\?:(?P<rest>.*)$", re.S)
UPTIME = re.compile(r"^\( ?\\?\[ \*\[\[:digit:\]\]\+\\\.\[\[:digit:\]\]\+\\?\]\)\?")
CLASSES = {"digit": "0-9", "alpha": "a-zA-Z", "alnum": "a-z0-9A-Z", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9a-fA-F", "space": r"\s",
           "blank": " \\t", "punct": "!-/:-@", "graph": "!-~", "print": " -~"}
# One rule stands for so many lines at most.
MOST = 24
TEXT = "text"


def python_regex(rule):
    """POSIX's named classes as Python writes them."""
    return re.sub(r"\[:(\w+):\]", lambda found: CLASSES[found[1]], rule)


def one_of(items):
    """A character of a class, the plainest one."""
    if items and items[0][0] == sre.NEGATE:
        excluded = {chr(value) for kind, value in items if kind == sre.LITERAL}
        return next(char for char in "xa1" if char not in excluded)
    for kind, value in items:
        if kind == sre.RANGE:
            return "1" if value == (48, 57) else chr(value[0])
        if kind == sre.LITERAL:
            return chr(value)
        if kind == sre.CATEGORY:
            return {sre.CATEGORY_DIGIT: "1", sre.CATEGORY_SPACE: " "}.get(value, "a")
    return "x"


def lines(tree):
    """Texts that a parsed regex matches, one for each of its alternatives."""
    texts = [""]
    for kind, value in tree:
        if kind == sre.LITERAL:
            more = [chr(value)]
        elif kind == sre.NOT_LITERAL:
            more = ["x"]
        elif kind == sre.ANY:
            more = ["x"]
        elif kind == sre.IN:
            more = [one_of(value)]
        elif kind == sre.BRANCH:
            more = [text for branch in value[1] for text in lines(branch)]
        elif kind == sre.SUBPATTERN:
            more = lines(value[-1])
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, _, inner = value
            if len(inner) == 1 and inner[0][0] == sre.ANY:
                more = [TEXT]
            else:
                more = [text * max(least, 1) for text in lines(inner)]
        else:
            more = [""]
        # All of the longer list, each with one of the shorter: every alternative occurs once.
        count = min(max(len(texts), len(more)), MOST)
        texts = [texts[number % len(texts)] + more[number % len(more)] for number in range(count)]
    return texts


def of_rule(rule):
    """The writer of a rule's lines, and their messages."""
    head = HEAD.match(rule)
    speaker = SPEAKER.match(rule[head.end():]) if head else None
    if not speaker or not WRITERS.match(speaker["name"].replace("\\", "")):
        return
    rest = UPTIME.sub("", speaker["rest"].removesuffix("$"))
    for text in lines(parser.parse(python_regex(rest))):
        message = text.lstrip(" ")
        if message.isprintable() and message != TEXT:
            yield speaker["name"].replace("\\", ""), message


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("directories", metavar="DIRECTORY", nargs="+", type=pathlib.Path)
    directories = arguments.parse_args().directories
    found, unread = set(), 0
    for path in (path for directory in directories for kind in IGNORED for path in sorted((directory / kind).glob("*"))):
        for rule in path.read_text(errors="replace").splitlines():
            if not rule or rule.startswith("#"):
                continue
            try:
                found.update(of_rule(rule))
            except (re.error, KeyError, StopIteration):
                unread += 1
    if not found:
        sys.exit(f"{directories[0]}: no ignore rules; name etc/logcheck of the unpacked package logcheck-database")
    for identifier, message in sorted(found):
        print(f"{identifier}\t{message}")
    print(f"{len(found)} lines; {unread} rules could not be read", file=sys.stderr)


if __name__ == "__main__":
    main()
