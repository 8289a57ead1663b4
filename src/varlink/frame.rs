//! Framing of messages on a stream: JSON objects, each terminated by a NUL byte.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use peripety_api::ErrorReply;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

use super::clients::Activity;
use crate::permits::{Permit, Permits};

/// Longest message accepted.
pub const MAX_MESSAGE: usize = 1 << 20;
/// Longest message that is received without a permit.
pub const SMALL: usize = 1 << 16;
/// How long a client may take to send a message that is not small.
const LARGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Number of bytes written at a time, if a reply is encoded while the client reads it.
const PIECE: usize = 32 * 1024;

/// Why no message was received.
#[derive(Debug, PartialEq, Eq)]
pub enum NoFrame {
    /// The client closed its side.
    Closed,
    /// A message is longer than [`MAX_MESSAGE`], or long and not complete in time.
    TooLong,
}

/// Reads messages from a stream. All methods are cancel safe.
#[derive(Debug)]
pub struct FrameReader {
    stream: OwnedReadHalf,
    uid: u32,
    /// Permits for messages that are not small, and the one for this message.
    large: Arc<Permits>,
    permit: Option<Permit>,
    buffer: BytesMut,
    /// Bytes of the buffer known to hold no NUL.
    scanned: usize,
}

impl FrameReader {
    /// Reads from the stream of a user's client.
    pub fn new(stream: OwnedReadHalf, uid: u32, large: Arc<Permits>) -> Self {
        FrameReader { stream, uid, large, permit: None, buffer: BytesMut::with_capacity(4096), scanned: 0 }
    }

    /// The next message, without its NUL. One that is not small waits for a permit, which it keeps until
    /// [`FrameReader::handled`].
    pub async fn next(&mut self) -> Result<BytesMut, NoFrame> {
        if let Some(frame) = self.read(SMALL).await? {
            return Ok(frame);
        }
        self.permit = Some(self.large.acquire(self.uid).await);
        match tokio::time::timeout(LARGE_TIMEOUT, self.read(MAX_MESSAGE)).await {
            Ok(Ok(Some(frame))) => Ok(frame),
            Ok(Err(ended)) => Err(ended),
            Ok(Ok(None)) | Err(_) => Err(NoFrame::TooLong),
        }
    }

    /// The message is decoded.
    pub fn handled(&mut self) {
        if self.permit.take().is_some() {
            // Its memory is not kept for the next one.
            self.buffer = BytesMut::from(self.buffer.as_ref());
        }
    }

    /// The next message, if it does not exceed this number of bytes.
    async fn read(&mut self, longest: usize) -> Result<Option<BytesMut>, NoFrame> {
        loop {
            if let Some(end) = memchr::memchr(0, self.buffer.get(self.scanned..).unwrap_or_default()) {
                let mut frame = self.buffer.split_to(self.scanned + end + 1);
                frame.truncate(frame.len() - 1);
                self.scanned = 0;
                return Ok(Some(frame));
            }
            self.scanned = self.buffer.len();
            if self.buffer.len() > longest {
                return Ok(None);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err(NoFrame::Closed),
                Ok(_) => {}
            }
        }
    }

