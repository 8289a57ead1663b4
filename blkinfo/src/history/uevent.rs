//! The kernel's messages about devices (lib/kobject_uevent.c).

use std::collections::BTreeMap;

/// What happened to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It is there.
    Add,
    /// It is not there any more.
    Remove,
    /// Something about it changed.
    Change,
    /// It has another name: [`Uevent::devpath`] is the new one.
    Move,
    /// Bound, unbound, online, offline: nothing about names.
    Other,
}

/// One message: `add@/devices/…` and then `KEY=value`, each ended by a NUL. Messages of udev, which begin with `libudev`,
/// are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uevent {
    /// What happened.
    pub action: Action,
    /// The folder below /sys.
    pub devpath: String,
    /// `block`, `scsi`, `nvme` …
    pub subsystem: String,
    /// The number of the message; each is one more than the last.
    pub seqnum: u64,
    /// The sequence number of the disk (kernel 5.15 and later).
    pub diskseq: Option<u64>,
    /// Where it was before a [`Action::Move`].
    pub devpath_old: Option<String>,
}

impl Uevent {
    /// Reads a message; `None` when it is not one of the kernel's.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let mut parts = message.split(|byte| *byte == 0);
        let head = std::str::from_utf8(parts.next()?).ok()?;
        let (action, _) = head.split_once('@')?;
        let values: BTreeMap<&str, &str> =
            parts.filter_map(|part| std::str::from_utf8(part).ok()?.split_once('=')).collect();
        let text = |key: &str| values.get(key).map(|value| (*value).to_owned());
        let number = |key: &str| crate::name::number(values.get(key)?);
        Some(Self {
            action: match action {
                "add" => Action::Add,
                "remove" => Action::Remove,
                "change" => Action::Change,
                "move" => Action::Move,
                _ => Action::Other,
            },
            devpath: text("DEVPATH")?,
            subsystem: text("SUBSYSTEM")?,
            seqnum: number("SEQNUM")?,
            diskseq: number("DISKSEQ"),
            devpath_old: text("DEVPATH_OLD"),
        })
    }

    /// The kernel's name of the device, its `/` spelled as one.
    pub fn name(&self) -> String {
        name_of(&self.devpath)
    }

    /// The name it had before it was moved.
    pub fn old_name(&self) -> Option<String> {
        self.devpath_old.as_deref().map(name_of)
    }
}

fn name_of(devpath: &str) -> String {
    devpath.rsplit('/').next().unwrap_or(devpath).replace('!', "/")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let message =
            b"remove@/devices/x/block/cciss!c0d0\0ACTION=remove\0DEVPATH=/devices/x/block/cciss!c0d0\0\
            SUBSYSTEM=block\0MAJOR=8\0SEQNUM=4711\0DISKSEQ=9\0";
        let event = Uevent::parse(message).unwrap();
        assert_eq!((event.action, event.seqnum, event.diskseq), (Action::Remove, 4711, Some(9)));
        assert_eq!((event.name().as_str(), event.subsystem.as_str()), ("cciss/c0d0", "block"));
        for bad in [&b"libudev\0\xfe\xed\xca\xfe"[..], b"", b"add@/x\0DEVPATH=/x\0", b"add", b"\xff@\0"] {
            assert_eq!(Uevent::parse(bad), None);
        }
    }
}
