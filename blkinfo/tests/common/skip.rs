//! A test that cannot run here says so.

use std::io::Write as _;
use std::{env, fs};

/// Notes that a test did not run, and why.
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(log) = env::var_os("PERIPETY_SKIP_LOG") {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
        writeln!(file, "SKIPPED {test}: {reason}").unwrap();
    }
}
