//! Functions that print, as far as their definitions do not show what they print before the text of a caller.
//!
//! Macros that end in one of them need no entry, nor does a function that prints its caller's format with `%pV`.

use std::collections::HashMap;

/// A function that prints.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// Where its level comes from.
    pub level: Level,
    /// What it prints first.
    pub head: Head,
    /// The argument with the format.
    pub format: usize,
}

/// Where a level comes from.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// Always this level.
    Is(u8),
    /// The format begins with it (include/linux/kern_levels.h), or has it as its first argument.
    InFormat,
    /// This argument is a level.
    Argument(usize),
    /// This argument contains one of these words; otherwise nothing is printed unless somebody is debugging.
    Word(usize, &'static [(&'static str, u8)]),
}

/// What a function prints before its caller's text. Braces are names of devices, see `lines/place.rs`.
#[derive(Clone, Copy, Debug)]
pub enum Head {
    /// Nothing.
    None,
    /// What `pr_fmt` adds.
    Pr,
    /// Driver and name of the device in this argument.
    Device(usize),
    /// The same, with an error code (dev_err_probe of drivers/base/core.c).
    Probe(usize),
    /// A SCSI device and, unless this argument is NULL, the name of its disk (sdev_prefix_printk of drivers/scsi/scsi_logging.c).
    ScsiDisk(usize),
    /// This text.
    Text(&'static str),
    /// This text if the argument is NULL, else the other.
    Unless(usize, &'static str, &'static str),
    /// The text, with the number in this argument as four digits for `{id}`.
    Numbered(usize, &'static str),
    /// File system, level and device (fs/btrfs/messages.c).
    Btrfs,
    /// A device or a resource of DRBD.
    Drbd,
}

/// Levels by their names in functions and macros; `None`: debugging.
const LEVELS: &[(&str, u8)] = &[
    ("emerg", 0),
    ("alert", 1),
    ("crit", 2),
    ("err", 3),
    ("warn", 4),
    ("warning", 4),
    ("notice", 5),
    ("info", 6),
];

/// Levels by their names in calls.
pub const NAMED: &[(&str, u8)] = &[
    ("KERN_EMERG", 0),
    ("KERN_ALERT", 1),
    ("KERN_CRIT", 2),
    ("KERN_ERR", 3),
    ("KERN_WARNING", 4),
    ("KERN_NOTICE", 5),
    ("KERN_INFO", 6),
    ("KERN_DEBUG", 7),
    // The default of the kernel's option MESSAGE_LOGLEVEL_DEFAULT.
    ("KERN_DEFAULT", 4),
    ("KERN_CONT", CONTINUES),
    ("LOGLEVEL_EMERG", 0),
    ("LOGLEVEL_ALERT", 1),
    ("LOGLEVEL_CRIT", 2),
    ("LOGLEVEL_ERR", 3),
    ("LOGLEVEL_WARNING", 4),
    ("LOGLEVEL_NOTICE", 5),
    ("LOGLEVEL_INFO", 6),
    ("LOGLEVEL_DEBUG", 7),
];

/// The text continues a line.
pub const CONTINUES: u8 = 8;
/// From here on, nothing is printed by default.
pub const DEBUG: u8 = 7;

/// Names and what they print.
const OTHERS: &[(&[&str], Printer)] = &[
    (
        &["printk", "_printk", "printk_once", "printk_ratelimited", "printk_deferred"],
        Printer { level: Level::InFormat, head: Head::None, format: 0 },
    ),
    (
        &["dev_printk", "_dev_printk", "dev_printk_ratelimited", "dev_printk_once"],
        Printer { level: Level::Argument(0), head: Head::Device(1), format: 2 },
    ),
    (&["dev_err_probe"], Printer { level: Level::Is(3), head: Head::Probe(0), format: 2 }),
    (&["dev_warn_probe"], Printer { level: Level::Is(4), head: Head::Probe(0), format: 2 }),
    (&["sdev_prefix_printk"], Printer { level: Level::Argument(0), head: Head::ScsiDisk(2), format: 3 }),
    (
        &["scmd_printk"],
        Printer { level: Level::Argument(0), head: Head::Text("{command}: [{sd}] tag#{tag} "), format: 2 },
    ),
    (
        &["ata_port_printk", "ata_link_printk"],
        Printer { level: Level::Argument(0), head: Head::Text("{ata}: "), format: 2 },
    ),
    (&["ata_dev_printk"], Printer { level: Level::Argument(0), head: Head::Text("{ata}.00: "), format: 2 }),
    // fs/xfs/xfs_message.c.
    (
        &["xfs_printk_level"],
        Printer { level: Level::Argument(0), head: Head::Unless(1, "XFS: ", "XFS ({part}): "), format: 2 },
    ),
    (
        &["xfs_alert_tag", "xfs_buf_alert_ratelimited"],
        Printer { level: Level::Is(1), head: Head::Text("XFS ({part}): "), format: 2 },
    ),
    (
        &["_btrfs_printk", "__btrfs_printk"],
        Printer { level: Level::InFormat, head: Head::Btrfs, format: FIRST_TEXT },
    ),
    // fs/f2fs/super.c; newer kernels have a further argument.
    (
        &["f2fs_printk"],
        Printer { level: Level::InFormat, head: Head::Text("F2FS-fs ({part}): "), format: FIRST_TEXT },
    ),
    (
        &["_erofs_printk"],
        Printer { level: Level::InFormat, head: Head::Text("erofs (device {part}): "), format: 1 },
    ),
    // fs/ext4/super.c; the text continues a line that begins so.
    (
        &["__ext4_grp_locked_error"],
        Printer {
            level: Level::Is(2),
            head: Head::Text("EXT4-fs error (device {part}): {function}:{line}: group 5, "),
            format: 6,
        },
    ),
    // fs/reiserfs/prints.c; the text begins with the name of the function.
    (
        &["__reiserfs_warning"],
        Printer {
            level: Level::Is(4),
            head: Head::Text("REISERFS warning (device {part}): {function}: "),
            format: 3,
        },
    ),
    (
        &["__reiserfs_error"],
        Printer {
            level: Level::Is(2),
            head: Head::Text("REISERFS error (device {part}): {function}: "),
            format: 3,
        },
    ),
    // drivers/md/dm-vdo/logger.c.
    (
        &["__vdo_log_message", "vdo_log_embedded_message"],
        Printer {
            level: Level::Word(0, VDO),
            head: Head::Text("device-mapper: vdo{number}:kvdoPhysQ0: "),
            format: 2,
        },
    ),
    (
        &["__vdo_log_strerror"],
        Printer {
            level: Level::Word(0, VDO),
            head: Head::Text("device-mapper: vdo{number}:kvdoPhysQ0: "),
            format: 3,
        },
    ),
    // fs/smb/client/cifs_debug.h.
    (
        &["cifs_dbg"],
        Printer { level: Level::Word(0, &[("VFS", 3)]), head: Head::Text("CIFS: VFS: "), format: 1 },
    ),
    (
        &["cifs_server_dbg"],
        Printer {
            level: Level::Word(0, &[("VFS", 3)]),
            head: Head::Text("CIFS: VFS: \\\\{server} "),
            format: 1,
        },
    ),
    (
        &["cifs_tcon_dbg"],
        Printer {
            level: Level::Word(0, &[("VFS", 3)]),
            head: Head::Text("CIFS: VFS: \\\\{server}\\share "),
            format: 1,
        },
    ),
    // fs/ocfs2/cluster/masklog.c.
    (
        &["mlog"],
        Printer {
            level: Level::Word(0, &[("ML_ERROR", 3), ("ML_NOTICE", 5)]),
            head: Head::Text("(kworker/u8:2,123,0):{function}:{line} {mark}"),
            format: 1,
        },
    ),
    // drivers/scsi/qla2xxx/qla_dbg.c.
    (
        &["ql_log", "ql_log_qp"],
        Printer {
            level: Level::Word(0, QLOGIC),
            head: Head::Numbered(2, "qla2xxx [{pci}]-{id}:{number}: "),
            format: 3,
        },
    ),
    (
        &["ql_log_pci"],
        Printer {
            level: Level::Word(0, QLOGIC),
            head: Head::Numbered(2, "qla2xxx [{pci}]-{id}: : "),
            format: 3,
        },
    ),
    // drivers/scsi/pm8001/pm8001_sas.h; these two are logged by default.
    (
        &["pm8001_dbg"],
        Printer {
            level: Level::Word(1, &[("FAIL", 6), ("IOERR", 6)]),
            head: Head::Text("pm80xx{number}:: {function} {line}: "),
            format: 2,
        },
    ),
    // drivers/block/drbd/drbd_int.h.
    (
        &["drbd_printk", "dynamic_drbd_dbg"],
        Printer { level: Level::Argument(0), head: Head::Drbd, format: 2 },
    ),
    (&["rbd_warn"], Printer { level: Level::Is(4), head: Head::Text("rbd: rbd{number}: "), format: 1 }),
    // fs/ntfs3/super.c: level and device come first.
    (&["ntfs_printk"], Printer { level: Level::InFormat, head: Head::Text("ntfs3({part}): "), format: 1 }),
    (
        &["ntfs_inode_printk"],
        Printer {
            level: Level::InFormat,
            head: Head::Text("ntfs3({part}): ino={number}, \"file.txt\" "),
            format: 1,
        },
    ),
];

/// The format is the first argument that contains a string.
pub const FIRST_TEXT: usize = usize::MAX;

const VDO: &[(&str, u8)] = &[
    ("VDO_LOG_CRIT", 2),
    ("VDO_LOG_FATAL", 2),
    ("VDO_LOG_ERR", 3),
    ("VDO_LOG_WARNING", 4),
    ("VDO_LOG_NOTICE", 5),
    ("VDO_LOG_INFO", 6),
];
/// drivers/scsi/qla2xxx/qla_dbg.c: what is called a warning there is logged as an error, and so on.
const QLOGIC: &[(&str, u8)] = &[("ql_log_fatal", 2), ("ql_log_warn", 3), ("ql_log_info", 4)];

/// All functions that print, by name.
pub fn printers() -> HashMap<String, Printer> {
    let mut all = HashMap::new();
    for (name, level) in LEVELS {
        let level = Level::Is(*level);
        for ending in ["", "_once", "_ratelimited"] {
            all.insert(format!("pr_{name}{ending}"), Printer { level, head: Head::Pr, format: 0 });
            all.insert(format!("dev_{name}{ending}"), Printer { level, head: Head::Device(0), format: 1 });
        }
        all.insert(format!("drbd_{name}"), Printer { level, head: Head::Drbd, format: 1 });
    }
    for (names, printer) in OTHERS {
        all.extend(names.iter().map(|name| ((*name).to_owned(), *printer)));
    }
    all
}

/// Functions with such a name print only while somebody is debugging, or check what cannot happen.
pub fn is_debugging(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // "bug" is in "debug", too.
    ["bug", "dbg", "trace", "dprintk", "printd", "assert", "bfa_sm_fault", "mlog_errno"]
        .iter()
        .any(|word| lower.contains(word))
        || lower.starts_with("dbf_")
}
