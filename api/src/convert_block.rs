//! Block devices as the interface has them.

use peripety_blkinfo::{BlockInfo, Path};

impl From<BlockInfo> for crate::BlockInfo {
    fn from(block: BlockInfo) -> Self {
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
        crate::BlockInfo {
            owners_wwids: owned(block.owners_wwids()),
            owners_paths: owned(block.owners_paths()),
            major_minor: block.major_minor.map(|number| number.to_string()),
            blk_type: block.blk_type.to_string(),
            kdev: block.kdev,
            dev_path: block.dev_path,
            dev_wwid: block.dev_wwid,
            address: block.address,
            diskseq: block.diskseq,
            stable_path: block.stable_path,
            slaves: block.slaves,
            holders: block.holders,
            paths: block.paths.into_iter().map(Into::into).collect(),
            serial: block.serial,
            model: block.model,
            vendor: block.vendor,
            removable: block.removable,
            rotational: block.rotational,
            read_only: block.read_only,
            size: block.size_bytes,
            fs_type: block.fs_type,
            fs_uuid: block.fs_uuid,
            fs_label: block.fs_label,
            mount_points: block.mount_points,
            transport: block.transport,
            extension: block.extension.into_iter().collect(),
        }
    }
}

impl From<Path> for crate::BlockPath {
    fn from(path: Path) -> Self {
        crate::BlockPath {
            kdev: path.kdev,
            address: path.address,
            state: path.state,
            access_state: path.access_state,
            preferred: path.preferred,
            dm_state: path.dm_state,
            extension: path.extension.into_iter().collect(),
        }
    }
}
