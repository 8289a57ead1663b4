//! Devices, merged from several lists.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::budget::TextBudget;
use super::fact::{self, Fact};
use super::named::{self, is_kernel_name, Named};
use super::note::{MountPoint, Note};
use super::nvme::Subsystem;
use super::wwid;

/// Devices of one machine.
const MAX_DEVICES: usize = 65_536;
/// Notes on devices whose kernel names are found out later.
const MAX_WAITING: usize = MAX_DEVICES * 4;
/// Mount points of one device.
const MAX_MOUNTED: usize = 1024;

/// One device, from all lists.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The first list that has a fact counts.
    facts: BTreeMap<Fact, String>,
    /// Identities, from all lists.
    wwids: BTreeSet<String>,
    /// The identities that the kernel itself gives.
    kernel_wwids: BTreeSet<String>,
    /// UUIDs of the map, from all lists.
    map_uuids: BTreeSet<String>,
    /// Kernel names of the devices it is built from.
    pub below: BTreeSet<String>,
    /// The disk of a partition that the kernel made.
    pub disk: Option<String>,
    /// Where it is mounted.
    pub mounted: Vec<MountPoint>,
    /// When udev saw it first, µs since boot.
    pub since: Option<u64>,
    /// Its path in sysfs, from `/devices` on.
    pub devpath: Option<String>,
    /// Links of udev that lead to it, without `/dev/`.
    pub links: BTreeSet<String>,
    /// What udev knows of it.
    pub properties: Vec<(String, String)>,
}

impl Seen {
    /// What is known.
    pub fn fact(&self, fact: Fact) -> Option<&str> {
        self.facts.get(&fact).map(String::as_str)
    }

    /// Is it a partition that the kernel made?
    pub fn is_kernel_partition(&self) -> bool {
        self.disk.is_some()
    }

    /// The identity that a disk brings along; none where lists contradict each other.
    pub fn identity(&self) -> Option<&str> {
        agreed(if self.kernel_wwids.is_empty() { &self.wwids } else { &self.kernel_wwids })
    }

    /// The UUID of a map; none where lists contradict each other.
    pub fn map_uuid(&self) -> Option<&str> {
        agreed(&self.map_uuids)
    }

    /// Several identities, which contradict each other.
    pub fn contradictions(&self) -> Option<Vec<&str>> {
        let own = if self.kernel_wwids.is_empty() { &self.wwids } else { &self.kernel_wwids };
        let all = [own, &self.map_uuids].into_iter();
        let found = all.into_iter().find(|all| all.len() > 1 && agreed(all).is_none())?;
        Some(found.iter().map(String::as_str).collect())
    }

    fn add(&mut self, fact: Fact, value: &str, budget: &mut TextBudget) {
        // JSON may hold several lines, and each of them would be a fact of its own in udev's record.
        let value = value.split(['\n', '\r', '\0']).next().unwrap_or_default().trim();
        let value = if fact == Fact::Transport { fact::transport(value).unwrap_or_default() } else { value };
        if value.is_empty() {
            return;
        }
        match fact {
            Fact::Wwn => self.identify(wwid::of_wwn(value), budget),
            Fact::DmUuid if budget.take(value) => drop(self.map_uuids.insert(value.to_owned())),
            _ if !self.facts.contains_key(&fact) && budget.take(value) => {
                self.facts.insert(fact, value.to_owned());
            }
            _ => {}
        }
    }

    fn identify(&mut self, wwid: Option<String>, budget: &mut TextBudget) {
        self.wwids.extend(wwid.filter(|wwid| !self.wwids.contains(wwid) && budget.take(wwid)));
    }

    fn mount(&mut self, at: MountPoint, budget: &mut TextBudget) {
        if let Some(known) = self.mounted.iter_mut().find(|known| known.point == at.point) {
            if known.fs_type.is_empty() {
                known.fs_type = at.fs_type;
            }
            if known.root == "/" {
                known.root = at.root;
            }
        } else if self.mounted.len() < MAX_MOUNTED && budget.take(&at.point) {
            self.mounted.push(at);
        }
    }

    fn take(&mut self, note: Note, budget: &mut TextBudget) {
        for (fact, value) in &note.facts {
            self.add(*fact, value, budget);
        }
        note.wwids.into_iter().for_each(|wwid| self.identify(Some(wwid), budget));
        self.kernel_wwids.extend(note.kernel_wwid.filter(|wwid| budget.take(wwid)));
        note.mounted.into_iter().for_each(|at| self.mount(at, budget));
        for link in note.links {
            if !self.links.contains(&link) && budget.take(&link) {
                self.links.insert(link);
            }
        }
        self.devpath = self.devpath.take().or(note.devpath.filter(|path| budget.take(path)));
        self.since = self.since.or(note.since);
        if self.properties.is_empty() {
            let fits = |(key, value): &(String, String)| budget.take(key) && budget.take(value);
            self.properties = note.properties.into_iter().filter(fits).collect();
        }
    }

