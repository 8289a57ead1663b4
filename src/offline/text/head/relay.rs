//! Heads added by relays: syslog relays, rsyslog's message to all users, container runtimes, log collections.

use super::writer::is_host;
use super::{message, own_host, split, Head};
use crate::offline::text::stamp;

/// Streams in the log format of the container runtime interface.
const STREAMS: [&[u8]; 2] = [b"stdout", b"stderr"];

impl<'l> Head<'l> {
    /// After a date: the date of the original head, or the fields of a container runtime.
    pub(super) fn nested(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        self.wall?;
        if self.boot.is_none() && (self.other.is_some() || self.kernel || self.stream) {
            if let Some((wall, behind)) = stamp::plain(rest) {
                (self.host, self.other, self.kernel, self.stream) = (None, None, false, false);
                return self.dated(wall, behind);
            }
        }
        self.container(rest)
    }

    /// `stdout F `, after the date in the log of a container.
    fn container(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if self.host.is_some() || self.stream || self.boot.is_some() {
            return None;
        }
        let (_, behind) = split(rest).filter(|(word, _)| STREAMS.contains(word))?;
        let (_, behind) = split(behind).filter(|(tag, _)| matches!(*tag, b"F" | b"P"))?;
        self.stream = true;
        Some(behind)
    }

    /// Whether the message of an unknown program begins with a head of its own, which then applies.
    pub(super) fn forwards(&mut self) -> bool {
        if stamp::plain(self.body.trim_ascii_start()).is_none() {
            return false;
        }
        (self.tool, self.other, self.host, self.kernel, self.wall) = (None, None, None, false, None);
        true
    }

    /// `Message from syslogd@host at Sep  3 15:55:43 ...`: the head of the lines that follow.
    pub(super) fn wall_message(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let text = rest.strip_prefix(b"Message from syslogd@")?;
        let (host, text) = split(text).filter(|(host, _)| is_host(host))?;
        let (wall, behind) = stamp::wall(text.strip_prefix(b"at ")?)?;
        (self.wall, self.host) = (Some(wall), Some(own_host(host)));
        Some(message(behind.strip_suffix(b"...").unwrap_or(behind)))
    }

    /// `- 1131566461 2005.11.09 host Nov 9 12:01:01 host/host kernel: `: the fields that a log collection added before syslog's head.
    pub(super) fn corpus(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if self.headed {
            return None;
        }
        let (seconds, text) = stamp::number(rest.strip_prefix(b"- ")?, 9, 10)?;
        let (date, text) = split(text.strip_prefix(b" ")?)?;
        let is_date = date.len() == 10 && date.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        let (_, text) = split(text).filter(|_| is_date)?;
        // The original date and host follow.
        let (_, behind) = stamp::plain(text)?;
        self.wall = Some(stamp::Wall {
            epoch: Some(seconds * 1_000_000),
            precision: 1_000_000,
            ..Default::default()
        });
        Some(behind)
    }
}
