"""Takes a scenario's results from the directory that the guest wrote to, in the form that the judge reads."""

import json
import os
import shutil
import subprocess

KEPT = ("journal.export.zst", "uevents.txt", "tree.txt", "status.txt", "cleanup.txt", "stats.jsonl")


def read_lines(path):
    """Objects of a file of JSON lines; a last line that a crash cut off is left out."""
    found = []
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
    except OSError:
        pass
    return found


def marks_of(lines):
    """marks.json from the guest's marks.jsonl."""
    marks, variables = [], {}
    for line in lines:
        if "var" in line:
            variables[line["var"]] = line["text"]
        else:
            kind = "fault" if "fault" in line else "mark"
            marks.append({"name": line[kind], "fault": kind == "fault", "text": line["text"],
                          "monotonic": line["monotonic"], "realtime": line["realtime"], "phase": line["phase"]})
    return {"marks": marks, "variables": variables}


def merge_events(received, stored):
    """Events as received, and those that are only stored, since nobody monitored then."""
    events = [line for line in received if "event" in line]
    known = {line["event"]["event_id"] for line in events}
    return events + [{"event": event} for event in stored if event.get("event_id") not in known]


def count_lines(path):
    """How many entries of the journal are neither the daemon's nor the lab's."""
    if not os.path.exists(path):
        return 0
    text = subprocess.run(["zstd", "-dcq", path], check=False, capture_output=True).stdout
    entries = [entry for entry in text.split(b"\n\n") if entry.strip()]
    own = (b"SYSLOG_IDENTIFIER=peripetyd\n", b"SYSLOG_IDENTIFIER=lab-scenario\n")
    return sum(1 for entry in entries if not any(name in entry + b"\n" for name in own))


def usage(stats):
    """CPU in percent and memory of the daemon over the scenario."""
    begin = next((line for line in stats if line["when"] == "begin"), None)
    end = stats[-1] if stats else None
    if not begin or end is begin:
        return {}
    passed = (end["uptime_us"] - begin["uptime_us"]) * 1000
    found = {"rss_mb": end["rss_kb"] / 1024, "restarts": end["restarts"] - begin["restarts"]}
    if passed > 0 and end["cpu_ns"] >= begin["cpu_ns"]:
        found["cpu_percent"] = 100 * (end["cpu_ns"] - begin["cpu_ns"]) / passed
    return found


def collect(share, out, expect):
    shutil.copy(expect, f"{out}/expect")
    for name in KEPT:
        if os.path.exists(f"{share}/{name}"):
            shutil.copy(f"{share}/{name}", f"{out}/{name}")
    if os.path.isdir(f"{share}/trees"):
        shutil.copytree(f"{share}/trees", f"{out}/trees", dirs_exist_ok=True)
    with open(f"{out}/marks.json", "w", encoding="utf-8") as file:
        json.dump(marks_of(read_lines(f"{share}/marks.jsonl")), file, indent=1)
    events = merge_events(read_lines(f"{share}/events.jsonl"), read_lines(f"{share}/query.jsonl"))
    with open(f"{out}/events.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    about = dict(usage(read_lines(f"{share}/stats.jsonl")), lines=count_lines(f"{share}/journal.export.zst"))
    with open(f"{out}/about.json", "w", encoding="utf-8") as file:
        json.dump(about, file)
