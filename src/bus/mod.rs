//! The buses, and the tickets that make a restart exact.
//!
//! [`raw`] carries raw events from the collector to the parsers and waits for the slowest;
//! [`events`] carries storage events to monitors and waits for nobody; [`outbox`] carries them to notifiers once they are stored.
//! [`ticket`] knows where a restart must resume.

pub mod beat;
pub mod events;
pub mod frontier;
pub mod outbox;
pub mod raw;
pub mod ticket;

pub use beat::Beat;
pub use events::{json, EventBus, Published};
pub use frontier::Frontier;
pub use outbox::Outbox;
pub use raw::{RawBus, RawEvent, RawItem};
pub use ticket::{Ticket, Watermark};
