"""Events as the daemon prints them, and the marks and variables of a scenario."""

import json
import re
from dataclasses import dataclass

from sentences import SEVERITIES

WARNING = SEVERITIES.index("Warning")
# A mark is written before its fault is made; the kernel's clock may be this much behind the clock of the mark, in µs.
CLOCK_SLACK = 250_000


class Unknown(Exception):
    """A mark or variable that the scenario did not note."""


@dataclass
class Event:
    """An event; `received` is the time of its receipt in µs, or None."""
    data: dict
    received: int = None

    @property
    def id(self):
        return self.data["event_id"]

    @property
    def root(self):
        return self.data.get("root_cause_event_id")

    @property
    def time(self):
        return self.data["timestamp"]

    @property
    def rank(self):
        return SEVERITIES.index(self.data["severity"])

    @property
    def extension(self):
        return self.data.get("extension") or {}

    @property
    def escalates(self):
        return self.extension.get("escalates") == "true"

    @property
    def counts(self):
        """Whether it counts repeats of earlier events, and so came later on purpose."""
        return "first_time" in self.extension

    def types(self):
        """Its type, and those of the lines that were joined in it."""
        return [self.data["event_type"], *self.extension.get("event_types", "").split()]

    def is_kind(self, kind):
        alarm = self.rank <= WARNING and not self.root
        worse = self.rank <= WARNING and bool(self.root) and self.escalates
        return {"event": True, "alarm": alarm, "worse alarm": worse, "new or worse alarm": alarm or worse}[kind]

    def names_no_device(self):
        return not self.data.get("dev_wwid") and not self.data.get("dev_path")

    def mount_points(self):
        return [word for key in ("mount_point", "mount_points") for word in self.extension.get(key, "").split()]

    def wwids(self):
        return [wwid for wwid in [self.data.get("dev_wwid"), *self.data.get("owners_wwids", [])] if wwid]

    def paths(self):
        return [path for path in [self.data.get("dev_path"), *self.data.get("owners_paths", [])] if path]

    def is_about(self, subject):
        """Whether that mount point, wwid, device, UUID or other word is one of the event's."""
        if subject.startswith("/") and not subject.startswith("/dev/"):
            return subject in self.mount_points()
        words = self.wwids() + self.paths() + [self.data.get("kdev")] + list(self.extension.values())
        return subject in words or any(subject in value.split() for value in self.extension.values())

    def has(self, field, value):
        if field == "owner":
            return value in self.data.get("owners_wwids", [])
        if field == "owner_path":
            return value in self.data.get("owners_paths", [])
        if field == "mount_point":
            return value in self.mount_points()
        found = self.data.get(field, self.extension.get(field))
        return found is not None and (str(found) == value or value in str(found).split())

    def describe(self, marks):
        data = self.data
        root = f" root {self.root[:8]}{' worse' if self.escalates else ''}" if self.root else ""
        mounts = " ".join(self.mount_points())
        late = f" after {(self.received - self.time) / 1e6:.2f} s" if self.received and not self.counts else ""
        return (f"{marks.place(self.time)} {self.id[:8]} {data['severity']} {data['event_type']} {data.get('dev_path')} "
                f"{data.get('dev_wwid')} {mounts}{root}{late} | {data['msg'][:140]}")


def load_events(lines):
    """Events from lines of JSON: events themselves, or {"received": µs, "event": …}. Each event once, by time."""
    found = {}
    for line in lines:
        try:
            data = json.loads(line)
        except ValueError:
            continue
        event = Event(data["event"], data.get("received")) if "event" in data else Event(data)
        if "event_id" in event.data and event.id not in found:
            found[event.id] = event
    return sorted(found.values(), key=lambda event: event.time)


class Marks:
    """What a scenario noted: {"marks": [{"name", "fault", "text", "monotonic", "realtime"}], "variables": {…}}."""

    def __init__(self, data):
        self.marks = data.get("marks", [])
        self.variables = data.get("variables", {})

    def time(self, name):
        for mark in self.marks:
            if mark["name"] == name:
                return mark["realtime"]
        raise Unknown(f"the scenario noted no mark {name}")

    def start(self):
        """The time of the first mark; without any, the beginning of time."""
        return self.marks[0]["realtime"] if self.marks else 0

    def expand(self, word):
        """A word with the value of its variable."""
        if not word or not word.startswith("$"):
            return word
        if word[1:] not in self.variables:
            raise Unknown(f"the scenario noted no {word}")
        return self.variables[word[1:]]

    def faults(self):
        return sum(1 for mark in self.marks if mark.get("fault"))

    def place(self, time):
        """A time as the mark before it and the seconds since."""
        before = [mark for mark in self.marks if mark["realtime"] <= time]
        if not before:
            return "before the first mark"
        return f"{before[-1]['name']}+{(time - before[-1]['realtime']) / 1e6:.2f}s"


def lines_of(event, hctl, name):
    """Whether a line that the event covers names that SCSI address (and, in brackets, that disk)."""
    pattern = rf"\bs[dr] {re.escape(hctl)}: (?:\[{re.escape(name)}\]|(?!\[))"
    return re.search(pattern, event.data.get("raw_msg", "")) is not None
