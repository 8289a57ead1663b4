//! What stands before the message of a line: quote marks, priorities, dates, hosts, writers, the kernel's time stamps.
//!
//! Forms nest (`<6>Nov 24 12:48:14 host kernel: [  12.345678] …`), so each is taken off in turn until none is left.

use super::stamp::{self, Wall};

/// What the line said before its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head<'l> {
    /// The message; may begin with the blanks that belong to it.
    pub body: &'l [u8],
    /// A second reading, when it is not certain where the message begins.
    pub other: Option<&'l [u8]>,
    /// Who wrote it: `None` for the kernel, also where nothing says so.
    pub tool: Option<&'l [u8]>,
    /// The tool's name came with a process number: it is certainly one.
    pub process: bool,
    /// The host.
    pub host: Option<&'l [u8]>,
    /// syslog level.
    pub level: Option<u8>,
    /// µs since boot.
    pub boot: Option<u64>,
    /// Date and time.
    pub wall: Option<Wall>,
    /// The kernel was named as the writer.
    pub kernel: bool,
    /// Something was taken off that only logs have.
    pub headed: bool,
    /// The date is one that dmesg writes: no host follows.
    pub ring: bool,
    /// In the form of /dev/kmsg, where a byte may be written `\x0a`.
    pub kmsg: bool,
    /// Bytes between quote marks and message.
    pub width: usize,
}

/// Nested heads are taken off so many times at most.
const MOST: usize = 12;
/// Longest name of a host or writer.
const LONGEST_NAME: usize = 255;

/// Takes a line apart. `known`: there are rules for this writer.
pub fn read<'l>(line: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Head<'l> {
    let line = unquoted(line);
    let mut head = Head { body: line, ..Head::default() };
    for _ in 0..MOST {
        if !head.take(known) {
            break;
        }
    }
    head.width = line.len() - head.body.len();
    head
}

/// Without quote marks of mail and the blanks before them.
pub fn unquoted(line: &[u8]) -> &[u8] {
    let mut rest = line;
    let mut inner = line;
    while let Some(byte) = rest.first() {
        match byte {
            b'>' | b'|' => {
                rest = rest.get(1..).unwrap_or_default();
                inner = rest.strip_prefix(b" ").unwrap_or(rest);
            }
            b' ' | b'\t' | 0 => rest = rest.get(1..).unwrap_or_default(),
            _ => break,
        }
    }
    // Blanks behind the last mark may belong to the message, or to what is taken off next.
    inner
}

