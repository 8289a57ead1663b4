//! The vocabulary of Peripety, shared by the daemon, `prpt` and other clients.
//!
//! Types, calls, errors and [`Client`] are generated from `io.peripety.varlink` when this crate is built: that file is the one
//! place where a field is defined, with its type and its meaning. Here stands what they can do: [`Severity`] and
//! [`canonical_sub_system`], the identifiers of events ([`event_id`], [`message_id`]), [`Filter::matches`], [`time`] and [`span`]
//! as people write them, [`sanitize`] for what is shown on terminals, [`blocks`] for block devices as the interface has them,
//! and [`schema`], which checks JSON against the interface.

pub mod blocks;
pub mod client;
mod event;
mod fact;
mod filter;
pub mod sanitize;
pub mod schema;
mod severity;
pub mod span;
mod sub_system;
pub mod time;

pub use client::Client;
pub use event::{event_id, message_id, EntryTime, ESCALATES, EVENT_TYPES, NAMESPACE, SUB_SYSTEMS};
pub use fact::{Fact, FactValue};
pub use filter::Device;
pub use interface::*;
pub use severity::UnknownSeverity;
pub use sub_system::canonical_sub_system;

/// The interface definition.
pub const IDL: &str = include_str!("../../io.peripety.varlink");
/// Its name.
pub const INTERFACE: &str = "io.peripety";

/// What `build/` made of `io.peripety.varlink`.
// Its comments are text for every reader of the interface, not links for this crate's.
#[allow(missing_docs, rustdoc::all, clippy::doc_markdown, clippy::too_long_first_doc_paragraph)]
#[rustfmt::skip]
mod interface {
    use serde::{Deserialize, Serialize};

    include!(concat!(env!("OUT_DIR"), "/interface.rs"));
}
