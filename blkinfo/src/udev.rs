//! Records of udev's database (`/run/udev/data/b8:16`).
//!
//! One line a fact (systemd, src/libsystemd/sd-device/device-private.c, device_update_db): `S:` a link below /dev,
//! `I:` when udev first saw the device (µs of CLOCK_MONOTONIC), `E:` a property; others are of no use here.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::device::Device;
use crate::escape::{decode_hex, is_visible, visible};
use crate::name::{number, nvme_head, DevNumber};
use crate::tree::Tree;

pub(crate) const DATABASE: &str = "/run/udev/data";

/// What lsblk called a device of which nothing else says the kind, and how it is attached where no directory in sysfs says it: udev has
/// no such properties, a tree that was made of lists has.
pub(crate) const LISTED_TYPE: &str = "LISTED_TYPE";
/// See [`LISTED_TYPE`].
pub(crate) const LISTED_TRANSPORT: &str = "LISTED_TRANSPORT";
/// How the record of a block device begins that has no number: `+block:nvme0c0n1` (systemd, sd_device_get_device_id(3)).
pub(crate) const UNNUMBERED: &str = "+block:";

/// What udev knows about one block device; empty when it knows nothing.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Links to the node, relative to /dev.
    pub links: Vec<String>,
    /// When udev first saw the device, µs of CLOCK_MONOTONIC.
    pub since: Option<u64>,
    text: Text,
    properties: Vec<Property>,
}

/// The record itself, mostly as it was read.
#[derive(Debug)]
enum Text {
    Read(Arc<[u8]>),
    Visible(String),
}

/// The position of a property in the text. There are some dozens, of which a dozen are used.
#[derive(Debug)]
struct Property {
    key: Range<u32>,
    end: u32,
}

impl Property {
    fn of(start: usize, property: &[u8]) -> Option<Self> {
        let place = |at: usize| u32::try_from(start + at).ok();
        let equals = property.iter().position(|byte| *byte == b'=')?;
        Some(Self { key: place(0)?..place(equals)?, end: place(property.len())? })
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Visible(String::new())
    }
}

impl Text {
    fn of(content: &Arc<[u8]>) -> Self {
        match is_visible(content) {
            true => Self::Read(content.clone()),
            false => Self::Visible(visible(content)),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Read(content) => content,
            Self::Visible(text) => text.as_bytes(),
        }
    }
}

impl Record {
    pub fn parse(content: &Arc<[u8]>) -> Self {
        let text = Text::of(content);
        let bytes = text.bytes();
        let mut record = Self::default();
        record.properties.reserve(bytes.len() / 32);
        let mut start = 0;
        for line in bytes.split(|byte| *byte == b'\n') {
            let next = start + line.len() + 1;
            match line.strip_suffix(b"\r").unwrap_or(line) {
                [b'S', b':', link @ ..] => record.links.extend(std::str::from_utf8(link).map(str::to_owned)),
                [b'I', b':', time @ ..] => record.since = std::str::from_utf8(time).ok().and_then(number),
                [b'E', b':', property @ ..] => record.properties.extend(Property::of(start + 2, property)),
                _ => {}
            }
            start = next;
        }
        Self { text, ..record }
    }

    /// A property that is not empty. Of several of that name the last one counts.
    pub fn get(&self, key: &str) -> Option<&str> {
        let text = self.text.bytes();
        let part = |from: u32, to: u32| text.get(from as usize..to as usize);
        let is = |property: &&Property| {
            property.key.len() == key.len()
                && part(property.key.start, property.key.end) == Some(key.as_bytes())
        };
        let found = self.properties.iter().rev().find(is)?;
        let value = std::str::from_utf8(part(found.key.end + 1, found.end)?).ok()?;
        (!value.is_empty()).then_some(value)
    }

    /// A property that libblkid found: the exact value from `KEY_ENC`, else `KEY`, in which unsafe characters were
    /// replaced.
    pub fn encoded(&self, key: &str) -> Option<String> {
        let exact = self.get(&format!("{key}_ENC")).map(decode_hex);
        exact.or_else(|| self.get(key).map(str::to_owned))
    }

    /// The sequence number of the disk that the record was made for (60-persistent-storage.rules, by-diskseq).
    fn diskseq(&self) -> Option<u64> {
        let name = self.links.iter().find_map(|link| link.strip_prefix("disk/by-diskseq/"))?;
        number(name.split('-').next()?)
    }
}

impl Tree {
    /// udev's record of a device. A record that was made for an earlier disk of the same number is none.
    pub(crate) fn udev(&self, device: &Device) -> Arc<Record> {
        let read = || {
            let record = match device.number(self) {
                Some(number) => self.record(number),
                // The path nodes of NVMe have none, and nothing is known of them.
                None if nvme_head(&device.name).is_some() => Record::default(),
                None => self.record_named(&format!("{UNNUMBERED}{}", device.name)),
            };
            match (record.diskseq(), device.diskseq(self)) {
                (Some(old), Some(now)) if old != now => Arc::default(),
                _ => Arc::new(record),
            }
        };
        device.record.get_or_init(read).clone()
    }

    /// udev's record of whatever block device had that number last.
    pub(crate) fn record(&self, number: DevNumber) -> Record {
        self.record_named(&format!("b{number}"))
    }

    /// The record of that name.
    pub(crate) fn record_named(&self, name: &str) -> Record {
        let path = Path::new(DATABASE).join(name);
        self.read(&path).map(|content| Record::parse(&content)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let text = b"S:disk/by-diskseq/9-part1\nS:disk/by-label/x\nL:0\nI:26502228\nE:ID_FS_LABEL=a_b\nE:ID_FS_LABEL_ENC=a\\x20b\nE:ID_FS_UUID=u=1\nE:EMPTY=\ngarbage\xff\nE:none\n";
        let record = Record::parse(&Arc::from(text.as_slice()));
        assert_eq!(record.links, ["disk/by-diskseq/9-part1", "disk/by-label/x"]);
        assert_eq!(record.since, Some(26_502_228));
        assert_eq!(record.encoded("ID_FS_LABEL").as_deref(), Some("a b"));
        assert_eq!(record.encoded("ID_FS_UUID").as_deref(), Some("u=1"));
        assert_eq!(record.get("EMPTY"), None);
        assert_eq!(record.diskseq(), Some(9));
    }
}
