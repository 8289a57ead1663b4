//! The names of an event, by the part that their bearers play in it.

use super::key::{keys, NameKey};
use super::relations;
use crate::event::EventDraft;

/// See the functions of [`names`].
#[derive(Clone, Debug, Default)]
pub struct Parties {
    /// The very device.
    pub subject: Vec<NameKey>,
    /// Every name by which a later line may mean the same trouble.
    pub related: Vec<NameKey>,
    /// What is built on the device.
    pub above: Vec<NameKey>,
    /// By what the cause of a later event is found.
    pub affected: Vec<NameKey>,
    /// By what its own cause is found.
    pub below: Vec<NameKey>,
}

impl Parties {
    /// Of an event.
    pub fn of(event: &EventDraft) -> Self {
        let (subject, related) = (relations::subject(event), relations::related(event));
        let above = relations::above(event, &subject);
        Parties {
            affected: keys(&relations::affected(event, &subject, &above)),
            below: keys(&relations::below(event, &subject, &above, &related)),
            subject: keys(&subject),
            related: keys(&related),
            above: keys(&above),
        }
    }

    /// All names that a fault remembers.
    pub fn remembered(&mut self) -> impl Iterator<Item = &mut NameKey> {
        self.subject.iter_mut().chain(&mut self.related).chain(&mut self.affected)
    }
}