impl<'l> Head<'l> {
    /// Takes one form off; false when the message is reached.
    fn take(&mut self, known: &dyn Fn(&[u8]) -> bool) -> bool {
        let rest = self.body.trim_ascii_start();
        let taken = match rest.first() {
            Some(b'<') => self.priority(rest),
            Some(b'[' | b'(') => self.bracket(rest),
            Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'_') => self.word(rest, known),
            _ => None,
        };
        match taken {
            Some(body) => {
                self.body = body;
                self.headed = true;
            }
            None => return false,
        }
        self.tool.is_none()
    }

    /// The line has a date or the kernel's time stamp.
    fn timed(&self) -> bool {
        self.wall.is_some() || self.boot.is_some()
    }

    /// `<6>`, `<30>`, and RFC 5424's `<30>1 `.
    fn priority(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
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

    fn bracket(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if rest.first() == Some(&b'(') {
            return self.boot.and(processor(rest));
        }
        let inner = rest.get(1..)?;
        if self.boot.is_some() {
            return caller(inner).or_else(|| self.delta(inner));
        }
        self.kernel_stamp(inner).or_else(|| self.delta(inner)).or_else(|| {
            // dmesg -T, or what a terminal puts before each line.
            let (wall, rest) = stamp::wall(inner.trim_ascii_start())?;
            let rest = message(rest.strip_prefix(b"]")?);
            self.wall.get_or_insert(wall);
            self.ring = true;
            Some(rest)
        })
    }

    /// `  123.456789]`, with what some kernels and dmesg -d add: `[1.000000@0]`, `[1.000000 <    0.000012>]`,
    /// `[1.000000,3]`.
    fn kernel_stamp(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        let (seconds, rest) = stamp::number(inner.trim_ascii_start(), 1, 10)?;
        let rest = rest.strip_prefix(b".")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = stamp::number(rest, 3, 9)?;
        let micros = match digits {
            0..=6 => fraction * 10u64.pow(6 - u32::try_from(digits).ok()?),
            _ => fraction / 10u64.pow(u32::try_from(digits).ok()? - 6),
        };
        let rest = match rest.first()? {
            b']' => rest.get(1..)?,
            b'@' | b',' | b' ' => behind_bracket(rest, 24)?,
            _ => return None,
        };
        self.boot = Some(seconds * 1_000_000 + micros);
        Some(message(rest))
    }

    /// dmesg -e and -d: `[Nov24 12:48]`, `[  +0.000123]`, `[<    0.000123>]`.
    fn delta(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        let (text, rest) = inner.split_at_checked(inner.iter().take(24).position(|byte| *byte == b']')?)?;
        let text = text.trim_ascii();
        let delta = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"<"));
        let is_delta = delta.is_some_and(|text| {
            text.contains(&b'.') && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'>' | b' '))
        });
        (is_delta || is_short_date(text)).then(|| message(rest.get(1..).unwrap_or_default()))
    }

    fn word(&mut self, rest: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Option<&'l [u8]> {
        if let Some(body) = self.kmsg_record(rest).or_else(|| self.decoded(rest)) {
            return Some(body);
        }
        if !self.timed() {
            if let Some((wall, behind)) = stamp::wall(rest) {
                return self.dated(wall, behind);
            }
        }
        if let Some((level, behind)) = selector(rest) {
            self.level = Some(level);
            return Some(behind);
        }
        self.writer(rest, known)
    }

    /// Behind a date: `|` of multipath's own output, or a blank.
    fn dated(&mut self, wall: Wall, behind: &'l [u8]) -> Option<&'l [u8]> {
        self.wall = Some(wall);
        self.ring |= wall.comma && wall.offset.is_some();
        if let Some(body) = behind.strip_prefix(b" | ") {
            self.tool = Some(b"multipath");
            return Some(body);
        }
        let behind = behind.strip_prefix(b":").unwrap_or(behind);
        Some(message(behind))
    }

    /// /dev/kmsg and netconsole's extended form: `6,1234,123456789,-;text`.
    fn kmsg_record(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let (priority, rest) = stamp::number(rest, 1, 4)?;
        let (_, rest) = stamp::number(rest.strip_prefix(b",")?, 1, 20)?;
        let (micros, rest) = stamp::number(rest.strip_prefix(b",")?, 1, 19)?;
        let rest = rest.strip_prefix(b",")?;
        let body = rest.get(rest.iter().take(80).position(|byte| *byte == b';')? + 1..)?;
        self.level = u8::try_from(priority & 7).ok();
        self.boot = Some(micros);
        self.kmsg = true;
        Some(body)
    }

    /// dmesg -x: `kern  :err   : `.
    fn decoded(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let facility = word_of(rest);
        if !FACILITIES.contains(&facility) && !is_local(facility) {
            return None;
        }
        let rest = rest.get(facility.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        let level = word_of(rest);
        let number = level_of(level)?;
        let rest = rest.get(level.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        self.level = Some(number);
        Some(message(rest))
    }

    /// `host kernel: `, `kernel: `, `host tool[12]: `, `tool: `.
    fn writer(&mut self, rest: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Option<&'l [u8]> {
        if self.other.is_some() {
            return None;
        }
        // Behind the kernel's time stamp, a word and a colon is what drivers write.
        let dated = self.wall.is_some() && self.boot.is_none() && !self.ring;
        if let Some(writer) = Writer::at(rest) {
            let takes = self.takes(&writer, known) || dated && !self.kernel && self.host.is_none();
            return takes.then(|| self.written_by(rest, &writer)).flatten();
        }
        if self.host.is_some() || self.kernel {
            return None;
        }
        let (host, behind) = split(rest)?;
        if !is_host(host) {
            return None;
        }
        let behind = behind.trim_ascii_start();
        let behind = match selector(behind) {
            Some((level, behind)) => {
                self.level = Some(level);
                behind
            }
            None => behind,
        };
        if let Some(writer) = Writer::at(behind) {
            if self.takes(&writer, known) || dated {
                self.host = Some(host);
                return self.written_by(behind, &writer);
            }
            return None;
        }
        if dated {
            // `Nov 24 12:48:14 host text of the kernel`, or without the host.
            self.host = Some(host);
            self.other = Some(rest);
            return Some(behind);
        }
        None
    }

    /// The writer is the kernel, or a tool that has rules. Behind the kernel's time stamp a tool has a process number:
    /// drivers write a word and a colon, too.
    fn takes(&self, writer: &Writer<'_>, known: &dyn Fn(&[u8]) -> bool) -> bool {
        let tool = known(writer.program()) && !self.kernel && (self.boot.is_none() || writer.process);
        writer.is_kernel() || tool
    }

    fn written_by(&mut self, text: &'l [u8], writer: &Writer<'l>) -> Option<&'l [u8]> {
        if writer.is_kernel() {
            self.kernel = true;
            return Some(writer.rest);
        }
        self.tool = Some(writer.program());
        self.process = writer.process;
        if !writer.process {
            // `ata3.00: …` behind a date: the kernel's own text may have lost its writer.
            self.other = Some(text);
        }
        Some(writer.rest)
    }
}

/// The name before a colon.
struct Writer<'l> {
    name: &'l [u8],
    process: bool,
    rest: &'l [u8],
}

