//! Devices as several tools list them, put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::named::{self, is_kernel_name, Named};
use super::wwid;

/// Devices looked at.
const MAX_DEVICES: usize = 65_536;

/// One device, from all lists.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Facts under lsblk's names of columns, in capitals; `DM_NAME` and `DISKSEQ` as in udev. The first list that has one
    /// counts.
    pub facts: BTreeMap<String, String>,
    /// Identities, from all lists.
    wwids: BTreeSet<String>,
    /// Kernel names of the devices it is built from.
    pub below: BTreeSet<String>,
    /// Where it is mounted.
    pub mounted: Vec<String>,
    /// When udev saw it first, µs since boot.
    pub since: Option<u64>,
}

impl Seen {
    /// What is known under a name.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Adds a fact, unless there is one of that name.
    pub fn add(&mut self, name: &str, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        if self.fact(name).is_none() {
            self.facts.insert(name.to_owned(), value.to_owned());
        }
        match name {
            "WWN" => self.wwids.extend(wwid::of_wwn(value)),
            "DM_UUID" => drop(self.wwids.insert(wwid::of_dm(value))),
            _ => {}
        }
    }

    /// Adds an identity.
    pub fn identify(&mut self, wwid: Option<String>) {
        self.wwids.extend(wwid);
    }

    /// Adds a place where it is mounted.
    pub fn mount(&mut self, point: &str) {
        if point.starts_with('/') && !self.mounted.iter().any(|known| known == point) {
            self.mounted.push(point.to_owned());
        }
    }

    /// The identity; none where the lists give several.
    pub fn identity(&self) -> Option<&str> {
        // udev's short form of a long NAA is its first half.
        let longest = self.wwids.iter().max_by_key(|wwid| wwid.len())?;
        self.wwids.iter().all(|wwid| longest.starts_with(wwid.as_str())).then_some(longest)
    }

    /// Several identities, which contradict each other.
    pub fn contradictions(&self) -> Option<&BTreeSet<String>> {
        (self.identity().is_none() && self.wwids.len() > 1).then_some(&self.wwids)
    }

    fn take(&mut self, note: Note) {
        for (name, value) in &note.facts {
            self.add(name, value);
        }
        self.wwids.extend(note.wwids);
        note.mounted.iter().for_each(|point| self.mount(point));
    }
}

/// What a list says of a device.
#[derive(Clone, Debug, Default)]
pub struct Note {
    facts: Vec<(String, String)>,
    wwids: Vec<String>,
    below: Vec<Named>,
    mounted: Vec<String>,
}

impl Note {
    /// With a fact.
    pub fn fact(mut self, name: &str, value: &str) -> Self {
        self.facts.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With several facts alone.
    pub fn of<'f>(facts: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        facts.fold(Note::default(), |note, (name, value)| note.fact(name, value))
    }

    /// With an identity.
    pub fn wwid(mut self, wwid: Option<String>) -> Self {
        self.wwids.extend(wwid);
        self
    }

    /// Built from these devices.
    pub fn below(mut self, devices: impl IntoIterator<Item = Named>) -> Self {
        self.below.extend(devices);
        self
    }

    /// Mounted here.
    pub fn mounted(mut self, point: &str) -> Self {
        self.mounted.push(point.to_owned());
        self
    }
}

/// All devices of a machine, by kernel name.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    all: BTreeMap<String, Seen>,
    /// Notes on devices of which the kernel's name is found out when all lists are read.
    waiting: Vec<(Named, Note)>,
    /// Links to nodes, without `/dev/`.
    links: HashMap<String, String>,
}

impl Devices {
    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The device of that kernel name.
    pub fn get(&self, kname: &str) -> Option<&Seen> {
        self.all.get(kname)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Seen)> {
        self.all.iter()
    }

