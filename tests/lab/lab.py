#!/usr/bin/env python3
"""Runs scenarios in the lab's VM, judges them and writes the report. scripts/lab.sh prepares the image and calls this.

usage: lab.py [--round short|full] [--record] [--out FOLDER] [--keep] [SCENARIO...]

A scenario is scenarios/NAME.sh with its expectations NAME.expect. Lines "#@ KEY VALUE" in the script say: `round short`
(it belongs to the short round), `seconds N` (how long it may take), `profile NAME` (of boot.sh), `phases N` (it reboots
the guest between them). The exit status is 1 when a scenario failed.
"""

import argparse
import glob
import json
import os
import re
import shutil
import sys
import time

import report
from collect import collect
from judge import explain, judge_files
from labctl import TIMED_OUT, Stuck
from sentences import BadSentence
from vm import HERE, NoDaemon, Vm

SCENARIOS = os.path.join(HERE, "scenarios")
TESTS = os.path.dirname(HERE)
REBOOT_SECONDS = 240


def settings(name):
    """The settings in the script's own comments."""
    found = {"round": "full", "seconds": "180", "profile": "base", "phases": "1"}
    with open(script_of(name), encoding="utf-8") as file:
        found.update(re.findall(r"^#@ (\w+) (\S+)$", file.read(), re.M))
    return found


def chosen(options):
    """Names of the scenarios to run, in their order: those of one profile stand together."""
    names = options.scenario or sorted(os.path.basename(path)[:-7] for path in glob.glob(f"{SCENARIOS}/*.expect"))
    for name in names:
        if not os.path.exists(f"{SCENARIOS}/{name}.expect"):
            sys.exit(f"lab: there is no scenario {name}: {SCENARIOS}/{name}.expect does not exist")
    if not options.scenario and options.round == "short":
        names = [name for name in names if settings(name)["round"] == "short"]
    return sorted(names, key=lambda name: (settings(name)["profile"] != "base", settings(name)["phases"] != "1", name))


def script_of(name):
    """The script of a scenario: its own, or a trigger script of tests/ that people run by hand, too."""
    own = f"{SCENARIOS}/{name}.sh"
    return own if os.path.exists(own) else f"{TESTS}/{name}.sh"


def prepare(vm, name):
    """Puts the scripts and an empty directory for the results where the guest sees them, as they lie in tests/."""
    target = f"{vm.share}/tests"
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(f"{target}/lab")
    for directory in ("guest", "scenarios"):
        shutil.copytree(f"{HERE}/{directory}", f"{target}/lab/{directory}")
    for path in glob.glob(f"{TESTS}/*.sh"):
        shutil.copy(path, target)
    shutil.copy(f"{HERE}/record-tree.py", f"{target}/lab/guest/record_tree.py")
    out = f"{vm.share}/out/{name}"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    return out


def run_phases(vm, name, about, log):
    """Runs the script, phase by phase. What went wrong, or an empty string."""
    seconds = float(about["seconds"])
    script = f"/lab/tests/{os.path.relpath(script_of(name), TESTS)}"
    for phase in range(1, int(about["phases"]) + 1):
        if phase > 1:
            vm.wait_reboot(REBOOT_SECONDS)
        environment = f"LAB=1 LAB_RECORD={'1' if vm.record else ''} LAB_PHASE={phase}"
        status, output = vm.run(seconds, f"{environment} bash {script} --yes")
        log.write(output)
        if status == TIMED_OUT:
            return f"phase {phase} was killed after {seconds:.0f} s"
        if status:
            return f"phase {phase} ended with status {status}"
    return ""


def run_scenario(vm, name, out_root):
    """Runs and judges one scenario. A result for the report."""
    about, started = settings(name), time.time()
    result = report.Result(name)
    out = os.path.join(out_root, name)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    try:
        if vm.profile != about["profile"] or not vm.is_clean():
            vm.start(about["profile"])
        started = time.time()
        share = prepare(vm, name)
        with open(f"{out}/run.log", "w", encoding="utf-8") as log:
            result.failure = run_phases(vm, name, about, log)
        if result.failure:
            vm.profile = None
        collect(share, out, f"{SCENARIOS}/{name}.expect")
    except (Stuck, OSError) as error:
        result.failure = str(error)
        vm.profile = None
    result.seconds = time.time() - started
    judge(result, out)
    return result


def store_failure(status):
    """What is wrong with the store by `prpt status`: events that were only sent are lost with the next restart."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    value = {name: text.strip() for name, text in fields.items()}
    if value.get("Saves to journald") != "yes":
        return "the daemon does not store its events"
    if value.get("Events not stored") != "0":
        return f"{value.get('Events not stored')} events were not stored"
    return ""


def judge(result, out):
    """Fills the result with what the judge says."""
    try:
        result.verdicts, result.events, result.marks = judge_files(f"{out}/marks.json", f"{out}/expect",
                                                                   [f"{out}/events.jsonl"])
        with open(f"{out}/about.json", encoding="utf-8") as file:
            result.about = json.load(file)
        with open(f"{out}/status.txt", encoding="utf-8", errors="replace") as file:
            result.failure = result.failure or store_failure(file.read())
    except (BadSentence, OSError, ValueError, KeyError) as error:
        result.failure = result.failure or f"it cannot be judged: {error}"
        return
    with open(f"{out}/verdicts.txt", "w", encoding="utf-8") as file:
        for verdict in result.verdicts:
            if verdict.problem:
                print(explain(verdict, result.marks), file=file)


def guest_versions(vm):
    command = ("uname -r; dpkg-query -W -f '${Package} ${Version}\\n' systemd multipath-tools lvm2 mdadm open-iscsi "
               "nvme-cli e2fsprogs xfsprogs btrfs-progs nfs-kernel-server")
    try:
        return vm.run(60, command)[1].splitlines()
    except Stuck:
        return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--round", choices=["short", "full"], default="full")
    parser.add_argument("--record", action="store_true", help="record uevents and device trees, too")
    parser.add_argument("--keep", action="store_true", help="leave the VM running")
    parser.add_argument("--judge-only", action="store_true", help="judge what an earlier round left")
    parser.add_argument("--out", default="target/lab")
    parser.add_argument("scenario", nargs="*")
    options = parser.parse_args()
    names = chosen(options)
    lab, started = os.environ.get("LAB", "/var/tmp/peripety-lab"), time.time()
    os.makedirs(options.out, exist_ok=True)
    vm = Vm(lab, os.environ.get("VM", "vm0"), options.record)
    results, versions = [], []
    try:
        for name in names:
            print(f"==> {name}", flush=True)
            result = judge_again(name, options.out) if options.judge_only else run_scenario(vm, name, options.out)
            results.append(result)
            if not versions and vm.agent:
                versions = guest_versions(vm)
            report.write(f"{options.out}/report.md", results, versions, time.time() - started, vm.accelerator())
            print(report.one_line(result), flush=True)
    except NoDaemon as error:
        sys.exit(f"{error}\nlab: peripetyd does not start in the guest; its own words stand above.")
    finally:
        if not options.keep and not options.judge_only:
            vm.stop()
    failed = [result.name for result in results if result.failed()]
    print(f"{len(results) - len(failed)} of {len(results)} scenarios passed in {(time.time() - started) / 60:.1f} min; "
          f"the report is {options.out}/report.md" + (f"; failed: {' '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def judge_again(name, out_root):
    """Judges an earlier run by the expectations as they are now."""
    result, out = report.Result(name), os.path.join(out_root, name)
    shutil.copy(f"{SCENARIOS}/{name}.expect", f"{out}/expect")
    judge(result, out)
    return result


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