    /// Returns when the client closes its side; what it sends meanwhile is kept, up to a limit.
    pub async fn closed(&mut self) {
        while self.buffer.len() <= SMALL {
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Writes messages to a stream, however slowly the client reads.
#[derive(Clone, Debug)]
pub struct FrameWriter {
    stream: Arc<Mutex<OwnedWriteHalf>>,
    activity: Arc<Activity>,
}

/// The client is gone.
#[derive(Debug)]
pub struct Gone;

#[derive(Serialize)]
struct Reply<'a, T: Serialize> {
    parameters: &'a T,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continues: bool,
}

impl FrameWriter {
    /// Writes to a stream, and notes when the client takes something.
    pub fn new(stream: OwnedWriteHalf, activity: Arc<Activity>) -> Self {
        FrameWriter { stream: Arc::new(Mutex::new(stream)), activity }
    }

    /// Sends a reply; more will follow if `continues`.
    pub async fn reply<T: Serialize>(&self, parameters: &T, continues: bool) -> Result<(), Gone> {
        self.send(&encode(&Reply { parameters, continues })).await
    }

    /// Sends an error of the interface.
    pub async fn refuse(&self, error: &ErrorReply) -> Result<(), Gone> {
        self.send(&encode(error)).await
    }

    /// Sends an error of another interface.
    pub async fn error(&self, name: &str, parameter: &str, value: &str) -> Result<(), Gone> {
        let parameters = serde_json::json!({ parameter: value });
        self.send(&encode(&serde_json::json!({ "error": name, "parameters": parameters }))).await
    }

    /// Sends encoded messages.
    pub async fn send(&self, mut bytes: &[u8]) -> Result<(), Gone> {
        let mut stream = self.stream.lock().await;
        while !bytes.is_empty() {
            let taken = stream.write(bytes).await.map_err(|_| Gone)?;
            self.activity.touch();
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Begins a reply with one list, `name`, whose items are encoded while the client takes them.
    pub fn list(&self, name: &str) -> ListReply<'_> {
        let mut buffer = BytesMut::with_capacity(PIECE);
        buffer.put_slice(b"{\"parameters\":{\"");
        buffer.put_slice(name.as_bytes());
        buffer.put_slice(b"\":[");
        ListReply { writer: self, buffer, empty: true }
    }
}

/// A reply that is never completely in memory.
#[derive(Debug)]
pub struct ListReply<'w> {
    writer: &'w FrameWriter,
    buffer: BytesMut,
    empty: bool,
}

impl ListReply<'_> {
    /// Appends an item.
    pub async fn item<T: Serialize>(&mut self, item: &T) -> Result<(), Gone> {
        self.separate();
        serde_json::to_writer((&mut self.buffer).writer(), item).map_err(|_| Gone)?;
        self.send_piece().await
    }

    /// Appends an item that is JSON already.
    pub async fn json_item(&mut self, json: &[u8]) -> Result<(), Gone> {
        self.separate();
        self.buffer.put_slice(json);
        self.send_piece().await
    }

    fn separate(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.buffer.put_u8(b',');
        }
    }

    async fn send_piece(&mut self) -> Result<(), Gone> {
        if self.buffer.len() >= PIECE {
            self.writer.send(&self.buffer).await?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Ends the reply; `fields` follow the list.
    pub async fn end<T: Serialize>(self, fields: &[(&str, T)]) -> Result<(), Gone> {
        self.end_with(fields, b"}}\0").await
    }

    /// Ends the reply, which others follow.
    pub async fn end_to_continue(self) -> Result<(), Gone> {
        self.end_with::<()>(&[], b"},\"continues\":true}\0").await
    }

    async fn end_with<T: Serialize>(mut self, fields: &[(&str, T)], end: &[u8]) -> Result<(), Gone> {
        self.buffer.put_u8(b']');
        for (name, value) in fields {
            self.buffer.put_slice(b",\"");
            self.buffer.put_slice(name.as_bytes());
            self.buffer.put_slice(b"\":");
            serde_json::to_writer((&mut self.buffer).writer(), value).map_err(|_| Gone)?;
        }
        self.buffer.put_slice(end);
        self.writer.send(&self.buffer).await
    }
}

/// An encoded message.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
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
mod tests {
    use super::*;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn splits_at_nul_and_refuses_what_is_too_long() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let (read, _write) = server.into_split();
        let mut reader = FrameReader::new(read, 0, Permits::new(1, 1));
        client.write_all(b"one\0two\0thr").await.unwrap();
        assert_eq!(&reader.next().await.unwrap()[..], b"one");
        assert_eq!(&reader.next().await.unwrap()[..], b"two");
        let endless = tokio::spawn(async move {
            let chunk = vec![b'x'; 65536];
            while client.write_all(&chunk).await.is_ok() {}
        });
        assert_eq!(reader.next().await.unwrap_err(), NoFrame::TooLong);
        drop((reader, _write));
        endless.await.unwrap();
    }

    #[tokio::test]
    async fn a_list_is_one_reply() {
        let (client, server) = UnixStream::pair().unwrap();
        let writer = FrameWriter::new(server.into_split().1, Arc::default());
        let sending = tokio::spawn(async move {
            let mut long = writer.list("words");
            for n in 0..20_000 {
                long.item(&format!("word {n}")).await.unwrap();
            }
            long.end(&[("cursor", Some("x")), ("other", None)]).await.unwrap();
            writer.list("words").end::<()>(&[]).await.unwrap();
        });
        let mut reader = FrameReader::new(client.into_split().0, 0, Permits::new(1, 1));
        let mut next =
            async || serde_json::from_slice::<serde_json::Value>(&reader.next().await.unwrap()).unwrap();
        let long = &next().await["parameters"];
        assert_eq!(
            (long["words"].as_array().unwrap().len(), &long["words"][19_999]),
            (20_000, &"word 19999".into())
        );
        assert_eq!((&long["cursor"], &long["other"]), (&"x".into(), &serde_json::Value::Null));
        assert_eq!(next().await, serde_json::json!({ "parameters": { "words": [] } }));
        sending.await.unwrap();
    }
}
