//! Detects that the journal is written but not read: a state machine without clock or input of its own.
//!
//! It compares the last write according to the headers of the journal files with the last entry read, and so does not
//! depend on libsystemd's notifications.

use std::fmt;
use std::time::{Duration, Instant};

use crate::journal::Tail;

/// How long the reader may be behind before it counts as deaf.
const BEHIND_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between attempts to reopen the journal, the first and the longest; each is twice the previous one.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const MAX_PAUSE: Duration = Duration::from_secs(320);

/// What is wrong with a reader that is at the end of its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// This entry, the last of its file, was not read.
    Unread(Tail),
    /// The journal, of which something was read before, has no files. This unit writes them.
    NoFiles(String),
    /// It could not be opened or read.
    Unreadable,
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behind::Unread(tail) => write!(f, "entries in {} are not read", tail.path.display()),
            Behind::Unreadable => f.write_str("it could not be opened or read"),
            Behind::NoFiles(unit) => write!(f, "its files are gone, restart {unit}"),
        }
    }
}

/// A period in which the journal was not read although it was written, µs since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deafness {
    /// When it began, as far as is known.
    pub since: u64,
    /// Up to when it is known to have lasted.
    pub until: u64,
    /// What was wrong.
    pub behind: Behind,
}

impl Deafness {
    /// How long it lasted, whole seconds.
    pub fn seconds(&self) -> u64 {
        self.until.saturating_sub(self.since) / 1_000_000
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Fine,
    /// Open the journal again. The deafness is new, and shall be logged, when it is given.
    Reopen(Option<Deafness>),
    /// Reopening did not help (first time only): report it.
    StillDeaf(Deafness),
    /// It is over: report it.
    Over(Deafness),
}

/// What is known of a reader's hearing.
#[derive(Debug, Default)]
pub struct Hearing {
    behind: Option<Lag>,
    /// Time of the last check, µs since the epoch.
    looked: Option<u64>,
}

#[derive(Debug)]
struct Lag {
    behind: Behind,
    /// When it began, by both clocks.
    began: Instant,
    since: u64,
    /// It has lasted too long, and this is when the journal is opened again.
    again: Option<Again>,
    reported: bool,
}

#[derive(Clone, Copy, Debug)]
struct Again {
    at: Instant,
    pause: Duration,
}

impl Hearing {
    /// The journal is written and was not read for too long.
    pub fn is_deaf(&self) -> bool {
        self.behind.as_ref().is_some_and(|state| state.again.is_some())
    }

    /// The unread entry that is waited for.
    pub fn waits_for(&self) -> Option<&Tail> {
        match self.behind.as_ref().map(|state| &state.behind) {
            Some(Behind::Unread(tail)) => Some(tail),
            _ => None,
        }
    }

    /// A reader at the end of its journal looked at the files' headers at this time (`realtime`: µs since the epoch).
    pub fn looked(&mut self, behind: Option<Behind>, now: Instant, realtime: u64) -> Verdict {
        // Unread entries were not there at the last check, and may have arrived right after it.
        let since = self.looked.replace(realtime).unwrap_or(realtime);
        match &mut self.behind {
            Some(state) if behind.as_ref() == Some(&state.behind) => state.judge(now, realtime),
            _ => {
                // Entries that were unread before have been read in the meantime; those unread now are newer.
                let before = self.behind.take();
                self.behind = behind.map(|behind| Lag::new(behind, now, since));
                let deaf = before.filter(|state| state.again.is_some());
                deaf.map_or(Verdict::Fine, |state| Verdict::Over(state.deafness(realtime)))
            }
        }
    }
}

impl Lag {
    fn new(behind: Behind, now: Instant, since: u64) -> Self {
        Lag { behind, began: now, since, again: None, reported: false }
    }

    fn judge(&mut self, now: Instant, realtime: u64) -> Verdict {
        match self.again {
            None if now.duration_since(self.began) < BEHIND_TIMEOUT => Verdict::Fine,
            None => {
                self.again = Some(Again { at: now + FIRST_PAUSE, pause: FIRST_PAUSE });
                Verdict::Reopen(Some(self.deafness(realtime)))
            }
            Some(_) if !std::mem::replace(&mut self.reported, true) => {
                Verdict::StillDeaf(self.deafness(realtime))
            }
            Some(again) if again.at <= now => {
                let pause = (again.pause * 2).min(MAX_PAUSE);
                self.again = Some(Again { at: now + pause, pause });
                Verdict::Reopen(None)
            }
            Some(_) => Verdict::Fine,
        }
    }

    fn deafness(&self, until: u64) -> Deafness {
        Deafness { since: self.since, until, behind: self.behind.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(number: u64) -> Behind {
        let sequence = ("s".to_owned(), number);
        let (path, boot_id, file) = ("/f".into(), "b".to_owned(), Default::default());
        Behind::Unread(Tail {
            path,
            file,
            entries: 1,
            sequence,
            boot_id,
            monotonic: number,
            realtime: number,
        })
    }

    /// Checks every two seconds up to second `until`, where entry `number(second)` is unread; the results and their times.
    fn looks(hearing: &mut Hearing, until: u64, number: impl Fn(u64) -> u64) -> Vec<(u64, Verdict)> {
        let start = Instant::now();
        (0..=until)
            .step_by(2)
            .map(|n| (n, hearing.looked(Some(unread(number(n))), start + Duration::from_secs(n), n)))
            .filter(|(_, verdict)| *verdict != Verdict::Fine)
            .collect()
    }

    fn deafness(until: u64) -> Deafness {
        Deafness { since: 0, until, behind: unread(5) }
    }

    #[test]
    fn a_reader_that_stays_behind_is_deaf_and_is_reported_once() {
        let mut hearing = Hearing::default();
        let verdicts = looks(&mut hearing, 60, |_| 5);
        let expected = [
            (10, Verdict::Reopen(Some(deafness(10)))),
            (12, Verdict::StillDeaf(deafness(12))),
            (20, Verdict::Reopen(None)),
            (40, Verdict::Reopen(None)),
        ];
        assert_eq!(verdicts, expected);
        assert!(hearing.is_deaf());
        let over = hearing.looked(None, Instant::now(), 70);
        assert_eq!((over, hearing.is_deaf()), (Verdict::Over(deafness(70)), false));
    }

    #[test]
    fn a_reader_that_opening_again_helped_is_reported_when_it_is_over() {
        for later in [None, Some(unread(9))] {
            let mut hearing = Hearing::default();
            assert_eq!(looks(&mut hearing, 10, |_| 5), [(10, Verdict::Reopen(Some(deafness(10))))]);
            assert_eq!(hearing.looked(later, Instant::now(), 12), Verdict::Over(deafness(12)));
            assert!(!hearing.is_deaf());
            assert_eq!(hearing.looked(None, Instant::now(), 14), Verdict::Fine);
        }
    }

    #[test]
    fn deafness_begins_at_the_last_look_that_found_nothing_unread() {
        let (mut hearing, start) = (Hearing::default(), Instant::now());
        assert_eq!(hearing.looked(None, start, 7), Verdict::Fine);
        let mut look =
            |seconds| hearing.looked(Some(unread(5)), start + Duration::from_secs(seconds), seconds);
        assert_eq!(look(9), Verdict::Fine);
        let deafness = Deafness { since: 7, until: 19, behind: unread(5) };
        assert_eq!(look(19), Verdict::Reopen(Some(deafness)));
    }

    #[test]
    fn a_reader_that_goes_on_reading_is_not_deaf() {
        assert_eq!(looks(&mut Hearing::default(), 600, |n| n / 8), []);
    }
}
