//! `ListRules` and `TestRule`. They hold no event data, so that anyone may call them.

use peripety_api::{ErrorReply, ListRulesParameters};

use super::api::invalid;
use super::frame::{FrameWriter, Gone};
use super::peer::Peer;
use crate::journal::LOG_VALUE;
use crate::rules::{shown, RuleSet};

/// Longest line of a client that may not read events. Others may test lines as long as the collector reads.
const MAX_UNPRIVILEGED_LINE: usize = 8 * 1024;

/// Replies with the rules in force. Each is encoded when the client is about to take it.
pub async fn list(rules: &RuleSet, wanted: &ListRulesParameters, writer: &FrameWriter) -> Result<(), Gone> {
    let mut reply = writer.list("rules");
    for rule in shown::list(rules, wanted) {
        reply.item(&peripety_api::Rule::from(rule.as_ref())).await?;
    }
    reply.end::<()>(&[]).await
}

/// Refuses a line that is too long to be tried.
pub fn check_length(line: &str, peer: Peer) -> Result<(), ErrorReply> {
    let longest = if peer.may_read { LOG_VALUE } else { MAX_UNPRIVILEGED_LINE };
    match line.len() <= longest {
        true => Ok(()),
        false => Err(invalid("line", &format!("{} bytes; at most {longest} can be tried", line.len()))),
    }
}
