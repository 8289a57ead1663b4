//! How far a regex agrees with a line that it does not match.

use regex::bytes::Regex;
use regex_syntax::hir::{Hir, HirKind};
use regex_syntax::ParserBuilder;

/// How many bytes of the line, from its beginning, the regex agrees with: where the longest
/// leading part of the regex that is found in the line ends. 0 when not even its beginning is.
pub fn reach(pattern: &str, unicode: bool, line: &[u8]) -> usize {
    let parsed = ParserBuilder::new().unicode(unicode).utf8(false).build().parse(pattern);
    let Ok(hir) = parsed else { return 0 };
    let mut parts = Vec::new();
    flatten(&hir, &mut parts);
    // A shorter leading part is found wherever a longer one is: bisect.
    let (mut good, mut bad, mut end) = (0, parts.len() + 1, 0);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match end_of(parts.get(..middle).unwrap_or_default(), line) {
            Some(found) => (good, end) = (middle, found),
            None => bad = middle,
        }
    }
    end + parts.get(good).map_or(0, |next| in_common(next, line.get(end..).unwrap_or_default()))
}

/// The regex as a sequence of parts.
fn flatten(hir: &Hir, parts: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Concat(subs) => subs.iter().for_each(|sub| flatten(sub, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir.clone()),
    }
}

/// Where the parts, in sequence, are found.
fn end_of(parts: &[Hir], line: &[u8]) -> Option<usize> {
    // A parsed regex prints with its flags, so that none need be set here.
    let head = Regex::new(&Hir::concat(parts.to_vec()).to_string()).ok()?;
    head.find(line).map(|found| found.end())
}

/// Bytes that a literal and the line have in common.
fn in_common(part: &Hir, line: &[u8]) -> usize {
    match part.kind() {
        HirKind::Literal(literal) => literal.0.iter().zip(line).take_while(|(a, b)| a == b).count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_where_the_line_differs() {
        let pattern = r"^sd (?P<kdev>sd[a-z]+): worn by (?P<percent>\d+)%\s*$";
        for (line, agreed) in [
            ("sd sdb: worn by 90%", "sd sdb: worn by 90%"),
            ("sd sdb: worn by 90", "sd sdb: worn by 90"),
            ("sd sdb: worn by much%", "sd sdb: worn by "),
            ("sd sdb: worn out", "sd sdb: worn "),
            ("sd sdb: worn by 90% since May", "sd sdb: worn by 90% "),
            ("sd nvme0: worn", "sd "),
            ("st st0: worn", "s"),
            ("EXT4-fs", ""),
        ] {
            assert_eq!(reach(pattern, false, line.as_bytes()), agreed.len(), "{line}");
        }
        assert_eq!(reach("(", false, b"x"), 0);
        assert_eq!(reach(r"^Größe (?:\d+)$", true, "Größe keine".as_bytes()), "Größe ".len());
        assert_eq!(reach(r"(?i)^abc \xff", false, b"ABC def"), 4);
    }
}
