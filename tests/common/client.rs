//! A plain Varlink client.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{json, Value};

use super::TIMEOUT;

/// A plain Varlink client: JSON, a NUL, JSON, a NUL.
pub struct Client(pub BufReader<UnixStream>);

impl Client {
    pub fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Client(BufReader::new(stream))
    }

    /// Sends raw bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next message; `None` when the daemon closed the connection.
    pub fn receive(&mut self) -> Option<Value> {
        let mut bytes = Vec::new();
        self.0.read_until(0, &mut bytes).ok()?;
        (bytes.pop() == Some(0)).then(|| serde_json::from_slice(&bytes).expect("a reply that is not JSON"))
    }

    /// Starts a call.
    pub fn request(&mut self, method: &str, parameters: Value, more: bool) {
        let method = if method.contains('.') { method.to_owned() } else { format!("io.peripety.{method}") };
        let mut bytes =
            json!({ "method": method, "parameters": parameters, "more": more }).to_string().into_bytes();
        bytes.push(0);
        self.send(&bytes);
    }

    /// Calls a method: its parameters, or the name of the error with its parameters.
    pub fn call(&mut self, method: &str, parameters: Value) -> Result<Value, (String, Value)> {
        self.request(method, parameters, false);
        result(self.receive().expect("the daemon closed the connection"))
    }

    /// Calls a method that replies several times.
    pub fn call_more(&mut self, method: &str, parameters: Value) -> Result<Vec<Value>, (String, Value)> {
        self.request(method, parameters, true);
        let mut replies = Vec::new();
        loop {
            let reply = self.receive().expect("the daemon closed the connection");
            let more = reply["continues"] == true;
            replies.push(result(reply)?);
            if !more {
                return Ok(replies);
            }
        }
    }
}

fn result(reply: Value) -> Result<Value, (String, Value)> {
    match reply["error"].as_str() {
        Some(error) => Err((error.to_owned(), reply["parameters"].clone())),
        None => Ok(reply["parameters"].clone()),
    }
}
