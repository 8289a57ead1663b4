#!/usr/bin/env python3
"""Tests of the judge of `make torture`: python3 tests/torture/test_judge.py"""

import itertools
import os
import sys
import tempfile
import unittest
from types import SimpleNamespace

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import collect  # noqa: E402
from journals import BadCursor, fnv, marks, parts  # noqa: E402
from judge import NEVER, Copy, Damage, Event, Interval, Line, Unstored, event_id, judge  # noqa: E402
from keeper import Keeper, Kept, Snapshot  # noqa: E402
from trouble import WEIGHTS, plan  # noqa: E402
from writers import TAG, device_of  # noqa: E402


def line(number, device="sda", file="f"):
    return Line(f"key{number}", f"boot:{number}:text", device, 1000 + number, file)


def event(sequence, *numbers, copies=((2000, NEVER),), **fields):
    """An event as it should be, which covers these lines."""
    given = {"run": "r", "sequence": sequence, "event_id": event_id(f"boot:{numbers[0]}:text"), "kind": "WEAR", "device": "sda",
             "entries": len(numbers), "first": f"key{numbers[0]}", "covers": {f"key{number}" for number in numbers},
             "copies": [Copy(*copy) for copy in copies]}
    return Event(**{**given, **fields})


def sums(lines, events, gaps=()):
    verdict = judge(lines, events, list(gaps))
    return {"covered": verdict.covered, "gaps": sum(verdict.in_gaps.values()), "lost": len(verdict.lost),
            "twice": len(verdict.twice), "wrong": len(verdict.wrong), "again": verdict.again}


def only(**expected):
    return {"covered": 0, "gaps": 0, "lost": 0, "twice": 0, "wrong": 0, "again": 0, **expected}


class EveryLine(unittest.TestCase):
    def test_covered_once(self):
        verdict = judge([line(1), line(2)], [event(1, 1), event(2, 2)], [])
        self.assertTrue(verdict.holds())
        self.assertEqual((verdict.lines, verdict.covered), (2, 2))

    def test_counted_by_a_burst(self):
        self.assertEqual(sums([line(1), line(2), line(3)], [event(1, 1), event(2, 2, 3)]), only(covered=3))

    def test_lost(self):
        verdict = judge([line(1), line(2)], [event(1, 1)], [])
        self.assertFalse(verdict.holds())
        self.assertEqual(verdict.lost, [line(2)])

    def test_events_of_other_lines_do_not_count(self):
        self.assertEqual(sums([line(1)], [event(1, 1), event(2, 7, event_id="x")]), only(covered=1))


class Twice(unittest.TestCase):
    def test_by_two_events(self):
        self.assertEqual(sums([line(1)], [event(1, 1), event(2, 1)]), only(covered=1, twice=1))

    def test_by_two_copies_of_an_event(self):
        copies = (2000, NEVER), (3000, NEVER)
        self.assertEqual(sums([line(1)], [event(1, 1, copies=copies)]), only(covered=1, twice=1))

    def test_a_line_of_a_burst(self):
        self.assertEqual(sums([line(1), line(2)], [event(1, 1, 2), event(2, 2)]), only(covered=2, twice=1))

    def test_again_when_no_copy_could_be_read(self):
        first = event(1, 1, copies=((2000, 2500),))
        self.assertEqual(sums([line(1)], [first, event(2, 1, copies=((2600, NEVER),))]), only(covered=1, again=1))
        self.assertEqual(sums([line(1)], [first, event(2, 1, copies=((2400, NEVER),))]), only(covered=1, twice=1))

    def test_again_while_an_earlier_copy_remains(self):
        copies = (2000, NEVER), (2100, 2200), (2300, NEVER)
        self.assertEqual(sums([line(1)], [event(1, 1, copies=copies)]), only(covered=1, twice=1))


    def test_an_entry_that_a_flipped_bit_made_another_one(self):
        altered = Line("key1", "boot:1:text", "sda", 1001, "f", renumbered=2500)
        events = [event(1, 1, copies=((2000, NEVER),)), event(2, 1, copies=((2600, NEVER),))]
        self.assertEqual(sums([altered], events), only(covered=1, again=1))
        events = [event(1, 1, copies=((2000, NEVER),)), event(2, 1, copies=((2400, NEVER),))]
        self.assertEqual(sums([altered], events), only(covered=1, twice=1))
        events = [event(number, 1, copies=((2600 + number, NEVER),)) for number in (1, 2)]
        self.assertEqual(sums([altered], events), only(covered=1, twice=1))