    /// Marks it as a partition of a disk.
    fn lies_on(&mut self, disk: &str, number: &str) {
        self.facts.entry(Fact::Type).or_insert_with(|| "part".to_owned());
        self.facts.entry(Fact::Partition).or_insert_with(|| number.to_owned());
        self.disk = Some(disk.to_owned());
        self.below.insert(disk.to_owned());
    }
}

/// What all agree in. udev's short form of a long NAA is its first half, and a table may be cut off at the right.
fn agreed(all: &BTreeSet<String>) -> Option<&str> {
    let longest = all.iter().max_by_key(|one| one.len())?;
    all.iter().all(|one| longest.starts_with(one.as_str())).then_some(longest)
}

/// All devices of a machine, by kernel name.
#[derive(Clone, Debug, Default)]
pub struct ListedDevices {
    all: BTreeMap<String, Seen>,
    /// Notes on devices whose kernel name is determined after all lists have been read.
    waiting: Vec<(Named, Note)>,
    /// Links to nodes, without `/dev/`.
    links: BTreeMap<String, String>,
    /// NVMe subsystems, by number.
    subsystems: BTreeMap<u32, Subsystem>,
    budget: TextBudget,
    /// The line at which the text begins that is read now.
    first_line: usize,
    /// What is wrong in it, with the number of the line.
    problems: Vec<(usize, String)>,
}

impl ListedDevices {
    /// What is read from now on begins at this line of its file, from 1.
    pub fn begin(&mut self, line: usize) {
        self.first_line = line;
    }

    /// A line of what is read is wrong, by its number from 1.
    pub fn problem(&mut self, line: usize, problem: &str) {
        self.problems.push((self.first_line + line - 1, problem.to_owned()));
    }

    /// What was wrong since this was asked last.
    pub fn take_problems(&mut self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.problems)
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// There was more than is kept.
    pub fn is_full(&self) -> bool {
        self.budget.is_full()
    }

    /// The device of that kernel name.
    pub fn get(&self, kname: &str) -> Option<&Seen> {
        self.all.get(kname)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Seen)> {
        self.all.iter().map(|(kname, seen)| (kname.as_str(), seen))
    }

