"""The functions of the module, its exceptions, and that it can be trusted with threads and memory."""

import concurrent.futures
import copy
import dataclasses
import errno
import gc
import pickle
import re
from pathlib import Path

import pytest
from conftest import FIXTURES, open_case

import peripety
from peripety import _library


def test_functions_take_a_tree(lvm):
    assert peripety.block_info("vg/lv", tree=lvm).kdev == "dm-1"
    assert peripety.kernel_block("8:16", lvm).dev_path == "/dev/sdb"
    assert peripety.identity_of_fs("47841ee5-047d-4f73-8951-5a3d7a4c770e", lvm).kdev == "dm-1"
    assert peripety.list_blocks(lvm)[0].kdev == "dm-0"
    assert len(peripety.topology("dm-0", lvm).below) == 8
    assert peripety.mounts(lvm)
    mount = peripety.mount_at("/mnt/test/deep", lvm)
    assert (mount.source, mount.major_minor) == ("/dev/mapper/vg-lv", (253, 1))
    assert lvm.mount_of(mount.major_minor) == [mount]
    assert peripety.mount_at("relative", lvm) is None
    assert lvm.boot_id() == "6f0c2b1e3d524c0a9f0b2f7a1c9d4e10"
    assert not lvm.is_live


def test_without_a_tree_it_is_the_running_machine():
    assert peripety.Tree.live().is_live and peripety.Tree.directory("/").is_live
    with pytest.raises(peripety.NotFoundError):
        peripety.block_info("no-such-device")


def test_owners(lvm):
    block = lvm.block("vg/lv")
    assert block.owners_wwids() == ("mpath-333333330000007d0", "t10.Linux-scsi_debug-2000")
    assert block.owners_paths()[0] == "/dev/mapper/mpatha"
    assert block.owners[0].kdev == "dm-0"


def test_not_found(lvm):
    with pytest.raises(peripety.NotFoundError, match='no block device "sdz"') as caught:
        lvm.block("sdz")
    assert caught.value.device == "sdz"
    assert isinstance(caught.value, (peripety.PeripetyError, LookupError))
    assert lvm.holders_of_type("sdb", "md") is None
    with pytest.raises(ValueError):
        lvm.holders_of_type("sdb", "no such kind")


def test_ambiguous():
    with pytest.raises(peripety.AmbiguousError) as caught:
        open_case("nvme-loop").kernel_block("nvme0")
    assert caught.value.candidates == ("nvme0n1", "nvme0n2")
    assert caught.value.device == "nvme0"


def test_source(tmp_path):
    with pytest.raises(peripety.SourceError) as caught:
        peripety.Tree.open(tmp_path / "missing")
    assert caught.value.errno == errno.ENOENT
    assert caught.value.path == str(tmp_path / "missing")
    with pytest.raises(peripety.SourceError):
        peripety.Tree.open(tmp_path).mounts()


def test_an_archive(tmp_path):
    listed = FIXTURES / "emulated-hardware" / "lsblk.json"
    tree = peripety.Tree.from_archive(listed)
    assert tree.block("0:0:1:0").dev_wwid == "naa.5000c50000000500"
    assert not tree.is_live
    with pytest.raises(peripety.MachineError) as caught:
        peripety.Tree.from_archive(listed, host="other")
    assert (caught.value.host, caught.value.machines) == ("other", (str(listed),))
    with pytest.raises(peripety.NoListsError) as caught:
        peripety.Tree.from_archive(tmp_path)
    assert caught.value.path == str(tmp_path)
    with pytest.raises(peripety.SourceError):
        peripety.Tree.from_archive(tmp_path / "missing")


def test_bad_text_and_bad_boot_id():
    with pytest.raises(peripety.BadTextError) as caught:
        peripety.Tree.recorded("# peripety device tree 1\nwrong\n")
    assert caught.value.line == 2
    tree = peripety.Tree.recorded("# peripety device tree 1\n/proc/sys/kernel/random/boot_id = 17\n")
    with pytest.raises(peripety.BadBootIdError) as caught:
        tree.boot_id()
    assert caught.value.path == "/proc/sys/kernel/random/boot_id"


@pytest.mark.parametrize("text", ["sd\0a", "sd\udcff", "sd\ud800"])
def test_invalid_arguments(lvm, text):
    for ask in (lvm.block, lvm.kernel_block, lvm.identity_of_fs, lvm.topology, lvm.mount_at):
        with pytest.raises(peripety.InvalidArgumentError):
            ask(text)


def test_wrong_types(lvm):
    for wrong in (None, 8, b"sda"):
        with pytest.raises(TypeError):
            lvm.block(wrong)
    with pytest.raises(peripety.InvalidArgumentError):
        peripety.Tree.open("a\0b")


