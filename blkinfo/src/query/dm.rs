//! Device-mapper names.

use std::path::Path;

use crate::device::{Device, CLASS};
use crate::error::Error;
use crate::escape::mangle;
use crate::name::lvm_name;
use crate::share::shared_out;
use crate::tree::Tree;

/// `mpatha`, `vg-lv`, and a logical volume as LVM's tools write it, `vg/lv`: by the links in /dev/mapper.
pub(super) fn linked(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    Ok(spellings(name).find_map(|name| tree.linked_map(&name)))
}

/// The same where udev made no link: among all maps.
pub(super) fn unlinked(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    Ok(spellings(name).find_map(|name| tree.unlinked_map(&name)))
}

fn spellings(name: &str) -> impl Iterator<Item = String> {
    [Some(mangle(name)), map_name(name).map(|name| mangle(&name))].into_iter().flatten()
}

/// `vg/lv`.
pub(super) fn logical_volume(tree: &Tree, name: &str) -> Option<Device> {
    tree.device_by_dm_name(&map_name(name)?)
}

/// The map of `vg/lv`.
fn map_name(path: &str) -> Option<String> {
    let (group, volume) = path.split_once('/').filter(|(_, volume)| !volume.contains('/'))?;
    Some(lvm_name(group, volume))
}

impl Tree {
    /// The device-mapper device of that name, mangled or not. The link that udev made for it is looked at first: there may
    /// be thousands of maps.
    pub(crate) fn device_by_dm_name(&self, name: &str) -> Option<Device> {
        let wanted = mangle(name);
        self.linked_map(&wanted).or_else(|| self.unlinked_map(&wanted))
    }

    /// The one to which a link in /dev/mapper leads.
    fn linked_map(&self, wanted: &str) -> Option<Device> {
        let link = Path::new("/dev/mapper").join(wanted);
        let node = crate::name::is_component(wanted).then(|| self.follow_node(&link)).flatten()?;
        let linked = self.device(node.file_name()?.to_str()?);
        linked.filter(|map| self.is_called(map, wanted))
    }

    /// The one of all maps that has the name.
    fn unlinked_map(&self, wanted: &str) -> Option<Device> {
        let mut names = self.names(Path::new(CLASS));
        names.retain(|name| name.starts_with("dm-"));
        let called = |name: &String| self.device(name).filter(|map| self.is_called(map, wanted));
        shared_out(&names, called).into_iter().next()
    }

    fn is_called(&self, map: &Device, wanted: &str) -> bool {
        map.dm_name(self).is_some_and(|name| mangle(name) == wanted)
    }
}
