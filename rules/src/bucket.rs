//! Rules by the first two bytes of the lines that they may take.
//!
//! Nearly every rule begins with fixed text, so that two bytes leave few rules: mostly those of one family, or none. What a
//! machine never logs costs nothing, and what it rarely logs costs little: the first lines with a beginning are matched rule by rule,
//! and hardly any rule has all of its literals in a line. If more such lines follow, their rules are compiled to an automaton.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use super::automaton::Automaton;
use super::rule::Rule;

/// The rules that may take some lines, in order.
#[derive(Debug)]
pub struct Bucket {
    rules: Vec<Arc<Rule>>,
    /// Number of lines before the automaton is compiled.
    lines: AtomicUsize,
    /// Made of their regexes when lines keep coming.
    automaton: RwLock<AutomatonState>,
}

/// The automaton of a bucket.
#[derive(Clone, Debug, Default)]
enum AutomatonState {
    #[default]
    NotCompiled,
    /// Not used: it would exceed the limit.
    TooLarge,
    Compiled(Arc<Automaton>),
}

impl Bucket {
    /// Whether so few lines have come that an automaton would cost more than it saves.
    fn is_new(&self, limit: &MemoryLimit) -> bool {
        let is_new = self.lines.load(Ordering::Relaxed) < limit.few;
        if is_new {
            self.lines.fetch_add(1, Ordering::Relaxed);
        }
        is_new
    }

    fn automaton(&self, limit: &MemoryLimit) -> Option<Arc<Automaton>> {
        let made = self.automaton.read().unwrap_or_else(PoisonError::into_inner).clone();
        match made {
            AutomatonState::Compiled(automaton) => Some(automaton),
            AutomatonState::TooLarge => None,
            AutomatonState::NotCompiled => self.make(limit),
        }
    }

    fn make(&self, limit: &MemoryLimit) -> Option<Arc<Automaton>> {
        let patterns = || self.rules.iter().map(|rule| rule.parsed()).collect::<Option<Vec<_>>>();
        let automaton = Automaton::new(&patterns()?).map(Arc::new);
        let automaton = automaton.filter(|automaton| limit.take(automaton.size()));
        let made = automaton.clone().map_or(AutomatonState::TooLarge, AutomatonState::Compiled);
        *self.automaton.write().unwrap_or_else(PoisonError::into_inner) = made;
        automaton
    }

    /// Drops the automaton: it is made again when it is needed.
    fn forget(&self) {
        self.lines.store(0, Ordering::Relaxed);
        *self.automaton.write().unwrap_or_else(PoisonError::into_inner) = AutomatonState::NotCompiled;
    }

    /// The first rule that matches the line. Rules that exceed the memory limit are tried without an automaton, slowly.
    pub fn find(&self, line: &[u8], limit: &MemoryLimit) -> Option<&Arc<Rule>> {
        if self.rules.is_empty() {
            return None;
        }
        if self.is_new(limit) {
            return self.rules.iter().find(|rule| rule.may_match(line) && rule.is_match(line));
        }
        let first = match self.automaton(limit).map(|automaton| automaton.first(line)) {
            Some(Ok(first)) => first?,
            // It is undecided.
            Some(Err(_)) | None => return self.rules.iter().find(|rule| rule.is_match(line)),
        };
        // The rule of the first regex that matches may still leave the line to others.
        let mut rules = self.rules.get(first..)?.iter();
        let rule = rules.next()?;
        match rule.takes(line) {
            true => Some(rule),
            false => rules.find(|rule| rule.is_match(line)),
        }
    }
}

/// Memory for the automatons of all rules together, and when one is made.
#[derive(Debug)]
pub struct MemoryLimit {
    /// Number of lines of a bucket that are matched rule by rule.
    few: usize,
    limit: usize,
    used: AtomicUsize,
}

impl MemoryLimit {
    /// A limit in bytes, and the number of lines of a bucket before it gets an automaton.
    pub fn new(limit: usize, few: usize) -> Self {
        MemoryLimit { few, limit, used: AtomicUsize::new(0) }
    }

    /// Bytes that are used.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Nothing is used any more.
    pub fn empty(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    /// Takes the memory for an automaton, if enough is left.
    fn take(&self, size: usize) -> bool {
        let enough = |used: usize| Some(used.saturating_add(size)).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_ok()
    }
}

/// The buckets for the lines with the same first byte.
type BucketRow = [OnceLock<Arc<Bucket>>; 256];

/// All buckets, made when they are first asked for.
#[derive(Debug)]
pub struct Buckets {
    rows: Vec<OnceLock<Box<BucketRow>>>,
    /// Many beginnings have the same rules.
    known: Mutex<HashMap<Vec<usize>, Arc<Bucket>>>,
}

impl Default for Buckets {
    fn default() -> Self {
        Buckets { rows: (0..256).map(|_| OnceLock::new()).collect(), known: Mutex::default() }
    }
}

impl Buckets {
    /// The bucket for a line, of all the rules there are.
    pub fn of(&self, line: &[u8], rules: &[Arc<Rule>]) -> Option<&Bucket> {
        // A missing byte shares the bucket of NUL.
        let beginning = [0, 1].map(|at| line.get(at).copied().unwrap_or_default());
        let [row, place] = beginning.map(usize::from);
        let row = self.rows.get(row)?.get_or_init(|| Box::new([const { OnceLock::new() }; 256]));
        Some(row.get(place)?.get_or_init(|| self.make(beginning, rules)))
    }

    /// Drops all automatons.
    pub fn forget(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().for_each(|bucket| bucket.forget());
    }

    fn make(&self, beginning: [u8; 2], rules: &[Arc<Rule>]) -> Arc<Bucket> {
        let fits = |(_, rule): &(usize, &Arc<Rule>)| rule.may_begin(beginning);
        let (numbers, fitting): (Vec<usize>, Vec<&Arc<Rule>>) = rules.iter().enumerate().filter(fits).unzip();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = || fitting.into_iter().cloned().collect();
        let make =
            || Arc::new(Bucket { rules: rules(), lines: AtomicUsize::new(0), automaton: RwLock::default() });
        known.entry(numbers).or_insert_with(make).clone()
    }
}
