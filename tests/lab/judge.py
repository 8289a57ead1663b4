#!/usr/bin/env python3
"""Judges the events of a scenario by its expectations.

usage: judge.py [--no-latency] [--json] MARKS EXPECT EVENTS...

MARKS is marks.json, EXPECT the file of sentences, EVENTS files with an event a line (as `prpt monitor -J` prints them,
or {"received": µs, "event": …}). Prints a line for each sentence that does not hold, and exits with 1 when there is
one. --no-latency leaves out what needs the time of receipt, which a replay does not have.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass, field

from events import CLOCK_SLACK, Marks, Unknown, lines_of, load_events
from sentences import SEVERITIES, BadSentence, parse


@dataclass
class Verdict:
    """What became of one sentence. `problem` is empty when it holds, else missing, wrong or late."""
    sentence: object
    problem: str = ""
    why: str = ""
    events: list = field(default_factory=list)


class Judge:
    """Checks sentences against events; remembers which alarms a sentence expected."""

    def __init__(self, events, marks, latency=True):
        self.events, self.marks, self.latency = events, marks, latency
        self.claimed, self.labels, self.own_limit = set(), {}, set()

    def select(self, selection):
        """The events of a selection."""
        start = self.marks.time(selection.start) - CLOCK_SLACK if selection.start else None
        end = self.marks.time(selection.end) if selection.end else None
        if selection.seconds is not None:
            end = self.marks.time(selection.start) + int(selection.seconds * 1e6)
        subject = self.marks.expand(selection.subject)
        conditions = [(name, self.marks.expand(value)) for name, value in selection.conditions]
        worst = SEVERITIES.index(selection.severity) if selection.severity else None

        def fits(event):
            return (event.is_kind(selection.kind)
                    and (worst is None or event.rank <= worst)
                    and (not selection.types or any(kind in selection.types for kind in event.types()))
                    and (start is None or event.time >= start)
                    and (end is None or event.time <= end)
                    and (subject is None or event.is_about(subject))
                    and (not selection.without_device or event.names_no_device())
                    and all(event.has(*condition) for condition in conditions))
        return [event for event in self.events if fits(event)]

    def roots(self, event):
        """The event and everything that it follows from."""
        by_id, found = {event.id: event for event in self.events}, []
        while event and event.id not in found:
            found.append(event.id)
            found += [event.root] if event.root and event.root not in by_id else []
            event = by_id.get(event.root)
        return set(found)

    def follows(self, event, label):
        return bool(self.roots(event) & self.labels.get(label, set()))

    def count(self, sentence):
        found = self.select(sentence.select)
        if sentence.most == 0:
            return Verdict(sentence, "wrong", "there are", found) if found else Verdict(sentence)
        if sentence.follows:
            found = [event for event in found if self.follows(event, sentence.follows)]
        # Of events that an earlier sentence expected, none counts again.
        fresh = [event for event in found if event.id not in self.claimed or sentence.select.kind == "event"]
        taken = fresh[:sentence.most] if sentence.least < 1 and sentence.most else fresh
        self.claimed |= {event.id for event in taken}
        if sentence.label:
            self.labels[sentence.label] = {event.id for event in taken}
        if len(fresh) < sentence.least:
            return Verdict(sentence, "missing", f"seen {len(fresh)}", self.nearest(sentence.select))
        if sentence.most is not None and len(fresh) > sentence.most and sentence.least:
            return Verdict(sentence, "wrong", f"seen {len(fresh)}", fresh)
        if sentence.arriving is not None:
            self.own_limit |= {event.id for event in taken}
            return self.arrive(sentence, taken)
        return Verdict(sentence)

    def nearest(self, selection):
        """Events that a person would look at when the wanted one is missing."""
        start = self.marks.time(selection.start) - CLOCK_SLACK if selection.start else 0
        return [event for event in self.events
                if event.time >= start and any(kind in selection.types for kind in event.types())][:4]

    def arrive(self, sentence, events):
        late = [event for event in events if event.received and not event.counts
                and event.received - event.time > sentence.arriving * 1e6]
        return Verdict(sentence, "late", "late", late) if late and self.latency else Verdict(sentence)

    def covers(self, sentence):
        """No event of one disk may cover a line of the other, which its SCSI address tells."""
        hctl, name = self.marks.expand(f"{sentence.covers}.hctl"), self.marks.expand(f"{sentence.covers}.name")
        own = self.marks.expand(sentence.select.subject)
        found = [event for event in self.events
                 if own in event.wwids() and lines_of(event, hctl, name)]
        return Verdict(sentence, "wrong", "it does", found) if found else Verdict(sentence)

    def check(self, sentence):
        if sentence.verb == "count":
            return self.count(sentence)
        if sentence.verb == "covers":
            return self.covers(sentence)
        found = self.select(sentence.select)
        if sentence.verb == "no-other":
            wrong = [event for event in found if event.id not in self.claimed]
        elif sentence.verb == "follows":
            wrong = [event for event in found if not self.follows(event, sentence.follows)]
        elif sentence.verb == "arrives":
            return self.arrive(sentence, [event for event in found if event.id not in self.own_limit])
        return Verdict(sentence, "wrong", "not so", wrong) if wrong else Verdict(sentence)

    def has(self, sentence):
        """Every event of the selection has those values."""
        conditions, sentence.select.conditions = sentence.select.conditions, []
        found = self.select(sentence.select)
        sentence.select.conditions = conditions
        wanted = [(name, self.marks.expand(value)) for name, value in conditions]
        wrong = [event for event in found if not all(event.has(*condition) for condition in wanted)]
        return Verdict(sentence, "wrong", "not so", wrong) if wrong else Verdict(sentence)

    def judge(self, sentences):
        """A verdict for each sentence, in the order of the file. What expects events is checked first."""
        order = {"count": 0, "covers": 1, "has": 1, "follows": 1, "arrives": 2, "no-other": 2}
        verdicts = {}
        for sentence in sorted(sentences, key=lambda sentence: order[sentence.verb]):
            try:
                verdicts[id(sentence)] = self.has(sentence) if sentence.verb == "has" else self.check(sentence)
            except Unknown as error:
                problem = "missing" if sentence.least else "wrong"
                verdicts[id(sentence)] = Verdict(sentence, problem, str(error))
        return [verdicts[id(sentence)] for sentence in sentences]


def load_expectations(path):
    """The sentences of a file and, before them, those of common.expect beside this program."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "common.expect"), encoding="utf-8") as file:
        common = parse(file.read())
    with open(path, encoding="utf-8") as file:
        text = file.read()
    own = parse(text)
    # A scenario that says itself when alarms arrive replaces the common sentence.
    verbs = {sentence.text for sentence in own if sentence.verb == "arrives"}
    return own + [sentence for sentence in common if not (verbs and sentence.verb == "arrives")]


