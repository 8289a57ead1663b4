//! Notifiers receive events and act on them.
//!
//! A notifier is one file here, and one line in [`registry`]: a type with its settings, which are those of the table
//! `[notifiers.NAME]`, that implements [`Notifier`]. All the rest is done for it. [`settings`] reads the configuration,
//! [`filter`] chooses events, [`running`] starts and restarts, `feed` brings the events in order from the store, `position`
//! keeps the place, [`status`] counts, and [`inbox`] is what the notifier sees of all this.

mod exec;
mod feed;
pub mod filter;
pub mod inbox;
mod position;
mod program;
pub mod registry;
pub mod running;
pub mod settings;
pub mod status;
pub(crate) mod stdout;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use inbox::{Inbox, Item};
pub use running::Notifiers;
pub use settings::Configured;

/// A notifier at work.
///
/// # Errors
/// The future of [`Notifier::run`]. An error stops the notifier until its settings change; the text is the reason.
pub type RunFuture<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// A notifier: its settings and its work.
pub trait Notifier: fmt::Debug + Send + Sync {
    /// What would keep it from working on this machine now, for `--check-config`. The daemon starts all the same.
    fn check(&self) -> Vec<SettingsError> {
        Vec::new()
    }

    /// When the daemon ends it works off what waits, instead of leaving that to the next start.
    fn works_off(&self) -> bool {
        false
    }

    /// Takes items until there are no more, and answers for each: [`Inbox::delivered`], [`Inbox::failed`] or
    /// [`Inbox::refused`]. It is dropped in the middle when it does not end in time; the item that it then has comes again.
    fn run<'a>(&'a self, inbox: &'a mut Inbox) -> RunFuture<'a>;
}

/// Something wrong with settings: what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.remedy)
    }
}
