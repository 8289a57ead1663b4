//! Records of udev's database (`/run/udev/data/b8:16`).
//!
//! One line a fact (systemd, src/libsystemd/sd-device/device-private.c, device_update_db): `S:` a link below /dev,
//! `I:` when udev first saw the device (µs of CLOCK_MONOTONIC), `E:` a property; others are of no use here.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::device::Device;
use crate::escape::{decode_hex, visible};
use crate::name::DevNumber;
use crate::tree::Tree;

pub(crate) const DATABASE: &str = "/run/udev/data";

/// What udev knows about one block device; empty when it knows nothing.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Links to the node, relative to /dev.
    pub links: Vec<String>,
    /// When udev first saw the device, µs of CLOCK_MONOTONIC.
    pub since: Option<u64>,
    text: String,
    /// Where keys and values stand in the text. There are some dozens, of which a dozen are asked for.
    properties: Vec<(Range<usize>, Range<usize>)>,
}

impl Record {
    pub fn parse(content: &[u8]) -> Self {
        let text = visible(content);
        let (mut links, mut since) = (Vec::new(), None);
        let mut properties = Vec::with_capacity(text.len() / 32);
        let mut next = 0;
        for whole in text.split_inclusive('\n') {
            let start = next;
            next += whole.len();
            let line = whole.lines().next().unwrap_or_default();
            match line.as_bytes() {
                [b'S', b':', ..] => links.extend(line.get(2..).map(str::to_owned)),
                [b'I', b':', ..] => since = line.get(2..).and_then(crate::name::number),
                [b'E', b':', property @ ..] => {
                    if let Some(length) = property.iter().position(|byte| *byte == b'=') {
                        let key = start + 2;
                        properties.push((key..key + length, key + length + 1..start + line.len()));
                    }
                }
                _ => {}
            }
        }
        Self { links, since, text, properties }
    }

    /// A property that is not empty. Of several of that name the last one counts.
    pub fn get(&self, key: &str) -> Option<&str> {
        let is = |(name, _): &&(Range<usize>, Range<usize>)| {
            name.len() == key.len() && self.text.get(name.clone()) == Some(key)
        };
        let (_, value) = self.properties.iter().rev().find(is)?;
        self.text.get(value.clone()).filter(|value| !value.is_empty())
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
        crate::name::number(name.split('-').next()?)
    }
}

impl Tree {
    /// udev's record of a device. A record that was made for an earlier disk of the same number is none.
    pub(crate) fn udev(&self, device: &Device) -> Arc<Record> {
        let read = || {
            let record = device.number(self).map(|number| self.record(number)).unwrap_or_default();
            match (record.diskseq(), device.diskseq(self)) {
                (Some(old), Some(now)) if old != now => Arc::default(),
                _ => Arc::new(record),
            }
        };
        device.record.get_or_init(read).clone()
    }

    /// udev's record of whatever block device had that number last.
    pub(crate) fn record(&self, number: DevNumber) -> Record {
        let path = Path::new(DATABASE).join(format!("b{number}"));
        self.read(&path).map(|content| Record::parse(&content)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let text = b"S:disk/by-diskseq/9-part1\nS:disk/by-label/x\nL:0\nI:26502228\nE:ID_FS_LABEL=a_b\nE:ID_FS_LABEL_ENC=a\\x20b\nE:ID_FS_UUID=u=1\nE:EMPTY=\ngarbage\xff\nE:none\n";
        let record = Record::parse(text);
        assert_eq!(record.links, ["disk/by-diskseq/9-part1", "disk/by-label/x"]);
        assert_eq!(record.since, Some(26_502_228));
        assert_eq!(record.encoded("ID_FS_LABEL").as_deref(), Some("a b"));
        assert_eq!(record.encoded("ID_FS_UUID").as_deref(), Some("u=1"));
        assert_eq!(record.get("EMPTY"), None);
        assert_eq!(record.diskseq(), Some(9));
    }
}
