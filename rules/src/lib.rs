//! Rules: which log lines are storage events, and what they say.
//!
//! A rule is a table `[[collector_regexs]]`, the same in the built-in files under `rules/` and
//! in `/etc/peripetyd.conf`. [`spec`] reads the tables, [`rule`] checks and compiles one,
//! `names` knows lines that begin with a name somebody chose, `begin` and `literal` find how a match can begin and what text it contains, `bucket` and `automaton` make one
//! fast test of many rules, [`matcher`] tries the rules on a line, [`builtin`] holds the shipped ones; [`writer`] is who must have written a line; [`trial`]
//! tells people why a rule takes a line or does not.

mod automaton;
mod begin;
mod bucket;
pub mod builtin;
mod cost;
pub mod documents;
pub mod error;
mod literal;
pub mod matcher;
pub mod names;
mod pattern;
pub mod phrases;
mod reach;
pub mod rule;
pub mod shown;
pub mod spec;
mod surface;
pub mod trial;
pub mod writer;

pub use error::{Located, RuleError};
pub use matcher::{Matched, RuleSet};
pub use peripety_api::DeviceWay;
pub use rule::Rule;
