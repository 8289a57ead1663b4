//! Reaching the daemon.

use std::fmt;
use std::io::{BufReader, Read};
use std::str::FromStr;
use std::sync::PoisonError;

use peripety_api::Client;

use crate::error::Error;
use crate::patience::{Expected, Patience, Watched};

/// A Varlink address: `unix:PATH`, `unix:@NAME` (abstract) or `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Where peripetyd.socket listens.
    pub const DEFAULT: &'static str = "unix:/run/peripety/io.peripety";

    /// The address names a socket of this machine.
    pub fn is_local(&self) -> bool {
        self.0.starts_with("unix:")
    }
}

impl Default for Address {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = String;

    /// A path without `unix:` is an address, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "use unix:PATH, a path, unix:@NAME or tcp:HOST:PORT";
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
            _ => ("unix", text),
        };
        match scheme {
            _ if rest.is_empty() => Err(format!("it names nothing: {FORMS}")),
            "unix" | "tcp" => Ok(Self(format!("{scheme}:{rest}"))),
            _ => Err(format!("\"{scheme}:\" is not supported: {FORMS}")),
        }
    }
}

/// Connects to the daemon.
///
/// Fails if nothing listens on the address, or if this user may not use the socket.
pub fn connect(address: &Address) -> Result<Client, Error> {
    connect_for(Expected::Answers, address)
}

/// Connects to the daemon for a call whose replies may be far apart.
///
/// Fails as [`connect`] does.
pub fn connect_to_follow(address: &Address) -> Result<Client, Error> {
    connect_for(Expected::Events, address)
}

fn connect_for(expected: Expected, address: &Address) -> Result<Client, Error> {
    let patience = Patience::with(address);
    // A daemon that hangs accepts nothing.
    let connection = patience
        .wait(None, || varlink::Connection::with_address(&address.0))
        .map_err(|error| Error::connecting(address, &error))?;
    {
        let mut connection = connection.write().unwrap_or_else(PoisonError::into_inner);
        let answers = connection.reader.take().map(BufReader::into_inner);
        connection.reader = answers.map(|answers| {
            let watched: Box<dyn Read + Send + Sync> = Box::new(Watched::new(answers, patience, expected));
            BufReader::new(watched)
        });
    }
    Ok(Client::new(connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let table = [
            ("unix:/run/x", "unix:/run/x"),
            ("/run/x", "unix:/run/x"),
            ("./x", "unix:./x"),
            ("x.sock", "unix:x.sock"),
            ("/run/a:b", "unix:/run/a:b"),
            ("unix:@name", "unix:@name"),
            ("tcp:127.0.0.1:4711", "tcp:127.0.0.1:4711"),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), expected);
        }
        for text in ["", "unix:", "tcp:", "ssh:host", "exec:prog"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
