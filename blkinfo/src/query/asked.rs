//! One question: the tree, and what udev knows about its devices, read once for all forms of the string.

use std::cell::OnceCell;
use std::ops::Deref;

use crate::device::Device;
use crate::error::Error;
use crate::tree::Tree;
use crate::udev::Record;

/// The tree during one question.
pub(super) struct Asked<'a> {
    tree: &'a Tree,
    known: OnceCell<Vec<(Device, Record)>>,
}

impl<'a> Asked<'a> {
    pub fn of(tree: &'a Tree) -> Self {
        Self { tree, known: OnceCell::new() }
    }

    /// All devices in natural order, with udev's records.
    pub fn known(&self) -> Result<&[(Device, Record)], Error> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let devices = self.tree.devices()?.into_iter();
        let known = devices.map(|device| (device.clone(), self.tree.udev(&device))).collect();
        Ok(self.known.get_or_init(|| known))
    }

    /// Those of them that are meant.
    pub fn devices(&self, meant: impl Fn(&Device, &Record) -> bool) -> Result<Vec<Device>, Error> {
        let found = self.known()?.iter().filter(|(device, record)| meant(device, record));
        Ok(found.map(|(device, _)| device.clone()).collect())
    }
}

impl Deref for Asked<'_> {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        self.tree
    }
}
