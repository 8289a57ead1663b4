//! Messages on a stream: JSON objects, each ended by a NUL byte.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

/// Longest message accepted.
pub const MAX_MESSAGE: usize = 1 << 20;
/// How long a client may take to accept a message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// Why no message came.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client closed its side.
    Closed,
    /// A message is longer than [`MAX_MESSAGE`].
    TooLong,
}

/// Takes messages off a stream. Every method may be cancelled.
#[derive(Debug)]
pub struct FrameReader {
    stream: OwnedReadHalf,
    buffer: BytesMut,
    /// Bytes of the buffer known to hold no NUL.
    scanned: usize,
}

impl FrameReader {
    /// Reads from a stream.
    pub fn new(stream: OwnedReadHalf) -> Self {
        FrameReader { stream, buffer: BytesMut::with_capacity(4096), scanned: 0 }
    }

    /// The next message, without its NUL.
    pub async fn next(&mut self) -> Result<BytesMut, Ended> {
        loop {
            if let Some(end) = memchr::memchr(0, self.buffer.get(self.scanned..).unwrap_or_default()) {
                let mut frame = self.buffer.split_to(self.scanned + end + 1);
                frame.truncate(frame.len() - 1);
                self.scanned = 0;
                return Ok(frame);
            }
            self.scanned = self.buffer.len();
            if self.buffer.len() > MAX_MESSAGE {
                return Err(Ended::TooLong);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err(Ended::Closed),
                Ok(_) => {}
            }
        }
    }

    /// Returns when the client closes its side; what it sends meanwhile is kept, up to a limit.
    pub async fn closed(&mut self) {
        while self.buffer.len() <= MAX_MESSAGE {
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Puts messages on a stream.
#[derive(Clone, Debug)]
pub struct FrameWriter(Arc<Mutex<OwnedWriteHalf>>);

/// The client does not take messages any more.
#[derive(Debug)]
pub struct Gone;

impl From<Gone> for varlink::Error {
    fn from(_: Gone) -> Self {
        varlink::ErrorKind::ConnectionClosed.into()
    }
}

#[derive(Serialize)]
struct Reply<'a, T: Serialize> {
    parameters: &'a T,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continues: bool,
}

impl FrameWriter {
    /// Writes to a stream.
    pub fn new(stream: OwnedWriteHalf) -> Self {
        FrameWriter(Arc::new(Mutex::new(stream)))
    }

    /// Sends a reply; more will follow if `continues`.
    pub async fn reply<T: Serialize>(&self, parameters: &T, continues: bool) -> Result<(), Gone> {
        self.send(&encode(&Reply { parameters, continues })).await
    }

    /// Sends an error.
    pub async fn error(&self, name: &str, parameter: &str, value: &str) -> Result<(), Gone> {
        let parameters = serde_json::json!({ parameter: value });
        self.send(&encode(&serde_json::json!({ "error": name, "parameters": parameters }))).await
    }

    /// Sends encoded messages.
    pub async fn send(&self, bytes: &[u8]) -> Result<(), Gone> {
        let mut stream = self.0.lock().await;
        match tokio::time::timeout(WRITE_TIMEOUT, stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message).unwrap_or_default();
    bytes.push(0);
    bytes
}

/// Appends the reply of Monitor that carries an event given as JSON.
pub fn put_event(buffer: &mut BytesMut, json: &Bytes) {
    buffer.put_slice(br#"{"parameters":{"event":"#);
    buffer.put_slice(json);
    buffer.put_slice(b"},\"continues\":true}\0");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn splits_at_nul_and_refuses_what_is_too_long() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let (read, _write) = server.into_split();
        let mut reader = FrameReader::new(read);
        client.write_all(b"one\0two\0thr").await.unwrap();
        assert_eq!(&reader.next().await.unwrap()[..], b"one");
        assert_eq!(&reader.next().await.unwrap()[..], b"two");
        let endless = tokio::spawn(async move {
            let chunk = vec![b'x'; 65536];
            while client.write_all(&chunk).await.is_ok() {}
        });
        assert_eq!(reader.next().await.unwrap_err(), Ended::TooLong);
        drop((reader, _write));
        endless.await.unwrap();
    }
}
