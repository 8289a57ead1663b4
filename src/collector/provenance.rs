//! Which entries are what they claim to be.
//!
//! Fields that begin with `_` are set by journald and cannot be chosen by a client
//! (systemd.journal-fields(7)). Even so, any local user can get a line into the journal that
//! carries `_TRANSPORT=kernel` and the identifier "kernel": a stream connection to journald with
//! forwarding to the kernel log on, or (for root) a write to /dev/kmsg. Both come back with
//! facility 1 (user); only the kernel itself logs with facility 0.

use super::tools::TOOLS;
use crate::journal::Entry;
use crate::rules::Rule;

/// The entry was written by whom its identifier names. Rules for the identifier "peripetyd" are
/// for what the collector finds out itself: no entry is trusted to be that.
pub fn is_trusted(entry: &Entry) -> bool {
    match entry.identifier.as_slice() {
        b"kernel" => entry.transport == b"kernel" && entry.facility == b"0",
        // journald's own messages; no client can have this transport.
        b"systemd-journald" => entry.transport == b"driver",
        b"peripetyd" => false,
        _ => entry.transport != b"kernel" && is_tool(entry),
    }
}

/// Whether the entry comes from the writer that the rule requires: the one that its identifier names, unless the rule is stricter.
pub fn is_trusted_for(entry: &Entry, rule: &Rule) -> bool {
    match &rule.writer {
        None => is_trusted(entry),
        Some(writer) => {
            let uid = std::str::from_utf8(&entry.uid).ok().and_then(|uid| uid.parse().ok());
            entry.transport != b"kernel"
                && uid == Some(writer.uid)
                && runs(&writer.programs, entry)
                && (writer.units.is_empty() || named(&writer.units, &entry.unit))
        }
    }
}

/// User, process name, executable and unit, the latter three when present (a process that ended at once leaves none),
/// are those of the tool. A tool that the table does not have, of a user's own rule, need only run as root.
fn is_tool(entry: &Entry) -> bool {
    let Some(tool) = TOOLS.iter().find(|tool| tool.identifier.as_bytes() == entry.identifier) else {
        return entry.uid == b"0";
    };
    tool.users.iter().any(|user| user.as_bytes() == entry.uid)
        && runs(tool.programs, entry)
        && (named(tool.units, &entry.unit) || is_login(entry))
}

/// Process and executable of the entry, where present, are one of some programs; of any when there is none.
fn runs<S: AsRef<str>>(programs: &[S], entry: &Entry) -> bool {
    let program = entry.exe.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    programs.is_empty() || named(programs, &entry.comm) && named(programs, program)
}

/// Length of a process's name at most: TASK_COMM_LEN of include/linux/sched.h, without its NUL.
const PROCESS: usize = 15;

/// The list has the value, which the kernel may have cut, or the entry has none.
fn named<S: AsRef<str>>(list: &[S], value: &[u8]) -> bool {
    let is = |name: &str| match (name.strip_prefix('*'), name.strip_suffix('*')) {
        (_, Some(begin)) => value.starts_with(begin.as_bytes()),
        (Some(end), None) => value.ends_with(end.as_bytes()),
        (None, None) => value == name.as_bytes() || Some(value) == name.as_bytes().get(..PROCESS),
    };
    value.is_empty() || list.iter().any(|name| is(name.as_ref()))
}

