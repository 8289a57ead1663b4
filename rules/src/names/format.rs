//! One format of the kernel that begins with a name, and the lines that it can print.

use std::borrow::Cow;

/// A format string of printk (Documentation/core-api/printk-formats.rst) as listed in `formats.tsv`.
#[derive(Clone, Copy, Debug)]
pub struct PrintkFormat {
    /// Whose name it begins with.
    pub source: NameSource,
    /// The sub-system of the storage code that prints it, whose rules may match its lines.
    pub owner: Option<&'static str>,
    /// Level of the kernel's log, from 0 (emergency) to 7 (debug).
    pub level: u8,
    /// The format, with the escapes of C; one that ends in `\c` does not end its line.
    pub text: &'static str,
    /// The file that prints it, in the kernel's sources.
    pub file: &'static str,
}

/// Who chooses a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// A process names itself: prctl(2), PR_SET_NAME.
    Comm,
    /// A network interface: root in its network namespace can rename it.
    Interface,
    /// A wireless adapter, in the same way.
    Wiphy,
    /// A USB device chooses its name.
    Product,
    /// A rule of the firewall writes it in front of each line.
    Prefix,
}

impl NameSource {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "comm" => NameSource::Comm,
            "interface" => NameSource::Interface,
            "wiphy" => NameSource::Wiphy,
            "product" => NameSource::Product,
            "prefix" => NameSource::Prefix,
            _ => return None,
        })
    }

    /// Bytes of a name at most: TASK_COMM_LEN of include/linux/sched.h, IFNAMSIZ of include/uapi/linux/if.h,
    /// NL80211_WIPHY_NAME_MAXLEN, `name` of struct hid_device, NF_LOG_PREFIXLEN; each without its NUL.
    pub fn longest(self) -> usize {
        match self {
            NameSource::Comm | NameSource::Interface => 15,
            NameSource::Wiphy => 64,
            NameSource::Product | NameSource::Prefix => 127,
        }
    }

    /// A name may have this byte (for interfaces: `dev_valid_name` of net/core/dev.c; that it allows no colon is left
    /// out here, since kernels before 4.3 did).
    pub fn allows(self, byte: u8) -> bool {
        match self {
            NameSource::Interface => byte != b'/' && byte != 0 && !byte.is_ascii_whitespace() && byte != 0x0b,
            _ => byte != 0,
        }
    }

    /// What the kernel may print between an interface's name and the rest (`netdev_reg_state` of
    /// include/linux/netdevice.h).
    pub fn suffixes(self) -> &'static [&'static str] {
        match self {
            NameSource::Interface => {
                &["", " (uninitialized)", " (unregistering)", " (unregistered)", " (released)", " (dummy)"]
            }
            _ => &[""],
        }
    }
}

/// A part of what a format prints behind the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrintkPart {
    /// These bytes.
    Text(Vec<u8>),
    /// Any number of bytes of a class.
    Any(Class),
}

/// What a conversion prints, or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `%d`, `%u`, `%i`.
    Decimal,
    /// `%x`, `%o`.
    Hexadecimal,
    /// `%p`: an address in memory or of a network, features of an interface.
    Address,
    /// All others.
    Anything,
}

impl Class {
    /// The conversion may print this byte.
    pub fn has(self, byte: u8) -> bool {
        match self {
            Class::Decimal => byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'+'),
            Class::Hexadecimal => byte.is_ascii_hexdigit() || matches!(byte, b' ' | b'x' | b'X'),
            Class::Address => byte.is_ascii_alphanumeric() || b" :.,()-+_".contains(&byte),
            Class::Anything => byte != 0,
        }
    }
}

impl PrintkFormat {
    /// Reads a line of the table.
    pub fn parse(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let source = NameSource::parse(columns.next()?)?;
        let owner = columns.next().filter(|owner| *owner != "-");
        let (level, text, file) = (columns.next()?.parse().ok()?, columns.next()?, columns.next()?);
        Some(PrintkFormat { source, owner, level, text, file })
    }

    /// What precedes the name, such as a bracket, and what follows it.
    pub fn split(&self) -> (&'static str, &'static str) {
        let (before, after) = self.text.split_once('%').unwrap_or((self.text, ""));
        (before, conversion(after).1)
    }

    /// What it prints behind the name.
    pub fn parts(&self) -> Vec<PrintkPart> {
        let mut parts = Vec::new();
        let mut rest = self.split().1;
        while !rest.is_empty() {
            let (text, part);
            (text, part, rest) = next(rest);
            push(&mut parts, text, part);
        }
        parts
    }

