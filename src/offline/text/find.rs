//! Finds the rule for a line, possibly together with the lines that follow.

use super::clean;
use super::head::Head;
use super::near::Nearby;
use super::{bare, csv, join, wrapped};
use crate::collector::early::BANNER;
use crate::offline::found::{Found, TextLine};
use crate::offline::rules::Rules;
use crate::rules::Matched;

/// A line and its context.
pub struct LineContext<'p, 'l> {
    /// The rules.
    pub rules: &'p Rules,
    /// Its head.
    pub head: &'p Head<'l>,
    /// The lines that follow.
    pub following: &'p [Head<'l>],
    /// The whole line.
    pub line: &'l [u8],
    /// Identifiers of the program that writes the file, by its name.
    pub writers: &'p [Box<str>],
    /// The times of its neighbours.
    pub nearby: Nearby,
    /// The host of its neighbour, for a line without a time.
    pub host: Option<&'l [u8]>,
}

impl<'l> LineContext<'_, 'l> {
    /// The event of the line, possibly together with following lines.
    pub fn found(&self) -> Option<Found> {
        let alone = self.alone();
        let found = match alone {
            Some(found) if !found.is_vague() => Some(found),
            vague => self.wrapped().or(vague),
        };
        found.map(|found| self.with_dictionary(found))
    }

    /// The event of the line if it was not wrapped.
    fn alone(&self) -> Option<Found> {
        let head = self.head;
        let longer = || Some(Head { body: head.other?, tool: None, aliases: &[], ..head.clone() });
        if let Some(tool) = head.tool {
            // If it is not certain that this is a program's name, the longer text is tried, too.
            return self
                .of_tool(head, tool)
                .or_else(|| self.of_kernel(&longer()?))
                .or_else(|| self.of_cells());
        }
        self.of_kernel(head)
            .or_else(|| self.of_kernel(&Head { host: None, ..longer()? }))
            .or_else(|| self.of_writer())
            .or_else(|| self.bare())
            .or_else(|| self.of_cells())
    }

    /// The event of a kernel message, or of a line without the name of a program.
    fn of_kernel(&self, head: &Head<'_>) -> Option<Found> {
        if let Some((message, matched, lines)) = join::matched(self.rules, head, self.following) {
            return Some(self.take(head, "kernel", message, matched, lines));
        }
        let message = clean::message(head.body, head.kmsg);
        let trimmed = message.trim_ascii_start();
        let tries = [Some(message.as_ref()), (trimmed.len() < message.len()).then_some(trimmed)];
        for message in tries.into_iter().flatten() {
            if let Some(matched) = self.rules.matched(b"kernel", message) {
                return Some(self.take(head, "kernel", message.to_vec(), matched, 1));
            }
        }
        let is_banner = head.headed && message.starts_with(BANNER);
        is_banner.then(|| Found::boot(self.said(head, b"kernel", Vec::new())))
    }

    fn of_tool(&self, head: &Head<'_>, tool: &[u8]) -> Option<Found> {
        let message = clean::message(head.body, false);
        self.names_of(head, tool).find_map(|name| {
            let matched = self.rules.matched(name, &message)?;
            Some(self.take_bytes(head, name, message.to_vec(), matched, 1))
        })
    }

    /// The identifiers under which rules may know a tool.
    fn names_of<'n>(&'n self, head: &Head<'n>, tool: &'n [u8]) -> impl Iterator<Item = &'n [u8]> {
        // multipathd prints the same messages as multipath when it runs in a terminal.
        let twin: &[u8] = if tool == b"multipath" { b"multipathd" } else { b"" };
        let aliases = head.aliases.iter().map(|name| name.as_bytes());
        let writers = self.writers.iter().map(|name| name.as_bytes()).filter(|_| !head.aliases.is_empty());
        let own = std::iter::once(tool).filter(|_| head.aliases.is_empty());
        own.chain(writers).chain(aliases).chain([twin]).filter(|name| self.rules.knows(name))
    }

    /// The event of a line in a log file that is named after its program.
    fn of_writer(&self) -> Option<Found> {
        let body = self.head.other.unwrap_or(self.head.body);
        if self.writers.is_empty() || self.head.kernel || self.head.boot.is_some() {
            return None;
        }
        let message = clean::message(body, false);
        self.writers.iter().find_map(|name| {
            let matched = self.rules.matched(name.as_bytes(), &message)?;
            Some(self.take(self.head, name, message.to_vec(), matched, 1))
        })
    }

    fn bare(&self) -> Option<Found> {
        if self.head.headed {
            return None;
        }
        let known = |name: &[u8]| self.rules.knows(name);
        let found = bare::readings(self.line, &known).find_map(|head| match head.tool {
            Some(tool) => self.of_tool(&head, tool),
            None => {
                // Without a head, the body is the whole line.
                let bodies = self.following.iter().take(join::MAX_CONTINUATION_LINES).map(|next| next.body);
                let following: Vec<Head<'_>> =
                    bodies.map_while(|body| super::inner::heads(body, &known).next()).collect();
                LineContext { following: &following, ..*self }.of_kernel(&head)
            }
        });
        found
    }

    /// The event in a cell of a table.
    fn of_cells(&self) -> Option<Found> {
        let known = |name: &[u8]| self.rules.knows(name);
        let row = csv::row(self.line, self.head, &known)?;
        let found = row.messages().find_map(|head| match head.tool {
            Some(tool) => self.of_tool(&head, tool),
            None => LineContext { following: &[], ..*self }.of_kernel(&head),
        });
        found
    }

    fn wrapped(&self) -> Option<Found> {
        let name = self.head.tool.unwrap_or(b"kernel");
        if !self.rules.knows(name) {
            return None;
        }
        let (message, matched, lines) =
            wrapped::messages(self.head, self.following).into_iter().find_map(|(message, lines)| {
                let matched = self.rules.matched(name, &message).filter(|matched| !matched.rule.catch_all)?;
                Some((message, matched, lines))
            })?;
        // A following line that matches by itself is not the rest of this one.
        let rest =
            self.following.first().and_then(|next| self.rules.matched(b"kernel", next.body.trim_ascii()));
        if rest.is_some_and(|rest| !rest.rule.catch_all) {
            return None;
        }
        Some(self.take_bytes(self.head, name, message, matched, lines))
    }

    /// Adds the dictionary of the kernel's record, which names the device (Documentation/ABI/testing/dev-kmsg).
    fn with_dictionary(&self, mut found: Found) -> Found {
        let behind =
            usize::try_from(found.lines).ok().and_then(|lines| self.following.get(lines.saturating_sub(1)..));
        for next in behind.unwrap_or_default().iter().take(2).take_while(|next| !next.headed) {
            let text = next.body.trim_ascii();
            match text.strip_prefix(b"DEVICE=") {
                Some(device) => found.set_kernel_device(device),
                None if text.starts_with(b"SUBSYSTEM=") => {}
                None => break,
            }
            found.lines += 1;
        }
        found
    }

    fn take(&self, head: &Head<'_>, name: &str, message: Vec<u8>, matched: Matched, lines: u64) -> Found {
        self.take_bytes(head, name.as_bytes(), message, matched, lines)
    }

    fn take_bytes(
        &self,
        head: &Head<'_>,
        name: &[u8],
        message: Vec<u8>,
        matched: Matched,
        lines: u64,
    ) -> Found {
        Found::line(matched, 0, lines, self.said(head, name, message))
    }

    fn said(&self, head: &Head<'_>, identifier: &[u8], message: Vec<u8>) -> TextLine {
        // A line with a time of its own does not continue the previous one.
        let inherited = self.host.filter(|_| head.boot.is_none() && head.wall.is_none());
        TextLine {
            message,
            identifier: identifier.to_vec(),
            host: head.host.or(inherited).map(<[u8]>::to_vec),
            level: head.level,
            boot: head.boot.or(self.head.boot),
            wall: head.wall.or(self.head.wall),
            nearby: self.nearby,
            kernel_device: None,
        }
    }
}
