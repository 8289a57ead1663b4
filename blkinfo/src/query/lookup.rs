//! One question: the tree, and what udev knows about its devices, read once for all forms of the string.

use std::ops::Deref;
use std::path::Path;
use std::sync::OnceLock;

use crate::device::{Device, CLASS};
use crate::error::Error;
use crate::name::{natural_cmp, nvme_head, DevNumber};
use crate::share::shared_out;
use crate::tree::Tree;
use crate::udev::{Record, DATABASE, UNNUMBERED};

/// The tree during one question.
pub(super) struct Lookup<'a> {
    tree: &'a Tree,
    records: OnceLock<Vec<(Id, Record)>>,
    devices: OnceLock<Vec<Device>>,
}

/// What a record of udev is called after.
enum Id {
    Number(DevNumber),
    /// A device without a number. (Of a path node of NVMe, its namespace is what is meant.)
    Name(String),
}

impl Id {
    fn of_record(name: &str) -> Option<Self> {
        if let Some(name) = name.strip_prefix(UNNUMBERED) {
            return nvme_head(name).is_none().then(|| Self::Name(name.to_owned()));
        }
        name.strip_prefix('b').and_then(DevNumber::parse).map(Self::Number)
    }
}

impl<'a> Lookup<'a> {
    pub fn of(tree: &'a Tree) -> Self {
        Self { tree, records: OnceLock::new(), devices: OnceLock::new() }
    }

    /// All devices in natural order.
    fn all(&self) -> Result<&[Device], Error> {
        if self.devices.get().is_none() {
            let devices = self.tree.devices()?;
            return Ok(self.devices.get_or_init(|| devices));
        }
        Ok(self.devices.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// udev's records of all block devices.
    fn records(&self) -> &[(Id, Record)] {
        self.records.get_or_init(|| {
            let names = self.tree.names(Path::new(DATABASE)).into_iter();
            names.filter_map(|name| Some((Id::of_record(&name)?, self.tree.record_named(&name)))).collect()
        })
    }

    /// Those devices that are meant, in natural order.
    pub fn devices(&self, meant: impl Fn(&Device, &Record) -> bool + Sync) -> Result<Vec<Device>, Error> {
        let names = self.tree.try_names(Path::new(CLASS))?;
        let tree = self.tree;
        let found = |name: &String| tree.device(name).filter(|device| meant(device, &tree.udev(device)));
        Ok(shared_out(&names, found))
    }

    /// The same where udev's record alone decides: only devices with such a record are looked at.
    pub fn recorded(&self, meant: impl Fn(&Record) -> bool) -> Result<Vec<Device>, Error> {
        self.tree.listable(Path::new(CLASS))?;
        let mut found: Vec<Device> = Vec::new();
        for (id, _) in self.records().iter().filter(|(_, record)| meant(record)) {
            let device = match id {
                Id::Number(number) => {
                    let has_number = |device: &&Device| device.number(self.tree) == Some(*number);
                    match self.tree.device_by_number(*number) {
                        None => self.all()?.iter().find(has_number).cloned(),
                        device => device,
                    }
                }
                Id::Name(name) => self.tree.device(name),
            };
            // Its record may be one of an earlier device of that number.
            found.extend(device.filter(|device| meant(&self.tree.udev(device))));
        }
        found.sort_by(|a, b| natural_cmp(&a.name, &b.name));
        Ok(found)
    }

    /// The devices of a driver, by the beginning of their names, in natural order.
    pub fn named(&self, prefix: &str) -> Result<Vec<Device>, Error> {
        let names = self.tree.try_names(Path::new(CLASS))?;
        let mine = names.iter().filter(|name| name.starts_with(prefix));
        Ok(mine.filter_map(|name| self.tree.device(name)).collect())
    }
}

impl Deref for Lookup<'_> {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        self.tree
    }
}
