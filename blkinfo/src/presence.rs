//! Since when has a device carried its name?
//!
//! udev notes when it first saw a device. Devices that were there at boot are all seen in one go, the coldplug; what
//! came later was there a little before udev got to it, under load some seconds: what was logged in between may be about
//! the device, or about another one that had the name before.

use std::path::Path;

use crate::tree::Tree;
use crate::udev::{Record, DATABASE};

/// How far udev may lag behind the kernel, in µs.
const UDEV_DELAY: u64 = 10_000_000;

impl Tree {
    /// The time, in µs of CLOCK_MONOTONIC, from which on the device certainly carried its name: 0 when since boot,
    /// `None` when udev says nothing. It may have had it for some seconds before udev noted it.
    pub(crate) fn present_since(&self, record: &Record) -> Option<u64> {
        let seen = record.since?;
        if seen <= UDEV_DELAY {
            // Whenever udev saw the first one.
            return Some(0);
        }
        let coldplug = self.coldplug()?;
        Some(match seen <= coldplug.saturating_add(UDEV_DELAY) {
            true => 0,
            false => seen,
        })
    }

    /// When udev saw the first block device of this boot. This does not change, so it is looked up once.
    fn coldplug(&self) -> Option<u64> {
        if let Some(known) = self.coldplug.get() {
            return Some(*known);
        }
        let records = self.names(Path::new(DATABASE)).into_iter().filter(|name| name.starts_with('b'));
        let contents = records.filter_map(|name| self.read(&Path::new(DATABASE).join(name)).ok());
        let first = contents.filter_map(|content| Record::parse(&content).since).min()?;
        Some(*self.coldplug.get_or_init(|| first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_and_later() {
        let tree = Tree::recorded(concat!(
            "# peripety device tree 1\n/run/udev/data/b8:0 =\n\tI:20000000\n/run/udev/data/b8:16 =\n\tI:5000000\n",
            "/run/udev/data/c1:1 =\n\tI:1\n"
        ))
        .unwrap();
        let since = |time: Option<u64>| {
            let text = time.map(|t| format!("I:{t}\n")).unwrap_or_default();
            tree.present_since(&Record::parse(&std::sync::Arc::from(text.as_bytes())))
        };
        assert_eq!(since(Some(5_000_000)), Some(0));
        assert_eq!(since(Some(15_000_000)), Some(0));
        assert_eq!(since(Some(15_000_001)), Some(15_000_001));
        assert_eq!(since(Some(100_000_000)), Some(100_000_000));
        assert_eq!(since(None), None);
    }
}