    /// The device of that kernel name, to add to it; `None` when there are too many.
    pub fn of(&mut self, kname: &str) -> Option<&mut Seen> {
        let valid = !kname.is_empty() && (self.all.len() < MAX_DEVICES || self.all.contains_key(kname));
        valid.then(|| self.all.entry(kname.to_owned()).or_default())
    }

    /// Takes down what a list says of a device.
    pub fn note(&mut self, device: Named, note: Note) {
        let waits = !note.below.is_empty();
        let below = Note { below: note.below.clone(), ..Note::default() };
        match &device {
            Named::Kernel(kname) => {
                let kname = kname.clone();
                if let Some(seen) = self.of(&kname) {
                    seen.take(Note { below: Vec::new(), ..note });
                }
                if waits {
                    self.wait(device, below);
                }
            }
            _ => self.wait(device, note),
        }
    }

    fn wait(&mut self, device: Named, note: Note) {
        if self.waiting.len() < MAX_DEVICES * 4 {
            self.waiting.push((device, note));
        }
    }

    /// A link in /dev leads to the node of that kernel name.
    pub fn link(&mut self, link: &str, kname: &str) {
        if self.links.len() < MAX_DEVICES * 8 {
            self.links.insert(link.to_owned(), kname.to_owned());
        }
    }

    /// All lists are read: what they name differently is brought together.
    pub fn settle(&mut self) {
        self.number_maps();
        let names = self.names();
        for (device, note) in std::mem::take(&mut self.waiting) {
            let Some(kname) = self.resolve(&names, &device) else { continue };
            let below: Vec<String> =
                note.below.iter().filter_map(|device| self.resolve(&names, device)).collect();
            for kname in &below {
                self.of(kname);
            }
            if let Some(seen) = self.of(&kname) {
                seen.below.extend(below.into_iter().filter(|below| *below != kname));
                seen.take(note);
            }
        }
        self.number_maps();
        self.partitions();
        for (kname, seen) in &self.all {
            if let Some(wwids) = seen.contradictions() {
                tracing::debug!("{kname}: lists give it several identities, so that none counts: {wwids:?}");
            }
        }
    }

    /// Names and numbers, and the kernel names that they mean.
    fn names(&self) -> HashMap<String, String> {
        let mut names = HashMap::new();
        for (kname, seen) in &self.all {
            names.extend(seen.fact("MAJ:MIN").map(|number| (number.to_owned(), kname.clone())));
            names.extend(seen.fact("DM_NAME").map(|name| (format!("mapper/{name}"), kname.clone())));
        }
        names
    }

    fn resolve(&self, names: &HashMap<String, String>, device: &Named) -> Option<String> {
        match device {
            Named::Kernel(kname) => Some(kname.clone()),
            Named::Number(number) => names.get(number).cloned(),
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

    /// All of device-mapper have one major number, and the minor number in the name.
    fn number_maps(&mut self) {
        let major = |(name, seen): (&String, &Seen)| {
            let (major, minor) = seen.fact("MAJ:MIN")?.split_once(':')?;
            (name.strip_prefix("dm-") == Some(minor)).then(|| major.to_owned())
        };
        let majors: BTreeSet<String> = self.all.iter().filter_map(major).collect();
        let (Some(major), 1) = (majors.first(), majors.len()) else { return };
        for (name, seen) in &mut self.all {
            if let Some(minor) = name.strip_prefix("dm-") {
                seen.add("MAJ:MIN", &format!("{major}:{minor}"));
            }
        }
    }

    fn partitions(&mut self) {
        let found: Vec<(String, String, String)> = self
            .all
            .keys()
            .filter_map(|name| {
                let (disk, number) = named::partition(name)?;
                self.all.contains_key(disk).then(|| (name.clone(), disk.to_owned(), number.to_owned()))
            })
            .collect();
        for (name, disk, number) in found {
            if let Some(seen) = self.all.get_mut(&name) {
                seen.add("TYPE", "part");
                seen.add("PARTN", &number);
                seen.below.insert(disk);
            }
        }
    }
}
