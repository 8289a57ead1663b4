//! One connection: handles calls, one after the other, until the client disconnects.

use std::sync::Arc;

use peripety_api::schema::{self, CallError};
use peripety_api::{ErrorReply, MethodCall, INTERFACE};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::net::UnixStream;

use super::api::{invalid, Call};
use super::clients::Seat;
use super::frame::{FrameReader, FrameWriter, Gone, NoFrame, SMALL};
use super::peer::Peer;
use super::{service, Service};

/// A call as it comes in.
#[derive(Deserialize)]
struct Request {
    method: String,
    #[serde(default)]
    parameters: Option<Map<String, Value>>,
    #[serde(default)]
    more: Option<bool>,
    #[serde(default)]
    oneway: Option<bool>,
    #[serde(default)]
    upgrade: Option<bool>,
}

/// Serves a client until it leaves, or has to.
pub async fn serve(stream: UnixStream, peer: Peer, seat: Seat, service: Arc<Service>) {
    tokio::select! {
        () = take_calls(stream, peer, &seat, service) => {}
        () = seat.end.notified() => {}
    }
}

async fn take_calls(stream: UnixStream, peer: Peer, seat: &Seat, service: Arc<Service>) {
    let (read, write) = stream.into_split();
    let mut reader = FrameReader::new(read, peer.uid, service.work.long_messages.clone());
    let writer = FrameWriter::new(write, seat.activity.clone());
    loop {
        let frame = match reader.next().await {
            Ok(frame) => frame,
            Err(NoFrame::TooLong) => {
                let _ = service::error(&writer, "InvalidParameter", "parameter", "message too long").await;
                return;
            }
            Err(NoFrame::Closed) => return,
        };
        seat.activity.touch();
        let Ok(request) = serde_json::from_slice::<Request>(&frame) else {
            let _ = service::error(&writer, "InvalidParameter", "parameter", "message").await;
            return;
        };
        // Only a line to be tried, with its escapes, may need so much.
        if frame.len() > SMALL && !request.method.ends_with(".TestRule") {
            let _ = service::error(&writer, "InvalidParameter", "parameter", "message too long").await;
            return;
        }
        drop(frame);
        reader.handled();
        if answer(request, &mut reader, &writer, peer, &service).await.is_err() {
            return;
        }
    }
}

async fn answer(
    request: Request,
    reader: &mut FrameReader,
    writer: &FrameWriter,
    peer: Peer,
    service: &Arc<Service>,
) -> Result<(), Gone> {
    let parameters = request.parameters.unwrap_or_default();
    if request.oneway == Some(true) {
        // No method here has an effect beyond its reply, and a one-way call wants none.
        return Ok(());
    }
    if request.upgrade == Some(true) {
        return service::error(writer, "MethodNotImplemented", "method", &request.method).await;
    }
    let Some((interface, method)) = request.method.rsplit_once('.') else {
        return service::error(writer, "InterfaceNotFound", "interface", &request.method).await;
    };
    match interface {
        service::NAME => service::call(method, &parameters, writer).await,
        INTERFACE => match schema::check(method, &parameters) {
            Err(CallError::NoSuchMethod) => {
                service::error(writer, "MethodNotFound", "method", &request.method).await
            }
            Err(CallError::Parameter(name)) => {
                service::error(writer, "InvalidParameter", "parameter", &name).await
            }
            Err(CallError::Negative(name)) => writer.refuse(&negative(&name)).await,
            Ok(()) => {
                let call = Call {
                    service: service.clone(),
                    writer: writer.clone(),
                    peer,
                    more: request.more == Some(true),
                };
                dispatch(method, parameters, call, reader).await
            }
        },
        _ => service::error(writer, "InterfaceNotFound", "interface", interface).await,
    }
}

/// No number of the interface is negative.
fn negative(parameter: &str) -> ErrorReply {
    let is_time = parameter.starts_with("filter.");
    invalid(parameter, if is_time { "a time before 1970" } else { "a negative number" })
}

/// Decodes the parameters and answers. A client that closes its side while it monitors is gone; otherwise it may wait for its
/// answer.
async fn dispatch(
    method: &str,
    parameters: Map<String, Value>,
    call: Call,
    reader: &mut FrameReader,
) -> Result<(), Gone> {
    let decoded = MethodCall::decode(method, Value::Object(parameters));
    // The parameters were checked, so that both are there.
    let method = match decoded {
        Some(Ok(method)) => method,
        Some(Err(e)) => {
            return service::error(&call.writer, "InvalidParameter", "parameter", &e.to_string()).await
        }
        None => return service::error(&call.writer, "MethodNotFound", "method", method).await,
    };
    let follows = matches!(method, MethodCall::Monitor(_));
    if !follows {
        return call.answer(method).await;
    }
    tokio::select! {
        answered = call.answer(method) => answered,
        () = reader.closed() => Err(Gone),
    }
}
