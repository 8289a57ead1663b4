"""The sentences that describe the expectations of a scenario: see README.md, "Expectations"."""

import re
from dataclasses import dataclass, field

SEVERITIES = "Emergency Alert Critical Error Warning Notice Info Debug".split()


class BadSentence(Exception):
    """A line that is not a sentence of the language."""


@dataclass
class Selection:
    """The events that a sentence refers to. `None` and empty mean any."""
    kind: str = "event"              # event, alarm, worse alarm, new or worse alarm
    severity: str = None             # this severity or worse
    types: list = field(default_factory=list)
    subject: str = None              # a mount point, $variable, device name
    start: str = None                # name of the mark from which on
    seconds: float = None            # how long after `start`
    end: str = None                  # name of the mark until which
    conditions: list = field(default_factory=list)   # pairs of field and value
    without_device: bool = False


@dataclass
class Sentence:
    """One expectation. `verb`: count, no-other, follows, arrives, covers, has."""
    line: int
    text: str
    verb: str
    select: Selection
    label: str = None
    least: int = 0
    most: int = None
    follows: str = None
    arriving: float = None
    covers: str = None


KIND = r"(?P<kind>new or worse alarm|worse alarm|alarm|event)s?(?: of (?P<severity>[A-Z][a-z]+) or worse)?"
TYPES = r"(?: (?P<types>[A-Z][A-Z0-9_]+(?: or [A-Z][A-Z0-9_]+)*))?"
SUBJECT = r"(?: for (?P<subject>[^\s,]+))?"
MARK = r"[a-z0-9][a-z0-9-]*"
TIME = (rf"(?: within (?P<seconds>[\d.]+) s of (?P<of>{MARK})| after (?P<after>{MARK})| before (?P<before>{MARK})"
        rf"| between (?P<from>{MARK}) and (?P<to>{MARK}))?")
CONDITIONS = r"(?:,? with (?P<conditions>\S+ \S+(?: and \S+ \S+)*?))?"
SELECT = KIND + TYPES + SUBJECT + r"(?P<nodev> without a device)?" + TIME + CONDITIONS
FOLLOWS = rf"(?:,? follow(?:s|ing) (?P<follows>{MARK}))"
ARRIVING = r"(?:,? arriving within (?P<arriving>[\d.]+) s)"
NUMBER = r"(?P<number>an?|one|exactly \d+|at least (?:one|\d+)|up to \d+|perhaps an?)"

FORMS = [
    ("covers", re.compile(rf"no event of (?P<subject>\$\S+) covers a line of (?P<covers>\$\S+)")),
    ("no-other", re.compile(rf"no other {SELECT}")),
    ("count", re.compile(rf"(?P<number>no) {SELECT}")),
    ("arrives", re.compile(rf"every {SELECT} arrives within (?P<arriving>[\d.]+) s")),
    ("follows", re.compile(rf"every {SELECT}{FOLLOWS}")),
    ("has", re.compile(rf"every {KIND}{TYPES}{SUBJECT}{TIME} has (?P<conditions>\S+ \S+(?: and \S+ \S+)*)")),
    ("count", re.compile(rf"{NUMBER} {SELECT}{FOLLOWS}?{ARRIVING}?")),
]


def parse_number(word):
    """Least and most."""
    if word == "no":
        return 0, 0
    if word.startswith("perhaps"):
        return 0, 1
    if word in ("a", "an", "one"):
        return 1, 1
    number = word.split()[-1]
    number = 1 if number == "one" else int(number)
    if word.startswith("exactly"):
        return number, number
    return (number, None) if word.startswith("at least") else (0, number)


def parse_selection(found):
    if found.get("severity") and found["severity"] not in SEVERITIES:
        raise BadSentence(f"no severity {found['severity']}")
    conditions = [tuple(part.split(" ", 1)) for part in (found.get("conditions") or "").split(" and ") if part]
    return Selection(
        kind=found.get("kind") or "event",
        severity=found.get("severity"),
        types=(found.get("types") or "").split(" or ") if found.get("types") else [],
        subject=found.get("subject"),
        start=found.get("of") or found.get("after") or found.get("from"),
        seconds=float(found["seconds"]) if found.get("seconds") else None,
        end=found.get("to") or found.get("before"),
        conditions=conditions,
        without_device=bool(found.get("nodev")),
    )


def parse_sentence(line, text):
    label = None
    body = text.rstrip(".")
    named = re.fullmatch(rf"({MARK}): (.*)", body)
    if named:
        label, body = named.groups()
    for verb, form in FORMS:
        match = form.fullmatch(body)
        if not match:
            continue
        found = match.groupdict()
        try:
            select = parse_selection(found)
        except BadSentence as error:
            raise BadSentence(f"line {line}: {error}: {text}") from None
        least, most = parse_number(found["number"]) if found.get("number") else (0, None)
        return Sentence(line, text, verb, select, label, least, most, found.get("follows"),
                        float(found["arriving"]) if found.get("arriving") else None, found.get("covers"))
    raise BadSentence(f"line {line}: this is no sentence of the expectations' language: {text}")


def parse(text):
    """The sentences of a file. A line that begins with spaces continues the previous line; # begins a comment."""
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if not line:
            continue
        if line[0].isspace() and lines:
            lines[-1][1] += " " + line.strip()
        else:
            lines.append([number, line.strip()])
    sentences = [parse_sentence(*line) for line in lines]
    check_labels(sentences)
    return sentences


def check_labels(sentences):
    labels = {sentence.label for sentence in sentences}
    for sentence in sentences:
        if sentence.follows and sentence.follows not in labels:
            raise BadSentence(f"line {sentence.line}: no sentence is called {sentence.follows}: {sentence.text}")
