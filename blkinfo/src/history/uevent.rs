//! The kernel's messages about devices (lib/kobject_uevent.c).

use std::collections::BTreeMap;

use crate::error::Error;

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
    /// The directory below /sys.
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
        Self::of(action, parts.filter_map(|part| std::str::from_utf8(part).ok()?.split_once('=')))
    }

    /// Reads the output of `udevadm monitor --kernel --property` (udevadm(8)): the messages, and when each was received, in
    /// µs of CLOCK_MONOTONIC.
    ///
    /// # Errors
    /// [`Error::BadText`] with the line at which a message begins that lacks its time or a property.
    pub fn monitored(text: &str) -> Result<Vec<(u64, Self)>, Error> {
        let mut events = Vec::new();
        let mut lines = (1..).zip(text.lines());
        while let Some((number, line)) = lines.next() {
            // KERNEL[3129.146822] add      /devices/virtual/block/loop0 (block)
            let Some(head) = line.strip_prefix("KERNEL[") else { continue };
            let properties = lines.by_ref().map(|(_, line)| line).take_while(|line| !line.is_empty());
            let properties: Vec<(&str, &str)> = properties.filter_map(|line| line.split_once('=')).collect();
            let event = head.split_once(']').and_then(|(time, rest)| {
                let action = rest.split_ascii_whitespace().next()?;
                Some((micros(time)?, Self::of(action, properties)?))
            });
            let bad = || Error::BadText {
                line: number,
                problem: "a uevent without its time, DEVPATH, SUBSYSTEM or SEQNUM".to_owned(),
                remedy: "keep the output of `udevadm monitor --kernel --property` as it is",
            };
            events.push(event.ok_or_else(bad)?);
        }
        Ok(events)
    }

    fn of<'a>(action: &str, properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let values: BTreeMap<&str, &str> = properties.into_iter().collect();
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

/// `3129.146822` in µs.
fn micros(seconds: &str) -> Option<u64> {
    let (seconds, fraction) = seconds.split_once('.')?;
    let fraction: u64 = crate::name::number(fraction).filter(|_| fraction.len() == 6)?;
    crate::name::number::<u64>(seconds)?.checked_mul(1_000_000)?.checked_add(fraction)
}

fn name_of(devpath: &str) -> String {
    devpath.rsplit('/').next().unwrap_or(devpath).replace('!', "/")
}

#[cfg(test)]
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

    #[test]
    fn what_udevadm_printed() {
        let text = "monitor will print the received events for:\nKERNEL - the kernel uevent\n\n\
            KERNEL[3129.146822] add      /devices/virtual/block/loop0 (block)\nACTION=add\n\
            DEVPATH=/devices/virtual/block/loop0\nSUBSYSTEM=block\nSEQNUM=12\nDISKSEQ=9\n\n\
            KERNEL[3130.000001] remove   /bus/x (drivers)\nACTION=remove\nDEVPATH=/bus/x\nSUBSYSTEM=drivers\nSEQNUM=13\n";
        let events = Uevent::monitored(text).unwrap();
        let times: Vec<u64> = events.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [3_129_146_822, 3_130_000_001]);
        let (_, first) = events.first().unwrap();
        assert_eq!((first.action, first.name().as_str(), first.diskseq), (Action::Add, "loop0", Some(9)));
        let cut = "KERNEL[3129.146822] add      /devices/x (block)\nACTION=add\n";
        assert!(matches!(Uevent::monitored(cut), Err(Error::BadText { line: 1, .. })));
    }
}
