#!/usr/bin/env python3
"""catalog.py [--check FILE | --write FILE]: texts for "journalctl -x", one for each event type.

Without an option: prints the catalog. --check FILE: exits 1 when FILE is not what would be printed.
--write FILE: writes it. It is made of the rules (rules/*.toml), the meanings in docs/events.md and the
advice in systemd/advice.toml; the format is that of https://systemd.io/CATALOG. Exits 2 where there
is no TOML reader (Python 3.11, or the package tomli).
"""

import argparse
import fnmatch
import importlib.util
import pathlib
import sys
import uuid

TOP = pathlib.Path(__file__).resolve().parent.parent
# As NAMESPACE and message_id() in src/event.rs.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "io.peripety")
# Events that no rule makes: their meaning.
OWN = {"PERIPETY_EVENT_NOT_STORED": "journald did not keep an event in five attempts"}
HEAD = """\
# Texts for "journalctl -x", made by scripts/catalog.py from the rules, docs/events.md and
# systemd/advice.toml. Do not edit: run scripts/catalog.py --write systemd/peripety.catalog
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


def read_advice(tomllib):
    """Patterns with their texts, in order."""
    tables = tomllib.loads((TOP / "systemd" / "advice.toml").read_text(encoding="utf-8"))["advice"]
    return [(pattern, table["text"].strip()) for table in tables for pattern in table["types"]]


def advice_for(name, advice, used):
    for pattern, text in advice:
        if fnmatch.fnmatchcase(name, pattern):
            used.add(pattern)
            return text
    sys.exit("systemd/advice.toml has nothing that fits %s" % name)


def catalog():
    script = event_types_script()
    types = script.event_types(script.read_rules())
    meanings = script.meanings(script.DOCUMENT.read_text(encoding="utf-8"))
    advice, used = read_advice(script.tomllib), set()
    text = HEAD
    for name in sorted(set(types) | set(OWN)):
        meaning = OWN.get(name) or meanings.get(name)
        if not meaning:
            sys.exit("docs/events.md has no meaning of %s: run scripts/event-types.py --write docs/events.md" % name)
        advised = advice_for(name, advice, used)
        text += ENTRY % (uuid.uuid5(NAMESPACE, name).hex, meaning, name, meaning, advised)
    unused = [pattern for pattern, _ in advice if pattern not in used and pattern != "*"]
    if unused:
        sys.exit("systemd/advice.toml: these patterns count for no event type: %s" % ", ".join(unused))
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
