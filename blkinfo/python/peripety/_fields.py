# Generated from io.peripety.varlink by `make generate`: do not edit.
"""What is known of a block device, of what it is built from, and of its paths."""

from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple

from ._kinds import BlkType, DevNumber


@dataclass(frozen=True)
class Owner:
    """A block device that another one is built from."""

    #: Kernel name.
    kdev: str
    #: Device node, as ``dev_path`` of BlockInfo.
    dev_path: str
    #: World wide id, as ``dev_wwid`` of BlockInfo.
    dev_wwid: Optional[str]


@dataclass(frozen=True)
class Path:
    """A path of a multipath map or of a multipathed NVMe namespace."""

    #: Kernel name: ``sdb``, ``nvme0c1n1``.
    kdev: str
    #: SCSI address ``2:0:0:1``, or the NVMe controller ``nvme1``.
    address: Optional[str]
    #: State of the SCSI device (``running``, ``offline``, ``blocked``, ``transport-offline`` …:
    #: ``drivers/scsi/scsi_sysfs.c``, ``sdev_states``) or of the NVMe controller (``live``, ``connecting`` …).
    state: Optional[str]
    #: ALUA state (``active/optimized``, ``standby`` …: ``drivers/scsi/scsi.c``, ``sdev_access_states``) or ANA
    #: state (``optimized``, ``inaccessible`` …).
    access_state: Optional[str]
    #: The target prefers this path (ALUA).
    preferred: Optional[bool]
    #: State of a path of a multipath map in device-mapper, as reported by multipathd: ``active`` or
    #: ``failed``; ``unknown`` when multipathd does not answer within 100 ms. ``None`` when it was not asked,
    #: and for other paths.
    dm_state: Optional[str]
    #: Further properties of the path, as in BlockInfo.
    extension: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class BlockFields:
    """A block device. Values come from sysfs, udev's database and the mount table; the device itself is never opened."""

    #: Kernel name: ``sdb``, ``dm-3``, ``nvme0n1``, ``cciss/c0d0``.
    kdev: str
    #: Device number, ``MAJOR:MINOR``; ``None`` for a hidden path of an NVMe namespace.
    major_minor: Optional[DevNumber]
    #: SCSI address (host, channel, target, LUN) of a SCSI disk: ``2:0:0:1``.
    address: Optional[str]
    #: The kernel's sequence number of the disk (Linux 5.15 and later), unique within a boot.
    diskseq: Optional[int]
    #: Device node to use: ``/dev/sdb``, ``/dev/mapper/NAME`` for a device-mapper device, the node of the
    #: namespace for a path of an NVMe namespace.
    dev_path: str
    #: Symbolic link to that node that survives reboots, in ``/dev/disk/by-id`` or else in
    #: ``/dev/disk/by-path``; for device-mapper the node itself. ``None`` when udev made none.
    stable_path: Optional[str]
    #: Kind of block device: ``scsi``, ``nvme``, ``dm-multipath``, ``dm-lvm``, ``dm-crypt``,
    #: ``dm``, ``md``, ``partition``, ``loop``, ``virtio``, ``mmc``, ``zram`` or ``other``.
    blk_type: BlkType
    #: World wide id: the same on every path, after a reboot and under another name. ``None`` when the
    #: device has no identifier of its own; none is made up.
    dev_wwid: Optional[str]
    #: The block devices it is built from, on all levels, nearest first, each once. A partition has
    #: its disk first.
    owners: Tuple[Owner, ...]
    #: Kernel names of the block devices directly below it: the disk of a partition, the paths of a
    #: map.
    slaves: Tuple[str, ...]
    #: Kernel names of the block devices directly on top of it: partitions, maps, arrays.
    holders: Tuple[str, ...]
    #: The paths of a multipath map or of a multipathed NVMe namespace.
    paths: Tuple[Path, ...]
    #: Size in bytes.
    size_bytes: int
    #: Serial number of the disk. For a virtio disk it is also the ``dev_wwid``.
    serial: Optional[str]
    #: Model of the disk; for an MMC or SD card the product name.
    model: Optional[str]
    #: Vendor of the disk.
    vendor: Optional[str]
    #: The medium is removable. A partition has the value of its disk.
    removable: Optional[bool]
    #: The medium rotates, or the driver does not know. A partition has the value of its disk.
    rotational: Optional[bool]
    #: The device is read-only.
    read_only: Optional[bool]
    #: Maximum number of commands that the kernel sends to a SCSI disk at once. The driver may lower it
    #: while the disk reports a full queue. ``None`` for other devices.
    queue_depth: Optional[int]
    #: NUMA node that the controllers of an NVMe namespace are attached to. ``None`` when there is none, when
    #: they are attached to different nodes, and for other devices.
    numa_node: Optional[int]
    #: Type of its content: a file system (``ext4``) or a member of something else (``LVM2_member``).
    #: From udev, else from the mount table.
    fs_type: Optional[str]
    #: UUID of the content.
    fs_uuid: Optional[str]
    #: Label of the content.
    fs_label: Optional[str]
    #: Where it is mounted, bind mounts included (except directories mounted on themselves): mounts of
    #: its root directory first, each group with the oldest mount first. ``[SWAP]`` comes last when it is
    #: in use as swap. On the wire these are the mounts in the daemon's mount namespace.
    mount_points: Tuple[str, ...]
    #: How it is attached: ``FC``, ``iSCSI``, ``SAS``, ``SATA``, ``ATA``, ``USB``, ``SPI``, ``UFS``, ``MMC``, ``virtio``,
    #: ``NVMe-PCIe``, ``NVMe-TCP`` …
    transport: Optional[str]
    #: Further properties by name, as in StorageEvent.extension: how it is attached, and what backs a
    #: loop device.
    extension: Mapping[str, str] = field(hash=False)
    #: Since when the device has certainly had its name, in microseconds of ``CLOCK_MONOTONIC``; 0 is since
    #: boot. ``None`` when unknown, as for a loop device, whose node stays when its file changes.
    present_since: Optional[int]


