"""The report of a round: a row a scenario, and what failed."""

import statistics
import time
from dataclasses import dataclass, field

from judge import explain

HEAD = ("| scenario | result | faults made | lines logged | events expected | seen | missing | wrong | late "
        "| alarms a fault | latency p50 / max, s | daemon CPU, % | memory, MB | seconds |")


@dataclass
class Result:
    """The result of one scenario. `failure` is the reason if it could not be run or judged."""
    name: str
    failure: str = ""
    seconds: float = 0.0
    verdicts: list = field(default_factory=list)
    events: list = field(default_factory=list)
    marks: object = None
    about: dict = field(default_factory=dict)

    def failed(self):
        return bool(self.failure) or not self.verdicts or any(verdict.problem for verdict in self.verdicts)

    def count(self, problem):
        return sum(1 for verdict in self.verdicts if verdict.problem == problem)

    def expected(self):
        return [verdict for verdict in self.verdicts if verdict.sentence.least > 0]

    def latencies(self):
        return [(event.received - event.time) / 1e6 for event in self.events if event.received and not event.counts]

    def alarms(self):
        return sum(1 for event in self.events if event.is_kind("new or worse alarm"))


def latency_text(result):
    found = result.latencies()
    return f"{statistics.median(found):.2f} / {max(found):.2f}" if found else "–"


def row(result):
    faults = result.marks.faults() if result.marks else 0
    seen = sum(1 for verdict in result.expected() if verdict.problem != "missing")
    a_fault = f"{result.alarms() / faults:.1f}" if faults else "–"
    about = result.about
    cells = [result.name, "**failed**" if result.failed() else "passed", faults, about.get("lines", "–"),
             len(result.expected()), seen, result.count("missing"), result.count("wrong"), result.count("late"), a_fault,
             latency_text(result), f"{about['cpu_percent']:.1f}" if "cpu_percent" in about else "–",
             f"{about['rss_mb']:.0f}" if "rss_mb" in about else "–", f"{result.seconds:.0f}"]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def one_line(result):
    if not result.failed():
        return f"    passed, {result.seconds:.0f} s, latency {latency_text(result)}"
    lines = [f"    FAILED, {result.seconds:.0f} s {result.failure}"]
    lines += ["    " + explain(verdict, result.marks).replace("\n", "\n    ") for verdict in result.verdicts if verdict.problem]
    return "\n".join(lines)


def write(path, results, versions, seconds, accelerator):
    """Writes the report as Markdown."""
    failed = [result for result in results if result.failed()]
    lines = ["# Report of the lab", "",
             f"{time.strftime('%Y-%m-%d %H:%M')}, {len(results)} scenarios in {seconds / 60:.1f} min, "
             f"{len(failed)} failed. Emulation: {accelerator or 'unknown'}.", ""]
    if versions:
        lines += [f"Guest: kernel {versions[0]}; " + ", ".join(versions[1:]) + ".", ""]
    lines += [HEAD, "| --- " * HEAD.count(" | ") + "| --- |"] + [row(result) for result in results] + [""]
    lines += ["An alarm is an event of Warning or worse that follows from no other, or that says that it is worse. "
              "Latency is from the time stamp of the line to its receipt by `prpt monitor`.", ""]
    for result in failed:
        lines += [f"## {result.name}", ""]
        lines += [result.failure, ""] if result.failure else []
        for verdict in result.verdicts:
            if verdict.problem:
                lines += ["```", explain(verdict, result.marks), "```", ""]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")
