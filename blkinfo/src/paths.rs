//! The ways to a multipath map or to a multipathed NVMe namespace.

use crate::describe::kernel_name;
use crate::device::Device;
use crate::hardware::flag;
use crate::identity::scsi_address;
use crate::info::{BlkType, Path};
use crate::name::nvme_head;
use crate::tree::Tree;

impl Tree {
    /// The paths of a device, in natural order; none when it is not multipathed.
    pub(crate) fn paths(&self, device: &Device) -> Vec<Path> {
        match self.blk_type(device) {
            BlkType::DmMultipath => self.slaves(device).iter().map(|path| scsi(self, path)).collect(),
            BlkType::Nvme => self.nvme_paths(device).iter().map(|path| nvme(self, path)).collect(),
            _ => Vec::new(),
        }
    }

    /// The path nodes of a namespace lie in the directories of the controllers, to which the directory of the subsystem has
    /// links (drivers/nvme/host/multipath.c).
    fn nvme_paths(&self, namespace: &Device) -> Vec<Device> {
        let Some(subsystem) = self.hardware(namespace) else {
            return Vec::new();
        };
        let nodes =
            self.nvme_controllers(&subsystem).into_iter().flat_map(|controller| self.names(&controller));
        let mine = nodes.filter(|node| nvme_head(node).as_deref() == Some(namespace.name.as_str()));
        mine.filter_map(|node| self.device(&node)).collect()
    }
}

fn scsi(tree: &Tree, device: &Device) -> Path {
    Path {
        kdev: kernel_name(device),
        address: scsi_address(device).map(|address| address.to_string()),
        state: device.attr(tree, "device/state"),
        access_state: device.attr(tree, "device/access_state"),
        preferred: flag(tree, device, "device/preferred_path"),
        dm_state: None,
        extension: tree.path_detail(device),
    }
}

fn nvme(tree: &Tree, device: &Device) -> Path {
    let controller = tree.hardware(device);
    let name = controller.as_ref().and_then(|dir| dir.file_name()?.to_str());
    Path {
        kdev: kernel_name(device),
        address: name.map(str::to_owned),
        state: controller.as_ref().and_then(|dir| tree.attr(&dir.join("state"))),
        access_state: device.attr(tree, "ana_state"),
        preferred: None,
        dm_state: None,
        extension: tree.path_detail(device),
    }
}