    /// Links below /dev, without `/dev/`, and the kernel names to which they lead.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.links.iter().map(|(link, kname)| (link.as_str(), kname.as_str()))
    }

    /// The device of that kernel name, to add to it; `None` when there are too many.
    fn of(&mut self, kname: &str) -> Option<(&mut Seen, &mut TextBudget)> {
        if !self.all.contains_key(kname) {
            let fits = !kname.is_empty() && self.all.len() < MAX_DEVICES && self.budget.take(kname);
            fits.then(|| self.all.insert(kname.to_owned(), Seen::default()))?;
        }
        Some((self.all.get_mut(kname)?, &mut self.budget))
    }

    /// Adds what a list contains about a device.
    pub fn note(&mut self, device: Named, mut note: Note) {
        let Named::Kernel(kname) = &device else { return self.wait(device, note) };
        let kname = kname.clone();
        let below = std::mem::take(&mut note.below);
        if let Some((seen, budget)) = self.of(&kname) {
            seen.take(note, budget);
        }
        if !below.is_empty() {
            self.wait(device, Note::default().below(below));
        }
    }

    fn wait(&mut self, device: Named, note: Note) {
        if self.waiting.len() < MAX_WAITING && self.budget.take_bytes(note.bytes()) {
            self.waiting.push((device, note));
        }
    }

    /// A link in /dev leads to the node of that kernel name.
    pub fn link(&mut self, link: &str, kname: &str) {
        if self.budget.take(link) {
            self.links.insert(link.to_owned(), kname.to_owned());
        }
    }

    /// Adds an NVMe subsystem. The first list that has it counts.
    pub fn subsystem(&mut self, subsystem: Subsystem) {
        let texts = subsystem.controllers.iter().map(|one| one.address.len() + 128).sum::<usize>();
        if !self.subsystems.contains_key(&subsystem.number)
            && self.budget.take_bytes(subsystem.nqn.len() + texts)
        {
            self.subsystems.insert(subsystem.number, subsystem);
        }
    }

    /// The NVMe subsystems.
    pub fn subsystems(&self) -> impl Iterator<Item = &Subsystem> {
        self.subsystems.values()
    }

    /// All lists are read: what they name differently is brought together.
    pub fn settle(&mut self) {
        self.name_maps();
        self.number_maps();
        let names = self.names();
        for (device, mut note) in std::mem::take(&mut self.waiting) {
            let Some(kname) = self.resolve(&names, &device) else { continue };
            let below = std::mem::take(&mut note.below);
            let below: Vec<String> = below.iter().filter_map(|device| self.resolve(&names, device)).collect();
            for kname in &below {
                self.of(kname);
            }
            if let Some((seen, budget)) = self.of(&kname) {
                seen.below.extend(below.into_iter().filter(|below| *below != kname));
                seen.take(note, budget);
            }
        }
        self.name_maps();
        self.number_maps();
        self.partitions();
        if !super::depth::is_bounded(self) {
            self.all.values_mut().filter(|seen| seen.disk.is_none()).for_each(|seen| seen.below.clear());
            self.budget.fill();
        }
    }

    /// Names and numbers, and the kernel names that they mean.
    fn names(&self) -> HashMap<String, String> {
        let mut names = HashMap::new();
        for (kname, seen) in &self.all {
            names.extend(seen.fact(Fact::Number).map(|number| (number.to_owned(), kname.clone())));
            names.extend(seen.fact(Fact::DmName).map(|name| (format!("mapper/{name}"), kname.clone())));
            names.extend(seen.fact(Fact::Address).map(|address| (address.to_owned(), kname.clone())));
            let array = seen.identity().filter(|_| kname.starts_with("md"));
            names.extend(array.map(|uuid| (uuid.to_owned(), kname.clone())));
        }
        names
    }

    fn resolve(&self, names: &HashMap<String, String>, device: &Named) -> Option<String> {
        match device {
            Named::Kernel(kname) => Some(kname.clone()),
            Named::Number(name) | Named::Address(name) | Named::Array(name) => names.get(name).cloned(),
            Named::Any(name) => {
                let name = name.strip_prefix("/dev/").unwrap_or(name);
                let known = || self.all.contains_key(name).then(|| name.to_owned());
                let mapped = || {
                    let name = name.strip_prefix("mapper/").unwrap_or(name);
                    names.get(&format!("mapper/{name}")).cloned()
                };
                // /dev/vg/lv
                let volume = || {
                    let (vg, lv) = name.split_once('/')?;
                    names.get(&named::volume(vg, lv)).cloned()
                };
                let of_kernel = || is_kernel_name(name).then(|| name.to_owned());
                let linked = || self.links.get(name).cloned();
                known().or_else(mapped).or_else(linked).or_else(volume).or_else(of_kernel)
            }
        }
    }

    /// The node of a map has its name.
    fn name_maps(&mut self) {
        let Self { all, budget, .. } = self;
        for (_, seen) in all.iter_mut().filter(|(name, _)| name.starts_with("dm-")) {
            let name = seen.fact(Fact::Node).and_then(|node| node.strip_prefix("/dev/mapper/"));
            if let Some(name) = name.map(str::to_owned) {
                seen.add(Fact::DmName, &name, budget);
            }
        }
    }

    /// All of device-mapper have one major number, and the minor number in the name.
    fn number_maps(&mut self) {
        let major = |(name, seen): (&String, &Seen)| {
            let (major, minor) = seen.fact(Fact::Number)?.split_once(':')?;
            (name.strip_prefix("dm-") == Some(minor)).then(|| major.to_owned())
        };
        let majors: BTreeSet<String> = self.all.iter().filter_map(major).collect();
        let (Some(major), 1) = (majors.first(), majors.len()) else { return };
        let Self { all, budget, .. } = self;
        for (name, seen) in all {
            if let Some(minor) = name.strip_prefix("dm-") {
                seen.add(Fact::Number, &format!("{major}:{minor}"), budget);
            }
        }
    }

    /// Partitions lie on their disks, which are there when their partitions are. (Xen's `xvda1` may be a disk of its own.)
    fn partitions(&mut self) {
        let found: Vec<(String, String, String)> = self
            .all
            .iter()
            .filter_map(|(name, seen)| {
                let is_part = seen.fact(Fact::Type) == Some("part");
                if let Some((disk, number)) = named::partition(name) {
                    let certain = is_part || self.all.contains_key(disk) || !name.starts_with("xvd");
                    return certain.then(|| (name.clone(), disk.to_owned(), number.to_owned()));
                }
                let is_disk = |disk: &&String| name.starts_with(disk.as_str()) && !name.starts_with("dm-");
                let disk = seen.below.first().filter(|disk| is_part && is_disk(disk))?;
                let number = name.get(disk.len()..)?.trim_start_matches('p');
                number.parse::<u32>().is_ok().then(|| (name.clone(), disk.clone(), number.to_owned()))
            })
            .collect();
        for (name, disk, number) in found {
            if self.of(&disk).is_some() {
                if let Some((seen, _)) = self.of(&name) {
                    seen.lies_on(&disk, &number);
                }
            }
        }
    }
}
