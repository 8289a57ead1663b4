//! Which entries are what they claim to be.
//!
//! Fields that begin with `_` are set by journald and cannot be chosen by a client
//! (systemd.journal-fields(7)). Even so, any local user can get a line into the journal that
//! carries `_TRANSPORT=kernel` and the identifier "kernel": a stream connection to journald with
//! forwarding to the kernel log on, or (for root) a write to /dev/kmsg. Both come back with
//! facility 1 (user); only the kernel itself logs with facility 0.

use crate::journal::Entry;

/// A user-space tool whose lines have rules: what journald's trusted fields must say.
struct Tool {
    identifier: &'static str,
    /// Names of its executable, also cut to the 15 bytes of a process name. One that ends in `*` stands for all that
    /// begin so.
    programs: &'static [&'static str],
    /// Its systemd units, in the same way.
    units: &'static [&'static str],
}

const LVM_UNITS: &[&str] = &[
    "dm-event.service",
    "lvm2-*",
    "lvm-activate-*",
    "systemd-udevd.service",
    "blk-availability.service",
    "systemd-cryptsetup@*",
];
/// systemd-fsck's identifier is also that of the checkers it runs.
const CHECKERS: &[&str] = &["systemd-fsck", "fsck", "fsck.*", "e2fsck", "xfs_repair", "dosfsck"];
const CHECKER_UNITS: &[&str] = &["systemd-fsck@*", "systemd-fsck-*"];

const TOOLS: &[Tool] = &[
    Tool { identifier: "multipathd", programs: &["multipathd"], units: &["multipathd.service"] },
    Tool {
        identifier: "multipath",
        programs: &["multipath"],
        units: &["systemd-udevd.service", "multipathd.service"],
    },
    Tool {
        identifier: "dmeventd",
        programs: &["dmeventd"],
        units: &["dm-event.service", "lvm2-monitor.service"],
    },
    Tool { identifier: "lvm", programs: &["lvm", "dmeventd"], units: LVM_UNITS },
    Tool { identifier: "pvscan", programs: &["lvm", "pvscan"], units: LVM_UNITS },
    Tool { identifier: "lvmpolld", programs: &["lvmpolld"], units: &["lvm2-lvmpolld.service"] },
    // A shell script.
    Tool {
        identifier: "blkdeactivate",
        programs: &["blkdeactivate", "bash"],
        units: &["blk-availability.service"],
    },
    Tool { identifier: "iscsid", programs: &["iscsid"], units: &["iscsid.service", "open-iscsi.service"] },
    Tool {
        identifier: "iscsiadm",
        programs: &["iscsiadm"],
        units: &["iscsi.service", "open-iscsi.service", "iscsi-*", "iscsid.service"],
    },
    Tool {
        identifier: "mdadm",
        programs: &["mdadm"],
        units: &["mdmonitor*", "mdadm.service", "mdadm-*", "mdcheck*", "systemd-udevd.service"],
    },
    Tool { identifier: "smartd", programs: &["smartd"], units: &["smartd.service", "smartmontools.service"] },
    // Its scripts write with logger(1).
    Tool { identifier: "zed", programs: &["zed", "logger"], units: &["zfs-zed.service", "zed.service"] },
    Tool { identifier: "udisksd", programs: &["udisksd"], units: &["udisks2.service"] },
    Tool { identifier: "stratisd", programs: &["stratisd*"], units: &["stratisd*"] },
    Tool { identifier: "systemd", programs: &["systemd", "init"], units: &["init.scope"] },
    Tool { identifier: "systemd-fsck", programs: CHECKERS, units: CHECKER_UNITS },
    Tool { identifier: "fsck", programs: CHECKERS, units: CHECKER_UNITS },
    Tool { identifier: "stafd", programs: &["stafd", "python3*"], units: &["stafd.service"] },
    Tool { identifier: "stacd", programs: &["stacd", "python3*"], units: &["stacd.service"] },
    Tool { identifier: "nvme", programs: &["nvme"], units: &["nvmf-*", "nvmefc-*", "systemd-udevd.service"] },
    Tool { identifier: "tgtd", programs: &["tgtd"], units: &["tgtd.service", "tgt.service"] },
    Tool { identifier: "rbd-nbd", programs: &["rbd-nbd"], units: &["rbdmap.service"] },
];