#: The getters of a peripety_owner: by the field's name, what they give and the name that they begin with.
OWNER = {
    "kdev": ("text", "peripety_owner_kdev"),
    "dev_path": ("text", "peripety_owner_dev_path"),
    "dev_wwid": ("text", "peripety_owner_dev_wwid"),
}

#: The getters of a peripety_path: by the field's name, what they give and the name that they begin with.
PATH = {
    "kdev": ("text", "peripety_path_kdev"),
    "address": ("text", "peripety_path_address"),
    "state": ("text", "peripety_path_state"),
    "access_state": ("text", "peripety_path_access_state"),
    "preferred": ("flag", "peripety_path_preferred"),
    "dm_state": ("text", "peripety_path_dm_state"),
    "extension": ("map", "peripety_path_extension"),
}

#: The getters of a peripety_block: by the field's name, what they give and the name that they begin with.
BLOCK = {
    "kdev": ("text", "peripety_block_kdev"),
    "major_minor": ("device number", "peripety_block_major_minor"),
    "address": ("text", "peripety_block_address"),
    "diskseq": ("number", "peripety_block_diskseq"),
    "dev_path": ("text", "peripety_block_dev_path"),
    "stable_path": ("text", "peripety_block_stable_path"),
    "blk_type": ("kind", "peripety_block_blk_type"),
    "dev_wwid": ("text", "peripety_block_dev_wwid"),
    "owners": ("owners", "peripety_block_owner"),
    "slaves": ("texts", "peripety_block_slave"),
    "holders": ("texts", "peripety_block_holder"),
    "paths": ("paths", "peripety_block_path"),
    "size_bytes": ("number", "peripety_block_size_bytes"),
    "serial": ("text", "peripety_block_serial"),
    "model": ("text", "peripety_block_model"),
    "vendor": ("text", "peripety_block_vendor"),
    "removable": ("flag", "peripety_block_removable"),
    "rotational": ("flag", "peripety_block_rotational"),
    "read_only": ("flag", "peripety_block_read_only"),
    "queue_depth": ("number", "peripety_block_queue_depth"),
    "numa_node": ("number", "peripety_block_numa_node"),
    "fs_type": ("text", "peripety_block_fs_type"),
    "fs_uuid": ("text", "peripety_block_fs_uuid"),
    "fs_label": ("text", "peripety_block_fs_label"),
    "mount_points": ("texts", "peripety_block_mount_point"),
    "transport": ("text", "peripety_block_transport"),
    "extension": ("map", "peripety_block_extension"),
    "present_since": ("number", "peripety_block_present_since"),
}
