//! From the facts of lists to a device tree with the layout of the running machine's: /sys, /dev, /run/udev and /proc.
//!
//! Kinds, identities and owners are then found by the code that finds them on a running machine. A device of which a list gives the
//! path in sysfs (udev's database) lies there; others lie where their address, or their name alone, puts them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::devices::{ListedDevices, Seen};
use super::fact::{Fact, UDEV_NAMES};
use super::mount_table;
use super::nvme::{Subsystem, Subsystems};
use crate::name::{is_component, numbered, DevNumber, ScsiAddress};
use crate::source::recorded::{Node, Recorded};
use crate::transport::is_pci_function;
use crate::udev::{DATABASE, LISTED_TRANSPORT, LISTED_TYPE};

/// The tree of all devices.
pub(super) fn of(devices: &ListedDevices) -> Recorded {
    let mut builder = Builder::of(devices);
    // Without a device there is still a machine, about which questions can be asked.
    builder.add("/sys/class/block", Node::Dir(BTreeSet::new()));
    devices.iter().for_each(|(kname, seen)| builder.device(kname, seen));
    devices.links().for_each(|(link, kname)| builder.dev_link(link, kname));
    builder.links_of_udev();
    devices.subsystems().for_each(|subsystem| builder.subsystem(subsystem));
    let numbers = &builder.numbers;
    let table = mount_table::of(devices, |kname| numbers.get(kname).copied());
    builder.add("/proc/self/mountinfo", Node::File(table.mounts.into_bytes()));
    builder.add("/proc/swaps", Node::File(table.swaps.into_bytes()));
    builder.tree
}

struct Builder<'d> {
    devices: &'d ListedDevices,
    /// Numbers that one device alone has.
    numbers: HashMap<&'d str, DevNumber>,
    /// SCSI addresses that one disk alone has.
    addresses: HashMap<&'d str, ScsiAddress>,
    /// The devices directly above each.
    holders: HashMap<&'d str, Vec<&'d str>>,
    subsystems: Subsystems<'d>,
    /// The namespaces of each NVMe subsystem.
    namespaces: HashMap<u32, Vec<&'d str>>,
    tree: Recorded,
}

/// What belongs to one device alone: where two claim the same, no list can be believed.
fn unique<T: Copy + Eq + std::hash::Hash>(
    devices: &ListedDevices,
    fact: impl Fn(&Seen) -> Option<T>,
) -> HashMap<&str, T> {
    let (mut all, mut shared) = (HashSet::new(), HashSet::new());
    let found: Vec<(&str, T)> =
        devices.iter().filter_map(|(kname, seen)| Some((kname, fact(seen)?))).collect();
    for (_, value) in &found {
        if !all.insert(*value) {
            shared.insert(*value);
        }
    }
    found.into_iter().filter(|(_, value)| !shared.contains(value)).collect()
}

impl<'d> Builder<'d> {
    fn of(devices: &'d ListedDevices) -> Self {
        let number = |seen: &Seen| DevNumber::parse(seen.fact(Fact::Number)?);
        let address = |seen: &Seen| ScsiAddress::parse(seen.fact(Fact::Address)?);
        let mut holders: HashMap<&str, Vec<&str>> = HashMap::new();
        for (kname, seen) in devices.iter() {
            seen.below.iter().for_each(|below| holders.entry(below).or_default().push(kname));
        }
        let subsystems = Subsystems::of(devices);
        let mut namespaces: HashMap<u32, Vec<&str>> = HashMap::new();
        for (kname, _) in devices.iter() {
            if let Some(subsystem) = subsystems.of_namespace(kname) {
                namespaces.entry(subsystem.number).or_default().push(kname);
            }
        }
        Self {
            devices,
            subsystems,
            namespaces,
            numbers: unique(devices, number),
            addresses: unique(devices, address),
            holders,
            tree: Recorded::default(),
        }
    }

    /// Adds a node. Lists that contradict each other may leave no room for it: the first one counts.
    fn add(&mut self, path: impl AsRef<Path>, node: Node) {
        let _ = self.tree.insert(path.as_ref(), node);
    }

    fn file(&mut self, path: PathBuf, value: &str) {
        self.add(path, Node::File(format!("{value}\n").into_bytes()));
    }

