//! Records of udev's database (`/run/udev/data/b8:16`).
//!
//! One line a fact (systemd, src/libsystemd/sd-device/device-private.c, device_update_db): `S:` a link below /dev,
//! `I:` when udev first saw the device (µs of CLOCK_MONOTONIC), `E:` a property; others are of no use here.

use std::collections::BTreeMap;
use std::path::Path;

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
    properties: BTreeMap<String, String>,
}

impl Record {
    pub fn parse(content: &[u8]) -> Self {
        let mut record = Self::default();
        for line in visible(content).lines() {
            match line.split_once(':') {
                Some(("S", link)) => record.links.push(link.to_owned()),
                Some(("I", time)) => record.since = crate::name::number(time),
                Some(("E", property)) => record.add(property),
                _ => {}
            }
        }
        record
    }

    fn add(&mut self, property: &str) {
        if let Some((key, value)) = property.split_once('=') {
            self.properties.insert(key.to_owned(), value.to_owned());
        }
    }

    /// A property that is not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str).filter(|value| !value.is_empty())
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
    pub(crate) fn udev(&self, device: &Device) -> Record {
        let Some(number) = device.number(self) else {
            return Record::default();
        };
        let record = self.record(number);
        match (record.diskseq(), self.diskseq(device)) {
            (Some(old), Some(now)) if old != now => Record::default(),
            _ => record,
        }
    }

    /// udev's record of whatever block device had that number last.
    pub(crate) fn record(&self, number: DevNumber) -> Record {
        let path = Path::new(DATABASE).join(format!("b{number}"));
        self.read(&path).map(|content| Record::parse(&content)).unwrap_or_default()
    }

    /// The kernel's sequence number of the disk (5.15 and later): unlike its name, never used twice in a boot.
    pub(crate) fn diskseq(&self, device: &Device) -> Option<u64> {
        let disk = device.disk(self);
        let attr = disk.as_ref().unwrap_or(device).attr(self, "diskseq")?;
        crate::name::number(&attr)
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
