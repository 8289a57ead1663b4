#!/usr/bin/env python3
"""Tests of the judge: python3 tests/lab/test_judge.py"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from collect import marks_of, merge_events, usage  # noqa: E402
from events import Event, Marks  # noqa: E402
from judge import Judge  # noqa: E402
from sentences import BadSentence, parse  # noqa: E402

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
MARKS = Marks({
    "marks": [{"name": "begin", "realtime": START}, {"name": "down", "fault": True, "realtime": START + 10 * SECOND},
              {"name": "up", "realtime": START + 20 * SECOND}],
    "variables": {"disk": "naa.1", "disk.hctl": "2:0:0:0", "disk.name": "sda", "disk.path": "/dev/sda",
                  "other": "naa.2", "other.hctl": "3:0:0:0", "other.name": "sda"},
})


def event(number, seconds, received=0.5, **fields):
    """An event that many seconds after the start, received so much later; like one of the daemon's."""
    data = {"event_id": f"id{number}", "severity": "Error", "timestamp": START + int(seconds * SECOND),
            "event_type": "BLK_IO_ERROR", "dev_wwid": "naa.1", "dev_path": "/dev/sda", "owners_wwids": [],
            "owners_paths": [], "kdev": "sda", "msg": "", "raw_msg": "", "extension": {}, "root_cause_event_id": None}
    data.update(fields)
    return Event(data, data["timestamp"] + int(received * SECOND) if received is not None else None)


def problems(text, events, latency=True):
    """The judge's finding for each sentence, an empty string if it holds."""
    return [verdict.problem for verdict in Judge(events, MARKS, latency).judge(parse(text))]


class Counts(unittest.TestCase):
    def test_alarm_in_its_time(self):
        self.assertEqual(problems("an alarm BLK_IO_ERROR for $disk within 2 s of down", [event(1, 11)]), [""])

    def test_missing(self):
        self.assertEqual(problems("an alarm BLK_IO_ERROR for $disk within 2 s of down", [event(1, 13)]), ["missing"])

    def test_before_the_mark(self):
        self.assertEqual(problems("an alarm for $disk after down", [event(1, 9)]), ["missing"])

    def test_two_are_wrong_where_one_is_expected(self):
        self.assertEqual(problems("an alarm for $disk after down", [event(1, 11), event(2, 12)]), ["wrong"])

    def test_at_least(self):
        events = [event(1, 11), event(2, 12)]
        self.assertEqual(problems("at least 2 alarms for $disk after down", events), [""])
        self.assertEqual(problems("at least 3 alarms for $disk after down", events), ["missing"])

    def test_a_follower_is_no_alarm_unless_it_is_worse(self):
        follower = event(2, 12, root_cause_event_id="id1")
        worse = event(3, 13, root_cause_event_id="id1", extension={"escalates": "true"})
        text = "an alarm for $disk after down\na worse alarm for $disk after down\nno other new or worse alarm"
        self.assertEqual(problems(text, [event(1, 11), follower, worse]), ["", "", ""])
        self.assertEqual(problems(text, [event(1, 11), follower]), ["", "missing", ""])

    def test_notices_are_no_alarms(self):
        self.assertEqual(problems("no alarm after down", [event(1, 11, severity="Notice")]), [""])
        self.assertEqual(problems("no alarm after down", [event(1, 11, severity="Warning")]), ["wrong"])

    def test_perhaps_takes_one(self):
        text = "perhaps an alarm for $disk after down\nno other alarm"
        self.assertEqual(problems(text, []), ["", ""])
        self.assertEqual(problems(text, [event(1, 11)]), ["", ""])
        self.assertEqual(problems(text, [event(1, 11), event(2, 12)]), ["", "wrong"])

    def test_other_disk(self):
        self.assertEqual(problems("an alarm for $other after down", [event(1, 11)]), ["missing"])

    def test_severity_or_worse(self):
        self.assertEqual(problems("no event of Error or worse after down", [event(1, 11, severity="Warning")]), [""])
        self.assertEqual(problems("no event of Error or worse after down", [event(1, 11, severity="Critical")]), ["wrong"])


class Fields(unittest.TestCase):
    def test_mount_points(self):
        both = event(1, 11, extension={"mount_points": "/a /mnt/b"})
        self.assertEqual(problems("an alarm for /mnt/b after down", [both]), [""])
        self.assertEqual(problems("an alarm for /mnt after down", [both]), ["missing"])

    def test_conditions(self):
        given = event(1, 11, owners_wwids=["naa.2"], extension={"port": "3260"})
        self.assertEqual(problems("an alarm after down with dev_path $disk.path and owner $other and port 3260", [given]), [""])
        self.assertEqual(problems("an alarm after down with dev_path $disk.path and port 3261", [given]), ["missing"])

    def test_every_has(self):
        events = [event(1, 11), event(2, 12, dev_path="/dev/sdb")]
        self.assertEqual(problems("every event after down has dev_path /dev/sda", events), ["wrong"])
        self.assertEqual(problems("every event between down and up has kdev sda", events), [""])

    def test_without_a_device(self):
        text = "no event of Warning or worse without a device"
        self.assertEqual(problems(text, [event(1, 11)]), [""])
        self.assertEqual(problems(text, [event(1, 11, dev_path=None, dev_wwid=None)]), ["wrong"])

    def test_unknown_mark_and_variable(self):
        self.assertEqual(problems("an alarm after nowhere", [event(1, 11)]), ["missing"])
        self.assertEqual(problems("no alarm for $nothing", [event(1, 11)]), ["wrong"])


