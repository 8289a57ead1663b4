//! Is what is built on what as shallow as on real machines?

use std::collections::{HashMap, HashSet, VecDeque};

use super::devices::ListedDevices;

/// Devices below devices, counted for each device: thousands of volumes over hundreds of disks have less. A description of every
/// device names them all.
const MAX_OWNERS: usize = 1 << 21;

/// All devices together have at most [`MAX_OWNERS`] devices below them.
pub fn is_bounded(devices: &ListedDevices) -> bool {
    let below: HashMap<&str, Vec<&str>> = devices
        .iter()
        .filter(|(_, seen)| !seen.below.is_empty())
        .map(|(kname, seen)| (kname, seen.below.iter().map(String::as_str).collect()))
        .collect();
    let mut left = MAX_OWNERS;
    for start in below.keys() {
        let mut found: HashSet<&str> = HashSet::from([*start]);
        let mut todo = VecDeque::from([*start]);
        while let Some(next) = todo.pop_front() {
            for owner in below.get(next).into_iter().flatten() {
                let Some(rest) = left.checked_sub(1) else { return false };
                left = rest;
                if found.insert(owner) {
                    todo.push_back(owner);
                }
            }
        }
    }
    true
}
