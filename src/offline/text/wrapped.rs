//! Lines that were wrapped by a mail program, a forum or a terminal: the continuation has no head.

use super::head::Head;
use crate::journal::LOG_VALUE;

/// Continuation lines that are tried.
const MAX_WRAPPED_LINES: usize = 3;
/// Shorter lines are not considered wrapped.
const MIN_WRAPPED_BYTES: usize = 24;
/// Nor are longer ones.
const MAX_WRAPPED_BYTES: usize = 1024;

/// Possible messages of a line and its continuations (wrapped at a blank or within a word), and the number of lines of each.
pub fn messages(first: &Head<'_>, following: &[Head<'_>]) -> Vec<(Vec<u8>, u64)> {
    let begin = first.body.trim_ascii_end();
    let wrapped = (MIN_WRAPPED_BYTES..MAX_WRAPPED_BYTES).contains(&(first.width + begin.len()));
    let goes_on = |next: &&Head<'_>| {
        !next.headed && !next.body.trim_ascii().is_empty() && next.body.len() < MAX_WRAPPED_BYTES
    };
    if !wrapped || !following.first().is_some_and(|next| goes_on(&next)) {
        return Vec::new();
    }
    let mut all = Vec::new();
    let (mut blank, mut hard) = (begin.to_vec(), begin.to_vec());
    for (count, next) in (2..).zip(following.iter().take(MAX_WRAPPED_LINES).take_while(goes_on)) {
        let part = next.body.trim_ascii();
        blank.push(b' ');
        blank.extend_from_slice(part);
        hard.extend_from_slice(part);
        for message in [&mut blank, &mut hard] {
            message.truncate(LOG_VALUE);
            all.push((message.clone(), count));
        }
    }
    all
}
