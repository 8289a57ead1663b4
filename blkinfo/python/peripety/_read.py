"""From handles of the library to what the answers are made of."""

from ctypes import c_bool, c_char_p, c_size_t, c_uint, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Dict, Mapping, Tuple

from . import _fields as fields
from . import _library as library
from ._library import function, known, list_getter, number_getter, string_getter, strings_getter, value_getter
from ._types import BlkType, BlockInfo, DevNumber, Mount, Owner, Path, Topology


def _strings(prefix: str, names: str) -> Dict[str, Callable[[int], Any]]:
    return {name: string_getter(f"peripety_{prefix}_{name}") for name in names.split()}


def _map_getter(name: str) -> Callable[[int], Dict[str, str]]:
    keys = strings_getter(f"{name}_count", f"{name}_key")
    value = function(f"{name}_value", c_char_p, c_void_p, c_size_t)

    def read(handle: int) -> Dict[str, str]:
        pairs = enumerate(keys(handle))
        return {key: known(library.text_or_none(value(handle, index))) for index, key in pairs}

    return read


def _all(count: str, element: str, read: Callable[[int], Any]) -> Callable[[int], Tuple[Any, ...]]:
    handles = list_getter(count, element, c_void_p)
    return lambda handle: tuple(read(inner) for inner in handles(handle))


_blk_type_name = function("peripety_blk_type_name", c_char_p, c_uint)


def _kind_getter(name: str) -> Callable[[int], BlkType]:
    get = function(name, c_uint, c_void_p)

    def read(handle: int) -> BlkType:
        name = known(library.text_or_none(_blk_type_name(get(handle))))
        try:
            return BlkType(name)
        except ValueError:  # of a later library
            return BlkType.OTHER

    return read


#: The number of each kind in the library, for questions.
KIND_NUMBERS = {BlkType(_blk_type_name(number).decode()): number for number in range(len(BlkType))}


def _number_getter(name: str) -> Callable[[int], Any]:
    get = number_getter(name)

    def read(handle: int) -> Any:
        number = get(handle)
        return None if number is None else DevNumber(*number)

    return read


#: How the getters are made of which the generated tables name the kind.
_MAKERS: Dict[str, Callable[[str], Callable[[int], Any]]] = {
    "text": string_getter,
    "number": lambda name: value_getter(name, c_uint64),
    "flag": lambda name: value_getter(name, c_bool),
    "device number": _number_getter,
    "kind": _kind_getter,
    "map": _map_getter,
    "texts": lambda name: strings_getter(f"{name}_count", name),
    "owners": lambda name: _all(f"{name}_count", name, _owner),
    "paths": lambda name: _all(f"{name}_count", name, _path),
}


def _getters(table: Mapping[str, Tuple[str, str]]) -> Dict[str, Callable[[int], Any]]:
    return {field: _MAKERS[kind](name) for field, (kind, name) in table.items()}


_OWNER = _getters(fields.OWNER)


def _owner(handle: int) -> Owner:
    return Owner(**{name: read(handle) for name, read in _OWNER.items()})


_PATH = _getters(fields.PATH)


def _path(handle: int) -> Path:
    return Path(**{name: read(handle) for name, read in _PATH.items()})


_BLOCK = _getters(fields.BLOCK)


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
