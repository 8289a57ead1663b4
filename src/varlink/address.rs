//! Varlink addresses: `unix:/run/…`, `unix:@abstract`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a service listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Path(PathBuf),
    /// A name of the abstract name space (unix(7)).
    Abstract(String),
}

/// Not an address that Peripety can listen on.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not a Varlink address to listen on: use unix:/PATH or unix:@NAME")]
pub struct BadAddress(String);

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = text.strip_prefix("unix:").unwrap_or(text);
        match place.strip_prefix('@') {
            Some(name) if !name.is_empty() => Ok(Address::Abstract(name.to_owned())),
            None if place.starts_with('/') => Ok(Address::Path(PathBuf::from(place))),
            _ => Err(BadAddress(text.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Path(path) => write!(f, "unix:{}", path.display()),
            Address::Abstract(name) => write!(f, "unix:@{name}"),
        }
    }
}
