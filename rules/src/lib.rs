//! Rules: which log lines are storage events, and what to extract from them.
//!
//! A rule is a table `[[collector_regexs]]`, in the built-in files in `rules/` and in `/etc/peripetyd.conf` alike. Start reading at
//! [`rule`], which checks and compiles one.
//!
//! - [`spec`] reads the tables, [`phrases`] expands the named parts of regexes, [`writer`] is the required origin of a line,
//!   [`event_type`] names what happened.
//! - [`builtin`] holds the built-in rules, [`documents`] what is generated from them.
//! - [`matcher`] finds the rule of a line. `begin` and `literal` determine how a match can begin and which text it contains; `bucket`
//!   and `automaton` combine many rules into one fast test; [`names`] excludes lines that begin with a user-chosen name;
//!   `several` joins the lines of one message.
//! - [`trial`] and [`shown`] explain why a rule matches a line or does not.

mod automaton;
mod begin;
mod bucket;
pub mod builtin;
mod cost;
pub mod documents;
pub mod error;
pub mod event_type;
mod literal;
pub mod matcher;
pub mod names;
mod pattern;
pub mod phrases;
mod reach;
pub mod rule;
mod several;
pub mod shown;
pub mod spec;
mod surface;
pub mod trial;
pub mod writer;

pub use error::{Located, RuleError};
pub use matcher::{Matched, RuleSet};
pub use peripety_api::DeviceWay;
pub use rule::Rule;