def judge_files(marks_path, expect_path, event_paths, latency=True):
    """Verdicts, events and marks."""
    with open(marks_path, encoding="utf-8") as file:
        marks = Marks(json.load(file))
    lines = []
    for path in event_paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines += file.readlines()
    # A count of repeats from before the scenario may be received during it.
    events = [event for event in load_events(lines) if event.time >= marks.start() - CLOCK_SLACK]
    return Judge(events, marks, latency).judge(load_expectations(expect_path)), events, marks


def explain(verdict, marks):
    """What a person reads of a sentence that does not hold."""
    lines = [f"{verdict.problem}: line {verdict.sentence.line}: {verdict.sentence.text} ({verdict.why})"]
    return "\n".join(lines + [f"    {event.describe(marks)}" for event in verdict.events[:12]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-latency", action="store_true")
    parser.add_argument("--json", action="store_true", help="print an object a sentence that does not hold")
    parser.add_argument("marks")
    parser.add_argument("expect")
    parser.add_argument("events", nargs="+")
    options = parser.parse_args()
    try:
        verdicts, _, marks = judge_files(options.marks, options.expect, options.events, not options.no_latency)
    except (BadSentence, OSError, ValueError) as error:
        sys.exit(f"judge: {options.expect}: {error}")
    failed = [verdict for verdict in verdicts if verdict.problem]
    for verdict in failed:
        print(json.dumps({"problem": verdict.problem, "line": verdict.sentence.line, "sentence": verdict.sentence.text,
                          "events": [event.id for event in verdict.events]}) if options.json
              else explain(verdict, marks))
    print(f"{len(verdicts) - len(failed)} of {len(verdicts)} sentences hold", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
