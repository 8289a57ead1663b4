//! Facts about a device, and the names of their columns in lsblk(8).

/// A fact that a device has once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// `8:16`.
    Number,
    /// `2:0:0:1`.
    Address,
    /// The node.
    Node,
    /// lsblk's word for the kind: `disk`, `part`, `mpath`, `lvm`, `crypt` …
    Type,
    /// The number of a partition.
    Partition,
    /// In bytes.
    Size,
    /// The serial number.
    Serial,
    /// The model.
    Model,
    /// The vendor.
    Vendor,
    /// `1`: the medium can be taken out.
    Removable,
    /// `1`: the medium turns.
    Rotational,
    /// `1`: it cannot be written.
    ReadOnly,
    /// The file system.
    FsType,
    /// Its UUID.
    FsUuid,
    /// Its label.
    FsLabel,
    /// The UUID of a partition.
    PartUuid,
    /// The name of a partition.
    PartLabel,
    /// How a disk is attached, as [`crate::BlockInfo::transport`] has it.
    Transport,
    /// The name of a map.
    DmName,
    /// The UUID of a map.
    DmUuid,
    /// The kernel's sequence number of the disk.
    DiskSeq,
    /// The file behind a loop device.
    BackingFile,
    /// The number of an iSCSI session.
    Session,
    /// The name of its target.
    Target,
    /// The target's portal group.
    TargetGroup,
    /// The address of its portal.
    PortalAddress,
    /// The port of its portal.
    PortalPort,
    /// The interface through which it runs.
    Interface,
    /// An identity: `0x5000c500a1b2c3d4`, `eui.…`.
    Wwn,
}

/// lsblk's columns; `DM_NAME`, `DM_UUID` and `DISKSEQ` are udev's names.
const COLUMNS: [(&str, Fact); 26] = [
    ("MAJ:MIN", Fact::Number),
    ("MAJ_MIN", Fact::Number),
    ("HCTL", Fact::Address),
    ("PATH", Fact::Node),
    ("TYPE", Fact::Type),
    ("PARTN", Fact::Partition),
    ("SIZE", Fact::Size),
    ("SERIAL", Fact::Serial),
    ("MODEL", Fact::Model),
    ("VENDOR", Fact::Vendor),
    ("RM", Fact::Removable),
    ("ROTA", Fact::Rotational),
    ("RO", Fact::ReadOnly),
    ("FSTYPE", Fact::FsType),
    ("UUID", Fact::FsUuid),
    ("LABEL", Fact::FsLabel),
    ("PARTUUID", Fact::PartUuid),
    ("PARTLABEL", Fact::PartLabel),
    ("TRAN", Fact::Transport),
    ("DM_NAME", Fact::DmName),
    ("DM_UUID", Fact::DmUuid),
    ("DISKSEQ", Fact::DiskSeq),
    ("DISK-SEQ", Fact::DiskSeq),
    ("DISK_SEQ", Fact::DiskSeq),
    ("WWN", Fact::Wwn),
    ("BACK-FILE", Fact::BackingFile),
];

/// Facts that udev keeps as properties, by its names.
pub const UDEV_NAMES: [(&str, Fact); 6] = [
    ("ID_SERIAL_SHORT", Fact::Serial),
    ("ID_MODEL", Fact::Model),
    ("ID_VENDOR", Fact::Vendor),
    ("ID_FS_TYPE", Fact::FsType),
    ("ID_FS_UUID", Fact::FsUuid),
    ("ID_FS_LABEL", Fact::FsLabel),
];

impl Fact {
    /// The fact in a column; `None` for one that nothing is made of.
    pub fn of_column(name: &str) -> Option<Self> {
        COLUMNS.iter().find(|(column, _)| column.eq_ignore_ascii_case(name)).map(|(_, fact)| *fact)
    }
}

/// lsblk's words for how a disk is attached, and ours. `nvme` may be any of its transports.
const TRANSPORTS: [(&str, &str); 7] = [
    ("fc", "FC"),
    ("fcoe", "FCoE"),
    ("iscsi", "iSCSI"),
    ("sas", "SAS"),
    ("sata", "SATA"),
    ("ata", "ATA"),
    ("usb", "USB"),
];

/// How a disk is attached, from lsblk's or lsscsi's word for it.
pub fn transport(word: &str) -> Option<&'static str> {
    TRANSPORTS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours)
}
