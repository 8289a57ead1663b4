"""From what answers are made of back to the library: as JSON, and as handles."""

import dataclasses
import json
from ctypes import c_bool, c_char_p, c_void_p
from typing import Any, Callable, Iterable, Optional, TypeVar

from . import _read
from ._errors import BugError
from ._library import encoded, function, known, question, taken
from ._types import BlockInfo, Mount, Topology

T = TypeVar("T")

_block_from_json = question("peripety_block_from_json", c_char_p)
_list_from_json = question("peripety_list_from_json", c_char_p)
_mounts_from_json = question("peripety_mounts_from_json", c_char_p)
_mounts_free = function("peripety_mounts_free", None, c_void_p)
_to_text = function("peripety_block_to_text", c_void_p, c_void_p)
_is_same = function("peripety_block_is_same", c_bool, c_void_p, c_void_p)
_block_free = function("peripety_block_free", None, c_void_p)
_list_free = function("peripety_list_free", None, c_void_p)


def plain(block: BlockInfo) -> Any:
    """A block as JSON has it."""
    fields = dataclasses.asdict(block)
    fields["major_minor"] = None if block.major_minor is None else str(block.major_minor)
    return fields


def plain_topology(topology: Topology) -> Any:
    """A topology as JSON has it."""
    return {
        "block": plain(topology.block),
        "below": [plain_topology(inner) for inner in topology.below],
        "above": [plain_topology(inner) for inner in topology.above],
    }


def written(data: Any) -> str:
    """As the library writes it: in UTF-8, nothing left out."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def with_handle(handle: Optional[int], use: Callable[[int], T], free: Callable[..., Any]) -> T:
    """What is done with a handle that is freed afterwards."""
    if handle is None:
        raise BugError("libperipety gave neither an answer nor an error")
    try:
        return use(handle)
    finally:
        free(handle)


def with_block(block: BlockInfo, use: Callable[[int], T]) -> T:
    """What is done with a peripety_block of a block."""
    if not isinstance(block, BlockInfo):
        raise TypeError(f"a block is a BlockInfo, not {type(block).__name__}")
    return with_handle(_block_from_json(encoded(written(plain(block)))), use, _block_free)


def with_list(blocks: Iterable[BlockInfo], use: Callable[[int], T]) -> T:
    """What is done with a peripety_list of blocks."""
    text = written([plain(block) for block in blocks])
    return with_handle(_list_from_json(encoded(text)), use, _list_free)


def with_mounts(mounts: Iterable[Mount], use: Callable[[int], T]) -> T:
    """What is done with a peripety_mounts of mounts."""
    table = [{**dataclasses.asdict(mount), "major_minor": str(mount.major_minor)} for mount in mounts]
    return with_handle(_mounts_from_json(encoded(written(table))), use, _mounts_free)


def from_json(text: str) -> BlockInfo:
    """See BlockInfo.from_json."""
    return with_handle(_block_from_json(encoded(text)), _read.block, _block_free)


def to_text(block: BlockInfo) -> str:
    """See BlockInfo.__str__."""
    return with_block(block, lambda handle: known(taken(_to_text(handle))))


def is_same(block: BlockInfo, later: BlockInfo) -> bool:
    """See BlockInfo.is_same."""
    return with_block(block, lambda one: with_block(later, lambda other: bool(_is_same(one, other))))
