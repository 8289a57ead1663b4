//! Errors. Each message contains a remedy.

use std::error::Error as StdError;
use std::io;

use peripety_api::{client, ErrorReply};

use crate::connection::Address;

/// Why a command ended early.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody listens at the address.
    #[error(
        "cannot reach peripetyd at {address}: {reason}. Start it with \"systemctl start \
         peripetyd.socket\", or name its address with --address."
    )]
    Unreachable { address: String, reason: String },

    /// The socket's permissions keep this user out.
    #[error(
        "may not connect to peripetyd at {address}: {reason}. Run prpt as root or as a member of \
         the group systemd-journal or adm."
    )]
    SocketDenied { address: String, reason: String },

    /// The daemon refused this user.
    #[error(
        "permission denied by peripetyd{}. Run prpt as root or as a member of the group \
         systemd-journal or adm.", because(.0)
    )]
    PermissionDenied(String),

    /// `--local`: an error of the device library.
    #[error("{0}")]
    Local(String),

    /// The daemon does not keep events.
    #[error(
        "peripetyd keeps no events to query{}. Set save_to_journald = true in \
         /etc/peripetyd.conf, or follow new events with \"prpt monitor\".", because(.0)
    )]
    NotStored(String),

    /// No such device.
    #[error(
        "there is no block device \"{blk}\"{}. \"prpt list\" shows all; to find events of a device \
         that is gone use \"prpt query --blk\" with its wwid.",
        because(message)
    )]
    BlockNotFound { blk: String, message: String },

    /// Several devices have this name.
    #[error("\"{blk}\" names several block devices: {}. Use one of these names.", candidates.join(", "))]
    BlockAmbiguous { blk: String, candidates: Vec<String> },

    /// The daemon understood the request but it makes no sense.
    #[error("peripetyd refused \"{parameter}\"{}. Change that option and try again.", because(message))]
    InvalidRequest { parameter: String, message: String },

    /// The daemon did not understand a parameter.
    #[error(
        "peripetyd did not understand \"{0}\": prpt {ver} and peripetyd differ in version, install \
         the same version of both.", ver = env!("CARGO_PKG_VERSION")
    )]
    InvalidParameter(String),

    /// The daemon cannot read its sources.
    #[error(
        "peripetyd cannot answer now{}. See \"journalctl -u peripetyd\" for the reason and try \
         again.", because(.0)
    )]
    Unavailable(String),

    /// The daemon has as many connections as it may have.
    #[error("peripetyd refused the connection{}.", because(.0))]
    TooManyConnections(String),

    /// The other side does not offer the method.
    #[error(
        "{0} is not offered at this address: another service listens there, or peripetyd is older \
         than prpt {ver}. Check --address and the installed versions.", ver = env!("CARGO_PKG_VERSION")
    )]
    NotOffered(String),

    /// An error that this version does not know.
    #[error("peripetyd answered with the error {0}. See \"journalctl -u peripetyd\" for the reason.")]
    Other(String),

    /// The connection ended in the middle of an answer.
    #[error(
        "peripetyd closed the connection before its answer was complete. See \"journalctl -u \
         peripetyd\" for the reason and try again."
    )]
    ConnectionLost,

    /// An answer that does not fit the interface.
    #[error(
        "the answer cannot be understood: {0}. Another service listens at this address, or \
         peripetyd and prpt {ver} differ in version. Check --address and the installed versions.",
        ver = env!("CARGO_PKG_VERSION")
    )]
    Malformed(String),

    /// No rule makes such events.
    #[error(
        "no rule makes events of the type \"{event_type}\"{}. \"prpt rules list\" shows all.",
        similar_ones(similar)
    )]
    NoSuchType { event_type: String, similar: Vec<String> },

    /// No rule matches a line: already reported on standard output.
    #[error("no rule matches the line")]
    NotTaken,

    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}. Give the line as an argument.")]
    Input(String),

    /// Standard output was closed: not an error for the user.
    #[error("the output was closed")]
    OutputClosed,

    /// The output cannot be written.
    #[error("cannot write the output: {0}. Free some space, or write it somewhere else.")]
    Output(String),
}

impl From<peripety_blkinfo::Error> for Error {
    fn from(error: peripety_blkinfo::Error) -> Self {
        Self::Local(error.to_string())
    }
}

