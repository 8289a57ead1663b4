"""Which device had a name, while disks come and go."""

import concurrent.futures
import dataclasses
import gc
import pickle
from pathlib import Path

import pytest
from conftest import open_case

import peripety
from peripety.history import MAX_ENDED, Absent, Action, History, Known, Uevent, Uncertain, Window

BOOT = "6f0c2b1e3d524c0a9f0b2f7a1c9d4e10"


@pytest.fixture
def disk():
    """Makes disks at 2:0:0:0 that differ in their identity."""
    sdb = open_case("ext4-lvm-multipath").block("sdb")

    def make(identity, diskseq):
        return dataclasses.replace(sdb, dev_wwid=identity, diskseq=diskseq, present_since=None)

    return make


@pytest.fixture
def history(disk):
    """A disk went, and another has its name."""
    history = History(BOOT, Window(100, 100), [])
    history.seen(disk("old", 1), 110)
    history.advance(200)
    history.gone("sdb", 1, 210)
    history.advance(220)
    history.address_gone("2:0:0:0", 230)
    history.advance(240)
    history.seen(disk("new", 2), 300)
    history.advance(310)
    return history


def test_a_name_over_time(history, disk):
    for name in ("sdb", "[sdb]", "8:16", "b8:16", "/dev/sdb", "2:0:0:0", "+scsi:2:0:0:0"):
        assert history.at(name, 100) == Absent()
        assert history.at(name, 105) == Uncertain()
        assert history.at(name, 200) == Known(disk("old", 1), present=False)
        assert history.at(name, 235) == Absent()
        assert history.at(name, 300) == Known(disk("new", 2), present=True)
        assert history.at(name, 311) == Uncertain(), "not complete yet"
    assert history.at("2:0:0:0", 215) == Known(disk("old", 1), present=False), "its last words"
    assert history.at("sdb", 215) == Absent()


def test_what_it_is(history):
    assert (history.boot_id, history.complete_until, len(history)) == (BOOT, 310, 2)
    assert History(BOOT, (1, 2), []), "one without devices is true, too"
    assert MAX_ENDED >= 1024


def test_the_generation_goes_up_with_changes_only(history, disk):
    before = history.generation
    history.advance(400)
    history.seen(disk("new", 2), 410)
    history.refresh(disk("new", 2))
    history.refresh(disk("another", 3))
    history.gone("sdb", 1, 420)
    assert history.generation == before
    history.refresh(dataclasses.replace(disk("new", 2), mount_points=("/mnt",)))
    assert history.generation > before
    assert history.at("sdb", 400).block.mount_points == ("/mnt",)


def test_saved_and_read(history, disk):
    again = History.from_json(history.to_json())
    assert again.at("sdb", 200) == Known(disk("old", 1), present=False)
    assert (again.boot_id, again.generation, len(again)) == (history.boot_id, history.generation, 2)
    again.resync(Window(490, 500), [disk("new", 2)])
    assert again.at("sdb", 400) == Known(disk("new", 2), present=True)
    again.resync(Window(600, 610), [])
    assert again.at("sdb", 605) == Uncertain()
    assert history.at("sdb", 310) == Known(disk("new", 2), present=True)
    for bad in ("", "[]", "{}", "7"):
        with pytest.raises(peripety.BadTextError):
            History.from_json(bad)


def test_a_look_at_a_tree():
    tree = open_case("fs-lvm-multipath")
    blocks = tree.list_all()
    history = History(tree.boot_id(), Window(10_000_000, 10_000_100), blocks)
    history.advance(10_000_200)
    assert len(history) == len(blocks) > 0
    for block in blocks:
        assert history.at(block.kdev, 10_000_150) == Known(block, present=True)


def test_what_lies_on_a_device():
    tree = open_case("ext4-lvm-multipath")
    history = History("b", Window(10_000_000, 10_000_000), tree.list_all())
    history.advance(10_000_100)
    history.mounts(Window(10_000_050, 10_000_060), tree.mounts())
    history.advance_mounts(10_000_100)
    lv = Known(tree.block("dm-1"), present=True)
    for name in ("47841ee5-047d-4f73-8951-5a3d7a4c770e", "/mnt/test"):
        assert history.content_at(name, 10_000_090) == history.any_at(name, 10_000_090) == lv
        assert history.at(name, 10_000_090) == Absent()
    assert history.any_at("vg-lv", 10_000_090) == lv and history.content_at("vg-lv", 10_000_090) == Absent()
    with pytest.raises(TypeError):
        history.mounts((1, 2), ["/mnt"])


