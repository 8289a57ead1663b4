//! Log lines that other programs wrapped in JSON objects: container runtimes and log shippers, each with field names of its own.

use super::fields::Fields;
use crate::offline::found::{Found, Said};
use crate::offline::rules::Rules;
use crate::offline::text::{date, head, read_entry, wall::Wall};

/// Fields with the message, in order of preference.
const TEXT: [&str; 19] = [
    "log",
    "message",
    "msg",
    "line",
    "MESSAGE",
    "full_message",
    "short_message",
    "@message",
    "textPayload",
    "jsonPayload.message",
    "jsonPayload.MESSAGE",
    "_raw",
    "result._raw",
    "event.original",
    "_source.message",
    "_source.MESSAGE",
    "fields.message",
    "body",
    "Output",
];
/// Fields with the time.
const TIME: [&str; 22] = [
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "_time",
    "result._time",
    "_source.@timestamp",
    "_source.timestamp",
    "fields.@timestamp",
    "timereported",
    "timegenerated",
    "ISODATE",
    "isodate",
    "DATE",
    "date",
    "datetime",
    "eventTime",
    "receiveTimestamp",
    "Timestamp",
    "TimeGenerated",
    "_SOURCE_REALTIME_TIMESTAMP",
    "t",
];
/// Fields with the host.
const HOST: [&str; 22] = [
    "host.name",
    "host.hostname",
    "hostname",
    "HOST",
    "host",
    "_HOSTNAME",
    "log.syslog.hostname",
    "syslog.hostname",
    "agent.hostname",
    "agent.name",
    "beat.hostname",
    "Computer",
    "kubernetes.host",
    "kubernetes.node.name",
    "node",
    "labels.host",
    "labels.hostname",
    "labels.instance",
    "_source.host.name",
    "_source.host",
    "result.host",
    "jsonPayload._HOSTNAME",
];
/// Fields with the writer.
const WRITER: [&str; 20] = [
    "SYSLOG_IDENTIFIER",
    "syslog_identifier",
    "syslog.identifier",
    "log.syslog.appname",
    "syslog.appname",
    "jsonPayload.SYSLOG_IDENTIFIER",
    "_source.SYSLOG_IDENTIFIER",
    "_SYSLOG_IDENTIFIER",
    "identifier",
    "ident",
    "program",
    "programname",
    "PROGRAM",
    "appname",
    "app-name",
    "app_name",
    "process.name",
    "ProcessName",
    "syslogtag",
    "tag",
];

/// When the text was written.
pub fn time(fields: &Fields) -> Option<Wall> {
    TIME.iter().filter_map(|name| fields.0.get(*name)).find_map(|value| date::cell(value))
}

/// The lines of the text that match rules.
pub fn read(rules: &Rules, fields: &Fields, line: u64, lines: u64) -> Vec<Found> {
    let Some(text) = fields.first(&TEXT).map(<[u8]>::trim_ascii_end) else { return Vec::new() };
    if let Some(inner) = text.starts_with(b"{").then(|| serde_json::from_slice::<Fields>(text).ok()).flatten()
    {
        // The message is an object itself; only one level of nesting is read.
        return match inner.first(&TEXT).is_some_and(|text| text.starts_with(b"{")) {
            true => Vec::new(),
            false => with(read(rules, &inner, line, lines), time(fields), fields.first(&HOST)),
        };
    }
    let writer = fields.first(&WRITER).map(name_of).unwrap_or_default();
    let mut all = match writer {
        b"" => read_entry(rules, text),
        name if head::is_kernel(name) => read_entry(rules, text),
        name if rules.knows(name) => of_tool(rules, name, text).into_iter().collect(),
        // An unknown program logs nothing about storage, but may forward a line with a head.
        _ => read_entry(rules, text).into_iter().filter(is_headed).collect(),
    };
    for (index, found) in all.iter_mut().enumerate() {
        (found.line, found.lines, found.further) = (line, lines, index > 0);
    }
    // Lines with time stamps of their own do not get the time of the object.
    let several = memchr::memchr(b'\n', text).is_some();
    let time = time(fields).filter(|_| !several || !all.iter().any(has_stamp));
    with(all, time, fields.first(&HOST))
}

/// Adds time and host to items that have none.
pub fn with(mut all: Vec<Found>, time: Option<Wall>, host: Option<&[u8]>) -> Vec<Found> {
    for found in &mut all {
        if let Said::Line(said) = &mut found.said {
            said.wall = said.wall.filter(Wall::is_dated).or(time);
            said.host = said.host.take().or_else(|| host.map(<[u8]>::to_vec));
        }
    }
    all
}

/// The name of a writer without its process number and colon.
fn name_of(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| matches!(byte, b'[' | b':' | b' '));
    end.and_then(|end| value.get(..end)).unwrap_or(value)
}

fn is_headed(found: &Found) -> bool {
    matches!(&found.said, Said::Line(line) if line.wall.is_some() || line.boot.is_some())
}

fn has_stamp(found: &Found) -> bool {
    matches!(&found.said, Said::Line(line) if line.boot.is_some())
}

fn of_tool(rules: &Rules, name: &[u8], text: &[u8]) -> Option<Found> {
    let whole = [text].into_iter();
    whole.chain(text.split(|byte| *byte == b'\n')).find_map(|message| {
        let matched = rules.matched(name, message)?;
        let said = crate::offline::found::TextLine {
            message: message.to_vec(),
            identifier: name.to_vec(),
            ..Default::default()
        };
        Some(Found::line(matched, 0, 1, said))
    })
}
