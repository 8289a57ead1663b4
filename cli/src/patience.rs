//! Says so when the daemon does not answer.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::complain;
use crate::connection::Address;

/// How long an answer may take before it is mentioned.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a followed daemon may be silent: it sends a sign of life every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Answers.
    Answers,
    /// An answer, and then events whenever they happen.
    Events,
}

/// A thread that reports when [`Patience::wait`] takes long. It exits with the last clone.
#[derive(Clone, Debug)]
pub struct Patience(Arc<Guard>);

#[derive(Debug)]
struct Guard(Arc<SharedState>);

#[derive(Debug, Default)]
struct SharedState {
    state: Mutex<WaitState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct WaitState {
    /// When it is time to speak up; `None` while nothing is waited for.
    deadline: Option<(Instant, Duration)>,
    ended: bool,
}

impl SharedState {
    fn set(&self, change: impl FnOnce(&mut WaitState)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, WaitState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(|state| state.ended = true);
    }
}

impl Patience {
    /// For the daemon at this address.
    pub fn with(address: &Address) -> Self {
        let shared = Arc::new(SharedState::default());
        let (watched, address) = (shared.clone(), address.to_string());
        std::thread::spawn(move || watch(&watched, &address));
        Self(Arc::new(Guard(shared)))
    }

    /// Runs an operation that may take long.
    pub fn wait<T>(&self, expected: Option<Duration>, work: impl FnOnce() -> T) -> T {
        let limit = expected.unwrap_or(ANSWER);
        self.0 .0.set(|state| state.deadline = Some((Instant::now() + limit, limit)));
        let done = work();
        self.0 .0.set(|state| state.deadline = None);
        done
    }
}

fn watch(shared: &SharedState, address: &str) {
    let mut state = shared.lock();
    while !state.ended {
        let now = Instant::now();
        state = match state.deadline {
            Some((deadline, limit)) if deadline <= now => {
                state.deadline = None;
                complain(&format!(
                    "peripetyd at {address} has not answered for {} s; still waiting. \"systemctl status peripetyd\" \
                     shows what it does.",
                    limit.as_secs()
                ));
                state
            }
            Some((deadline, _)) => {
                let waited = shared.changed.wait_timeout(state, deadline - now);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

/// The daemon's answers.
pub struct Watched<R> {
    answers: R,
    patience: Patience,
    expected: Expected,
    answered: bool,
}

impl<R: Read> Watched<R> {
    pub fn new(answers: R, patience: Patience, expected: Expected) -> Self {
        Self { answers, patience, expected, answered: false }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let follows = self.answered && self.expected == Expected::Events;
        let answers = &mut self.answers;
        let read = self.patience.wait(follows.then_some(SILENCE), || answers.read(buffer));
        self.answered = true;
        read
    }
}