class Wrong(unittest.TestCase):
    def test_name(self):
        self.assertEqual(sums([line(1)], [event(1, 1, event_id=event_id("boot:2:text"))]), only(covered=1, wrong=1))

    def test_number_of_equal_lines(self):
        duplicates = [Line(f"key{number}", "boot:1:text", "sda", number) for number in (1, 2)]
        named = [event(1, 1, event_id=event_id("boot:1:text")), event(2, 2, event_id=event_id("boot:1:text", 1))]
        self.assertEqual(sums(duplicates, named), only(covered=2))
        self.assertEqual(sums([line(1)], [event(1, 1, event_id=event_id("boot:1:text", 1))]), only(covered=1, wrong=1))

    def test_device(self):
        self.assertEqual(sums([line(1)], [event(1, 1, device="sdb")]), only(covered=1, wrong=1))
        self.assertEqual(sums([line(1), line(2, device="sdb")], [event(1, 1, 2)]), only(covered=2, wrong=1))

    def test_count(self):
        self.assertEqual(sums([line(1), line(2)], [event(1, 1, 2, entries=3)]), only(covered=2, wrong=1))


class Gaps(unittest.TestCase):
    def test_interval(self):
        gap = Interval("removed unread", 1002, 1003)
        lines = [line(number) for number in (1, 2, 3, 4)]
        verdict = judge(lines, [], [gap])
        self.assertEqual((verdict.lost, dict(verdict.in_gaps)), ([line(1), line(4)], {"removed unread": 2}))

    def test_interval_of_another_journal(self):
        self.assertEqual(sums([line(1)], [], [Interval("deaf", 0, 9999, "other")]), only(lost=1))

    def test_event_that_journald_did_not_keep(self):
        self.assertEqual(sums([line(1), line(2)], [], [Unstored(event_id(line(1).name))]), only(gaps=1, lost=1))

    def test_damaged_file(self):
        lines = [line(1), line(2), line(3, file="other")]
        self.assertEqual(sums(lines, [], [Damage("f", NEVER)]), only(gaps=2, lost=1))

    def test_more_than_the_damage_reported(self):
        self.assertEqual(sums([line(1), line(2), line(3)], [], [Damage("f", 2)]), only(gaps=2, lost=1))

    def test_lines_in_a_gap_that_could_have_been_read(self):
        whole = Line("key1", "boot:1:text", "sda", 1001, "f", whole=True)
        self.assertEqual(judge([whole, line(2)], [], [Interval("removed unread", 0, 9999)]).readable, 1)

    def test_a_covered_line_in_a_gap_is_covered(self):
        self.assertEqual(sums([line(1)], [event(1, 1)], [Interval("deaf", 0, 9999)]), only(covered=1))
        self.assertEqual(sums([line(1)], [event(1, 1), event(2, 1)], [Interval("deaf", 0, 9999)]), only(covered=1, twice=1))


class Files(unittest.TestCase):
    CURSOR = "s=aa;i=1f;b=bb;m=10;t=3e8;x=cc"

    def test_cursor(self):
        self.assertEqual(parts(self.CURSOR), (31, "bb;10;3e8;cc", 1000))
        for rubbish in ("", None, "s=1", f"{self.CURSOR};y=1"):
            with self.assertRaises(BadCursor):
                parts(rubbish)

    def test_marks(self):
        stored = [*fnv("a").to_bytes(8, "little"), *bytes(16), *fnv("b").to_bytes(8, "little"), *bytes(16), 1]
        self.assertEqual(marks(stored), [fnv("a"), fnv("b")])
        self.assertEqual(marks(None), [])
        self.assertEqual(fnv(""), 0xcbf29ce484222325)

    def test_until_when_an_entry_can_be_read(self):
        kept = Kept("1", None, last_seen=500)
        self.assertEqual(kept.readable_until(100), NEVER)
        kept.gone = True
        self.assertEqual(kept.readable_until(100), 500)
        kept.snapshots.append(Snapshot("", 300, 7))
        self.assertEqual([kept.readable_until(100), kept.readable_until(400)], [300, 400])

    def test_removed_and_renamed_files_are_kept(self):
        with tempfile.TemporaryDirectory() as directory:
            root = os.path.join(directory, "root")
            os.makedirs(os.path.join(root, "machine"))
            first, second = (os.path.join(root, "machine", name) for name in ("a@1.journal", "b.journal"))
            for path in (first, second):
                with open(path, "w", encoding="ascii") as file:
                    file.write("before")
            keeper = Keeper([root], [], os.path.join(directory, "kept"))
            keeper.look()
            self.assertTrue(keeper.snapshot(second))
            with open(second, "r+", encoding="ascii") as file:
                file.write("behind")
            os.rename(second, f"{second}~")
            keeper.look()
            with open(first, "rb") as opened:
                os.unlink(first)
                keeper.look()
                self.assertEqual((opened.read(), os.fstat(opened.fileno()).st_nlink), (bytes(6), 0), "as vacuumed")
            keeper.start()
            kept = {min(file.paths): file for file in keeper.finish()}
            self.assertEqual((kept[first].gone, kept[second].gone), (True, False))
            self.assertEqual(kept[second].paths, {second, f"{second}~"})
            texts = [kept[first].copy, kept[second].copy, kept[second].snapshots[0].path]
            self.assertEqual([content(path) for path in texts], ["before", "behind", "before"])

    def test_of_a_damaged_file_the_copies_count(self):
        entries = {"copy": [(1, 10), (2, 20)], "now": [(1, 10), (2, 19), (3, 30), (4, 24)]}
        kept = SimpleNamespace(snapshots=[Snapshot("copy", 25, 2)], copy="now")
        found = collect.of_file
        collect.of_file = lambda path, *_: [{"number": number, "received": received, "from": path} for number, received in entries[path]]
        try:
            read = [(entry["number"], entry["from"]) for entry in collect.contents(kept, ())]
        finally:
            collect.of_file = found
        self.assertEqual(read, [(1, "copy"), (2, "copy"), (3, "now")])


