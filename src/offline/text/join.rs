//! Messages of several lines.
//!
//! The kernel logs some errors as one message with line breaks. dmesg and journalctl indent the following lines; other programs print them
//! with the same time stamp, or with none.

use super::clean;
use super::head::Head;
use crate::journal::LOG_VALUE;
use crate::offline::rules::Rules;
use crate::rules::Matched;

/// Number of lines after the first that are examined.
pub const MAX_CONTINUATION_LINES: usize = 4;

/// The message that begins with this line, if a rule matches it together with the following lines, and the number of its lines.
pub fn matched(rules: &Rules, first: &Head<'_>, following: &[Head<'_>]) -> Option<(Vec<u8>, Matched, u64)> {
    let candidate = following.first().filter(|next| goes_on(first, next))?;
    let indented = |head: &Head<'_>| head.body.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    if !indented(candidate) && !rules.may_go_on(first.body) {
        return None;
    }
    let count = following.iter().take(MAX_CONTINUATION_LINES).take_while(|next| goes_on(first, next)).count();
    (1..=count).rev().find_map(|count| {
        let rest = following.get(..count)?;
        [true, false].into_iter().find_map(|keep_blanks| {
            let message = joined(first, rest, keep_blanks);
            let matched = rules.takes_several(&message).then(|| rules.matched(b"kernel", &message))??;
            Some((message, matched, u64::try_from(count).unwrap_or(0) + 1))
        })
    })
}

/// Whether the next line can continue the message of the first.
fn goes_on(first: &Head<'_>, next: &Head<'_>) -> bool {
    let same = (first.boot, first.wall, first.host) == (next.boot, next.wall, next.host);
    next.tool.is_none() && !next.body.is_empty() && (!next.headed || same)
}

fn joined(first: &Head<'_>, rest: &[Head<'_>], keep_blanks: bool) -> Vec<u8> {
    let mut message = clean::message(first.body.trim_ascii_end(), first.kmsg).into_owned();
    for line in rest {
        let mut body = line.body.trim_ascii_end();
        if !keep_blanks {
            body = body.trim_ascii_start();
        } else if !line.headed {
            let blanks = body.iter().take(first.width).take_while(|byte| **byte == b' ').count();
            body = body.get(blanks..).unwrap_or_default();
        }
        message.push(b'\n');
        message.extend_from_slice(body);
    }
    message.truncate(LOG_VALUE);
    message
}