class Relations(unittest.TestCase):
    def test_follows_through_others(self):
        events = [event(1, 11), event(2, 12, root_cause_event_id="id1"), event(3, 13, root_cause_event_id="id2")]
        text = "first: an alarm after down\nevery event of Warning or worse after down follows first"
        self.assertEqual(problems(text, events), ["", ""])

    def test_follows_another(self):
        events = [event(1, 5), event(2, 11), event(3, 12, root_cause_event_id="id1")]
        text = "first: an alarm after down\nevery event of Warning or worse after down follows first"
        self.assertEqual(problems(text, events), ["", "wrong"])

    def test_root_that_nobody_saw(self):
        events = [event(2, 12, root_cause_event_id="id1")]
        text = "first: an alarm after down\nevery event after down follows first"
        self.assertEqual(problems(text, events), ["missing", "wrong"])

    def test_line_of_a_disk_without_address(self):
        self.assertEqual(problems("no event of $other covers a line of $disk.path", [event(1, 11)]), ["wrong"])

    def test_line_of_another_disk(self):
        text = "no event of $disk covers a line of $other"
        own, other = "sd 2:0:0:0: [sda] Sense Key", "sd 3:0:0:0: [sda] Sense Key"
        self.assertEqual(problems(text, [event(1, 11, raw_msg=own)]), [""])
        self.assertEqual(problems(text, [event(1, 11, raw_msg=f"{own}\n{other}")]), ["wrong"])


class Latency(unittest.TestCase):
    def test_late(self):
        self.assertEqual(problems("every alarm arrives within 1 s", [event(1, 11, received=1.5)]), ["late"])
        self.assertEqual(problems("every alarm arrives within 1 s", [event(1, 11, received=0.9)]), [""])

    def test_a_replay_knows_no_latency(self):
        self.assertEqual(problems("every alarm arrives within 1 s", [event(1, 11, received=1.5)], latency=False), [""])

    def test_an_own_limit(self):
        text = "an alarm for $disk after down, arriving within 4 s\nevery alarm arrives within 1 s"
        self.assertEqual(problems(text, [event(1, 11, received=3)]), ["", ""])
        self.assertEqual(problems(text, [event(1, 11, received=5)]), ["late", ""])

    def test_counts_of_repeats_come_later_on_purpose(self):
        count = event(1, 11, received=60, extension={"first_time": "1"})
        self.assertEqual(problems("every alarm arrives within 1 s", [count]), [""])


class Language(unittest.TestCase):
    def test_nonsense(self):
        for text in ("an alarm BLK_IO_ERROR somewhere", "an alarm of Trouble or worse", "alarm for x"):
            with self.assertRaises(BadSentence):
                parse(text)

    def test_unknown_label(self):
        with self.assertRaises(BadSentence):
            parse("every event follows nobody")

    def test_continued_lines_and_comments(self):
        found = parse("# about\nan alarm for $disk   # why\n  within 2 s of down")
        self.assertEqual([(sentence.line, sentence.select.seconds) for sentence in found], [(2, 2.0)])

    def test_every_expectation_of_the_lab(self):
        directory = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")
        names = [name for name in os.listdir(directory) if name.endswith(".expect")]
        self.assertTrue(names)
        for name in names:
            with self.subTest(name), open(os.path.join(directory, name), encoding="utf-8") as file:
                self.assertTrue(parse(file.read()))
                script = name[:-len("expect")] + "sh"
                self.assertTrue(any(os.path.exists(os.path.join(directory, *up, script)) for up in ((), ("..", ".."))))


class Collecting(unittest.TestCase):
    def test_marks(self):
        lines = [{"mark": "begin", "text": "", "monotonic": 1, "realtime": 2, "phase": 1},
                 {"fault": "down", "text": "x", "monotonic": 3, "realtime": 4, "phase": 1},
                 {"var": "disk", "text": "naa.1", "monotonic": 3, "realtime": 4, "phase": 1}]
        found = marks_of(lines)
        self.assertEqual([(mark["name"], mark["fault"]) for mark in found["marks"]], [("begin", False), ("down", True)])
        self.assertEqual(found["variables"], {"disk": "naa.1"})

    def test_stored_events_join_those_received(self):
        merged = merge_events([{"ready": 1}, {"received": 5, "event": {"event_id": "a"}}], [{"event_id": "a"}, {"event_id": "b"}])
        self.assertEqual([line["event"]["event_id"] for line in merged], ["a", "b"])

    def test_usage(self):
        stats = [{"when": "begin", "uptime_us": 0, "cpu_ns": 0, "rss_kb": 1024, "restarts": 0},
                 {"when": "end", "uptime_us": 1_000_000, "cpu_ns": 10_000_000, "rss_kb": 2048, "restarts": 0}]
        self.assertEqual(usage(stats), {"rss_mb": 2.0, "restarts": 0, "cpu_percent": 1.0})


if __name__ == "__main__":
    done = unittest.main(exit=False).result
    bad = len(done.failures) + len(done.errors)
    # In the words of cargo, which scripts/check.sh adds up.
    print(f"test result: {'FAILED' if bad else 'ok'}. {done.testsRun - bad} passed; {bad} failed; 0 ignored")
    sys.exit(1 if bad else 0)
