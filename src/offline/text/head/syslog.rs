//! Priorities, facilities and levels, and the head of RFC 5424.

use super::writer::is_kernel;
use super::{split, Head};
use crate::offline::text::stamp;

impl<'l> Head<'l> {
    /// `<6>`, `<30>`, and RFC 5424's `<30>1 `.
    pub(super) fn priority(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let (priority, rest) = stamp::number(rest.get(1..)?, 1, 3)?;
        let rest = rest.strip_prefix(b">")?;
        self.level = u8::try_from(priority & 7).ok();
        if let Some(text) = rest.strip_prefix(b"1 ") {
            if let Some(body) = self.rfc5424(text) {
                return Some(body);
            }
        }
        Some(rest)
    }

    /// `TIME HOST APP PROCID MSGID SD MSG`, each of which may be `-`.
    fn rfc5424(&mut self, text: &'l [u8]) -> Option<&'l [u8]> {
        let text = match text.strip_prefix(b"-") {
            Some(rest) => rest,
            None => {
                let (wall, rest) = stamp::wall(text)?;
                self.wall = Some(wall);
                rest
            }
        };
        let (host, text) = split(text.strip_prefix(b" ")?)?;
        let (app, text) = split(text)?;
        let (process, text) = split(text)?;
        let (_, text) = split(text)?;
        let text = structured_data(text)?;
        self.host = Some(host).filter(|host| *host != b"-");
        if app != b"-" && !is_kernel(app) {
            self.tool = Some(app);
            self.process = process != b"-";
        }
        let text = text.strip_prefix(b" ").unwrap_or(text);
        Some(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text))
    }
}

/// What follows RFC 5424's structured data.
fn structured_data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest);
    }
    let mut rest = text;
    while rest.first() == Some(&b'[') {
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.iter().position(|byte| {
            let ends = *byte == b']' && !quoted && !escaped;
            quoted ^= *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })?;
        rest = rest.get(end + 1..)?;
    }
    Some(rest)
}

/// `kern.err `: the level, and what follows. BusyBox and OpenWrt write it.
pub fn selector(text: &[u8]) -> Option<(u8, &[u8])> {
    let facility = word_of(text);
    if !is_facility(facility) {
        return None;
    }
    let rest = text.get(facility.len()..)?.strip_prefix(b".")?;
    let level = word_of(rest);
    let number = level_of(level)?;
    let rest = rest.get(level.len()..)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    Some((number, rest.strip_prefix(b" ")?))
}

/// `ERR `: the level in capitals between host and writer, as SONiC writes it, and what follows.
pub fn level_word(text: &[u8]) -> Option<(u8, &[u8])> {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_uppercase()).count();
    let (word, rest) = text.split_at_checked(length)?;
    let level = level_of(&word.to_ascii_lowercase())?;
    Some((level, rest.strip_prefix(b" ")?.trim_ascii_start()))
}

/// The short word at the beginning.
pub fn word_of(text: &[u8]) -> &[u8] {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    text.get(..length).unwrap_or_default()
}

/// Whether the word is a syslog facility, such as `local0`.
pub fn is_facility(word: &[u8]) -> bool {
    FACILITIES.contains(&word) || word.len() == 6 && word.starts_with(b"local")
}

const FACILITIES: [&[u8]; 13] = [
    b"kern",
    b"user",
    b"mail",
    b"daemon",
    b"auth",
    b"syslog",
    b"lpr",
    b"news",
    b"uucp",
    b"cron",
    b"authpriv",
    b"ftp",
    b"security",
];

/// The number of a level's name.
pub fn level_of(word: &[u8]) -> Option<u8> {
    Some(match word {
        b"emerg" | b"panic" => 0,
        b"alert" => 1,
        b"crit" => 2,
        b"err" | b"error" => 3,
        b"warn" | b"warning" => 4,
        b"notice" => 5,
        b"info" => 6,
        b"debug" => 7,
        _ => return None,
    })
}
