//! Any bytes on a Varlink connection, in pieces of any size: the messages are those between the NULs; one that is a call is
//! checked against the interface.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peripety::permits::Permits;
use peripety::varlink::frame::{FrameReader, NoFrame, MAX_MESSAGE};
use peripety_api::{schema, MethodCall};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

fuzz_target!(|data: &[u8]| {
    let Some((size, data)) = data.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let frames = runtime.block_on(read(data, usize::from(*size) + 1));
    let mut expected: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    // What no NUL ends is no message.
    expected.pop();
    assert!(data.len() <= MAX_MESSAGE && frames == expected);
    frames.iter().for_each(|frame| check(frame));
});

async fn read(data: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (mut client, server) = UnixStream::pair().expect("a connection");
    let (stream, _writer) = server.into_split();
    let mut reader = FrameReader::new(stream, 0, Permits::new(1, 1));
    let write = async {
        for piece in data.chunks(size) {
            client.write_all(piece).await.expect("the reader is there");
            tokio::task::yield_now().await;
        }
        drop(client);
    };
    let read = async {
        let mut frames = Vec::new();
        loop {
            match reader.next().await {
                Ok(frame) => {
                    frames.push(frame.to_vec());
                    reader.handled();
                }
                Err(ended) => {
                    assert_eq!(ended, NoFrame::Closed);
                    return frames;
                }
            }
        }
    };
    tokio::join!(write, read).1
}

fn check(frame: &[u8]) {
    let Ok(Value::Object(call)) = serde_json::from_slice(frame) else { return };
    if let (Some(Value::String(method)), Some(Value::Object(parameters))) =
        (call.get("method"), call.get("parameters"))
    {
        let method = method.strip_prefix("io.peripety.").unwrap_or(method);
        if schema::check(method, parameters).is_ok() {
            let call = MethodCall::decode(method, Value::Object(parameters.clone()));
            call.expect("a method that was checked").expect("parameters that were checked");
        }
    }
}
