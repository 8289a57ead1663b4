//! The Varlink service (<https://varlink.org>): `io.peripety` and `org.varlink.service`.
//!
//! Types, trait and dispatch are generated from `io.peripety.varlink` ([`generated`]). Accept
//! loop ([`listener`]), who is connected (`clients`), framing (`frame`) and one connection's life (`connection`) are our
//! own: docs/architecture.md says why. `schema` finds the parameter that is wrong, `api`
//! implements the methods, `monitor` and `query` the two that stream, `rules` those about rules, `blocks` those about
//! devices.

pub mod address;
mod api;
mod blocks;
mod clients;
mod connection;
mod convert;
mod convert_block;
pub mod frame;
pub mod limits;
pub mod listener;
mod listing;
mod monitor;
mod peer;
mod query;
mod rules;
pub mod schema;
mod service;

pub use api::{Service, Work};

/// What `varlink_generator` made of `io.peripety.varlink`.
#[allow(missing_docs, non_camel_case_types, clippy::all, clippy::pedantic, clippy::unwrap_used, unused_imports)]
#[rustfmt::skip]
pub mod generated {
    include!(concat!(env!("OUT_DIR"), "/io_peripety.rs"));
}

/// The interface definition.
pub const IDL: &str = include_str!("../../io.peripety.varlink");
/// Its name.
pub const INTERFACE: &str = "io.peripety";
