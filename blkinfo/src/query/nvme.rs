//! NVMe controllers, subsystems and namespaces.

use std::path::{Path, PathBuf};

use super::choice::one_disk;
use crate::device::Device;
use crate::error::Error;
use crate::name::{number, numbered, nvme_head};
use crate::tree::Tree;

const CONTROLLERS: &str = "/sys/class/nvme";
const SUBSYSTEMS: &str = "/sys/class/nvme-subsystem";

/// A controller `nvme0` or a subsystem `nvme-subsys0`: its namespace, when it has one.
pub(super) fn controller(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    match directory(name) {
        Some(directory) => one_disk(tree, name, namespaces(tree, &directory)),
        None => Ok(None),
    }
}

/// `nvme0 nsid 1`, `nvme0 namespace 1`, `nvme0:1`, also with the driver's name before them as in kernel messages
/// (`nvme nvme0: … nsid 1`): the namespace by the number that the controller gives it. That of its disk may differ.
pub(super) fn namespace(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let Some((directory, id)) = controller_and_id(name) else {
        return Ok(None);
    };
    let mut found = namespaces(tree, &directory);
    found.retain(|namespace| namespace.attr(tree, "nsid").and_then(|id| number(&id)) == Some(id));
    one_disk(tree, name, found)
}

/// The generic node `ng0n1` has the numbers of the namespace's disk (drivers/nvme/host/core.c, nvme_add_ns_cdev;
/// multipath.c, nvme_add_ns_head_cdev).
pub(super) fn generic(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let numbers = name.strip_prefix("ng").and_then(|rest| rest.split_once('n'));
    let numbers = numbers.and_then(|(first, second)| Some((number::<u32>(first)?, number::<u32>(second)?)));
    Ok(numbers.and_then(|(subsystem, namespace)| tree.device(&format!("nvme{subsystem}n{namespace}"))))
}

/// `nqn.2014-08.org.nvmexpress:uuid:…`: the subsystem of that name, its namespace.
pub(super) fn qualified_name(tree: &Tree, nqn: &str) -> Result<Option<Device>, Error> {
    if !nqn.starts_with("nqn.") {
        return Ok(None);
    }
    // Without multipathing in the kernel there are no directories of subsystems; each controller knows the name.
    let directories = [SUBSYSTEMS, CONTROLLERS].into_iter().flat_map(|class| {
        let names = tree.names(Path::new(class));
        names.into_iter().map(move |name| Path::new(class).join(name))
    });
    let mine =
        directories.filter(|directory| tree.attr(&directory.join("subsysnqn")).as_deref() == Some(nqn));
    one_disk(tree, nqn, mine.flat_map(|directory| namespaces(tree, &directory)).collect())
}

fn directory(name: &str) -> Option<PathBuf> {
    let class = [("nvme", CONTROLLERS), ("nvme-subsys", SUBSYSTEMS)];
    let (_, class) = class.into_iter().find(|(prefix, _)| numbered(name, prefix).is_some())?;
    Some(Path::new(class).join(name))
}

fn controller_and_id(name: &str) -> Option<(PathBuf, u32)> {
    let name = name.strip_prefix("nvme ").unwrap_or(name);
    let (controller, rest) = name.split_once([':', ' '])?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let id = match words.as_slice() {
        ["nsid" | "namespace", id] => number(id)?,
        [id] if name.contains(':') => number(id)?,
        _ => return None,
    };
    Some((directory(controller)?, id))
}

/// The namespaces of a controller or subsystem, each once. Their directory holds the namespaces themselves, or with
/// multipathing that of a controller the path nodes that lead to them.
fn namespaces(tree: &Tree, directory: &Path) -> Vec<Device> {
    let names = tree.names(directory);
    let disks = names.iter().filter(|name| name.starts_with("nvme"));
    let mut found: Vec<Device> = Vec::new();
    for disk in disks.filter_map(|name| tree.device(nvme_head(name).as_deref().unwrap_or(name))) {
        if !found.contains(&disk) {
            found.push(disk);
        }
    }
    found
}