    fn link(&mut self, path: impl AsRef<Path>, target: impl Into<PathBuf>) {
        self.add(path, Node::Link(target.into()));
    }

    fn device(&mut self, kname: &str, seen: &Seen) {
        let Some(dir) = self.directory(kname, seen) else { return };
        let name = sysfs_name(kname);
        self.link(Path::new("/sys/class/block").join(&name), &dir);
        let number = self.numbers.get(kname).copied();
        if let Some(number) = number {
            self.link(format!("/sys/dev/block/{number}"), &dir);
            self.file(dir.join("dev"), &number.to_string());
        }
        self.file(dir.join("uevent"), &uevent(kname, seen, number));
        self.attributes(&dir, seen);
        self.hardware(&dir, kname, seen);
        self.iscsi(seen);
        self.neighbours(&dir, kname, seen);
        let record = record(kname, seen);
        let name = number.map_or_else(|| format!("+block:{name}"), |number| format!("b{number}"));
        self.add(Path::new(DATABASE).join(name), Node::File(record.into_bytes()));
        if let Some(map) = seen.fact(Fact::DmName) {
            self.dev_link(&format!("mapper/{}", crate::escape::mangle(map)), kname);
        }
    }

    fn attributes(&mut self, dir: &Path, seen: &Seen) {
        let flag = |fact: Fact| match seen.fact(fact)? {
            "1" | "true" => Some("1"),
            "0" | "false" => Some("0"),
            _ => None,
        };
        let sectors =
            seen.fact(Fact::Size).and_then(|bytes| bytes.parse::<u64>().ok()).map(|bytes| bytes >> 9);
        let partition = seen.fact(Fact::Partition).filter(|_| seen.is_kernel_partition());
        let attributes = [
            ("size", sectors.map(|sectors| sectors.to_string())),
            ("removable", flag(Fact::Removable).map(str::to_owned)),
            ("ro", flag(Fact::ReadOnly).map(str::to_owned)),
            ("queue/rotational", flag(Fact::Rotational).map(str::to_owned)),
            ("partition", partition.map(str::to_owned)),
            ("dm/name", seen.fact(Fact::DmName).map(str::to_owned)),
            ("dm/uuid", seen.map_uuid().map(str::to_owned)),
            ("loop/backing_file", seen.fact(Fact::BackingFile).map(str::to_owned)),
        ];
        for (name, value) in attributes {
            value.into_iter().for_each(|value| self.file(dir.join(name), &value));
        }
    }

    /// What stands behind a disk, and the identity that it brings along, each where its driver has it.
    fn hardware(&mut self, dir: &Path, kname: &str, seen: &Seen) {
        let wwid = seen.identity();
        let at = if let Some(address) = self.scsi_directory(kname, dir) {
            let (name, address) = address;
            self.link(Path::new("/sys/bus/scsi/devices").join(name), &address);
            self.link(dir.join("device"), &address);
            address.join("wwid")
        } else if kname.starts_with("sd") || kname.starts_with("sr") {
            dir.join("device/wwid")
        } else if kname.starts_with("md") {
            dir.join("md/uuid")
        } else {
            self.nvme(dir, kname);
            dir.join("wwid")
        };
        // A virtual disk's is in udev's record.
        let own = wwid.filter(|_| !kname.starts_with("vd") && !kname.starts_with("dm-"));
        own.into_iter().for_each(|wwid| self.file(at.clone(), wwid));
    }

    /// The directory of a disk's SCSI address, `…/2:0:0:1` of `…/2:0:0:1/block/sdb`.
    fn scsi_directory(&self, kname: &str, dir: &Path) -> Option<(String, PathBuf)> {
        let disk = kname.starts_with("sd") || kname.starts_with("sr");
        let above = dir.ancestors().nth(2).filter(|_| disk)?;
        let address = above.file_name()?.to_str().filter(|name| ScsiAddress::parse(name).is_some())?;
        Some((address.to_owned(), above.to_path_buf()))
    }

