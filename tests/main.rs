//! The tests of the whole daemon, a file a subject. They are one program, because linking one is quicker than linking many, and
//! because the waits of one file are then another's time to run. `cargo test --test all restart::` runs one file.
//!
//! Programs of their own are `systemd.rs`, which sets variables of the environment, and `live.rs`, which measures time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

mod access;
mod bursts;
mod captures;
mod config;
mod coverage;
mod documents;
mod early;
mod excerpts;
mod forged;
mod history;
mod howto;
mod incidents;
mod install;
mod limits;
mod logcheck;
mod monitor;
mod names;
mod notifiers;
mod offline;
mod prpt;
mod published;
mod query;
mod related;
mod reload;
mod restart;
mod robustness_altered;
mod robustness_clock;
mod robustness_deaf;
mod robustness_deaf_given;
mod robustness_deaf_namespace;
mod robustness_files;
mod robustness_journald;
mod robustness_process;
mod robustness_state;
mod rules;
mod rules_cli;
mod sources;
mod stored_forms;
mod stories;
mod style;
mod unit_user;
mod varlink_protocol;
mod varlinkctl;
