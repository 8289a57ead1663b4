#!/usr/bin/env python3
"""catalog.py [--check FILE | --write FILE]: texts for "journalctl -x", one for each event type.

Without an option: prints the catalog. --check FILE: exits 1 when FILE is not what would be printed.
--write FILE: writes it. It is made of the tables [event_types.NAME] in rules/*.toml; the format is that of
https://systemd.io/CATALOG. Exits 2 where there
is no TOML reader (Python 3.11, or the package tomli).
"""

import argparse
import importlib.util
import pathlib
import sys
import uuid

TOP = pathlib.Path(__file__).resolve().parent.parent
# As NAMESPACE and message_id() in api/src/event.rs.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "io.peripety")
NOTHING = "Nothing needs to be done."
# Events that no rule makes: their meaning and advice.
OWN = {
    "PERIPETY_EVENT_NOT_STORED": (
        "journald did not keep an event in five attempts",
        """\
Events may be missing for that time: see "journalctl -u systemd-journald", and SystemMaxUse= and
RateLimitBurst= in journald.conf(5).""",
    ),
    "PERIPETY_BLK_INFO": ("A block device that was there when peripetyd started", NOTHING),
}
HEAD = """\
# Texts for "journalctl -x", made by scripts/catalog.py from rules/*.toml. Do not edit: run scripts/catalog.py --write systemd/peripety.catalog
"""
ENTRY = """
-- %s
Subject: %s
Defined-By: Peripety
Documentation: man:peripetyd(8)

%s: %s.

%s

The whole event, with the device's identity and what it is built from:
    prpt query --event-id @PERIPETY_EVENT_ID@ -o json-pretty
"""


def event_types_script():
    """scripts/event-types.py as a module."""
    spec = importlib.util.spec_from_file_location("event_types", TOP / "scripts" / "event-types.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalog():
    script = event_types_script()
    texts = {name: (text["meaning"], text.get("advice", NOTHING)) for name, text in script.read_texts().items()}
    text = HEAD
    for name, (meaning, advice) in sorted({**texts, **OWN}.items()):
        text += ENTRY % (uuid.uuid5(NAMESPACE, name).hex, meaning, name, meaning, advice.strip())
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", metavar="FILE", type=pathlib.Path)
    modes.add_argument("--write", metavar="FILE", type=pathlib.Path)
    args = parser.parse_args()
    text = catalog()
    if args.check:
        if args.check.read_text(encoding="utf-8") != text:
            sys.exit("%s is not in step with the rules: run scripts/catalog.py --write %s" % (args.check, args.check))
        print("%s: %d texts are in step with the rules" % (args.check, text.count("\n-- ")))
    elif args.write:
        args.write.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