    /// A line of this format can be distinguished from other lines: by the text behind the name, if there is enough of it, or nothing
    /// else than numbers; or because it has the number of a process there. Those of storage code were looked at one by one.
    pub fn is_distinctive(&self) -> bool {
        if self.owner.is_some() {
            return true;
        }
        let parts = self.parts();
        let own = |part: &PrintkPart| match part {
            PrintkPart::Text(text) => {
                text.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte == b'=').count()
            }
            PrintkPart::Any(_) => 0,
        };
        let own: usize = parts.iter().map(own).sum();
        let is_exact = !parts.contains(&PrintkPart::Any(Class::Anything));
        let is_process = || match parts.as_slice() {
            [PrintkPart::Text(open), PrintkPart::Any(Class::Decimal), PrintkPart::Text(close), ..] => {
                let fits = |(opens, closes): &(&str, &str)| {
                    open == opens.as_bytes() && close.starts_with(closes.as_bytes())
                };
                PROCESS_NUMBERS.iter().any(fits)
            }
            _ => false,
        };
        own >= MIN_BYTES
            || is_exact && own >= MIN_EXACT_BYTES
            || self.source == NameSource::Comm && is_process()
    }
}

/// Letters and digits of its own that tell a format with any text in it.
const MIN_BYTES: usize = 6;
/// The same of one with nothing but numbers in it.
const MIN_EXACT_BYTES: usize = 2;
/// What stands before and behind the number of a process, right behind its name (arch/x86/mm/fault.c `show_signal_msg`,
/// fs/drop_caches.c, kernel/signal.c).
pub const PROCESS_NUMBERS: [(&str, &str); 4] = [("[", "]: "), ("[", "] "), (" (", "): "), ("/", ": ")];

/// The next text and what follows it: a conversion, or more text when the line continues.
fn next(rest: &'static str) -> (Cow<'static, str>, Option<Class>, &'static str) {
    let Some(at) = rest.find(['%', '\\']) else { return (rest.into(), None, "") };
    let (text, rest) = rest.split_at(at);
    let mut signs = rest.chars();
    match (signs.next(), signs.next()) {
        (Some('\\'), Some('c')) => (text.into(), Some(Class::Anything), signs.as_str()),
        (Some('\\'), Some('x')) => {
            let byte = rest.get(2..4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            (
                format!("{text}{}", char::from(byte.unwrap_or(b'?'))).into(),
                None,
                rest.get(4..).unwrap_or_default(),
            )
        }
        (Some('\\'), Some(sign)) => {
            let sign = match sign {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            };
            (format!("{text}{sign}").into(), None, signs.as_str())
        }
        (Some('%'), Some('%')) => (format!("{text}%").into(), None, signs.as_str()),
        _ => {
            let (class, rest) = conversion(rest.get(1..).unwrap_or_default());
            (text.into(), Some(class), rest)
        }
    }
}

/// The class of a conversion, behind its `%`, and what follows.
fn conversion(text: &'static str) -> (Class, &'static str) {
    let options = |sign: char| "-+ #0123456789.*hlLzZtjq".contains(sign);
    let text = text.trim_start_matches(options);
    let mut signs = text.chars();
    match signs.next() {
        Some('d' | 'i' | 'u') => (Class::Decimal, signs.as_str()),
        Some('x' | 'X' | 'o') => (Class::Hexadecimal, signs.as_str()),
        // Letters behind it say what it points to.
        Some('p') => {
            let rest = signs.as_str().trim_start_matches(|sign: char| sign.is_ascii_alphanumeric());
            let class = match signs.next() {
                Some('I' | 'K' | 'M' | 'm' | 'N' | 'x' | 'U') => Class::Address,
                Some(sign) if sign.is_ascii_alphanumeric() => Class::Anything,
                _ => Class::Address,
            };
            (class, rest)
        }
        _ => (Class::Anything, signs.as_str()),
    }
}

fn push(parts: &mut Vec<PrintkPart>, text: Cow<'static, str>, class: Option<Class>) {
    match parts.last_mut() {
        Some(PrintkPart::Text(last)) => last.extend_from_slice(text.as_bytes()),
        _ if text.is_empty() => {}
        _ => parts.push(PrintkPart::Text(text.into_owned().into_bytes())),
    }
    parts.extend(class.map(PrintkPart::Any));
}
