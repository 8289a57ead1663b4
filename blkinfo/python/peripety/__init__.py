"""What block device is this?

Takes any string that names a block device (``sdb``, ``8:16``, ``2:0:0:1``, ``/dev/disk/by-id/…``, ``mpatha``,
``vg/lv``, a file system's UUID, a mount point) and answers with one `BlockInfo`: its identity, what it is built
from, what lies on it, how it is attached. Never opens a device node: a question about a dead disk cannot hang.

    >>> import peripety
    >>> disk = peripety.block_info("/dev/mapper/mpatha")
    >>> disk.dev_wwid, disk.owners_paths()

Which device had a name at a time that has passed is asked of a `peripety.history.History`.

All answers are frozen: what was so when the question was asked. What is not known is ``None``.
"""

from typing import List, Optional

from . import history
from ._errors import (
    AmbiguousError,
    BadBootIdError,
    BadTextError,
    BugError,
    InvalidArgumentError,
    MachineError,
    NoListsError,
    NotFoundError,
    PeripetyError,
    SourceError,
)
from ._library import library_version, natural_cmp, recorded_to_text
from ._multipathd import Multipathd
from ._source import Source
from ._tree import Tree
from ._types import BlkType, BlockInfo, DevNumber, Mount, Owner, Path, Topology

__version__ = "0.1.0"

__all__ = [
    "AmbiguousError",
    "BadBootIdError",
    "BadTextError",
    "BlkType",
    "BlockInfo",
    "BugError",
    "DevNumber",
    "InvalidArgumentError",
    "MachineError",
    "Mount",
    "Multipathd",
    "NoListsError",
    "NotFoundError",
    "Owner",
    "Path",
    "PeripetyError",
    "Source",
    "SourceError",
    "Topology",
    "Tree",
    "block_info",
    "history",
    "identity_of_fs",
    "kernel_block",
    "library_version",
    "list_blocks",
    "mount_at",
    "mounts",
    "natural_cmp",
    "recorded_to_text",
    "topology",
]


def _or_live(tree: Optional[Tree]) -> Tree:
    return Tree.live() if tree is None else tree


def block_info(device: str, tree: Optional[Tree] = None) -> BlockInfo:
    """The block device that any device string means. See `Tree.block`."""
    return _or_live(tree).block(device)


def kernel_block(kdev: str, tree: Optional[Tree] = None) -> BlockInfo:
    """The block device that a string means which the kernel wrote. See `Tree.kernel_block`."""
    return _or_live(tree).kernel_block(kdev)


def identity_of_fs(uuid: str, tree: Optional[Tree] = None) -> BlockInfo:
    """The block device with the file system of that UUID. See `Tree.identity_of_fs`."""
    return _or_live(tree).identity_of_fs(uuid)


def list_blocks(tree: Optional[Tree] = None) -> List[BlockInfo]:
    """All block devices that lsblk(8) shows. See `Tree.list`."""
    return _or_live(tree).list()


def topology(device: str, tree: Optional[Tree] = None) -> Topology:
    """A device with all that is below and above it. See `Tree.topology`."""
    return _or_live(tree).topology(device)


def mounts(tree: Optional[Tree] = None) -> List[Mount]:
    """All mounts, the oldest first. See `Tree.mounts`."""
    return _or_live(tree).mounts()


def mount_at(path: str, tree: Optional[Tree] = None) -> Optional[Mount]:
    """The mount that contains an absolute path. See `Tree.mount_at`."""
    return _or_live(tree).mount_at(path)
