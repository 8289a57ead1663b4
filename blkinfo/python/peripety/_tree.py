"""The device tree and the questions to it."""

import os
import weakref
from ctypes import c_bool, c_char_p, c_uint, c_uint32, c_void_p
from typing import Any, Callable, List, Optional, Tuple, TypeVar, Union

from . import _read, _source
from ._errors import BugError
from ._library import encoded, file_name, function, known, question, taken
from ._types import BlkType, BlockInfo, DevNumber, Mount, Topology

T = TypeVar("T")

_tree_live = question("peripety_tree_live")
_tree_open = question("peripety_tree_open", c_char_p)
_tree_directory = question("peripety_tree_directory", c_char_p)
_tree_archive = question("peripety_tree_archive", c_char_p, c_char_p)
_tree_recorded = question("peripety_tree_recorded", c_char_p)
_tree_free = function("peripety_tree_free", None, c_void_p)
_is_live = function("peripety_tree_is_live", c_bool, c_void_p)
_boot_id = question("peripety_tree_boot_id", c_void_p)
_block = question("peripety_tree_block", c_void_p, c_char_p)
_kernel_block = question("peripety_tree_kernel_block", c_void_p, c_char_p)
_identity_of_fs = question("peripety_tree_identity_of_fs", c_void_p, c_char_p)
_holders_of_type = question("peripety_tree_holders_of_type", c_void_p, c_char_p, c_uint)
_list = question("peripety_tree_list", c_void_p)
_list_all = question("peripety_tree_list_all", c_void_p)
_topology = question("peripety_tree_topology", c_void_p, c_char_p)
_mounts = question("peripety_tree_mounts", c_void_p)
_mount_of = question("peripety_tree_mount_of", c_void_p, c_uint32, c_uint32)
_mount_at = question("peripety_tree_mount_at", c_void_p, c_char_p)
_block_free = function("peripety_block_free", None, c_void_p)
_list_free = function("peripety_list_free", None, c_void_p)
_topology_free = function("peripety_topology_free", None, c_void_p)
_mount_free = function("peripety_mount_free", None, c_void_p)
_mounts_free = function("peripety_mounts_free", None, c_void_p)


def _optional(handle: Optional[int], read: Callable[[int], T], free: Callable[..., Any]) -> Optional[T]:
    """What an answer of the library holds, read and freed."""
    if handle is None:
        return None
    try:
        return read(handle)
    finally:
        free(handle)


def _needed(handle: Optional[int], read: Callable[[int], T], free: Callable[..., Any]) -> T:
    answer = _optional(handle, read, free)
    if answer is None:
        raise BugError("libperipety gave neither an answer nor an error")
    return answer


def _free(handle: int, _keep: Any) -> None:
    _tree_free(handle)


