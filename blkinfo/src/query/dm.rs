//! Device-mapper names.

use crate::device::Device;
use crate::error::Error;
use crate::escape::mangle;
use crate::tree::Tree;

/// `mpatha`, `vg-lv`, and a logical volume as LVM's tools write it, `vg/lv`.
pub(super) fn name(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let found = tree.device_by_dm_name(name);
    Ok(found.or_else(|| logical_volume(tree, name)))
}

/// `vg/lv`.
pub(super) fn logical_volume(tree: &Tree, name: &str) -> Option<Device> {
    tree.device_by_dm_name(&lvm_name(name)?)
}

/// LVM joins group and volume with a hyphen, and doubles those within the names (lvm(8)).
fn lvm_name(path: &str) -> Option<String> {
    let (group, volume) = path.split_once('/').filter(|(_, volume)| !volume.contains('/'))?;
    Some(format!("{}-{}", group.replace('-', "--"), volume.replace('-', "--")))
}

impl Tree {
    /// The device-mapper device of that name, mangled or not.
    pub(crate) fn device_by_dm_name(&self, name: &str) -> Option<Device> {
        let wanted = mangle(name);
        let devices = self.devices().ok()?;
        let mut maps = devices.into_iter().filter(|device| device.name.starts_with("dm-"));
        maps.find(|map| map.attr(self, "dm/name").is_some_and(|name| mangle(&name) == wanted))
    }
}
