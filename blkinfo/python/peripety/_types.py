"""What the answers are made of. The names of the fields are the library's."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Dict, Mapping, NamedTuple, Optional, Tuple


class DevNumber(NamedTuple):
    """A block device number; as text ``8:16``."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}:{self.minor}"

    @classmethod
    def parse(cls, text: str) -> Optional["DevNumber"]:
        """Reads ``8:16``; anything else is ``None``."""
        from ._library import parse_dev_number

        number = parse_dev_number(text)
        return None if number is None else cls(*number)


class BlkType(str, Enum):
    """What kind of block device it is. Equal to its name as a string: ``BlkType.MD == "md"``."""

    OTHER = "other"
    SCSI = "scsi"
    NVME = "nvme"
    DM_MULTIPATH = "dm-multipath"
    DM_LVM = "dm-lvm"
    DM_CRYPT = "dm-crypt"
    DM = "dm"
    MD = "md"
    PARTITION = "partition"
    LOOP = "loop"
    VIRTIO = "virtio"
    MMC = "mmc"
    ZRAM = "zram"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Owner:
    """A block device that another one is built from."""

    #: The kernel's name.
    kdev: str
    #: The node, as `BlockInfo.dev_path`.
    dev_path: str
    #: The identity, as `BlockInfo.dev_wwid`.
    dev_wwid: Optional[str]


@dataclass(frozen=True)
class Path:
    """One way to a multipath map or to a multipathed NVMe namespace."""

    #: The kernel's name: ``sdb``, ``nvme0c1n1``.
    kdev: str
    #: The SCSI address ``2:0:0:1``; the name of the controller ``nvme1``.
    address: Optional[str]
    #: What the kernel says of the SCSI device (``running`` …) or of the NVMe controller (``live`` …).
    state: Optional[str]
    #: ALUA's or ANA's access state: ``active/optimized``, ``standby`` …
    access_state: Optional[str]
    #: What device-mapper does with a path of a multipath map: ``active``, ``failed``, ``unknown``. Only multipathd
    #: tells it, see `peripety.Multipathd`.
    dm_state: Optional[str]
    #: The target prefers this path (ALUA).
    preferred: Optional[bool]
    #: Details of the path, as `BlockInfo.extension`.
    extension: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class BlockInfo:
    """One block device."""

    #: The kernel's name: ``sdb``, ``dm-3``.
    kdev: str
    #: The device number. A path of a multipathed NVMe namespace has none.
    major_minor: Optional[DevNumber]
    #: The SCSI address ``2:0:0:1`` of a SCSI disk.
    address: Optional[str]
    #: The node to use: ``/dev/sdb``, ``/dev/mapper/NAME``.
    dev_path: str
    #: A link to the node that stays the same after a reboot; for device-mapper the node itself.
    stable_path: Optional[str]
    #: The kind.
    blk_type: BlkType
    #: The identity: the same on every path, after a reboot, under another name. Never invented.
    dev_wwid: Optional[str]
    #: What it is built from, all levels, nearest first, each device once.
    owners: Tuple[Owner, ...]
    #: Kernel names of what it is directly built from.
    slaves: Tuple[str, ...]
    #: Kernel names of what is directly built on it.
    holders: Tuple[str, ...]
    #: The size in bytes.
    size_bytes: int
    #: The serial number of the disk.
    serial: Optional[str]
    #: The model of the disk.
    model: Optional[str]
    #: The vendor of the disk.
    vendor: Optional[str]
    #: The medium can be taken out.
    removable: Optional[bool]
    #: The medium turns, or the driver does not say that it does not.
    rotational: Optional[bool]
    #: It cannot be written.
    read_only: Optional[bool]
    #: What lies on it: ``ext4``, ``LVM2_member``.
    fs_type: Optional[str]
    #: The UUID of that.
    fs_uuid: Optional[str]
    #: The label of that.
    fs_label: Optional[str]
    #: Where it is mounted; ``[SWAP]`` at the end when it is in use as swap.
    mount_points: Tuple[str, ...]
    #: How it is attached: ``FC``, ``iSCSI``, ``SAS``, ``USB``, ``NVMe-TCP`` …
    transport: Optional[str]
    #: Details of how it is attached.
    extension: Mapping[str, str] = field(hash=False)
    #: The ways to a multipath map or to a multipathed NVMe namespace.
    paths: Tuple[Path, ...]
    #: From when on it certainly carried its name, in µs of CLOCK_MONOTONIC; 0 is since boot.
    present_since: Optional[int]
    #: The kernel's sequence number of the disk (Linux 5.15 and later).
    diskseq: Optional[int]

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
