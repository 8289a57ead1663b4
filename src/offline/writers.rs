//! The program that writes a log file, by the file's name: without syslog or the journal, nothing else names it.

use std::sync::Arc;

use super::rules::Rules;

/// A log file of a known program.
struct File {
    /// The beginning of its name.
    begins: &'static str,
    /// A directory that its path contains; may be empty.
    within: &'static str,
    /// The program's identifiers in rules, the likeliest first.
    writers: &'static [&'static str],
}

const fn file(begins: &'static str, within: &'static str, writers: &'static [&'static str]) -> File {
    File { begins, within, writers }
}

/// Log files that are not named after their program's identifier.
const FILES: [File; 13] = [
    file("ceph-osd", "", &["ceph-osd"]),
    file("ceph-mon", "", &["ceph-mon"]),
    file("ceph-mgr", "", &["ceph-mgr"]),
    file("ceph-volume", "", &["ceph-volume", "ceph-osd"]),
    file("ceph", "", &["ceph-mon", "ceph-osd"]),
    file("", "/glusterfs/", &["glusterfsd", "glusterfs", "GlusterFS", "glusterd"]),
    file("", "/libvirt/qemu/", &["qemu", "qemu-kvm", "qemu-system-x86_64", "libvirtd"]),
    file("", "/libvirt/", &["libvirtd"]),
    file("boot", "", &["systemd", "systemd-fsck", "fsck"]),
    file("checkfs", "", &["fsck", "systemd-fsck"]),
    file("checkroot", "", &["fsck", "systemd-fsck"]),
    file("rdsosreport", "", &["dracut-initqueue", "dracut", "systemd"]),
    file("zed", "", &["zed"]),
];

/// The identifiers of a file's program for which there are rules: from the table, otherwise the file's own name.
pub fn writers(rules: &Rules, name: &str) -> Arc<[Box<str>]> {
    let path = name.to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or(&path);
    let stem = file.split('.').next().unwrap_or(file);
    let known = FILES.iter().find(|known| file.starts_with(known.begins) && path.contains(known.within));
    let names: Vec<&str> = match known {
        Some(known) => known.writers.to_vec(),
        None => vec![stem],
    };
    let is_tool = |name: &&str| *name != "kernel" && rules.knows(name.as_bytes());
    names.into_iter().filter(is_tool).map(Box::from).collect()
}

/// The number of the OSD that writes a log file: its lines do not repeat it.
pub fn osd(name: &str) -> Option<&str> {
    let file = name.rsplit('/').next()?;
    let number = file.strip_prefix("ceph-osd.")?.split('.').next()?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_s_name_tells_its_writer() {
        let rules = Rules::new(crate::rules::builtin::rules().unwrap());
        for (name, first) in [
            ("sos/var/log/ceph/ceph-osd.40.log", Some("ceph-osd")),
            ("ceph.log-20240501", Some("ceph-mon")),
            ("sos/var/log/boot.log", Some("systemd")),
            ("smartd.log", Some("smartd")),
            ("var/log/messages", None),
            ("var/log/kernel.log", None),
        ] {
            assert_eq!(writers(&rules, name).first().map(|name| &**name), first, "{name}");
        }
    }

    #[test]
    fn a_file_s_name_tells_the_osd() {
        assert_eq!(osd("sos/var/log/ceph/ceph-osd.40.log"), Some("40"));
        assert_eq!(osd("ceph-osd.7.log.1.gz"), Some("7"));
        assert_eq!(osd("ceph-osd.log"), None);
        assert_eq!(osd("ceph-mon.4.log"), None);
    }
}