/// The unit is a login of root's, where the tool was started by hand.
fn is_login(entry: &Entry) -> bool {
    entry.uid == b"0" && (entry.unit.ends_with(b".scope") || entry.unit.starts_with(b"user@0."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: [(&str, &str); 3] =
        [("_TRANSPORT", "kernel"), ("SYSLOG_IDENTIFIER", "kernel"), ("SYSLOG_FACILITY", "0")];

    #[test]
    fn the_kernel_logs_with_facility_0_only() {
        assert!(is_trusted(&Entry::of(&KERNEL)));
        let forged = |index: usize, value: &'static str| {
            let mut fields = KERNEL;
            if let Some(field) = fields.get_mut(index) {
                field.1 = value;
            }
            Entry::of(&fields)
        };
        // Forwarded by a stream connection, or written to /dev/kmsg.
        assert!(!is_trusted(&forged(2, "1")));
        // syslog(3) and the native protocol with a chosen identifier.
        assert!(!is_trusted(&forged(0, "syslog")));
        assert!(!is_trusted(&forged(0, "journal")));
        assert!(!is_trusted(&Entry::of(&KERNEL[..2])));
    }

    #[test]
    fn a_tool_runs_as_root_under_its_own_name() {
        let multipathd = |uid: &'static str, comm: &'static str, unit: &'static str| {
            Entry::of(&[
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
    fn ceph_runs_as_a_user_of_its_own() {
        let osd = |uid: &'static str, comm: &'static str, unit: &'static str| {
            is_trusted(&Entry::of(&[
                ("_TRANSPORT", "stdout"),
                ("SYSLOG_IDENTIFIER", "ceph-osd"),
                ("_UID", uid),
                ("_COMM", comm),
                ("_SYSTEMD_UNIT", unit),
            ]))
        };
        assert!(
            osd("167", "ceph-osd", "ceph-osd@3.service") && osd("64045", "ceph-osd", "ceph-osd@3.service")
        );
        assert!(!osd("1000", "ceph-osd", "ceph-osd@3.service"));
        assert!(!osd("167", "python3", "ceph-osd@3.service"));
        // A login is root's only.
        assert!(!osd("167", "ceph-osd", "session-3.scope"));
    }

    #[test]
    fn names_are_cut_or_stand_for_many() {
        let names = ["systemd-cryptsetup", "*.mount", "lvm2-*"];
        for value in ["systemd-cryptsetup", "systemd-cryptse", "data.mount", "lvm2-monitor.service", ""] {
            assert!(named(&names, value.as_bytes()), "{value}");
        }
        for value in ["systemd-crypts", "data.mount2", "xlvm2-x"] {
            assert!(!named(&names, value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_rule_names_the_writer_of_its_lines() {
        let rule = |keys: &str| {
            let text = format!(
                "[[collector_regexs]]\nregex = '^x'\ndevice = \"none\"\nidentifier = \"tool\"\n{keys}"
            );
            crate::rules::builtin::parse("x.conf", &text, true).unwrap_or_default().remove(0)
        };
        let line = |uid: &'static str, comm: &'static str, unit: &'static str| {
            Entry::of(&[
                ("_TRANSPORT", "syslog"),
                ("SYSLOG_IDENTIFIER", "tool"),
                ("_UID", uid),
                ("_COMM", comm),
                ("_SYSTEMD_UNIT", unit),
            ])
        };
        let root = line("0", "other", "other.service");
        assert!(is_trusted_for(&root, &rule("")));
        assert!(!is_trusted_for(&line("7", "tool", "tool.service"), &rule("")));
        assert!(is_trusted_for(&line("7", "tool", "tool.service"), &rule("user = \"7\"")));
        assert!(!is_trusted_for(&root, &rule("user = \"7\"")));
        assert!(!is_trusted_for(&root, &rule("programs = [\"tool\"]")));
        assert!(!is_trusted_for(&root, &rule("units = [\"tool@*\"]")));
        assert!(is_trusted_for(
            &line("0", "tool", "tool@1.service"),
            &rule("units = [\"tool@*\"]\nprograms = [\"tool\"]")
        ));
        let mut forwarded = Entry::of(&[("_TRANSPORT", "kernel"), ("SYSLOG_IDENTIFIER", "tool")]);
        forwarded.set(b"_UID", b"7");
        assert!(!is_trusted_for(&forwarded, &rule("user = \"7\"")));
    }

    #[test]
    fn a_checker_writes_under_the_name_of_systemd_fsck() {
        let fsck = |comm: &'static str, exe: &'static str, unit: &'static str| {
            is_trusted(&Entry::of(&[
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
