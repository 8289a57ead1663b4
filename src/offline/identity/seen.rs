//! Devices as several tools list them, put together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use peripety_blkinfo::{BlkType, BlockInfo, DevNumber, Owner};

/// Devices looked at.
const MOST: usize = 65_536;

/// One device, from all lists.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Facts under lsblk's names of columns, in capitals; `DM_UUID`, `DM_NAME` and `DISKSEQ` as in udev.
    pub facts: BTreeMap<String, String>,
    /// Kernel names of the devices it is built from.
    pub below: BTreeSet<String>,
    /// Where it is mounted.
    pub mounted: Vec<String>,
    /// When udev saw it first, µs since boot.
    pub since: Option<u64>,
}

impl Seen {
    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// All devices of a machine, by kernel name.
#[derive(Clone, Debug, Default)]
pub struct Devices(BTreeMap<String, Seen>);

impl Devices {
    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The device of that kernel name, to add to it; `None` when there are too many.
    pub fn of(&mut self, kname: &str) -> Option<&mut Seen> {
        let valid = !kname.is_empty() && (self.0.len() < MOST || self.0.contains_key(kname));
        valid.then(|| self.0.entry(kname.to_owned()).or_default())
    }

    /// Adds where a device is mounted; it is named by its node.
    pub fn mounted(&mut self, node: &str, point: &str) {
        let of_node = |(kname, seen): &(&String, &mut Seen)| {
            node.strip_prefix("/dev/") == Some(kname) || seen.fact("PATH") == Some(node)
        };
        let Some((_, seen)) = self.0.iter_mut().find(of_node) else { return };
        if !seen.mounted.iter().any(|known| known == point) {
            seen.mounted.push(point.to_owned());
        }
    }

    /// What is known of each.
    pub fn blocks(&self) -> Vec<BlockInfo> {
        self.0.keys().filter_map(|kname| self.block(kname)).collect()
    }

    fn block(&self, kname: &str) -> Option<BlockInfo> {
        let seen = self.0.get(kname)?;
        let fact = |name: &str| seen.fact(name).map(str::to_owned);
        let flag = |name: &str| seen.fact(name).map(|value| value == "1" || value == "true");
        let holders = self.0.iter().filter(|(_, other)| other.below.contains(kname));
        Some(BlockInfo {
            kdev: kname.to_owned(),
            major_minor: seen.fact("MAJ:MIN").and_then(DevNumber::parse),
            address: fact("HCTL"),
            dev_path: self.node(kname),
            stable_path: None,
            blk_type: blk_type(kname, seen),
            dev_wwid: self.wwid(kname, 0),
            owners: self.owners(kname),
            slaves: seen.below.iter().cloned().collect(),
            holders: holders.map(|(name, _)| name.clone()).collect(),
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
        })
    }

    fn node(&self, kname: &str) -> String {
        let seen = self.0.get(kname);
        let mapper = seen.and_then(|seen| seen.fact("DM_NAME")).map(|name| format!("/dev/mapper/{name}"));
        let node = mapper.or_else(|| seen.and_then(|seen| seen.fact("PATH")).map(str::to_owned));
        node.unwrap_or_else(|| format!("/dev/{kname}"))
    }

    /// The identity in the form in which the running machine gives it. Where the lists do not tell that, there is none.
    fn wwid(&self, kname: &str, depth: usize) -> Option<String> {
        let seen = self.0.get(kname)?;
        if let Some(uuid) = seen.fact("DM_UUID") {
            return Some(uuid.to_owned());
        }
        if blk_type(kname, seen) == BlkType::Partition && depth == 0 {
            let disk = self.wwid(seen.below.iter().next()?, 1)?;
            return Some(format!("{disk}-part{}", seen.fact("PARTN")?));
        }
        let wwn = seen.fact("WWN")?;
        match wwn.strip_prefix("0x") {
            Some(digits) => Some(format!("naa.{}", digits.to_ascii_lowercase())),
            None => {
                ["eui.", "uuid.", "nvme."].iter().any(|kind| wwn.starts_with(kind)).then(|| wwn.to_owned())
            }
        }
    }

    fn owners(&self, kname: &str) -> Vec<Owner> {
        let mut owners: Vec<Owner> = Vec::new();
        let mut todo: VecDeque<&str> = VecDeque::from([kname]);
        while let Some(next) = todo.pop_front() {
            for below in self.0.get(next).into_iter().flat_map(|seen| &seen.below) {
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
    let uuid = seen.fact("DM_UUID").unwrap_or_default();
    match (kname, seen.fact("TYPE").unwrap_or_default()) {
        (_, "part") => BlkType::Partition,
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
