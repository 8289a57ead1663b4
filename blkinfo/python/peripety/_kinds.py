"""Types of fields that are more than a text or a number."""

from enum import Enum
from typing import NamedTuple, Optional


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