/// The entry was written by whom its identifier names. Rules for the identifier "peripetyd" are
/// for what the collector finds out itself: no entry is trusted to be that.
pub fn is_trusted(entry: &Entry) -> bool {
    match entry.identifier.as_slice() {
        b"kernel" => entry.transport == b"kernel" && entry.facility == b"0",
        // journald's own messages; no client can have this transport.
        b"systemd-journald" => entry.transport == b"driver",
        b"peripetyd" => false,
        _ => entry.uid == b"0" && entry.transport != b"kernel" && is_tool(entry),
    }
}

/// Process name, executable and unit, when present (a process that ended at once leaves none),
/// name the tool. A tool that no list knows, of a user's own rule, need only run as root.
fn is_tool(entry: &Entry) -> bool {
    let Some(tool) = TOOLS.iter().find(|tool| tool.identifier.as_bytes() == entry.identifier) else {
        return true;
    };
    let program = entry.exe.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    named(tool.programs, &entry.comm)
        && named(tool.programs, program)
        && (named(tool.units, &entry.unit) || is_login(&entry.unit))
}

/// The list has the value, or the entry has none.
fn named(list: &[&str], value: &[u8]) -> bool {
    let is = |name: &str| match name.strip_suffix('*') {
        Some(begin) => value.starts_with(begin.as_bytes()),
        None => name.as_bytes() == value,
    };
    value.is_empty() || list.iter().any(|name| is(name))
}

/// The unit is a login of root's, where the tool was started by hand.
fn is_login(unit: &[u8]) -> bool {
    unit.ends_with(b".scope") || unit.starts_with(b"user@0.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fields: &[(&str, &str)]) -> Entry {
        let mut entry = Entry::default();
        fields.iter().for_each(|(name, value)| entry.set(name.as_bytes(), value.as_bytes()));
        entry
    }

    const KERNEL: [(&str, &str); 3] =
        [("_TRANSPORT", "kernel"), ("SYSLOG_IDENTIFIER", "kernel"), ("SYSLOG_FACILITY", "0")];

    #[test]
    fn the_kernel_logs_with_facility_0_only() {
        assert!(is_trusted(&entry(&KERNEL)));
        let forged = |index: usize, value: &'static str| {
            let mut fields = KERNEL;
            if let Some(field) = fields.get_mut(index) {
                field.1 = value;
            }
            entry(&fields)
        };
        // Forwarded by a stream connection, or written to /dev/kmsg.
        assert!(!is_trusted(&forged(2, "1")));
        // syslog(3) and the native protocol with a chosen identifier.
        assert!(!is_trusted(&forged(0, "syslog")));
        assert!(!is_trusted(&forged(0, "journal")));
        assert!(!is_trusted(&entry(&KERNEL[..2])));
    }

    #[test]
    fn a_tool_runs_as_root_under_its_own_name() {
        let multipathd = |uid: &'static str, comm: &'static str, unit: &'static str| {
            entry(&[
                ("_TRANSPORT", "syslog"),
                ("SYSLOG_IDENTIFIER", "multipathd"),
                ("_UID", uid),
                ("_COMM", comm),
                ("_SYSTEMD_UNIT", unit),
            ])
        };
        assert!(is_trusted(&multipathd("0", "multipathd", "multipathd.service")));
        assert!(is_trusted(&multipathd("0", "", "")));
        assert!(is_trusted(&multipathd("0", "multipathd", "session-1.scope")));
        assert!(!is_trusted(&multipathd("1000", "multipathd", "")));
        assert!(!is_trusted(&multipathd("0", "logger", "")));
        assert!(!is_trusted(&multipathd("0", "multipathd", "evil.service")));
    }

    #[test]
    fn a_checker_writes_under_the_name_of_systemd_fsck() {
        let fsck = |comm: &'static str, exe: &'static str, unit: &'static str| {
            is_trusted(&entry(&[
                ("_TRANSPORT", "stdout"),
                ("SYSLOG_IDENTIFIER", "systemd-fsck"),
                ("_UID", "0"),
                ("_COMM", comm),
                ("_EXE", exe),
                ("_SYSTEMD_UNIT", unit),
            ]))
        };
        assert!(fsck("fsck.ext4", "/usr/sbin/e2fsck", "systemd-fsck@dev-sda1.service"));
        assert!(fsck("systemd-fsck", "/usr/lib/systemd/systemd-fsck", "systemd-fsck-root.service"));
        assert!(!fsck("fsck.ext4", "/usr/sbin/e2fsck", "evil.service"));
        assert!(!fsck("logger", "/usr/bin/logger", "systemd-fsck@dev-sda1.service"));
        assert!(!fsck("xfsck", "", ""));
    }
}
