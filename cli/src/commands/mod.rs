//! One file a command: ask, print.

mod info;
mod list;
mod monitor;
mod query;
mod rules;
mod status;

pub use info::info;
pub use list::list;
pub use monitor::monitor;
pub use query::query;
pub use rules::{explain, rules};
pub use status::status;