impl<'l> Writer<'l> {
    /// `name: `, `name[123]: `; the kernel's may lack the blank.
    fn at(text: &'l [u8]) -> Option<Self> {
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

    fn is_kernel(&self) -> bool {
        is_kernel(self.name)
    }

    /// The tool's name: without its folder; `journalctl -o with-unit` writes its unit.
    fn program(&self) -> &'l [u8] {
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

fn is_kernel(name: &[u8]) -> bool {
    [&b"kernel"[..], b"klogd", b"vmunix", b"KERNEL", b"Kernel", b"kern"].contains(&name)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'+' | b'\\' | b'%')
}

fn is_host(text: &[u8]) -> bool {
    text.len() <= LONGEST_NAME
        && text.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'%' | b'*')
        })
        && !text.ends_with(b":")
}

/// One word, and what follows the blank behind it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(LONGEST_NAME + 1).position(|byte| *byte == b' ')?;
    (end > 0).then(|| Some((text.get(..end)?, text.get(end + 1..)?))).flatten()
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

/// The message behind a mark: one blank is the mark's own.
fn message(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b" ").unwrap_or(rest)
}

/// The kernel's caller behind its time stamp: `[    T12]`, `[   C1]`, `[ CPU3]`, `[pid:12,cpu0,name]`.
fn caller(inner: &[u8]) -> Option<&[u8]> {
    let end = inner.iter().take(64).position(|byte| *byte == b']')?;
    let text = inner.get(..end)?.trim_ascii();
    let numbered = |name: &[u8]| {
        text.strip_prefix(name).is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit))
    };
    let is_caller = numbered(b"T") || numbered(b"C") || numbered(b"CPU") || text.starts_with(b"pid:");
    is_caller.then(|| message(inner.get(end + 1..).unwrap_or_default()))
}

/// `(2)[123:kworker/u8:1]`, which vendors' kernels print behind the time stamp.
fn processor(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = stamp::number(text.get(1..)?, 1, 3)?;
    let inner = rest.strip_prefix(b")[")?;
    let (_, _) = stamp::number(inner, 1, 8)?;
    behind_bracket(inner, 64)
}

fn behind_bracket(text: &[u8], within: usize) -> Option<&[u8]> {
    text.get(text.iter().take(within).position(|byte| *byte == b']')? + 1..)
}

/// `Nov24 12:48` of dmesg -e.
fn is_short_date(text: &[u8]) -> bool {
    text.len() == 11
        && text.iter().take(3).all(u8::is_ascii_alphabetic)
        && text.get(5) == Some(&b' ')
        && text.get(8) == Some(&b':')
}

/// `kern.err `: the level, and what follows. BusyBox and OpenWrt write it.
fn selector(text: &[u8]) -> Option<(u8, &[u8])> {
    let facility = word_of(text);
    if !FACILITIES.contains(&facility) && !is_local(facility) {
        return None;
    }
    let rest = text.get(facility.len()..)?.strip_prefix(b".")?;
    let level = word_of(rest);
    let number = level_of(level)?;
    let rest = rest.get(level.len()..)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    Some((number, rest.strip_prefix(b" ")?))
}

fn word_of(text: &[u8]) -> &[u8] {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    text.get(..length).unwrap_or_default()
}