    /// The session through which a disk is reached (drivers/scsi/scsi_transport_iscsi.c).
    fn iscsi(&mut self, seen: &Seen) {
        let Some(number) = seen.fact(Fact::Session) else { return };
        let session = PathBuf::from(format!("/sys/class/iscsi_session/session{number}"));
        let connection = PathBuf::from(format!("/sys/class/iscsi_connection/connection{number}:0"));
        for (directory, name, fact) in [
            (&session, "targetname", Fact::Target),
            (&session, "tpgt", Fact::TargetGroup),
            (&session, "ifacename", Fact::Interface),
            (&connection, "address", Fact::PortalAddress),
            (&connection, "port", Fact::PortalPort),
        ] {
            seen.fact(fact).into_iter().for_each(|value| self.file(directory.join(name), value));
        }
    }

    /// The controller of a namespace that lies below it, which is one on PCI.
    fn nvme(&mut self, dir: &Path, kname: &str) {
        if let Some(subsystem) =
            self.subsystems.of_namespace(kname).filter(|known| dir.starts_with(known.directory()))
        {
            return self.link(dir.join("device"), subsystem.directory());
        }
        let Some(controller) = dir.parent().filter(|_| kname.starts_with("nvme")) else { return };
        let name = controller.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let pci = controller.iter().rev().filter_map(|name| name.to_str()).find(|name| is_pci_function(name));
        if let (Some(_), Some(pci)) = (numbered(name, "nvme"), pci) {
            self.link(dir.join("device"), controller);
            self.link(Path::new("/sys/class/nvme").join(name), controller);
            self.file(controller.join("transport"), "pcie");
            self.file(controller.join("address"), pci);
        }
    }

    /// A subsystem, its controllers, and in their directories the path nodes of its namespaces.
    fn subsystem(&mut self, subsystem: &Subsystem) {
        let dir = subsystem.directory();
        self.link(format!("/sys/class/nvme-subsystem/nvme-subsys{}", subsystem.number), &dir);
        self.file(dir.join("subsysnqn"), &subsystem.nqn);
        let namespaces = self.namespaces.get(&subsystem.number).cloned().unwrap_or_default();
        for controller in &subsystem.controllers {
            let name = format!("nvme{}", controller.number);
            let at = controller.directory();
            self.link(dir.join(&name), &at);
            self.link(Path::new("/sys/class/nvme").join(&name), &at);
            for (attribute, value) in [
                ("transport", &controller.transport),
                ("address", &controller.address),
                ("state", &controller.state),
                ("subsysnqn", &subsystem.nqn),
            ] {
                self.file(at.join(attribute), value);
            }
            for namespace in namespaces.iter().filter_map(|kname| kname.rsplit('n').next()) {
                let node = format!("nvme{}c{}n{namespace}", subsystem.number, controller.number);
                self.add(at.join(node), Node::Dir(BTreeSet::new()));
            }
        }
    }

    /// What it is built from, and what is built on it.
    fn neighbours(&mut self, dir: &Path, kname: &str, seen: &Seen) {
        let class = Path::new("/sys/class/block");
        if !seen.is_kernel_partition() {
            for below in &seen.below {
                let name = sysfs_name(below);
                self.link(dir.join("slaves").join(&name), class.join(&name));
            }
        }
        let partition_of = |holder: &&str| self.disk(holder) == Some(kname);
        let holders = self.holders.get(kname).into_iter().flatten().copied();
        let holders: Vec<String> = holders.filter(|holder| !partition_of(holder)).map(sysfs_name).collect();
        for name in holders {
            self.link(dir.join("holders").join(&name), class.join(&name));
        }
    }

