//! Who wrote a line: the name before a colon.

use super::message;
use crate::offline::text::stamp;

/// Longest name of a host or writer.
pub const LONGEST_NAME: usize = 255;

/// The name before a colon.
pub struct Writer<'l> {
    /// As it stands there.
    pub name: &'l [u8],
    /// A process number stands behind it.
    pub process: bool,
    /// The message.
    pub rest: &'l [u8],
}

impl<'l> Writer<'l> {
    /// `name: `, `name[123]: `; the kernel's may lack the blank.
    pub fn at(text: &'l [u8]) -> Option<Self> {
        let length = text.iter().take(LONGEST_NAME).take_while(|byte| is_name(**byte)).count();
        let (name, mut rest) = text.split_at_checked(length).filter(|(name, _)| !name.is_empty())?;
        let mut process = false;
        if let Some(inner) = rest.strip_prefix(b"[") {
            let (_, behind) = stamp::number(inner, 1, 10)?;
            rest = behind.strip_prefix(b"]")?;
            process = true;
        }
        let rest = rest.strip_prefix(b":")?;
        let ends = matches!(rest.first(), None | Some(b' ' | b'[' | b'<' | b'\t'));
        ends.then(|| Writer { name, process, rest: message(rest) })
    }

    /// It is the kernel.
    pub fn is_kernel(&self) -> bool {
        is_kernel(self.name)
    }

    /// The tool's name: without its directory; `journalctl -o with-unit` writes its unit.
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

/// Names under which syslog daemons write the kernel's lines.
pub fn is_kernel(name: &[u8]) -> bool {
    [&b"kernel"[..], b"klogd", b"vmunix", b"KERNEL", b"Kernel", b"kern"].contains(&name)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'+' | b'\\' | b'%')
}

/// It can be the name of a host.
pub fn is_host(text: &[u8]) -> bool {
    text.len() <= LONGEST_NAME
        && text.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'%' | b'*')
        })
        && !text.ends_with(b":")
}
