"""From handles of the library to what the answers are made of."""

from ctypes import c_bool, c_char_p, c_size_t, c_uint, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Dict, Tuple

from . import _library as library
from ._library import function, known, list_getter, number_getter, string_getter, strings_getter, value_getter
from ._types import BlkType, BlockInfo, DevNumber, Mount, Owner, Path, Topology


def _strings(prefix: str, names: str) -> Dict[str, Callable[[int], Any]]:
    return {name: string_getter(f"peripety_{prefix}_{name}") for name in names.split()}


def _values(prefix: str, kind: Any, names: str) -> Dict[str, Callable[[int], Any]]:
    return {name: value_getter(f"peripety_{prefix}_{name}", kind) for name in names.split()}


def _extension(prefix: str) -> Callable[[int], Dict[str, str]]:
    keys = strings_getter(f"peripety_{prefix}_extension_count", f"peripety_{prefix}_extension_key")
    value = function(f"peripety_{prefix}_extension_value", c_char_p, c_void_p, c_size_t)

    def read(handle: int) -> Dict[str, str]:
        pairs = enumerate(keys(handle))
        return {key: known(library.text_or_none(value(handle, index))) for index, key in pairs}

    return read


def _all(count: str, element: str, read: Callable[[int], Any]) -> Callable[[int], Tuple[Any, ...]]:
    handles = list_getter(count, element, c_void_p)
    return lambda handle: tuple(read(inner) for inner in handles(handle))


_OWNER = _strings("owner", "kdev dev_path dev_wwid")


def _owner(handle: int) -> Owner:
    return Owner(**{name: read(handle) for name, read in _OWNER.items()})


_PATH = {
    **_strings("path", "kdev address state access_state dm_state"),
    **_values("path", c_bool, "preferred"),
    "extension": _extension("path"),
}


def _path(handle: int) -> Path:
    return Path(**{name: read(handle) for name, read in _PATH.items()})


_blk_type = function("peripety_block_blk_type", c_uint, c_void_p)
_blk_type_name = function("peripety_blk_type_name", c_char_p, c_uint)


def _kind(handle: int) -> BlkType:
    name = known(library.text_or_none(_blk_type_name(_blk_type(handle))))
    try:
        return BlkType(name)
    except ValueError:  # of a later library
        return BlkType.OTHER


#: The number of each kind in the library, for questions.
KIND_NUMBERS = {BlkType(_blk_type_name(number).decode()): number for number in range(len(BlkType))}

_block_number = number_getter("peripety_block_major_minor")


def _number(handle: int) -> Any:
    number = _block_number(handle)
    return None if number is None else DevNumber(*number)


_BLOCK = {
    **_strings("block", "kdev address dev_path stable_path dev_wwid serial model vendor"),
    **_strings("block", "fs_type fs_uuid fs_label transport"),
    **_values("block", c_uint64, "size_bytes present_since diskseq"),
    **_values("block", c_bool, "removable rotational read_only"),
    "major_minor": _number,
    "blk_type": _kind,
    "owners": _all("peripety_block_owner_count", "peripety_block_owner", _owner),
    "slaves": strings_getter("peripety_block_slave_count", "peripety_block_slave"),
    "holders": strings_getter("peripety_block_holder_count", "peripety_block_holder"),
    "mount_points": strings_getter("peripety_block_mount_point_count", "peripety_block_mount_point"),
    "paths": _all("peripety_block_path_count", "peripety_block_path", _path),
    "extension": _extension("block"),
}


def block(handle: int) -> BlockInfo:
    """A peripety_block."""
    return BlockInfo(**{name: read(handle) for name, read in _BLOCK.items()})


#: A peripety_list.
blocks = _all("peripety_list_count", "peripety_list_block", block)

_topology_block = function("peripety_topology_block", c_void_p, c_void_p)


def topology(handle: int) -> Topology:
    """A peripety_topology."""
    return Topology(block(_topology_block(handle)), _below(handle), _above(handle))


_below = _all("peripety_topology_below_count", "peripety_topology_below", topology)
_above = _all("peripety_topology_above_count", "peripety_topology_above", topology)

_mount_number = number_getter("peripety_mount_major_minor")
_mount_id = value_getter("peripety_mount_id", c_uint32)
_MOUNT = _strings("mount", "root mount_point fs_type source")


def mount(handle: int) -> Mount:
    """A peripety_mount."""
    texts = {name: known(read(handle)) for name, read in _MOUNT.items()}
    number = DevNumber(*(_mount_number(handle) or (0, 0)))
    return Mount(id=_mount_id(handle), major_minor=number, **texts)


#: A peripety_mounts.
mounts = _all("peripety_mounts_count", "peripety_mounts_mount", mount)