fn is_local(word: &[u8]) -> bool {
    word.len() == 6 && word.starts_with(b"local")
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

fn level_of(word: &[u8]) -> Option<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "sd 2:0:0:1: [sdb] Sense Key : Medium Error [current]";

    fn known(name: &[u8]) -> bool {
        [&b"kernel"[..], b"multipathd", b"multipath", b"dmeventd"].contains(&name)
    }

    #[test]
    fn every_head_comes_off() {
        for head in [
            "",
            "[  123.456789] ",
            "<3>[  123.456789] ",
            "[  123.456789][  T312] ",
            "[  123.456789] [    C1] ",
            "[  123.456789] [ CPU0] ",
            "[  123.456789@1] ",
            "[  123.456789 <    0.000012>] ",
            "<3>[  123.456789]  (2)[123:kworker/u8:1]",
            "[Tue Nov 24 12:48:14 2026] ",
            "[Nov24 12:48] ",
            "[  +0.000123] ",
            "kern  :err   : [  123.456789] ",
            "kern  :err   : [Tue Nov 24 12:48:14 2026] ",
            "3,1234,123456789,-;",
            "6,1234,123456789,-,caller=T12;",
            "2026-11-24T12:48:14,123456+00:00 ",
            "Nov 24 12:48:14 host kernel: [  123.456789] ",
            "Nov 24 12:48:14 host kernel: ",
            "Nov  4 12:48:14 host kernel: [  123.456789] ",
            "Nov 24 12:48:14 host kernel:[  123.456789] ",
            "Nov 24 12:48:14 kernel: ",
            "Nov 24 12:48:14 host ",
            "Nov 24 12:48:14 ",
            "<3>Nov 24 12:48:14 host kernel: [  123.456789] ",
            "<3>1 2026-11-24T12:48:14.123Z host kernel - - - [  123.456789] ",
            "<3>1 2026-11-24T12:48:14.123Z host kernel - - [x@1 a=\"b]\"] ",
            "2026-11-24T12:48:14.123456+01:00 host kernel: [  123.456789] ",
            "2026-11-24 12:48:14 host kernel: ",
            "2026-11-24 12:48:14,123 host kernel: ",
            "2026-11-24T12:48:14+0100 host kernel: ",
            "Tue 2026-11-24 12:48:14 UTC host kernel: ",
            "Nov 24 12:48:14.123456 host kernel: ",
            "1795524494.123456 host kernel: ",
            "[  123.456789] host kernel: ",
            "Tue Nov 24 12:48:14 2026 kern.err kernel: [  123.456789] ",
            "Nov 24 12:48:14 host kern.err kernel: ",
            "Nov 24 12:48:14 kern.err kernel: ",
            "kernel: ",
            "kernel: [  123.456789] ",
            "host kernel: [  123.456789] ",
            "12:48:14 host kernel: ",
            "[2026-11-24 12:48:14] [  123.456789] ",
            "Nov 24 12:48:14 host kernel: <3>[  123.456789] ",
            "Nov 24 12:48:14 host kernel: kernel: ",
            " kernel:[  123.456789] ",
        ] {
            for quote in ["", "> ", ">> ", "> > ", "    ", "| "] {
                let line = format!("{quote}{head}{BODY}");
                let read = read(line.as_bytes(), &known);
                let bodies = [Some(read.body.trim_ascii_start()), read.other];
                assert!(
                    bodies.contains(&Some(BODY.as_bytes())),
                    "{line}: {}",
                    String::from_utf8_lossy(read.body)
                );
                assert!(read.tool.is_none(), "{line}");
            }
        }
    }

    #[test]
    fn the_blanks_of_a_message_stay() {
        for head in ["[  123.456789] ", "Nov 24 12:48:14 host kernel: [  123.456789] ", "> [  1.000000] "] {
            let line = format!("{head}         res 41/40:00");
            assert_eq!(read(line.as_bytes(), &known).body, b"         res 41/40:00");
        }
    }

    #[test]
    fn tools_are_named() {
        for head in [
            "Nov 24 12:48:14 host multipathd[123]: ",
            "multipathd[123]: ",
            "multipathd: ",
            "Tue 2026-11-24 12:48:14 UTC host multipathd.service[123]: ",
            "<30>1 2026-11-24T12:48:14Z host multipathd 123 - - ",
            "2026-11-24T12:48:14+01:00 host multipathd[123]: ",
            "<30>Nov 24 12:48:14 host multipathd[9]: ",
            "Nov 24 12:48:14 host /sbin/multipathd: ",
            "[  123.456789] host multipathd[123]: ",
            "[  123.456789] multipathd[123]: ",
        ] {
            let line = format!("{head}mpatha: remaining active paths: 1");
            let read = read(line.as_bytes(), &known);
            assert_eq!(
                (read.tool, read.body),
                (Some(&b"multipathd"[..]), &b"mpatha: remaining active paths: 1"[..]),
                "{line}"
            );
        }
        let other = read(b"Nov 24 12:48:14 host sshd[12]: EXT4-fs error", &known);
        assert_eq!((other.tool, other.other), (Some(&b"sshd"[..]), None));
        let lost = read(b"Nov 24 12:48:14 host ata3.00: failed command: READ", &known);
        assert_eq!(lost.other, Some(&b"ata3.00: failed command: READ"[..]));
    }

    #[test]
    fn the_parts_are_right() {
        let head = read(b"<3>[   12.345] text", &known);
        assert_eq!((head.level, head.boot, head.headed, head.width), (Some(3), Some(12_345_000), true, 15));
        let head = read(b"Nov 24 12:48:14 myhost kernel: text", &known);
        assert_eq!(head.host, Some(&b"myhost"[..]));
        let bare = read(b"EXT4-fs error (device sda1): x", &known);
        assert_eq!((bare.headed, bare.body), (false, &b"EXT4-fs error (device sda1): x"[..]));
    }
}
