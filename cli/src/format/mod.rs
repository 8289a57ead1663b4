//! Output formats, one file each. `Printer` selects the format.

mod info;
mod json;
mod list;
pub mod rules;
mod short;
mod stack;
mod status;
mod table;
mod text;

use std::io::{self, Write};

use jiff::tz::TimeZone;
use peripety_api::{BlockInfo, Rule, Status, StorageEvent};
use serde::Serialize;

use crate::args::Format;

/// How text for people is dressed.
pub struct Style {
    /// Use terminal colours.
    pub color: bool,
    /// The zone that times are shown in.
    pub zone: TimeZone,
}

/// A block device, with all that is below and above it, the nearest first.
#[derive(Serialize)]
pub struct Stack {
    #[serde(flatten)]
    pub info: BlockInfo,
    pub below: Vec<BlockInfo>,
    pub above: Vec<BlockInfo>,
}

/// Prints answers in the chosen format.
pub struct Printer<W: Write> {
    out: W,
    format: Format,
    style: Style,
}

impl<W: Write> Printer<W> {
    /// Nothing is written before the first answer.
    pub fn new(out: W, format: Format, color: bool, zone: TimeZone) -> Self {
        Self { out, format, style: Style { color, zone } }
    }

    /// One storage event.
    pub fn event(&mut self, event: &StorageEvent) -> io::Result<()> {
        match self.format {
            Format::Short => short::write(&mut self.out, event, &self.style),
            format => json::write(&mut self.out, event, format),
        }
    }

    /// One block device, in full.
    pub fn info(&mut self, stack: &Stack) -> io::Result<()> {
        match self.format {
            Format::Short => info::write(&mut self.out, stack, &self.style),
            format => json::write(&mut self.out, stack, format),
        }
    }

    /// Block devices, each in full; as JSON one object a device.
    pub fn details(&mut self, infos: &[BlockInfo]) -> io::Result<()> {
        if self.format != Format::Short {
            return self.json_each(infos, self.format);
        }
        for (place, info) in infos.iter().enumerate() {
            if place > 0 {
                writeln!(self.out)?;
            }
            let side = |names: &[String]| infos.iter().filter(|i| names.contains(&i.kdev)).cloned().collect();
            let stack = Stack { below: side(&info.slaves), above: side(&info.holders), info: info.clone() };
            info::write(&mut self.out, &stack, &self.style)?;
        }
        Ok(())
    }

    /// A table of block devices; as JSON one object a device.
    pub fn list(&mut self, infos: &[BlockInfo]) -> io::Result<()> {
        match self.format {
            Format::Short => list::write(&mut self.out, infos, &self.style),
            format => self.json_each(infos, format),
        }
    }

    /// The state of the daemon.
    pub fn status(&mut self, status: &Status) -> io::Result<()> {
        match self.format {
            Format::Short => status::write(&mut self.out, status, &self.style),
            format => json::write(&mut self.out, status, format),
        }
    }

    /// A table of rules; as JSON one object a rule.
    pub fn rules(&mut self, rules: &[Rule]) -> io::Result<()> {
        match self.format {
            Format::Short => rules::list(&mut self.out, rules, &self.style),
            format => self.json_each(rules, format),
        }
    }

    /// The rules of an event type; as JSON one object a rule.
    pub fn explanation(&mut self, explained: &rules::Explanation<'_>) -> io::Result<()> {
        match self.format {
            Format::Short => rules::explain(&mut self.out, explained, &self.style),
            format => self.json_each(&explained.rules, format),
        }
    }

    /// What the rules make of a line.
    pub fn tried(&mut self, tried: &rules::Tried<'_>) -> io::Result<()> {
        match self.format {
            Format::Short => rules::tried(&mut self.out, tried, &self.style),
            format => json::write(&mut self.out, tried, format),
        }
    }

    /// Hands everything written so far to the reader.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn json_each<T: Serialize>(&mut self, values: &[T], format: Format) -> io::Result<()> {
        values.iter().try_for_each(|value| json::write(&mut self.out, value, format))
    }
}

#[cfg(test)]
pub mod samples;
