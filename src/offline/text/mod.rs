//! Lines of text.

pub mod clean;
pub mod head;
mod inner;
mod join;
pub mod stamp;

use std::borrow::Cow;

use memchr::memchr;

use super::chunk::Chunk;
use super::found::{Found, Line};
use super::record;
use super::rules::Rules;
use crate::collector::early::BANNER;
use crate::journal::LOG_VALUE;
use crate::rules::Matched;
use head::Head;

/// The lines of a chunk that rules match, in order.
pub fn read(rules: &Rules, chunk: &Chunk) -> Vec<Found> {
    let (raw, own) = split(chunk);
    let lines: Vec<Cow<'_, [u8]>> = raw.into_iter().map(clean::line).collect();
    let known = |name: &[u8]| rules.knows(name);
    let heads: Vec<Head<'_>> = lines.iter().map(|line| head::read(line, &known)).collect();
    let mut found = Vec::new();
    let mut next = 0;
    for (index, head) in heads.iter().enumerate().take(own) {
        if index < next {
            continue;
        }
        let number = chunk.first_line + u64::try_from(index).unwrap_or(0);
        let line = lines.get(index).map_or(&b""[..], |line| line.as_ref());
        if let Some(json) = record::json::of_line(line) {
            found.extend(record::json::read(rules, json, number, 1));
            continue;
        }
        let following = heads.get(index + 1..).unwrap_or_default();
        if let Some(mut one) = one(rules, head, following, line) {
            one.line = number;
            next = index + usize::try_from(one.lines).unwrap_or(1);
            found.push(one);
        }
    }
    found
}

/// All lines of a chunk, cut to what is looked at, and how many are its own.
fn split(chunk: &Chunk) -> (Vec<&[u8]>, usize) {
    let mut lines = Vec::with_capacity(chunk.data.len() / 80);
    let (mut rest, mut own) = (chunk.data.as_slice(), 0);
    let ahead = chunk.data.len() - chunk.end;
    while !rest.is_empty() {
        own += usize::from(rest.len() > ahead);
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        lines.push(line.get(..LOG_VALUE).unwrap_or(line));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    (lines, own)
}

/// The event of one line, perhaps with those that follow.
fn one(rules: &Rules, head: &Head<'_>, following: &[Head<'_>], line: &[u8]) -> Option<Found> {
    // Where it is not certain what is a host or a writer, the longer text is tried, too.
    let longer = || Some(Head { body: head.other?, tool: None, ..head.clone() });
    if let Some(tool) = head.tool {
        return of_tool(rules, head, tool).or_else(|| lines(rules, &longer()?, following));
    }
    lines(rules, head, following)
        .or_else(|| lines(rules, &Head { host: None, ..longer()? }, following))
        .or_else(|| bare(rules, head, following, line))
}

/// The event of a line of the kernel, perhaps with those that follow.
fn lines(rules: &Rules, head: &Head<'_>, following: &[Head<'_>]) -> Option<Found> {
    if let Some((message, matched, lines)) = join::matched(rules, head, following) {
        return Some(found(head, b"kernel", message, matched, lines));
    }
    kernel(rules, head, head.body, head.kmsg)
}

fn of_tool(rules: &Rules, head: &Head<'_>, tool: &[u8]) -> Option<Found> {
    let message = head.body;
    // What multipath prints, its daemon prints, too, when it runs in a terminal.
    let names = [tool, if tool == b"multipath" { b"multipathd" } else { b"" }];
    names.into_iter().find_map(|name| {
        let matched = rules.matched(name, message)?;
        Some(found(head, name, message.to_vec(), matched, 1))
    })
}

fn kernel(rules: &Rules, head: &Head<'_>, body: &[u8], kmsg: bool) -> Option<Found> {
    let message = clean::message(body, kmsg);
    let trimmed = message.trim_ascii_start();
    let tries = [Some(message.as_ref()), (trimmed.len() < message.len()).then_some(trimmed)];
    for message in tries.into_iter().flatten() {
        if let Some(matched) = rules.matched(b"kernel", message) {
            return Some(found(head, b"kernel", message.to_vec(), matched, 1));
        }
    }
    (head.headed && message.starts_with(BANNER)).then(|| Found::banner(said(head, b"kernel", Vec::new())))
}

/// A line at whose beginning nothing is known: what a known form stands before, further inside, counts.
fn bare(rules: &Rules, head: &Head<'_>, following: &[Head<'_>], line: &[u8]) -> Option<Found> {
    if head.headed {
        return None;
    }
    let known = |name: &[u8]| rules.knows(name);
    let one = inner::heads(line, &known).find_map(|head| match head.tool {
        Some(tool) => of_tool(rules, &head, tool),
        None => {
            // Without a head, the body is the whole line.
            let bodies = following.iter().take(join::MAX_CONTINUATION_LINES).map(|next| next.body);
            let following: Vec<Head<'_>> =
                bodies.map_while(|body| inner::heads(body, &known).next()).collect();
            lines(rules, &head, &following)
        }
    });
    one
}

fn found(head: &Head<'_>, identifier: &[u8], message: Vec<u8>, matched: Matched, lines: u64) -> Found {
    Found::line(matched, 0, lines, said(head, identifier, message))
}

fn said(head: &Head<'_>, identifier: &[u8], message: Vec<u8>) -> Line {
    Line {
        message,
        identifier: identifier.to_vec(),
        host: head.host.map(<[u8]>::to_vec),
        level: head.level,
        boot: head.boot,
        wall: head.wall,
    }
}
