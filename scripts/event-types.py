#!/usr/bin/env python3
"""event-types.py [--check FILE | --write FILE]: the table of event types, from rules/*.toml.

Without an option: prints the table. --check FILE: exits 1 and says what differs when the table in
FILE (between the two marks below) is not in step with the rules, or when FILE does not explain a
capture of theirs. --write FILE: brings the table in FILE in step.

The column "Meaning" comes from the tables [event_types.NAME] in the rules; each event type has one. Exits 2
where there is no TOML reader (Python 3.11, or the package tomli).
"""

import argparse
import pathlib
import re
import sys

try:
    import tomllib
except ImportError:
    try:
        import tomli as tomllib
    except ImportError:
        print("event-types.py needs Python 3.11 or later, or the package tomli")
        sys.exit(2)

TOP = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = TOP / "docs" / "events.md"
BEGIN = "<!-- event types: made by scripts/event-types.py -->\n"
END = "<!-- end of event types -->\n"
HEAD = ["| Event type | Sub-system | Severity | Meaning |", "| --- | --- | --- | --- |"]
SEVERITIES = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Info", "Debug"]
# Captures that are fields of the event, not of its extension.
OWN_FIELDS = {"kdev", "sub_system"}


def rule_files():
    files = sorted((TOP / "rules").glob("*.toml"))
    return [(path.name, tomllib.loads(path.read_text(encoding="utf-8"))) for path in files]


def read_rules():
    rules = [rule for _, file in rule_files() for rule in file.get("collector_regexs", [])]
    if not rules:
        sys.exit("there is no rule under %s" % (TOP / "rules"))
    return rules


def read_texts():
    """Event type -> its table with "meaning" and "advice"."""
    texts = {}
    for name, file in rule_files():
        for event_type, text in file.get("event_types", {}).items():
            if event_type in texts:
                sys.exit("rules/%s: another file explains %s, too" % (name, event_type))
            texts[event_type] = text
    return texts


def event_types(rules):
    """Event type -> its sub-systems and its severities."""
    types = {}
    for rule in rules:
        sub_systems, severities = types.setdefault(rule["event_type"], (set(), set()))
        sub_systems.add(rule["sub_system"])
        severities.add(rule["severity"])
    return types


def captures(rules):
    names = {name for rule in rules for name in re.findall(r"\(\?P<(\w+)>", rule["regex"])}
    return names - OWN_FIELDS


def meanings():
    """Event type -> meaning."""
    return {name: text["meaning"] for name, text in read_texts().items()}


def table_of(text):
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit("the document needs one line %s and one line %s" % (BEGIN.strip(), END.strip()))
    return text.split(BEGIN)[1].split(END)[0].splitlines()


def table(types, known):
    rows = list(HEAD)
    for name, (sub_systems, severities) in sorted(types.items()):
        worst_first = sorted(severities, key=SEVERITIES.index)
        row = ["`%s`" % name, ", ".join(sorted(sub_systems)), ", ".join(worst_first), known.get(name, "")]
        rows.append("| %s |" % " | ".join(row))
    return rows


def check(path, rules):
    text = path.read_text(encoding="utf-8")
    known = meanings()
    types = event_types(rules)
    wanted, found = table(types, known), table_of(text)
    faults = ["not in step with rules/: " + row for row in wanted if row not in found]
    faults += ["in no rule: " + row for row in found if row not in wanted]
    if not faults and wanted != found:
        faults.append("the rows of the table are not in order")
    faults += ["no meaning: " + name for name in sorted(types) if not known.get(name)]
    faults += ["no rule makes it: " + name for name in sorted(known) if name not in types]
    explained = set(re.findall(r"`(\w+)`", text.split(END)[1]))
    faults += ["capture not explained: " + name for name in sorted(captures(rules) - explained)]
    for fault in faults:
        print("%s: %s" % (path, fault))
    if faults:
        sys.exit("%s: run scripts/event-types.py --write %s, then add what is missing" % (path, path))
    print("%s: %d event types are in step with the rules" % (path, len(types)))


def write(path, rules):
    text = path.read_text(encoding="utf-8")
    rows = table(event_types(rules), meanings())
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    path.write_text(before + BEGIN + "\n".join(rows) + "\n" + END + after, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", metavar="FILE", type=pathlib.Path)
    modes.add_argument("--write", metavar="FILE", type=pathlib.Path)
    args = parser.parse_args()
    rules = read_rules()
    if args.check:
        check(args.check, rules)
    elif args.write:
        write(args.write, rules)
    else:
        known = meanings()
        print("\n".join(table(event_types(rules), known)))


if __name__ == "__main__":
    main()
