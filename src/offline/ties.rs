//! Names of disks for lines that only have their addresses.
//!
//! `sd 2:0:0:0: [sdb] Attached SCSI disk` gives both. In a text from elsewhere, nothing else connects them.

use std::collections::{HashMap, VecDeque};

use crate::bus::RawEvent;
use crate::collector::early::BANNER;

use super::text::head::Head;

/// Addresses that are remembered; beyond them, anew.
const MAX_KNOWN: usize = 65_536;
/// What stands before the address of a disk: its driver, or `scsi` when it has none any more.
const DRIVERS: [&[u8]; 4] = [b"sd ", b"sr ", b"st ", b"scsi "];

/// A line that gives a disk both ways, or the first line of a boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// Number of the line.
    pub line: u64,
    /// The host that wrote it.
    pub host: Option<String>,
    /// Address and name; `None`: a boot begins.
    pub names: Option<(String, String)>,
}

/// A host, and the address of a disk of it.
type Addressed<'l> = (Option<&'l [u8]>, &'l [u8]);

/// Finds the lines of a chunk that say something new.
#[derive(Debug, Default)]
pub struct TieFinder<'l> {
    /// The names of disks.
    seen: HashMap<Addressed<'l>, &'l [u8]>,
    /// What they say.
    pub ties: Vec<Tie>,
}

impl<'l> TieFinder<'l> {
    /// Looks at a line.
    pub fn look(&mut self, line: u64, head: &Head<'l>, host: Option<&'l [u8]>) {
        if head.tool.is_some() {
            return;
        }
        let host = head.host.or(host);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some((address, name)) = both(head.body) {
            if self.seen.insert((host, address), name) != Some(name) {
                self.ties.push(Tie { line, host: host.map(text), names: Some((text(address), text(name))) });
            }
        } else if head.headed && head.body.starts_with(BANNER) {
            self.seen.retain(|(of, _), _| *of != host);
            self.ties.push(Tie { line, host: host.map(text), names: None });
        }
    }
}

/// Address and name in a kernel message that has both.
fn both(body: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(rest) = body.strip_prefix(b"nvme ") {
        let (name, rest) = cut(rest, b": pci function ")?;
        let address = rest.trim_ascii_end();
        return (is_name(name) && is_pci(address)).then_some((address, name));
    }
    let rest = DRIVERS.iter().find_map(|driver| body.strip_prefix(*driver))?;
    let (address, rest) = cut(rest, b": [")?;
    let (name, _) = cut(rest, b"] ")?;
    (is_name(name) && is_scsi(address)).then_some((address, name))
}

fn cut<'l>(text: &'l [u8], at: &[u8]) -> Option<(&'l [u8], &'l [u8])> {
    let begin = memchr::memmem::find(text.get(..64).unwrap_or(text), at)?;
    Some((text.get(..begin)?, text.get(begin + at.len()..)?))
}

/// `sdb`, `sr0`, `nvme0`.
fn is_name(text: &[u8]) -> bool {
    text.len() > 1
        && text.first().is_some_and(u8::is_ascii_lowercase)
        && text.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `2:0:0:1`.
fn is_scsi(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b':');
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    parts.by_ref().take(4).filter(|part| is_number(part)).count() == 4 && parts.next().is_none()
}

/// `0000:3b:00.0`.
fn is_pci(text: &[u8]) -> bool {
    text.len() >= 12
        && text.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        && text.iter().filter(|byte| **byte == b':').count() == 2
}

/// What is known at a line.
#[derive(Debug, Default)]
pub struct Ties {
    known: HashMap<(String, String), String>,
    coming: VecDeque<Tie>,
}

impl Ties {
    /// What the next lines say. `host`: of lines that do not name one.
    pub fn come(&mut self, ties: Vec<Tie>, host: &str) {
        self.pass(u64::MAX);
        let named = |tie: Tie| Tie { host: Some(tie.host.unwrap_or_else(|| host.to_owned())), ..tie };
        self.coming = ties.into_iter().map(named).collect();
    }

    /// The lines up to this one are over.
    fn pass(&mut self, line: u64) {
        while self.coming.front().is_some_and(|tie| tie.line <= line) {
            let Some(Tie { host: Some(host), names, .. }) = self.coming.pop_front() else { continue };
            if self.known.len() >= MAX_KNOWN {
                self.known.clear();
            }
            match names {
                Some((address, name)) => _ = self.known.insert((host, address), name),
                None => self.known.retain(|(of, _), _| *of != host),
            }
        }
    }

