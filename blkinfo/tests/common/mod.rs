//! What several of the test programs need.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

pub mod lsblk;
pub mod skip;
pub mod strace;
pub mod unpack;
