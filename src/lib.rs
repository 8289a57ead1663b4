//! Peripety: storage events of Linux, the library behind the daemon `peripetyd`.
//!
//! Data flows one way, and the modules stand in its order: [`journal`] → [`collector`]
//! ([`rules`]) → [`bus`] → [`parser`] → [`correlate`] → [`store`], and [`notifier`], [`varlink`].
//! [`incidents`] derives from the events of [`correlate`] what is wrong.
//! docs/architecture.md is the map.

pub mod bus;
pub mod collector;
pub mod config;
pub mod correlate;
pub mod counters;
pub mod daemon;
mod decode;
pub mod devices;
pub mod event;
pub mod incidents;
pub mod journal;
pub mod logging;
pub mod notifier;
pub mod offline;
pub mod parser;
pub mod permits;
pub mod probe;
pub mod replay;
mod sd_notify;
pub mod store;
pub mod subscription;
mod sys;
pub mod varlink;

pub use peripety_rules as rules;
