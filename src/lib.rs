//! Peripety: storage events of Linux, the library behind the daemon `peripetyd`.
//!
//! Data flows one way, and the modules stand in its order: [`journal`] → [`collector`]
//! ([`rules`]) → [`bus`] → [`parser`] → [`faults`] → [`store`], and [`notifier`], [`varlink`].
//! docs/architecture.md is the map.

mod ata;
pub mod bus;
pub mod collector;
pub mod config;
pub mod counters;
pub mod daemon;
pub mod devices;
pub mod event;
pub mod faults;
pub mod journal;
pub mod logging;
pub mod notifier;
pub mod offline;
pub mod parser;
pub mod permits;
pub mod probe;
pub mod replay;
mod scsi;
mod sd_notify;
pub mod store;
pub mod subscription;
mod sys;
pub mod varlink;

pub use peripety_rules as rules;
