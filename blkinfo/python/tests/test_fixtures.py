"""Every answer of the module about every recorded device tree: as the library's JSON, and as expected.txt."""

import dataclasses
import json

import pytest
from conftest import CASES, FIXTURES, block_json, list_json, open_case, topology_json

import peripety
from peripety import _fields


def plain(answer):
    """A block or topology as JSON has it."""
    return json.loads(answer.to_json())


#: The fields that name the device come first in expected.txt, and the last two come last.
FIRST = "kdev major_minor address dev_path blk_type dev_wwid".split()
LAST = "present_since diskseq".split()
OF_ONE_VALUE = [name for name, (kind, _) in _fields.BLOCK.items() if kind in ("text", "number", "flag")]
SINGLE = [*FIRST, *(name for name in OF_ONE_VALUE if name not in FIRST + LAST), *LAST]
#: Lists of names, but for the mount points, which come before the owners.
LISTS = [name for name, (kind, _) in _fields.BLOCK.items() if kind == "texts" and name != "mount_points"]


def lines(block):
    """A block in the words of expected.txt, one fact a line."""

    def fact(key, value):
        return f"{key:<14}{str(value).lower() if isinstance(value, bool) else value}"

    facts = [fact(name, getattr(block, name)) for name in SINGLE if getattr(block, name) is not None]
    facts += [fact("mount_point", mount_point) for mount_point in block.mount_points]
    facts += [fact("owner", f"{o.kdev} {o.dev_path} {o.dev_wwid or '-'}") for o in block.owners]
    facts += [fact(name[:-1], value) for name in LISTS for value in getattr(block, name)]
    for path in block.paths:
        facts.append(
            fact("path", f"{path.kdev} {path.address or '-'} {path.state or '-'} {path.access_state or '-'}")
        )
    facts += [fact("extension", f"{key}={value}") for key, value in block.extension.items()]
    return facts


def answer(tree, question):
    word, _, rest = question.partition(" ")
    try:
        if word == "!list":
            return [block.kdev for block in tree.list()]
        if word == "!boot":
            return [tree.boot_id()]
        if word == "!map":
            found = tree.holders_of_type(rest, peripety.BlkType.DM_MULTIPATH)
            return ["none" if found is None else found.kdev]
        if word == "!mounts":
            shown = [mount for mount in tree.mounts() if mount.major_minor.major != 0]
            return [f"{m.major_minor} {m.root} {m.mount_point} {m.fs_type} {m.source}" for m in shown]
        if word == "!topology":
            return stack(tree.topology(rest))
        return lines(tree.kernel_block(rest) if word == "!kernel" else tree.block(question))
    except peripety.PeripetyError as error:
        if word == "!mounts":
            return []
        return ["none"] if word == "!boot" else [f"error: {error}"]


def stack(topology):
    def side(name, devices, depth):
        for device in devices:
            yield f"{' ' * depth}{name} {device.block.kdev} {device.block.blk_type}"
            yield from side(name, getattr(device, name), depth + 2)

    head = f"{topology.block.kdev} {topology.block.blk_type}"
    return [head, *side("below", topology.below, 2), *side("above", topology.above, 2)]


def questions(case):
    text = (FIXTURES / case / "queries.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_there_are_cases():
    assert len(CASES) >= 12


@pytest.mark.parametrize("case", CASES)
def test_answers_as_expected(case):
    tree = open_case(case)
    answers = "".join(
        "".join(f"{line}\n" for line in [f"> {question}", *answer(tree, question)]) + "\n"
        for question in questions(case)
    )
    assert answers.splitlines() == (FIXTURES / case / "expected.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", CASES)
def test_every_field_is_the_librarys(case):
    tree = open_case(case)
    blocks = tree.list()
    assert blocks
    assert [plain(block) for block in blocks] == list_json(tree)
    for block in blocks:
        assert plain(peripety.block_info(block.kdev, tree)) == block_json(tree, block.kdev)
        assert str(block).splitlines() == lines(block)
        assert plain(tree.topology(block.kdev)) == topology_json(tree, block.kdev)


def test_types_of_fields(lvm):
    seen = set()
    for case in CASES:
        for block in open_case(case).list():
            for field in dataclasses.fields(block):
                seen.add((field.name, type(getattr(block, field.name)).__name__))
    kinds = {}
    for name, kind in seen:
        kinds.setdefault(name, set()).add(kind)
    assert kinds["size_bytes"] == {"int"}
    assert kinds["diskseq"] == kinds["present_since"] == {"int", "NoneType"}
    for name in ("removable", "rotational", "read_only"):
        assert kinds[name] == {"bool", "NoneType"}, name
    for name in ("address", "stable_path", "dev_wwid", "serial", "model", "vendor", "fs_type", "transport"):
        assert kinds[name] == {"str", "NoneType"}, name
    assert kinds["owners"] == kinds["paths"] == kinds["mount_points"] == kinds["slaves"] == {"tuple"}
    assert kinds["blk_type"] == {"BlkType"}
    assert kinds["extension"] == {"dict"}
