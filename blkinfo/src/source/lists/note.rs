//! The facts of one list about one device.

use super::fact::Fact;
use super::named::Named;

/// A place where a device is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    /// The place; `[SWAP]`: it is in use as swap.
    pub point: String,
    /// The type of the file system; empty if the list does not contain it.
    pub fs_type: String,
    /// The directory of the file system that is mounted there.
    pub root: String,
}

/// The facts of a list about a device.
#[derive(Clone, Debug, Default)]
pub struct Note {
    pub(super) facts: Vec<(Fact, String)>,
    pub(super) wwids: Vec<String>,
    pub(super) kernel_wwid: Option<String>,
    pub(super) below: Vec<Named>,
    pub(super) mounted: Vec<MountPoint>,
    pub(super) links: Vec<String>,
    pub(super) devpath: Option<String>,
    pub(super) since: Option<u64>,
    pub(super) properties: Vec<(String, String)>,
}

impl Note {
    /// With a fact.
    pub fn fact(mut self, fact: Fact, value: &str) -> Self {
        self.facts.push((fact, value.to_owned()));
        self
    }

    /// With a fact that a list may lack.
    pub fn maybe(self, fact: Fact, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.fact(fact, value),
            None => self,
        }
    }

    /// The facts in columns of that name. Columns without a fact are omitted.
    pub fn of_columns<'f>(columns: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let known = columns.filter_map(|(name, value)| Some((Fact::of_column(name)?, value)));
        known.fold(Note::default(), |note, (fact, value)| note.fact(fact, value))
    }

    /// With an identity.
    pub fn wwid(mut self, wwid: Option<String>) -> Self {
        self.wwids.extend(wwid);
        self
    }

    /// With the identity that the kernel itself gives.
    pub fn kernel_wwid(mut self, wwid: Option<String>) -> Self {
        self.kernel_wwid = wwid;
        self
    }

    /// Built from these devices.
    pub fn below(mut self, devices: impl IntoIterator<Item = Named>) -> Self {
        self.below.extend(devices);
        self
    }

    /// Mounted here, as a file system of that type; empty if the list does not contain it. `[SWAP]` is in use as swap.
    pub fn mounted(self, point: &str, fs_type: &str) -> Self {
        self.mounted_part(point, fs_type, "/")
    }

    /// A directory of the file system is mounted here.
    pub fn mounted_part(mut self, point: &str, fs_type: &str, root: &str) -> Self {
        if point.starts_with('/') || point == "[SWAP]" {
            let [point, fs_type, root] = [point, fs_type, root].map(str::to_owned);
            self.mounted.push(MountPoint { point, fs_type, root });
        }
        self
    }

    /// A link of udev leads to it, without `/dev/`.
    pub fn link(mut self, link: &str) -> Self {
        self.links.push(link.to_owned());
        self
    }

    /// Its path in sysfs, from `/devices` on.
    pub fn devpath(mut self, path: &str) -> Self {
        self.devpath = Some(path.to_owned());
        self
    }

    /// When udev saw it first, µs since boot.
    pub fn since(mut self, since: Option<u64>) -> Self {
        self.since = since;
        self
    }

    /// With a property of udev.
    pub fn property(mut self, key: &str, value: &str) -> Self {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Bytes of its texts.
    pub(super) fn bytes(&self) -> usize {
        let pairs: usize = self.properties.iter().map(|(a, b)| a.len() + b.len()).sum();
        let mounted = self.mounted.iter().map(|at| at.point.len() + at.fs_type.len() + at.root.len());
        let pairs = pairs + mounted.sum::<usize>();
        let facts: usize = self.facts.iter().map(|(_, value)| value.len()).sum();
        let texts: usize = self.wwids.iter().chain(&self.links).map(String::len).sum();
        pairs + facts + texts + self.below.len() * 32
    }
}
