//! What names, places and texts are remembered by: hashes.
//!
//! Of thousands of faults each has dozens of names, and all that is done with them is to compare them. The hashes are keyed
//! anew in every process, so that nobody can make two names that are taken for one; of a hundred thousand names, two are
//! equal by chance once in four billion runs.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use super::relations::Name;
use crate::event::{EventDraft, Holder, Identity};

/// The hash of a text.
pub fn hash(text: &str) -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    KEYS.get_or_init(RandomState::new).hash_one(text)
}

/// Identity of a device, to be compared only.
pub type Bearer = Identity<u64>;

impl Bearer {
    /// Of this identity.
    pub fn of(identity: &Identity) -> Self {
        Identity { wwid: identity.wwid.as_deref().map(hash), diskseq: identity.diskseq }
    }

    /// Takes over what another one knows of the same device.
    pub fn learn(&mut self, other: Bearer) {
        self.wwid = self.wwid.or(other.wwid);
        self.diskseq = self.diskseq.or(other.diskseq);
    }
}

/// A name, and what tells its holder from others, where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameKey {
    /// The name.
    pub text: u64,
    /// Who held it.
    pub bearer: Bearer,
}

impl NameKey {
    /// Of a name in an event.
    pub fn of(name: &Name) -> Self {
        NameKey { text: hash(&name.text), bearer: Bearer::of(&name.identity) }
    }

    /// All names of a device.
    pub fn of_holder(holder: &Holder) -> Vec<Self> {
        let bearer = Bearer::of(&holder.identity);
        holder.names.iter().map(|name| NameKey { text: hash(name), bearer }).collect()
    }

    /// Both may mean one device: the texts are equal, and nothing is known that tells their holders apart.
    pub fn may_be(&self, other: &NameKey) -> bool {
        self.text == other.text && !self.bearer.denies(&other.bearer)
    }
}

/// The same of several names.
pub fn keys(names: &[Name]) -> Vec<NameKey> {
    names.iter().map(NameKey::of).collect()
}

/// Some name of the one list may mean the same as some name of the other.
pub fn share(a: &[NameKey], b: &[NameKey]) -> bool {
    a.iter().any(|name| b.iter().any(|other| name.may_be(other)))
}

/// Where an event happened, see [`super::place::Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaceKey {
    /// The boot.
    pub boot: u64,
    /// The host.
    pub host: u64,
}

impl PlaceKey {
    /// Of an event.
    pub fn of(event: &EventDraft) -> Self {
        PlaceKey { boot: hash(&event.boot_id), host: hash(&event.hostname) }
    }
}

/// By name, the numbers of what has that name. Small, and the memory of what was removed can be used for anything else.
#[derive(Debug, Default)]
pub struct Index(BTreeSet<(u64, u64)>);

/// Bytes of one entry of an [`Index`], about: nodes of the tree are two thirds full.
pub const INDEX_ENTRY: usize = 28;

impl Index {
    /// Adds a number to a name.
    pub fn insert(&mut self, name: u64, number: u64) {
        self.0.insert((name, number));
    }

    /// Takes it out.
    pub fn remove(&mut self, name: u64, number: u64) {
        self.0.remove(&(name, number));
    }

    /// The numbers of a name, the highest first.
    pub fn newest(&self, name: u64) -> impl Iterator<Item = u64> + '_ {
        self.0.range((name, 0)..=(name, u64::MAX)).rev().map(|(_, number)| *number)
    }

    /// The numbers of a name that are higher than this one, the lowest first.
    pub fn above(&self, name: u64, number: u64) -> impl Iterator<Item = u64> + '_ {
        let above = (Bound::Excluded((name, number)), Bound::Included((name, u64::MAX)));
        self.0.range(above).map(|(_, number)| *number)
    }

    /// The name has a number.
    pub fn has(&self, name: u64) -> bool {
        self.newest(name).next().is_some()
    }

    /// The numbers of any of these names.
    pub fn of(&self, names: &[NameKey]) -> BTreeSet<u64> {
        names.iter().flat_map(|name| self.newest(name.text)).collect()
    }
}

/// Texts of which there are few, each kept once.
#[derive(Debug, Default)]
pub struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// With more, those that nobody has any more are dropped.
    const MANY: usize = 1024;

    /// The one copy of a text.
    pub fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() >= Self::MANY {
            self.0.retain(|text| Arc::strong_count(text) > 1);
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str, diskseq: Option<u64>) -> NameKey {
        NameKey { text: hash(text), bearer: Identity { wwid: None, diskseq } }
    }

    #[test]
    fn names_with_different_bearers_mean_different_devices() {
        let (old, new, unknown) = (name("sdb", Some(7)), name("sdb", Some(8)), name("sdb", None));
        assert!(!old.may_be(&new) && old.may_be(&unknown) && new.may_be(&unknown));
        assert!(!share(&[old, name("sdc", Some(9))], &[new, name("sdd", None)]));
        assert!(share(&[old, name("sdc", None)], &[name("sdc", Some(1))]));
    }

    #[test]
    fn an_index_finds_the_newest_first() {
        let mut index = Index::default();
        for (name, number) in [("a", 1), ("b", 2), ("a", 3), ("a", 2)] {
            index.insert(hash(name), number);
        }
        index.remove(hash("a"), 2);
        assert_eq!(index.newest(hash("a")).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(index.above(hash("a"), 0).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(index.above(hash("a"), 1).collect::<Vec<_>>(), [3]);
        assert_eq!(index.of(&[name("b", None), name("a", None)]).into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        index.remove(hash("b"), 2);
        assert!(!index.has(hash("b")) && index.has(hash("a")));
    }

    #[test]
    fn texts_that_nobody_has_are_dropped() {
        let mut texts = Texts::default();
        let kept = texts.get("kept");
        (0..Texts::MANY * 2).for_each(|n| drop(texts.get(&n.to_string())));
        assert!(texts.0.len() <= Texts::MANY && Arc::ptr_eq(&kept, &texts.get("kept")));
    }
}
