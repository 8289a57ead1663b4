//! systemd's names for mounts, swaps and devices: `srv-data.mount` is /srv/data (systemd.unit(5), systemd-escape(1)).

/// What a unit is about.
#[derive(Debug, PartialEq, Eq)]
pub enum UnitSubject {
    /// A mount point.
    Mount(String),
    /// A node or link in /dev.
    Node(String),
}

/// Takes the name of a unit apart; `None` for a unit of another kind.
pub fn about(unit: &str) -> Option<UnitSubject> {
    let (name, kind) = unit.rsplit_once('.')?;
    let path = path_of(name)?;
    match kind {
        "mount" | "automount" => Some(UnitSubject::Mount(path)),
        "swap" | "device" => path.starts_with("/dev/").then_some(UnitSubject::Node(path)),
        "service" => fsck(name),
        _ => None,
    }
}

/// `systemd-fsck@dev-sdb1`: the part behind the `@` names the device.
fn fsck(name: &str) -> Option<UnitSubject> {
    let instance = name.strip_prefix("systemd-fsck@")?;
    path_of(instance).filter(|path| path.starts_with("/dev/")).map(UnitSubject::Node)
}

/// `-` stands for a slash, `\x2d` for a byte; `-` alone is the root.
fn path_of(name: &str) -> Option<String> {
    if name == "-" {
        return Some("/".to_owned());
    }
    let mut bytes = vec![b'/'];
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'-' => bytes.push(b'/'),
            b'\\' => {
                let digits = behind.strip_prefix(b"x")?.get(..2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = behind.get(3..)?;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths() {
        let mount = |path: &str| Some(UnitSubject::Mount(path.into()));
        let node = |path: &str| Some(UnitSubject::Node(path.into()));
        let cases = [
            ("srv-data.mount", mount("/srv/data")),
            ("-.mount", mount("/")),
            (r"mnt-a\x2db\x20c.mount", mount("/mnt/a-b c")),
            (r"dev-disk-by\x2duuid-1234\x2d5678.device", node("/dev/disk/by-uuid/1234-5678")),
            ("dev-sdb2.swap", node("/dev/sdb2")),
            ("systemd-fsck@dev-sdb1.service", node("/dev/sdb1")),
            ("sys-module-fuse.device", None),
            ("sshd.service", None),
            (r"bad-\x2.mount", None),
            (r"bad-\xzz.mount", None),
            ("mount", None),
        ];
        for (unit, expected) in cases {
            assert_eq!(about(unit), expected, "{unit}");
        }
    }
}
