"""Judges every line: exactly one stored event covers it, or it is in a gap that the daemon reported.

Knows no files and no processes: lines, stored events and gaps are given. Times are µs since the epoch.
"""

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field

# Of event_id, see docs/events.md.
NAMESPACE = uuid.UUID("487d5fee-73c4-5ce5-a9e0-a36a641035cd")
NEVER = float("inf")


@dataclass(frozen=True)
class Line:
    """An entry of the journal that must have an event."""
    key: str           # what every copy of the entry has in common
    name: str          # what its event_id is made from
    device: str        # as the line names it
    received: int      # when journald received it
    file: str = ""     # the journal file that held it
    journal: str = ""           # the one that it belongs to
    whole: bool = False         # that file was never damaged, and is still there
    renumbered: float = NEVER   # when a flipped bit gave its entry another number: from then on it is another entry


@dataclass(frozen=True)
class Copy:
    """One stored copy of an event, and until when anybody could read it."""
    stored: int
    readable_until: float = NEVER


@dataclass
class Event:
    """An event, identified by the daemon's run and its number in that."""
    run: str
    sequence: int
    event_id: str
    kind: str
    device: str
    entries: int
    first: str         # key of source.first
    covers: set = field(default_factory=set)
    copies: list = field(default_factory=list)


@dataclass(frozen=True)
class Interval:
    """A gap: entries of a journal that were received in this time may have no event."""
    kind: str
    since: int
    until: int
    journal: str = ""

    def has(self, line):
        return self.journal == line.journal and self.since <= line.received <= self.until


@dataclass(frozen=True)
class Unstored:
    """A gap: journald did not keep the event that is made from a line."""
    event_id: str
    kind: str = "not stored"

    def has(self, line):
        return self.event_id == event_id(line.name)


@dataclass
class Damage:
    """A gap: so many entries of a file cannot be read."""
    file: str
    entries: float
    kind: str = "damaged file"

    def has(self, line):
        if line.file != self.file or self.entries < 1:
            return False
        self.entries -= 1
        return True


@dataclass
class Verdict:
    """What became of the lines. The lists hold what must not be."""
    lines: int = 0
    covered: int = 0
    in_gaps: Counter = field(default_factory=Counter)
    readable: int = 0                            # lines in gaps that could have been read
    again: int = 0                               # stored again when no copy could be read any more
    lost: list = field(default_factory=list)     # lines
    twice: list = field(default_factory=list)    # lines with their events
    wrong: list = field(default_factory=list)    # events, each with what is wrong

    def holds(self):
        return not (self.lost or self.twice or self.wrong)


def event_id(name, number=0):
    """The event_id of a line; `number` earlier lines had the same name."""
    return str(uuid.uuid5(NAMESPACE, f"{name}#{number}" if number else name))


def copies_of(events):
    return sorted((copy for event in events for copy in event.copies), key=lambda copy: copy.stored)


def stored_once(copies, renumbered=NEVER):
    """Each copy was stored when no earlier one could be read any more."""
    readable, before = 0, True
    for copy in copies:
        if before and copy.stored > renumbered:
            readable, before = 0, False
        if copy.stored < readable:
            return False
        readable = max(readable, copy.readable_until)
    return True


def mistakes(event, lines, names):
    """What is wrong with an event that covers at least one of the lines."""
    covered = [lines[key] for key in event.covers if key in lines]
    if event.entries != len(event.covers):
        yield f"counts {event.entries} entries and covers {len(event.covers)}"
    devices = {line.device for line in covered}
    if devices != {event.device}:
        yield f"is about {event.device}, its lines about {', '.join(sorted(devices))}"
    first = lines.get(event.first)
    if first and event.event_id not in {event_id(first.name, number) for number in range(names[first.name])}:
        yield f"is not named after its first entry, {first.name}"


def judge(lines, events, gaps):
    """The verdict on these lines. Events that cover none of them do not count."""
    verdict = Verdict(lines=len(lines))
    by_key = {line.key: line for line in lines}
    names = Counter(line.name for line in by_key.values())
    covering = defaultdict(list)
    for event in events:
        known = [key for key in event.covers if key in by_key]
        for key in known:
            covering[key].append(event)
        if known:
            verdict.wrong += [(event, mistake) for mistake in mistakes(event, by_key, names)]
    for key, line in by_key.items():
        if not covering[key]:
            gap = next((gap for gap in gaps if gap.has(line)), None)
            if gap:
                verdict.in_gaps[gap.kind] += 1
                verdict.readable += line.whole
            else:
                verdict.lost.append(line)
            continue
        copies = copies_of(covering[key])
        verdict.covered += 1
        if not stored_once(copies, line.renumbered):
            verdict.twice.append((line, covering[key]))
        elif len(copies) > 1:
            verdict.again += 1
    return verdict