def test_a_look_where_messages_may_be_missing(history, disk):
    looked = []

    def is_same(block):
        looked.append(block)
        return block.dev_wwid == "new"

    assert history.at_or_look("sdb", 900, 950, is_same) == Known(disk("new", 2), present=True)
    assert history.at_or_look("sdb", 900, 950, lambda block: False) == Uncertain()
    assert history.at_or_look("sdb", 200, 950, is_same) == Known(disk("old", 1), present=False)
    assert looked == [disk("new", 2)]
    for failure in (KeyError("a mistake"), KeyboardInterrupt()):

        def fails(block, failure=failure):
            raise failure

        with pytest.raises(type(failure)):
            history.at_or_look("sdb", 900, 950, fails)
    assert len(history) == 2


def test_progress_is_saved_apart(history, disk):
    saved = history.to_json()
    history.advance(900)
    history.advance_in_part(910)
    again = History.from_json(saved)
    again.catch_up(history.progress())
    assert again.complete_until == 900 and again.progress() == history.progress()
    history.gone("sdb", 2, 920)
    late = History.from_json(saved)
    late.catch_up(history.progress())
    assert late.complete_until == 310, "that is about a later one"
    with pytest.raises(peripety.BadTextError):
        late.catch_up("{}")


def test_wrong_arguments(history, disk):
    before = history.to_json()
    for wrong in (-1, 2**64):
        with pytest.raises(ValueError, match="not a time"):
            history.at("sdb", wrong)
        with pytest.raises(ValueError, match="not a time"):
            history.advance(wrong)
        with pytest.raises(ValueError, match="not a time"):
            history.resync((0, wrong), [])
        with pytest.raises(ValueError, match="not a time"):
            history.gone("sdb", wrong, 400)
    for wrong in ("sdb", None):
        with pytest.raises(TypeError):
            history.seen(wrong, 400)
        with pytest.raises(TypeError):
            History(BOOT, (1, 2), [wrong])
    with pytest.raises(peripety.InvalidArgumentError):
        history.at("sd\0b", 1)
    with pytest.raises(TypeError):
        history.at(None, 1)
    assert history.to_json() == before


def test_uevents():
    parts = ["remove@/devices/x/block/cciss!c0d0", "ACTION=remove", "DEVPATH=/devices/x/block/cciss!c0d0"]
    parts += ["SUBSYSTEM=block", "SEQNUM=4711", "DISKSEQ=9", ""]
    event = Uevent.parse("\0".join(parts).encode())
    assert (event.action, event.name, event.subsystem) == (Action.REMOVE, "cciss/c0d0", "block")
    assert (event.seqnum, event.diskseq, event.devpath_old, event.old_name) == (4711, 9, None, None)
    moved = Uevent.parse(b"move@/b\0DEVPATH=/d/b\0DEVPATH_OLD=/d/a\0SUBSYSTEM=block\0SEQNUM=1\0")
    assert (moved.action, moved.devpath, moved.old_name, moved.diskseq) == (Action.MOVE, "/d/b", "a", None)
    other = Uevent.parse(b"bind@/b\0DEVPATH=/d/b\0SUBSYSTEM=block\0SEQNUM=1\0")
    assert other.action is Action.OTHER
    assert pickle.loads(pickle.dumps(moved)) == moved
    for bad in (b"", b"libudev\0\xfe\xed\xca\xfe", b"add@/x\0DEVPATH=/x\0"):
        assert Uevent.parse(bad) is None
    with pytest.raises(TypeError):
        Uevent.parse("add@/x")


def test_threads_share_a_history(history, disk):
    def tell_and_ask(_):
        for time in range(400, 420):
            history.seen(disk("new", 2), time)
            history.advance(time)
            assert history.at("sdb", 300) == Known(disk("new", 2), present=True)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(tell_and_ask, range(8)))
    assert len(history) == 2 and history.complete_until == 419


def test_memory_is_given_back(disk):
    def work(rounds):
        for _ in range(rounds):
            history = History.from_json(History(BOOT, (1, 2), [disk("a", 1)]).to_json())
            history.resync((3, 4), open_case("fc-multipath").list_all())
            history.at("sdd", 3)
        gc.collect()

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1])

    work(30)
    before = resident()
    work(150)
    assert resident() - before < 500
