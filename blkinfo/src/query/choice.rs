//! Choosing between several devices that match a string.

use crate::device::Device;
use crate::error::Error;
use crate::info::BlkType;
use crate::name::natural_cmp;
use crate::tree::Tree;

/// The one device that all of these mean, when they carry the same name or identity: the topmost when they lie on each
/// other, the map or array when they are its paths or members.
pub(super) fn only(tree: &Tree, device: &str, mut found: Vec<Device>) -> Result<Option<Device>, Error> {
    if found.len() > 1 {
        let below: Vec<Device> = found.iter().flat_map(|device| tree.all_slaves(device)).collect();
        let tops: Vec<Device> = found.iter().filter(|device| !below.contains(device)).cloned().collect();
        if !tops.is_empty() {
            found = tops;
        }
    }
    if found.len() > 1 {
        found = common_holder(tree, &found).map_or(found, |map| vec![map]);
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(ambiguous(device, &found)),
    }
}

/// The one disk behind a piece of hardware. Several paths to one disk stand for their map. Different disks remain
/// different, also when one array has them all.
pub(super) fn one_disk(tree: &Tree, device: &str, found: Vec<Device>) -> Result<Option<Device>, Error> {
    let mut disks: Vec<Device> = Vec::new();
    for disk in found {
        if !disks.contains(&disk) {
            disks.push(disk);
        }
    }
    if disks.len() < 2 {
        return Ok(disks.pop());
    }
    shared_map(tree, &disks).map(Some).ok_or_else(|| ambiguous(device, &disks))
}

/// The candidates by kernel name in natural order.
pub(super) fn ambiguous(device: &str, found: &[Device]) -> Error {
    let mut candidates: Vec<String> = found.iter().map(crate::describe::kernel_name).collect();
    candidates.sort_by(|a, b| natural_cmp(a, b));
    Error::Ambiguous { device: device.to_owned(), candidates }
}

/// The one multipath map or array that all of these are in. One that is in none (yet) does not count.
fn common_holder(tree: &Tree, found: &[Device]) -> Option<Device> {
    let joins = |device: &Device| matches!(tree.blk_type(device), BlkType::DmMultipath | BlkType::Md);
    let mut holders: Vec<Device> = Vec::new();
    for holder in found.iter().flat_map(|device| tree.holders(device)).filter(joins) {
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    holders.pop().filter(|_| holders.is_empty())
}

/// The multipath map to which every one of these is a path.
fn shared_map(tree: &Tree, disks: &[Device]) -> Option<Device> {
    let map_of = |disk: &Device| {
        tree.holders(disk).into_iter().find(|holder| tree.blk_type(holder) == BlkType::DmMultipath)
    };
    let (first, rest) = disks.split_first()?;
    let map = map_of(first)?;
    rest.iter().all(|disk| map_of(disk).as_ref() == Some(&map)).then_some(map)
}
