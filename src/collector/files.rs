//! The state of journal files while they were intact: for a truncated file, nothing else tells how many
//! entries it had.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::journal::{Count, Damage, Damaged, FileKey, Tail};

/// Number of checks for which a file without a header is remembered.
const REMEMBERED: u32 = 60;
/// How many checks ago a file whose pages disappear now must have been intact: a query may have been the first to read it.
const RECENT: u32 = 5;

/// The files that were seen.
#[derive(Debug, Default)]
pub struct Files {
    seen: HashMap<FileKey, Seen>,
    /// Those that were reported as lost as a whole.
    lost: HashSet<FileKey>,
}

#[derive(Debug)]
struct Seen {
    path: PathBuf,
    entries: u64,
    /// Looks since then.
    age: u32,
}

impl Files {
    /// Takes note of the files that are whole now.
    pub fn note(&mut self, tails: &[Tail]) {
        self.seen.values_mut().for_each(|seen| seen.age += 1);
        for tail in tails {
            let seen = Seen { path: tail.path.clone(), entries: tail.entries, age: 0 };
            self.seen.insert(tail.file, seen);
        }
        self.seen.retain(|_, seen| seen.age < REMEMBERED);
    }

    /// Pages of a file vanished. Which files were whole a moment ago, and are not now? Those that were removed
    /// count only if no other explains it.
    pub fn lost(&mut self, tails: &[Tail]) -> Vec<Damaged> {
        let whole: HashSet<FileKey> = tails.iter().map(|tail| tail.file).collect();
        let gone = self.seen.iter().filter(|(key, seen)| seen.age <= RECENT && !whole.contains(key));
        let (there, removed): (Vec<_>, Vec<_>) = gone.partition(|(_, seen)| seen.path.exists());
        let lost = if there.is_empty() { removed } else { there };
        let damage = |seen: &Seen| Damage::Whole {
            why: "its end is missing",
            entries: Some(Count::AtLeast(seen.entries)),
        };
        let lost = lost.into_iter().map(|(key, seen)| Damaged {
            file: *key,
            path: seen.path.clone(),
            damage: damage(seen),
        });
        let lost: Vec<Damaged> = lost.filter(|lost| !self.lost.contains(&lost.file)).collect();
        self.lost.extend(lost.iter().map(|lost| lost.file));
        lost
    }

    /// A file was found damaged: adds how many entries it had. False: it was reported already.
    pub fn damaged(&mut self, found: &mut Damaged) -> bool {
        let Damage::Whole { entries, .. } = &mut found.damage else { return true };
        if entries.map_or(0, Count::number) == 0 {
            let seen = self.seen.get(&found.file);
            *entries = seen.map(|seen| Count::AtLeast(seen.entries)).or(*entries);
        }
        self.lost.insert(found.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_file_is_reported_once_with_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let tail = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, name).unwrap();
            let file = FileKey::of(&path.metadata().unwrap());
            let sequence = (String::new(), 1);
            Tail { path, file, entries: 7, sequence, boot_id: String::new(), monotonic: 1, realtime: 1 }
        };
        let tails = [tail("whole"), tail("cut"), tail("removed")];
        let mut files = Files::default();
        files.note(&tails);
        std::fs::remove_file(&tails[2].path).unwrap();
        let lost = files.lost(&tails[..1]);
        let damage = Damage::Whole { why: "its end is missing", entries: Some(Count::AtLeast(7)) };
        assert_eq!(
            lost,
            [Damaged { file: tails[1].file, path: tails[1].path.clone(), damage: damage.clone() }]
        );
        assert_eq!(files.lost(&tails[..1]), [], "once");
        let empty = Damage::Whole { why: "it is empty", entries: None };
        let mut again = Damaged { damage: empty.clone(), ..lost[0].clone() };
        assert!(!files.damaged(&mut again), "renamed by journald");
        let mut other = Damaged { file: tails[0].file, path: tails[0].path.clone(), damage: empty };
        assert!(files.damaged(&mut other));
        assert_eq!(other.damage, Damage::Whole { why: "it is empty", entries: Some(Count::AtLeast(7)) });
    }

    #[test]
    fn a_removed_file_explains_it_where_no_other_does() {
        let mut files = Files::default();
        let path = PathBuf::from("/none");
        let (file, sequence) = (FileKey::default(), (String::new(), 1));
        let tail =
            Tail { path, file, entries: 7, sequence, boot_id: String::new(), monotonic: 1, realtime: 1 };
        files.note(&[tail]);
        assert_eq!(files.lost(&[]).len(), 1);
    }
}
