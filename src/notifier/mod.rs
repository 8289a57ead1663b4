//! Those who take every storage event and act on it.

pub mod stdout;