class Stored(unittest.TestCase):
    def test_reports_are_gaps(self):
        damaged = Kept("f", None, paths={"/j/a.journal"}, snapshots=[Snapshot("", 50, 1)])
        whole = Kept("g", None, paths={"/j/a.journal"})
        stored = collect.Stored.__new__(collect.Stored)
        stored.files, stored.intervals, stored.damaged = [damaged, whole], [], {}
        for message in ("Journal entries between 1 and 2 (microseconds since the epoch) may have been removed unread",
                        "Journal not read from 3 until 4 (microseconds since the epoch): its files are gone, restart systemd-journald",
                        "Journal file /j/a.journal is damaged: 5 of its 9 entries cannot be read",
                        "Journal file /j/a.journal is damaged: at least 2 of its 9 entries cannot be read",
                        "Journal file /j/b.journal is damaged: none of its entries can be read", "something else"):
            stored.report({"msg": message, "hostname": "vm"}, 100)
        stored.report({"msg": "Journal file /j/a.journal is damaged: none of its entries can be read", "hostname": "vm"}, 40)
        stored.report({"msg": "Journal entries between 5 and 6 (microseconds since the epoch) may have been removed unread",
                       "hostname": "other"}, 100)
        intervals = [Interval("removed unread", 1, 2, "local"), Interval("deaf", 3, 4, "local"), Interval("removed unread", 5, 6, "other")]
        self.assertEqual(stored.gaps(["id"]), [*intervals, Damage("f", 5), Unstored("id")])


class Streams(unittest.TestCase):
    def test_devices(self):
        for text, device in (("wearctl: path 8:17 is worn", "8:17"), ("wearctl: disk sdzq is hot, reading 3", "sdzq"),
                             ("sd 0:0:0:3: [sdd] tag#9 Sense Key : Medium Error [current] ", "sdd"),
                             (f"EXT4-fs error (device loop3): trigger_test_error:129: comm python3: {TAG} line 8", "loop3"),
                             ("EXT4-fs error (device loop3): trigger_test_error:129: comm x: torture-0 line 8", None), ("noise 1", None)):
            self.assertEqual(device_of(text), device, text)

    def test_a_seed_is_an_order(self):
        def steps(seed):
            return [(name, chance.random()) for name, chance in itertools.islice(plan(seed), 500)]
        self.assertEqual(steps(1), steps(1))
        self.assertNotEqual(steps(1), steps(2))
        self.assertEqual({name for name, _ in steps(1)}, set(WEIGHTS), "each comes")


def content(path):
    with open(path, encoding="ascii") as file:
        return file.read()


if __name__ == "__main__":
    done = unittest.main(exit=False).result
    bad = len(done.failures) + len(done.errors)
    # In the words of cargo, which scripts/check.sh adds up.
    print(f"test result: {'FAILED' if bad else 'ok'}. {done.testsRun - bad} passed; {bad} failed; 0 ignored")
    sys.exit(1 if bad else 0)
