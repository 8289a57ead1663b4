"""Lines, stored events and gaps from the kept journal files."""

import json
import re

from journals import BadCursor, entries, fnv, marks, parts, text
from judge import Copy, Damage, Event, Interval, Line, Unstored
from writers import FileWriter, device_of

LOG_FIELDS = ("MESSAGE", "_SOURCE_MONOTONIC_TIMESTAMP", "_BOOT_ID")
EVENT_FIELDS = ("PERIPETY_RUN", "PERIPETY_SEQUENCE", "PERIPETY_JSON", "PERIPETY_COVERS")
TOOL, KERNEL = ("SYSLOG_IDENTIFIER=wearctl",), ("_TRANSPORT=kernel", "SYSLOG_FACILITY=0")
STORED = ("PERIPETY_FORMAT=1", "_TRANSPORT=journal")
# The journals, by what a report about them says: the host of the entry behind a gap, the file that is not read.
LOCAL, OTHER = "local", "other"
# What the daemon reports of a journal: the times in `msg`.
REMOVED = re.compile(r"Journal entries between (\d+) and (\d+) ")
DEAF = re.compile(r"Journal not read from (\d+) until (\d+) ")
DAMAGED = re.compile(r"Journal file (/.*) is damaged: (?:none of its entries can|(?:at least )?(\d+) of its .*\d+ entries cannot) be read")


def contents(kept, fields, *matches):
    """The entries of a kept file as they were logged: of a damaged one those of the copies made before, and what was
    written after."""
    last, taken = 0, 0
    for snapshot in kept.snapshots:
        for entry in of_file(snapshot.path, fields, matches):
            if entry["number"] > last:
                yield entry
        last, taken = snapshot.last, snapshot.taken
    for entry in of_file(kept.copy, fields, matches):
        if not kept.snapshots or entry["number"] > last and entry["received"] > taken:
            yield entry


def of_file(path, fields, matches):
    for entry in entries(path, fields, *matches):
        try:
            number, key, received = parts(entry["__CURSOR"])
        except (BadCursor, KeyError):
            continue
        yield {**entry, "number": number, "key": key, "received": received}


def line_of(entry, kept):
    """The line of an entry; `None` when it is none of the streams'."""
    message = text(entry.get("MESSAGE")) or ""
    device = device_of(message)
    if not device:
        return None
    time = entry.get("_SOURCE_MONOTONIC_TIMESTAMP") or f"{entry['__REALTIME_TIMESTAMP']}+{entry['__MONOTONIC_TIMESTAMP']}"
    boot = text(entry["_BOOT_ID"])
    return Line(entry["key"], f"{boot}:{text(time)}:{message}", device, entry["received"], kept.name,
                OTHER if boot == FileWriter.BOOT else LOCAL, not kept.gone and not kept.snapshots, kept.renumbered(entry["key"]))


def lines_of(files):
    """Every line of the streams that journald kept, once."""
    lines = {}
    for kept in files:
        for matches in (TOOL, KERNEL):
            for entry in contents(kept, LOG_FIELDS, *matches):
                line = line_of(entry, kept)
                if line:
                    lines.setdefault(line.key, line)
    return list(lines.values())


class Stored:
    """Every event that was ever stored, with its copies, and the gaps that events report."""

    def __init__(self, files, lines):
        self.by_hash = {fnv(line.key): line.key for line in lines}
        self.files, self.events, self.places, self.intervals, self.damaged = files, {}, {}, [], {}
        for kept in files:
            for entry in contents(kept, EVENT_FIELDS, *STORED):
                self.add(entry, kept)

    def add(self, entry, kept):
        try:
            data = json.loads(text(entry["PERIPETY_JSON"]))
            identity = text(entry["PERIPETY_RUN"]), int(text(entry["PERIPETY_SEQUENCE"]))
        except (KeyError, ValueError, TypeError):
            # Written after the file was damaged.
            return
        event = self.events.get(identity)
        if not event:
            event = self.events[identity] = self.event(identity, data, entry.get("PERIPETY_COVERS"))
            self.report(data, entry["received"])
        # A flush copies an entry from file to file: it is one copy, readable as long as one of them.
        copies = self.places.setdefault(identity, {})
        until = max(copies.get(entry["key"], Copy(0, 0)).readable_until, kept.readable_until(entry["received"]))
        copies[entry["key"]] = Copy(entry["received"], until)
        event.copies = list(copies.values())

    def event(self, identity, data, covers):
        source = data["source"]
        ends = [parts(source[end])[1] for end in ("first", "last") if source.get(end)]
        known = {self.by_hash.get(mark, f"another entry, {mark}") for mark in marks(covers)}
        by_hash = {self.by_hash.get(fnv(key), f"another entry, {fnv(key)}") for key in ends}
        return Event(*identity, data["event_id"], data["event_type"], data["kdev"], source["entries"],
                     ends[0] if ends else "", known | by_hash)

    def report(self, data, stored):
        """Takes note of a gap."""
        for kind, pattern in (("removed unread", REMOVED), ("deaf", DEAF)):
            found = pattern.match(data["msg"])
            if found:
                about_other = data["hostname"] == OTHER or "/other-" in data["msg"]
                self.intervals.append(Interval(kind, int(found[1]), int(found[2]), OTHER if about_other else LOCAL))
        found = DAMAGED.match(data["msg"])
        if found:
            self.note_damage(found[1], float(found[2] or "inf"), stored)

    def note_damage(self, path, count, reported):
        """Of the damaged file that had this name when it was reported; each report says how many entries are lost."""
        named = [kept for kept in self.files if path in kept.paths and kept.snapshots and kept.snapshots[0].taken <= reported]
        for kept in named[-1:]:
            self.damaged[kept.name] = max(self.damaged.get(kept.name, 0), count)

    def gaps(self, given_up):
        """What was reported; `given_up` are event_ids of events that journald did not keep."""
        damage = [Damage(name, count) for name, count in self.damaged.items()]
        return [*self.intervals, *damage, *map(Unstored, given_up)]