    /// The disk of a kernel partition.
    fn disk(&self, kname: &str) -> Option<&'d str> {
        let seen = self.devices.get(kname).filter(|seen| seen.is_kernel_partition())?;
        seen.disk.as_deref()
    }

    /// The sysfs path of the device. `None`: no directory can have its name.
    fn directory(&self, kname: &str, seen: &Seen) -> Option<PathBuf> {
        let name = sysfs_name(kname);
        if !is_component(&name) {
            return None;
        }
        if let Some(disk) = self.disk(kname) {
            let above = self.devices.get(disk).filter(|above| above.disk.is_none())?;
            return Some(self.directory(disk, above)?.join(name));
        }
        let listed = seen.devpath.as_deref().filter(|path| path.ends_with(&format!("/{name}")));
        if let Some(path) = listed.filter(|path| is_path_of_device(path)) {
            return Some(PathBuf::from(format!("/sys{path}")));
        }
        let is_scsi = kname.starts_with("sd") || kname.starts_with("sr");
        if let Some(address) = self.addresses.get(kname).filter(|_| is_scsi) {
            let ScsiAddress { host, channel, target, .. } = address;
            let session =
                seen.fact(Fact::Session).map(|number| format!("/session{number}")).unwrap_or_default();
            let target = format!("target{host}:{channel}:{target}");
            let above = format!("/sys/devices/host{host}{session}/{target}/{address}/block");
            return Some(Path::new(&above).join(name));
        }
        let subsystem = self.subsystems.of_namespace(kname).map(Subsystem::directory);
        Some(subsystem.unwrap_or_else(|| PathBuf::from("/sys/devices/virtual/block")).join(name))
    }

    /// The links in udev's records. If several devices claim one, it is unknown which of them has it.
    fn links_of_udev(&mut self) {
        let all =
            self.devices.iter().flat_map(|(kname, seen)| seen.links.iter().map(move |link| (link, kname)));
        let mut holders: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (link, kname) in all {
            holders.entry(link).and_modify(|holder| *holder = None).or_insert(Some(kname));
        }
        for (link, kname) in holders {
            kname.into_iter().for_each(|kname| self.dev_link(link, kname));
        }
    }

    /// A link below /dev to the node of a device.
    fn dev_link(&mut self, link: &str, kname: &str) {
        let plain = link.split('/').all(is_component);
        if plain && self.devices.get(kname).is_some() {
            self.link(Path::new("/dev").join(link), format!("/dev/{kname}"));
        }
    }
}

/// sysfs spells a `/` in a name `!`.
fn sysfs_name(kname: &str) -> String {
    kname.replace('/', "!")
}

/// Is it the path that sysfs gives to a device, without anything that leads elsewhere?
fn is_path_of_device(path: &str) -> bool {
    path.strip_prefix("/devices/").is_some_and(|rest| rest.split('/').all(is_component))
}

/// What the kernel reports to udev about it (block/genhd.c, block_uevent).
fn uevent(kname: &str, seen: &Seen, number: Option<DevNumber>) -> String {
    let mut lines = Vec::new();
    if let Some(number) = number {
        lines.push(format!("MAJOR={}\nMINOR={}", number.major, number.minor));
    }
    lines.push(format!("DEVNAME={kname}"));
    lines.extend(seen.fact(Fact::DiskSeq).map(|number| format!("DISKSEQ={number}")));
    lines.join("\n")
}

/// Further facts of a device that its record has, under udev's names.
const PROPERTIES: [(&str, Fact); 3] = [
    ("ID_PART_ENTRY_UUID", Fact::PartUuid),
    ("ID_PART_ENTRY_NAME", Fact::PartLabel),
    (LISTED_TRANSPORT, Fact::Transport),
];

/// udev's record of a device: udev's own data first, then those of other lists.
fn record(kname: &str, seen: &Seen) -> String {
    let mut lines: Vec<String> = seen.links.iter().map(|link| format!("S:{link}")).collect();
    lines.extend(seen.since.map(|since| format!("I:{since}")));
    let own: BTreeMap<&str, &str> =
        seen.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut properties: BTreeMap<&str, &str> = UDEV_NAMES
        .iter()
        .chain(&PROPERTIES)
        .filter_map(|(key, fact)| Some((*key, seen.fact(*fact)?)))
        .filter(|(key, _)| !own.contains_key(format!("{key}_ENC").as_str()))
        .collect();
    properties.extend(own);
    // Of a virtual disk, it is the identity; of others it may be vendor and model.
    let serial = seen.identity().filter(|_| kname.starts_with("vd"));
    properties.extend(serial.map(|serial| ("ID_SERIAL", serial)));
    properties.extend(seen.fact(Fact::Type).map(|kind| (LISTED_TYPE, kind)));
    lines.extend(properties.into_iter().map(|(key, value)| format!("E:{key}={value}")));
    lines.push(String::new());
    lines.join("\n")
}
