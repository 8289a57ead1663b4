//! Rules: which log lines are storage events, and what to extract from them.
//!
//! A rule is a table `[[collector_regexs]]`, in the built-in files in `rules/` and in `/etc/peripetyd.conf` alike. Start reading at
//! [`rule`], which checks and compiles one.
//!
//! - The crate `peripety_rules_format` reads the tables ([`spec`]), expands the named parts of regexes ([`phrases`]), and determines how a
//!   match can begin and which text it contains. [`writer`] is the required origin of a line, [`event_type`] names what happened.
//! - [`builtin`] holds the built-in rules, which are packed at build time, [`documents`] what is generated from them.
//! - [`conditions`] holds the kinds of conditions: what an event says is wrong with its device.
//! - [`matcher`] finds the rule of a line. `bucket` and `automaton` combine many rules into one fast test; [`names`] excludes lines that
//!   begin with a user-chosen name; `several` joins the lines of one message.
//! - [`trial`] and [`shown`] explain why a rule matches a line or does not.

mod automaton;
mod bucket;
pub mod builtin;
pub mod conditions;
mod cost;
pub mod documents;
pub mod event_type;
pub mod matcher;
pub mod names;
mod pattern;
mod reach;
pub mod rule;
mod several;
pub mod shown;
pub mod trial;
pub mod writer;

pub use error::{Located, RuleError};
pub use matcher::{Matched, RuleSet};
pub use peripety_api::DeviceWay;
pub use peripety_rules_format::{error, phrases, spec};
pub use rule::Rule;