    /// Names the disk of an event that only has its address.
    pub fn name(&mut self, line: u64, raw: &mut RawEvent) {
        self.pass(line);
        let Some(said) = raw.captures.get("kdev").cloned() else { return };
        let host = &raw.entry.hostname;
        let is_nvme = || raw.captures.get("driver").is_some_and(|driver| driver == "nvme");
        let (address, kind) = match said.strip_prefix("host") {
            Some(number) if matches!(&*raw.sub_system, "uas" | "usb_storage") => {
                let Some(address) = self.only(host, number) else { return };
                (address, "hctl")
            }
            _ if is_scsi(said.as_bytes()) => (said.clone(), "hctl"),
            _ if is_pci(said.as_bytes()) && is_nvme() => (said.clone(), "pci"),
            _ => return,
        };
        let Some(name) = self.of(host, &address) else { return };
        if said.starts_with("host") {
            raw.captures.insert("host".into(), said);
        }
        raw.captures.insert(kind.into(), address);
        raw.captures.insert("kdev".into(), name);
    }

    /// The name of a device before a line, or else after it in the same boot.
    fn of(&self, host: &str, address: &str) -> Option<String> {
        let known = self.known.get(&(host.to_owned(), address.to_owned()));
        known.or_else(|| self.soon(host).find(|(of, _)| of == address).map(|(_, name)| name)).cloned()
    }

    /// The address of the only disk at a SCSI host: a disk behind USB mostly has one of its own.
    fn only(&self, host: &str, number: &str) -> Option<String> {
        let before = self.known.keys().filter(|(of, _)| of == host).map(|(_, address)| address);
        let after = self.soon(host).map(|(address, _)| address);
        let mut all = before.chain(after).filter(|address| address.split(':').next() == Some(number));
        let first = all.next()?;
        all.all(|address| address == first).then(|| first.clone())
    }

    fn soon<'t>(&'t self, host: &'t str) -> impl Iterator<Item = &'t (String, String)> {
        let coming = self.coming.iter().filter(move |tie| tie.host.as_deref() == Some(host));
        coming.map_while(|tie| tie.names.as_ref())
    }

    /// Nothing is known.
    pub fn clear(&mut self) {
        self.known.clear();
        self.coming.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ties(lines: &[&str]) -> Vec<Tie> {
        let mut finder = TieFinder::default();
        for (line, body) in (1..).zip(lines) {
            let head = Head { body: body.as_bytes(), headed: true, ..Head::default() };
            finder.look(line, &head, None);
        }
        finder.ties
    }

    #[test]
    fn a_line_with_both_names_says_something_once() {
        let found = ties(&[
            "sd 2:0:0:0: [sdb] Attached SCSI disk",
            "sd 2:0:0:0: [sdb] Write Protect is off",
            "nvme nvme0: pci function 0004:41:00.0",
            "sd 2:0:0:0: tag#10 data cmplt err -75",
            "sd 2:0:0: [sdb] Attached SCSI disk",
            "nvme nvme0: 8/0/0 default/read/poll queues",
            "scsi 2:0:0:0: [sdc] killing request",
        ]);
        let names: Vec<(u64, &str, &str)> = found
            .iter()
            .filter_map(|tie| Some((tie.line, &*tie.names.as_ref()?.0, &*tie.names.as_ref()?.1)))
            .collect();
        assert_eq!(names, [(1, "2:0:0:0", "sdb"), (3, "0004:41:00.0", "nvme0"), (7, "2:0:0:0", "sdc")]);
    }

    #[test]
    fn a_name_is_of_its_boot() {
        let mut known = Ties::default();
        known.come(
            ties(&[
                "sd 2:0:0:0: [sdb] Attached SCSI disk",
                "-",
                "Linux version 6.1.0",
                "-",
                "sd 2:0:0:0: [sdc] Attached SCSI disk",
            ]),
            "h",
        );
        let mut at = |line| {
            known.pass(line);
            (
                known.of("h", "2:0:0:0"),
                known.of("other", "2:0:0:0"),
                known.only("h", "2"),
                known.only("h", "3"),
            )
        };
        let (sdb, sdc) = (Some("sdb".to_owned()), Some("sdc".to_owned()));
        let address = Some("2:0:0:0".to_owned());
        assert_eq!(at(0), (sdb.clone(), None, address.clone(), None));
        assert_eq!(at(2), (sdb, None, address.clone(), None));
        assert_eq!(at(3), (sdc.clone(), None, address.clone(), None));
        assert_eq!(at(5), (sdc, None, address, None));
    }
}
