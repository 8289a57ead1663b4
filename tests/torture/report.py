"""What a person, and another program, read of a run."""

import json
import platform
import subprocess


def versions(program):
    """What ran, on what."""
    def first_line(*command):
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout.split("\n", 1)[0]
    return {"peripetyd": first_line(program, "--version"), "systemd": first_line("journalctl", "--version"),
            "kernel": f"Linux {platform.release()}", "processors": str(len_processors())}


def len_processors():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        return sum(line.startswith("processor") for line in file)


def events_of(verdict):
    """Those that are no more than they should be, for the details."""
    def event(event):
        return {"run": event.run, "sequence": event.sequence, "event_id": event.event_id, "type": event.kind,
                "device": event.device, "entries": event.entries, "covers": len(event.covers),
                "copies": [(copy.stored, str(copy.readable_until)) for copy in event.copies]}
    return {"lost": [vars(line) for line in verdict.lost],
            "twice": [{**vars(line), "events": [event(one) for one in events]} for line, events in verdict.twice],
            "wrong": [{**event(one), "what": what} for one, what in verdict.wrong]}


def figures(verdict, facts):
    """The numbers of a run."""
    return {**facts, "lines": verdict.lines, "covered": verdict.covered, "in_gaps": dict(verdict.in_gaps), "readable": verdict.readable,
            "stored_again": verdict.again, "lost": len(verdict.lost), "twice": len(verdict.twice), "wrong": len(verdict.wrong)}


def sentences(numbers):
    """The report in plain words."""
    gaps = ", ".join(f"{count} {kind}" for kind, count in sorted(numbers["in_gaps"].items()))
    disturbances = ", ".join(f"{name} {count}" for name, count in sorted(numbers["disturbances"].items()) if count)
    yield f"seed {numbers['seed']}, {numbers['minutes']:g} minutes, {', '.join(numbers['versions'].values())} processors"
    yield f"{numbers['steps']} disturbances: {disturbances}"
    yield f"kills: {numbers['kills']} of peripetyd, {numbers['journald_kills']} of journald"
    yield (f"lines: {numbers['written']} written, {numbers['lines']} kept by journald; of those {numbers['covered']} covered, "
           f"{sum(numbers['in_gaps'].values())} in reported gaps ({gaps or 'none'}; {numbers['readable']} of them are in files that are whole)")
    yield f"events stored again after no copy could be read any more: {numbers['stored_again']} lines"
    yield from (f"finding: {finding}" for finding in numbers["findings"])
    yield f"lost {numbers['lost']}, twice {numbers['twice']}, wrong {numbers['wrong']}, findings {len(numbers['findings'])}"


def files_of(files):
    """What became of the kept files."""
    return {kept.name: {"paths": sorted(kept.paths), "gone": kept.gone, "last_seen": kept.last_seen,
                        "snapshots": [{**vars(snapshot), "renumbered": sorted(snapshot.renumbered)} for snapshot in kept.snapshots]} for kept in files}


def write(directory, numbers, verdict, files):
    for name, content in (("report.json", numbers), ("violations.json", events_of(verdict)), ("files.json", files_of(files))):
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
