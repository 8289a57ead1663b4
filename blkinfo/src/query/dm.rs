//! Device-mapper names.

use std::path::Path;

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
    /// The device-mapper device of that name, mangled or not. The link that udev made for it is looked at first: there may
    /// be thousands of maps.
    pub(crate) fn device_by_dm_name(&self, name: &str) -> Option<Device> {
        let wanted = mangle(name);
        let is = |map: &Device| map.attr(self, "dm/name").is_some_and(|name| mangle(&name) == wanted);
        let node = crate::name::is_component(&wanted)
            .then(|| self.follow_node(&Path::new("/dev/mapper").join(&wanted)));
        let linked = node.flatten().and_then(|node| self.device(node.file_name()?.to_str()?));
        linked.filter(is).or_else(|| {
            let names = self.names(Path::new("/sys/class/block"));
            let maps = names.iter().filter(|name| name.starts_with("dm-"));
            maps.filter_map(|name| self.device(name)).find(is)
        })
    }
}
