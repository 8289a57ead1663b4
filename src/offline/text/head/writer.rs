//! The writer of a line: the name before a colon.

use super::message;
use super::programs::level_first;
use crate::offline::text::stamp;

/// Longest name of a host or writer.
pub const MAX_NAME_BYTES: usize = 255;

/// Longest argument in parentheses after a name.
const MAX_ARGUMENT_BYTES: usize = 128;

/// Identifiers with a blank in them.
const NAMES_WITH_BLANKS: [&[u8]; 1] = [b"Server Administrator"];

/// The name before a colon.
pub struct NamePrefix<'l> {
    /// As written.
    pub name: &'l [u8],
    /// A process number follows it.
    pub process: bool,
    /// The message.
    pub rest: &'l [u8],
}

impl<'l> NamePrefix<'l> {
    /// `name: `, `name[123]: `; that of the kernel may lack the blank.
    pub fn at(text: &'l [u8]) -> Option<Self> {
        let length = NAMES_WITH_BLANKS.iter().find(|name| text.starts_with(name)).map(|name| name.len());
        let length = length.unwrap_or_else(|| name_length(text));
        let (name, mut rest) = text.split_at_checked(length).filter(|(name, _)| !name.is_empty())?;
        if rest.first() == Some(&b' ') {
            // RFC 5424 without its priority.
            if let Some(rest) = rest.strip_prefix(b" - - - ").filter(|_| is_kernel(name)) {
                return Some(NamePrefix { name, process: false, rest });
            }
            return Self::of_pacemaker(name, rest);
        }
        let mut process = false;
        if rest.first() == Some(&b'(') {
            // `Filesystem(fs_data)[456]: `: the resource, or the module.
            let end = rest.iter().take(MAX_ARGUMENT_BYTES).position(|byte| matches!(byte, b')' | b' '))?;
            rest = rest.get(end..)?.strip_prefix(b")")?;
        }
        if let Some(inner) = rest.strip_prefix(b"[") {
            let (_, behind) = stamp::number(inner, 1, 10)?;
            rest = behind.strip_prefix(b"]")?;
            process = true;
        }
        if name.starts_with(b"(") && !process {
            return None;
        }
        let rest = rest.strip_prefix(b":")?;
        // rsyslog's message to all users has no blank before the text of the kernel.
        let ends = matches!(rest.first(), None | Some(b' ' | b'[' | b'<' | b'\t')) || name == b"kernel";
        ends.then(|| NamePrefix { name, process, rest: message(rest) })
    }

    /// `name  [1234] (function@file.c:12)  error: text` in Pacemaker's log file.
    fn of_pacemaker(name: &'l [u8], rest: &'l [u8]) -> Option<Self> {
        let inner = rest.trim_ascii_start().strip_prefix(b"[")?;
        let (_, behind) = stamp::number(inner, 1, 10)?;
        let behind = behind.strip_prefix(b"] (")?;
        let end = behind.iter().take(MAX_ARGUMENT_BYTES).position(|byte| *byte == b')')?;
        let rest = behind.get(end + 1..)?.trim_ascii_start();
        let rest = level_first(rest).map_or(rest, |(_, rest)| rest);
        Some(NamePrefix { name, process: true, rest })
    }

    /// It is the kernel.
    pub fn is_kernel(&self) -> bool {
        is_kernel(self.name)
    }

    /// The name of the tool without its directory, or its unit in the output of `journalctl -o with-unit`.
    pub fn program(&self) -> &'l [u8] {
        let name = self.name.rsplit(|byte| *byte == b'/').next().unwrap_or(self.name);
        let Some(unit) = name.strip_suffix(b".service") else { return name };
        match unit {
            b"dm-event" => b"dmeventd",
            b"open-iscsi" => b"iscsid",
            b"mdmonitor" => b"mdadm",
            b"smartmontools" => b"smartd",
            other => other,
        }
    }
}

/// Names that syslog daemons give the kernel.
pub fn is_kernel(name: &[u8]) -> bool {
    [&b"kernel"[..], b"klogd", b"vmunix", b"KERNEL", b"Kernel", b"kern"].contains(&name)
}

/// The length of a name. systemd calls processes that it is about to execute `(name)`.
fn name_length(text: &[u8]) -> usize {
    let length = |text: &[u8]| text.iter().take(MAX_NAME_BYTES).take_while(|byte| is_name(**byte)).count();
    match text.strip_prefix(b"(") {
        Some(inner) => {
            Some(length(inner)).filter(|end| inner.get(*end) == Some(&b')')).map_or(0, |end| end + 2)
        }
        None => length(text),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'+' | b'\\' | b'%')
}

/// It can be the name of a host.
pub fn is_host(text: &[u8]) -> bool {
    text.len() <= MAX_NAME_BYTES
        && text.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'-' | b'.' | b':' | b'%' | b'*' | b'/' | b'@')
        })
        && !text.ends_with(b":")
}

/// The host that wrote the line: syslog-ng prefixes the source and an `@`, and appends relays with slashes.
pub fn own_host(text: &[u8]) -> &[u8] {
    let host = text.rsplit(|byte| *byte == b'@').next().unwrap_or(text);
    host.split(|byte| *byte == b'/').find(|part| !part.is_empty()).unwrap_or(host)
}
