"""What the answers are made of. The names of the fields are the library's."""

from dataclasses import dataclass
from typing import Dict, Tuple

from ._fields import BlockFields, Owner, Path
from ._kinds import BlkType, DevNumber

__all__ = ["BlkType", "BlockInfo", "DevNumber", "Mount", "Owner", "Path", "Topology"]


@dataclass(frozen=True)
class BlockInfo(BlockFields):
    """One block device."""

    def owners_wwids(self) -> Tuple[str, ...]:
        """The distinct identities of the owners, in their order."""
        return tuple(dict.fromkeys(owner.dev_wwid for owner in self.owners if owner.dev_wwid is not None))

    def owners_paths(self) -> Tuple[str, ...]:
        """The nodes of the owners, in their order."""
        return tuple(owner.dev_path for owner in self.owners)

    def is_same(self, later: "BlockInfo") -> bool:
        """Seen again later, under the same name, is it the same device?

        By the kernel's sequence number or else udev's first sight, and the identity, which may be learned but not
        lost. False when nothing tells.
        """
        from ._write import is_same

        return is_same(self, later)

    def to_json(self) -> str:
        """All fields as a JSON object."""
        from ._write import plain, written

        return written(plain(self))

    @classmethod
    def from_json(cls, text: str) -> "BlockInfo":
        """A block from such an object. Raises BadTextError."""
        from ._write import from_json

        return from_json(text)

    def __str__(self) -> str:
        """One fact a line, for people."""
        from ._write import to_text

        return to_text(self)


@dataclass(frozen=True)
class Topology:
    """A device with all that is below and above it, as two trees."""

    #: The device.
    block: BlockInfo
    #: What it is built from. Within this branch `above` is empty.
    below: Tuple["Topology", ...]
    #: What is built on it. Within this branch `below` is empty.
    above: Tuple["Topology", ...]

    def all_below(self) -> Tuple[BlockInfo, ...]:
        """All devices below, nearest first, each once."""
        return _flat(self.below, "below")

    def all_above(self) -> Tuple[BlockInfo, ...]:
        """All devices above, nearest first, each once."""
        return _flat(self.above, "above")

    def to_json(self) -> str:
        """A JSON object: the block, and the same again in the arrays ``below`` and ``above``."""
        from ._write import plain_topology, written

        return written(plain_topology(self))


def _flat(level: Tuple[Topology, ...], side: str) -> Tuple[BlockInfo, ...]:
    found: Dict[str, BlockInfo] = {}
    while level:
        for topology in level:
            found.setdefault(topology.block.kdev, topology.block)
        level = tuple(inner for topology in level for inner in getattr(topology, side))
    return tuple(found.values())


@dataclass(frozen=True)
class Mount:
    """One line of the mount table."""

    #: The kernel's number of the mount; used again after an unmount.
    id: int
    #: The device of the file system.
    major_minor: DevNumber
    #: The directory of the file system that is mounted; other than ``/`` for a bind mount.
    root: str
    #: Where.
    mount_point: str
    #: ``ext4``, ``nfs4`` …
    fs_type: str
    #: What was mounted: a device path, or whatever the file system takes instead.
    source: str
