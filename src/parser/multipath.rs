//! Multipath: an event is about the map; the path that failed is its owner.

use super::{build, generic};
use crate::bus::RawEvent;
use crate::devices::{Devices, Name};
use crate::event::EventDraft;

/// Device-mapper multipath and its daemon.
pub fn takes(sub_system: &str) -> bool {
    sub_system == "multipath"
}

/// The capture `kdev` is the path, `map` (current kernels) or `dm_name` (multipathd) the map;
/// a line that names the path only is about the map above it.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    let path = build::kdev(raw).and_then(|kdev| devices.at(&raw.entry, kdev));
    let path = path.or_else(|| build::gone(devices, raw));
    let named =
        ["map", "dm_name"].iter().find_map(|c| devices.at(&raw.entry, Name::Any(raw.captures.get(*c)?)));
    let is_map =
        |block: &peripety_blkinfo::BlockInfo| block.blk_type == peripety_blkinfo::BlkType::DmMultipath;
    let Some(path) = path.filter(|path| !is_map(path)) else {
        return match named {
            Some(map) => {
                let mut event = build::event(raw);
                build::set_device(&mut event, &map);
                event.owners_wwids.clear();
                event.owners_paths.clear();
                event.holders.truncate(1);
                build::add_mount_points(&mut event, devices, raw, &map);
                event
            }
            None => generic::parse(devices, raw),
        };
    };
    let mut event = build::event(raw);
    if let Some(map) = named.or_else(|| devices.map_above(&raw.entry, &path)) {
        build::set_device(&mut event, &map);
        build::add_mount_points(&mut event, devices, raw, &map);
    }
    build::set_owner(&mut event, &path);
    if let Some(number) = path.major_minor {
        event.extension.insert("blk_major_minor".into(), number.to_string());
    }
    build::add_path_detail(&mut event, &path);
    event
}
