//! The client: calls the methods of a daemon over a connection of the crate `varlink`.

use std::sync::{Arc, RwLock};

use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};
use varlink::Connection;

use crate::ErrorReply;

/// A client of `io.peripety`. Its methods prepare calls; [`varlink::MethodCall::call`] makes one, and
/// [`varlink::MethodCall::more`] one that is answered several times.
#[derive(Clone)]
pub struct Client {
    connection: Arc<RwLock<Connection>>,
}

/// A call that is prepared, then an iterator over its replies.
pub type Answers<P, R> = varlink::MethodCall<P, R, Error>;

impl Client {
    /// A client on this connection.
    pub fn new(connection: Arc<RwLock<Connection>>) -> Self {
        Client { connection }
    }

    pub(crate) fn prepare<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &'static str,
        parameters: P,
    ) -> Answers<P, R> {
        Answers::new(self.connection.clone(), method, parameters)
    }
}

/// Why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The daemon answered with an error of the interface.
    #[error("{0:?}")]
    Refused(ErrorReply),
    /// Anything else: the connection, the protocol, an error that this version of the interface does not have.
    #[error(transparent)]
    Transport(varlink::Error),
}

impl From<varlink::Error> for Error {
    fn from(error: varlink::Error) -> Self {
        let refused = match error.kind() {
            varlink::ErrorKind::VarlinkErrorReply(reply) => ErrorReply::decode(reply),
            _ => None,
        };
        refused.map_or(Error::Transport(error), Error::Refused)
    }
}

impl ErrorReply {
    /// The error of a reply; `None`: the interface has none of this name, or its parameters are missing. One that only explains
    /// itself needs none.
    fn decode(reply: &varlink::Reply) -> Option<Self> {
        let name = reply.error.as_deref()?;
        let decoded = |parameters: Value| {
            serde_json::from_value(json!({ "error": name, "parameters": parameters })).ok()
        };
        let given = reply.parameters.clone().unwrap_or_default();
        decoded(given).or_else(|| decoded(json!({ "message": "" })))
    }
}
