//! The Varlink service (<https://varlink.org>): `io.peripety` and `org.varlink.service`.
//!
//! Types and calls are generated from `io.peripety.varlink` in `peripety-api`, which also finds the parameter that is wrong.
//! Accept loop ([`listener`]), who is connected (`clients`), framing (`frame`) and one connection's life (`connection`) are our
//! own: docs/architecture.md says why. `api` implements the methods, `monitor` and `query` the two that stream, `rules` those
//! about rules, `listing` the list of block devices.

pub mod address;
mod api;
mod clients;
mod connection;
pub mod frame;
pub mod limits;
pub mod listener;
mod listing;
mod monitor;
mod peer;
mod query;
mod rules;
mod service;

pub use api::{Service, WorkPermits};