impl Error {
    /// The daemon is not running, or refuses connections: another attempt may succeed.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::ConnectionLost | Self::TooManyConnections(_))
    }

    /// The error of a failed connection attempt.
    pub fn connecting(address: &Address, error: &varlink::Error) -> Self {
        let address = address.to_string();
        match io_cause(error) {
            Some(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                Self::SocketDenied { address, reason: reason(cause) }
            }
            Some(cause) => Self::Unreachable { address, reason: reason(cause) },
            None => Self::Unreachable { address, reason: error.to_string() },
        }
    }
}

impl From<io::Error> for Error {
    /// The only input or output outside of the connection is standard output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Output(reason(&error)),
        }
    }
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        match error {
            client::Error::Refused(refusal) => refusal.into(),
            client::Error::Transport(error) => Self::from_transport(&error),
        }
    }
}

impl From<ErrorReply> for Error {
    fn from(refusal: ErrorReply) -> Self {
        match refusal {
            ErrorReply::PermissionDenied { message } => Self::PermissionDenied(message),
            ErrorReply::NotStored { message } => Self::NotStored(message),
            ErrorReply::Unavailable { message } => Self::Unavailable(message),
            ErrorReply::TooManyConnections { message } => Self::TooManyConnections(message),
            ErrorReply::BlockNotFound { blk, message } => Self::BlockNotFound { blk, message },
            ErrorReply::BlockAmbiguous { blk, candidates } => Self::BlockAmbiguous { blk, candidates },
            ErrorReply::InvalidRequest { parameter, message } => Self::InvalidRequest { parameter, message },
        }
    }
}

impl Error {
    /// An error of the protocol below the interface.
    fn from_transport(error: &varlink::Error) -> Self {
        use varlink::ErrorKind as Kind;
        let kind = error.kind();
        match kind {
            Kind::ConnectionClosed => Self::ConnectionLost,
            Kind::Io(_) => match io_cause(error) {
                Some(_) => Self::ConnectionLost,
                None => Self::Malformed(kind.to_string()),
            },
            Kind::InterfaceNotFound(name) | Kind::MethodNotFound(name) => {
                Self::NotOffered(or_unnamed(name, "The method"))
            }
            Kind::MethodNotImplemented(name) => Self::NotOffered(or_unnamed(name, "The method")),
            // The client library reports a message that is no JSON as an invalid parameter.
            Kind::InvalidParameter(text) if text.starts_with("Message ") || text == "Empty message" => {
                Self::Malformed("it is not JSON".to_owned())
            }
            Kind::InvalidParameter(name) => Self::InvalidParameter(or_unnamed(name, "the request")),
            Kind::VarlinkErrorReply(reply) => Self::from_error_name(reply.error.as_deref()),
            _ => Self::Malformed(deepest(error)),
        }
    }

    fn from_error_name(name: Option<&str>) -> Self {
        match name {
            Some("org.varlink.service.PermissionDenied") => Self::PermissionDenied(String::new()),
            Some(name) => Self::Other(name.to_owned()),
            None => Self::Malformed("an error without a name".to_owned()),
        }
    }
}

/// ": MESSAGE", without the message's full stop; nothing for an empty one.
fn because(message: &str) -> String {
    match message.trim().trim_end_matches('.') {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

/// "; similar ones are A, B"; nothing when there is nothing to offer.
fn similar_ones(similar: &[String]) -> String {
    match similar.is_empty() {
        true => String::new(),
        false => format!("; similar ones are {}", similar.join(", ")),
    }
}

fn or_unnamed(name: &str, unnamed: &str) -> String {
    if name.is_empty() { unnamed } else { name }.to_owned()
}

/// The text of an input or output error without Rust's "(os error 2)".
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn io_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The text of the first cause.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connecting(errno: i32) -> Error {
        let cause = io::Error::from_raw_os_error(errno);
        let kind = varlink::ErrorKind::from(&cause);
        let error = varlink::Error(kind, Some(Box::new(cause)), None);
        Error::connecting(&Address::default(), &error)
    }

    #[test]
    fn failed_connections() {
        const EACCES: i32 = 13;
        const ENOENT: i32 = 2;
        assert!(matches!(
            connecting(EACCES),
            Error::SocketDenied { reason, .. } if reason == "Permission denied"
        ));
        assert!(matches!(
            connecting(ENOENT),
            Error::Unreachable { reason, .. } if reason == "No such file or directory"
        ));
    }

    #[test]
    fn reasons_are_joined_into_one_sentence() {
        assert_eq!(because("It is off."), ": It is off");
        assert_eq!(because(" "), "");
    }
}
