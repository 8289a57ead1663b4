//! From what lists say to what is known of each device.

use std::collections::{HashMap, VecDeque};

use peripety_blkinfo::{BlkType, BlockInfo, DevNumber, Owner};

use super::seen::{Devices, Seen};

impl Devices {
    /// What is known of each.
    pub fn blocks(&self) -> Vec<BlockInfo> {
        let mut holders: HashMap<&str, Vec<String>> = HashMap::new();
        for (name, seen) in self.iter() {
            for below in &seen.below {
                holders.entry(below).or_default().push(name.clone());
            }
        }
        let blocks = self.iter().map(|(kname, seen)| {
            self.block(kname, seen, holders.get(kname.as_str()).cloned().unwrap_or_default())
        });
        blocks.collect()
    }

    fn block(&self, kname: &str, seen: &Seen, holders: Vec<String>) -> BlockInfo {
        let fact = |name: &str| seen.fact(name).map(str::to_owned);
        let flag = |name: &str| seen.fact(name).map(|value| value == "1" || value == "true");
        BlockInfo {
            kdev: kname.to_owned(),
            major_minor: seen.fact("MAJ:MIN").and_then(DevNumber::parse),
            address: fact("HCTL"),
            dev_path: self.node(kname),
            stable_path: None,
            blk_type: blk_type(kname, seen),
            dev_wwid: self.wwid(kname, 0),
            owners: self.owners(kname),
            slaves: seen.below.iter().cloned().collect(),
            holders,
            size_bytes: seen.fact("SIZE").and_then(|size| size.parse().ok()).unwrap_or(0),
            serial: fact("SERIAL"),
            model: fact("MODEL"),
            vendor: fact("VENDOR"),
            removable: flag("RM"),
            rotational: flag("ROTA"),
            read_only: flag("RO"),
            fs_type: fact("FSTYPE"),
            fs_uuid: fact("UUID"),
            fs_label: fact("LABEL"),
            mount_points: seen.mounted.clone(),
            transport: seen.fact("TRAN").and_then(transport),
            extension: peripety_blkinfo::Extension::default(),
            paths: Vec::new(),
            // What was listed is taken to have been there since the boot, where udev does not say since when.
            present_since: Some(seen.since.unwrap_or(0)),
            diskseq: seen.fact("DISKSEQ").and_then(|number| number.parse().ok()),
        }
    }

    fn node(&self, kname: &str) -> String {
        let seen = self.get(kname);
        let mapper = seen.and_then(|seen| seen.fact("DM_NAME")).map(|name| format!("/dev/mapper/{name}"));
        let node = mapper.or_else(|| seen.and_then(|seen| seen.fact("PATH")).map(str::to_owned));
        node.unwrap_or_else(|| format!("/dev/{kname}"))
    }

    /// The identity in the form in which the running machine gives it. Where the lists do not tell that, there is none.
    fn wwid(&self, kname: &str, depth: usize) -> Option<String> {
        let seen = self.get(kname)?;
        // lsblk and udev give the disk's identity to its partitions.
        if blk_type(kname, seen) == BlkType::Partition && !kname.starts_with("dm-") {
            let disk = seen.below.first().filter(|_| depth == 0)?;
            return Some(format!("{}-part{}", self.wwid(disk, 1)?, seen.fact("PARTN")?));
        }
        seen.identity().map(str::to_owned)
    }

    fn owners(&self, kname: &str) -> Vec<Owner> {
        let mut owners: Vec<Owner> = Vec::new();
        let mut todo: VecDeque<&str> = VecDeque::from([kname]);
        while let Some(next) = todo.pop_front() {
            for below in self.get(next).into_iter().flat_map(|seen| &seen.below) {
                if below == kname || owners.iter().any(|owner| owner.kdev == *below) {
                    continue;
                }
                let dev_wwid = self.wwid(below, 0);
                owners.push(Owner { kdev: below.clone(), dev_path: self.node(below), dev_wwid });
                todo.push_back(below);
            }
        }
        owners
    }
}

fn blk_type(kname: &str, seen: &Seen) -> BlkType {
    let uuid = seen.fact("DM_UUID").or_else(|| seen.identity()).unwrap_or_default();
    match (kname, seen.fact("TYPE").unwrap_or_default()) {
        (_, "part") => BlkType::Partition,
        _ if uuid.starts_with("part") && uuid.contains('-') => BlkType::Partition,
        (_, "mpath") => BlkType::DmMultipath,
        _ if uuid.starts_with("mpath-") => BlkType::DmMultipath,
        (_, "lvm") => BlkType::DmLvm,
        _ if uuid.starts_with("LVM-") => BlkType::DmLvm,
        (_, "crypt") => BlkType::DmCrypt,
        _ if uuid.starts_with("CRYPT-") => BlkType::DmCrypt,
        (name, _) => {
            KINDS.iter().find(|(begin, _)| name.starts_with(begin)).map_or(BlkType::Other, |(_, kind)| *kind)
        }
    }
}

const KINDS: [(&str, BlkType); 8] = [
    ("sd", BlkType::Scsi),
    ("nvme", BlkType::Nvme),
    ("dm-", BlkType::Dm),
    ("md", BlkType::Md),
    ("loop", BlkType::Loop),
    ("vd", BlkType::Virtio),
    ("mmcblk", BlkType::Mmc),
    ("zram", BlkType::Zram),
];

/// lsblk's word for how a disk is attached.
fn transport(word: &str) -> Option<String> {
    let known =
        [("fc", "FC"), ("iscsi", "iSCSI"), ("sas", "SAS"), ("sata", "SATA"), ("ata", "ATA"), ("usb", "USB")];
    known.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| (*ours).to_owned())
}