class Tree:
    """The block devices of one machine: at one moment (a recorded tree), or right now (the live one).

    A tree does not change, so that threads may use it at the same time. Make one with `Tree.live`, `Tree.open`,
    `Tree.directory`, `Tree.from_archive`, `Tree.recorded` or `Tree.new`.
    """

    def __init__(self, handle: Optional[int], keep: Any = None) -> None:
        """For the functions of this class. What is to `keep` lives until the tree is freed."""
        if handle is None:
            raise BugError("libperipety gave no tree")
        self._handle = handle
        weakref.finalize(self, _free, handle, keep)

    @classmethod
    def live(cls) -> "Tree":
        """The running machine."""
        return cls(_tree_live())

    @classmethod
    def open(cls, path: Union[str, bytes, "os.PathLike[Any]"]) -> "Tree":
        """A directory with a copy of a machine's files, or a file with a recorded tree.

        Raises SourceError when it cannot be read, BadTextError when it is no device tree.
        """
        return cls(_tree_open(file_name(path)))

    @classmethod
    def directory(cls, root: Union[str, bytes, "os.PathLike[Any]"]) -> "Tree":
        """The tree below a directory; ``/`` is the running machine."""
        return cls(_tree_directory(file_name(root)))

    @classmethod
    def from_archive(cls, path: Union[str, bytes, "os.PathLike[Any]"], host: Optional[str] = None) -> "Tree":
        """The machine in a support archive: a sosreport, a supportconfig, a directory or a file with the output of lsblk,
        multipath -ll and similar tools. If it contains several machines, `host` selects one.

        Raises SourceError if it cannot be read, NoListsError if it contains no list of devices, MachineError if it contains
        several machines, or not that one.
        """
        return cls(_tree_archive(file_name(path), None if host is None else encoded(host)))

    @classmethod
    def recorded(cls, text: str) -> "Tree":
        """A recorded tree. Raises BadTextError when the text is not one."""
        return cls(_tree_recorded(encoded(text)))

    @classmethod
    def new(cls, source: _source.Source) -> "Tree":
        """A tree that an object of your own reads. See `Source`."""
        return cls(*_source.tree_of(source))

    @property
    def is_live(self) -> bool:
        """Whether it is the running machine, whose state may change between lookups."""
        return bool(_is_live(self._handle))

    def boot_id(self) -> str:
        """The boot that it belongs to: 32 hexadecimal digits. Raises SourceError or BadBootIdError."""
        return known(taken(_boot_id(self._handle)))

    def block(self, device: str) -> BlockInfo:
        """The block device that any device string means.

        Raises NotFoundError, AmbiguousError, or SourceError when a table that is needed cannot be read.
        """
        return _needed(_block(self._handle, encoded(device)), _read.block, _block_free)

    def kernel_block(self, kdev: str) -> BlockInfo:
        """The block device that a string means which the kernel wrote. Raises as `block`."""
        return _needed(_kernel_block(self._handle, encoded(kdev)), _read.block, _block_free)

    def identity_of_fs(self, uuid: str) -> BlockInfo:
        """The block device with the file system of that UUID; of several, the topmost. Raises like `block`."""
        return _needed(_identity_of_fs(self._handle, encoded(uuid)), _read.block, _block_free)

    def holders_of_type(self, kdev: str, blk_type: Union[BlkType, str]) -> Optional[BlockInfo]:
        """The nearest device of that kind above a device that the kernel names so, if there is one."""
        kind = _read.KIND_NUMBERS[BlkType(blk_type)]
        return _optional(_holders_of_type(self._handle, encoded(kdev), kind), _read.block, _block_free)

    def topology(self, device: str) -> Topology:
        """A device with all that is below and above it. Raises as `block`."""
        return _needed(_topology(self._handle, encoded(device)), _read.topology, _topology_free)

    def mounts(self) -> "List[Mount]":
        """All mounts, the oldest first. Raises SourceError."""
        return list(_needed(_mounts(self._handle), _read.mounts, _mounts_free))

    def mount_of(self, major_minor: Tuple[int, int]) -> "List[Mount]":
        """The mounts of one device, the oldest first; none when the mount table cannot be read."""
        major, minor = DevNumber(*major_minor)
        return list(_needed(_mount_of(self._handle, major, minor), _read.mounts, _mounts_free))

    def mount_at(self, path: str) -> Optional[Mount]:
        """The mount that contains an absolute path; the path itself is not accessed. Raises SourceError."""
        return _optional(_mount_at(self._handle, encoded(path)), _read.mount, _mount_free)

    def list(self) -> "List[BlockInfo]":
        """All block devices that lsblk(8) shows, in natural order of their names. Raises SourceError."""
        return list(_needed(_list(self._handle), _read.blocks, _list_free))

    def list_all(self) -> "List[BlockInfo]":
        """All block devices, those too that `list` leaves out: empty loop devices, RAM disks, hidden paths."""
        return list(_needed(_list_all(self._handle), _read.blocks, _list_free))