def test_answers_are_values(lvm):
    block = lvm.block("dm-0")
    assert block == lvm.block("dm-0") and hash(block) == hash(lvm.block("dm-0"))
    assert copy.deepcopy(block) == block and pickle.loads(pickle.dumps(block)) == block
    with pytest.raises(dataclasses.FrozenInstanceError):
        block.kdev = "sda"
    assert block.blk_type == "dm-multipath" and str(block.blk_type) == "dm-multipath"


def test_small_things():
    assert peripety.DevNumber.parse("8:16") == (8, 16) and peripety.DevNumber.parse("8") is None
    assert str(peripety.DevNumber(8, 16)) == "8:16"
    assert peripety.natural_cmp("sda2", "sda10") == -1
    assert peripety.library_version() == peripety.__version__
    plain = "# peripety device tree 1\n/sys/a = 1\n/sys/b = 2\n"
    assert peripety.recorded_to_text("# peripety device tree 1\n/sys/b = 2\n/sys/a = 1\n") == plain


def test_every_function_of_the_library_is_in_use():
    """All that C has, Python has: but for what is another form of the same."""
    header = (FIXTURES.parents[1] / "c" / "include" / "peripety.h").read_text(encoding="utf-8")
    declared = set(re.findall(r"\b(peripety_[a-z_]+)\(", header))
    used = {name for name in declared if name in vars(_library._LIBRARY)}
    other_forms = {"peripety_code_name", "peripety_block_extension", "peripety_path_extension"}
    other_forms |= {"peripety_topology_all_below", "peripety_topology_all_above"}
    other_forms |= {"peripety_multipathd_complete_block", "peripety_multipathd_complete_topology"}
    other_forms |= {name for name in declared if "_owners_" in name or name.endswith("_to_json")}
    assert declared - used - other_forms == set()


def test_all_devices():
    text = """# peripety device tree 1
/sys/class/block/loop9 -> ../../devices/virtual/block/loop9
/sys/devices/virtual/block/loop9/dev = 7:9
/sys/devices/virtual/block/loop9/size = 0
"""
    tree = peripety.Tree.recorded(text)
    assert tree.list() == [] and [block.kdev for block in tree.list_all()] == ["loop9"]


def test_flat_topology(lvm):
    below = lvm.topology("vg/lv").all_below()
    assert [block.kdev for block in below] == ["dm-0", *(f"sd{letter}" for letter in "bcdefghi")]
    assert [block.kdev for block in lvm.topology("sdb").all_above()] == ["dm-0", "dm-1"]
    assert lvm.topology("sdb").all_below() == ()


def test_json(lvm):
    block = lvm.block("dm-0")
    assert peripety.BlockInfo.from_json(block.to_json()) == block
    with pytest.raises(peripety.BadTextError, match="_to_json") as caught:
        peripety.BlockInfo.from_json("{\n7")
    assert caught.value.line == 2


def test_multipathd(lvm):
    """The machine that tests has no path of that name, or no multipathd: its state is not known."""
    blocks = lvm.list()
    completed = peripety.Multipathd().complete(blocks)
    assert [block.kdev for block in completed] == [block.kdev for block in blocks]
    states = {path.dm_state for block in completed for path in block.paths}
    assert states <= {"unknown", "active", "failed"} and states
    stack = peripety.Multipathd().complete_topology(lvm.topology("vg/lv"))
    assert stack.all_below()[0].paths[0].dm_state in states and len(stack.all_below()) == 9
    assert lvm.block("dm-0").paths[0].dm_state is None


def test_is_same(lvm):
    block = lvm.block("sdb")
    assert block.is_same(block) and not block.is_same(lvm.block("sdc"))
    assert dataclasses.replace(block, dev_wwid=None, diskseq=3).is_same(dataclasses.replace(block, diskseq=3))
    assert not block.is_same(dataclasses.replace(block, dev_wwid=None))
    with pytest.raises(TypeError):
        block.is_same("sdb")


def test_threads_share_a_tree(lvm):
    expected = lvm.list()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(lambda _: lvm.list(), range(40)))


def resident():
    """Pages of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1])


def test_memory_is_given_back():
    def work(rounds):
        for _ in range(rounds):
            tree = open_case("fc-multipath")
            tree.list()
            tree.topology("dm-2")
            with pytest.raises(peripety.NotFoundError):
                tree.block("sdz")
        gc.collect()

    work(30)
    before = resident()
    work(150)
    # A leak of the trees alone would be some thousand pages.
    assert resident() - before < 500
