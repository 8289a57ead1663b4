//! Reading and writing the text format of [`Recorded`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::iter::Peekable;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::recorded::{Node, Recorded};
use crate::error::Error;
use crate::escape::push_hex;

const HEADER: &str = "# peripety device tree 1";
/// At the end of a content line: no newline follows here.
const NO_NEWLINE: &str = "\\c";

type Lines<'a> = Peekable<std::iter::Zip<std::ops::RangeFrom<usize>, std::str::Lines<'a>>>;

pub(super) fn parse(text: &str) -> Result<Recorded, Error> {
    let mut lines: Lines<'_> = (1..).zip(text.lines()).peekable();
    if lines.next().map(|(_, line)| line.trim_end()) != Some(HEADER) {
        let problem = "this is not the first line of a recorded device tree".to_owned();
        return Err(Error::BadText {
            line: 1,
            problem,
            remedy: "the file must begin with \"# peripety device tree 1\"",
        });
    }
    nodes(lines)
}

/// What is gone, and what is new.
pub(super) fn parse_changes(text: &str) -> Result<(Vec<PathBuf>, Recorded), Error> {
    let mut gone = Vec::new();
    let mut lines: Lines<'_> = (1..).zip(text.lines()).peekable();
    while let Some((line, content)) =
        lines.next_if(|(_, content)| content.is_empty() || content.starts_with(['#', '-']))
    {
        if let Some(path) = content.strip_prefix("- ") {
            let bad = |(problem, remedy)| Error::BadText { line, problem, remedy };
            gone.push(checked_path(path).map_err(bad)?);
        }
    }
    Ok((gone, nodes(lines)?))
}

fn nodes(mut lines: Lines<'_>) -> Result<Recorded, Error> {
    let mut tree = Recorded::default();
    while let Some((line, content)) = lines.next() {
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let bad = |(problem, remedy)| Error::BadText { line, problem, remedy };
        let (path, node) = entry(content, &mut lines).map_err(bad)?;
        tree.insert(&path, node)
            .map_err(|problem| bad((problem, "give each path once, and nothing below a file or link")))?;
    }
    Ok(tree)
}

/// What is wrong with a line, and what would be right.
type Problem = (String, &'static str);

fn entry(line: &str, more: &mut Lines<'_>) -> Result<(PathBuf, Node), Problem> {
    const FORMS: &str =
        "write `PATH -> TARGET`, `PATH = CONTENT`, `PATH =` and lines after a TAB, or `PATH/`";
    if line.starts_with('\t') {
        return Err((
            "content without a file".to_owned(),
            "a line after a TAB belongs below a line `PATH =`",
        ));
    }
    let (path, rest) = line.split_once(' ').unwrap_or((line, ""));
    let node = match rest.split_once(' ').unwrap_or((rest, "")) {
        ("->", target) if !target.is_empty() => {
            Node::Link(PathBuf::from(OsString::from_vec(unescape(target)?)))
        }
        ("=", "") if rest == "=" => Node::File(block(more)?),
        ("=", content) => Node::File(content_line(content)?),
        ("", "") if path.ends_with('/') => Node::Dir(BTreeSet::new()),
        _ => return Err((format!("{line:?} is none of the known forms"), FORMS)),
    };
    Ok((checked_path(path)?, node))
}

/// The lines of a file that follow, each after one TAB.
fn block(lines: &mut Lines<'_>) -> Result<Vec<u8>, Problem> {
    let mut content = Vec::new();
    while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with('\t')) {
        content.extend(content_line(line.strip_prefix('\t').unwrap_or(line))?);
    }
    Ok(content)
}

fn content_line(line: &str) -> Result<Vec<u8>, Problem> {
    // An escaped backslash before a `c` is no mark: an odd number of backslashes is.
    let backslashes =
        line.strip_suffix('c').map_or(0, |l| l.bytes().rev().take_while(|b| *b == b'\\').count());
    if backslashes % 2 == 1 {
        return unescape(line.strip_suffix(NO_NEWLINE).unwrap_or(line));
    }
    let mut bytes = unescape(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn checked_path(escaped: &str) -> Result<PathBuf, Problem> {
    const REMEDY: &str = "a path begins with / and has no empty, `.` or `..` component and no NUL";
    let bytes = unescape(escaped.strip_suffix('/').unwrap_or(escaped))?;
    let good = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
    match bytes.strip_prefix(b"/") {
        Some(rest) if rest.split(|b| *b == b'/').all(good) => Ok(PathBuf::from(OsString::from_vec(bytes))),
        _ => Err((format!("bad path {escaped:?}"), REMEDY)),
    }
}

fn unescape(text: &str) -> Result<Vec<u8>, Problem> {
    const REMEDY: &str = "after a backslash write xNN (two hexadecimal digits) or a second backslash";
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('\\');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // Two backslashes in a row: the text behind the second one is literal.
            let literal = parts.next().ok_or_else(|| ("a lone backslash at the end".to_owned(), REMEDY))?;
            bytes.push(b'\\');
            bytes.extend(literal.bytes());
            continue;
        }
        let hex = part
            .strip_prefix('x')
            .and_then(|p| p.get(..2))
            .filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = hex.and_then(|h| u8::from_str_radix(h, 16).ok());
        bytes.push(byte.ok_or_else(|| (format!("unknown escape \\{part:.3}"), REMEDY))?);
        bytes.extend(part.bytes().skip(3));
    }
    Ok(bytes)
}

pub(super) fn write(nodes: &BTreeMap<PathBuf, Node>) -> String {
    let mut text = format!("{HEADER}\n");
    for (path, node) in nodes {
        match node {
            Node::Link(target) => text += &format!("{} -> {}\n", escape_path(path), escape_path(target)),
            Node::File(content) => {
                text += &escape_path(path);
                text += " =";
                write_content(&mut text, content);
            }
            Node::Dir(names) if names.is_empty() => text += &format!("{}/\n", escape_path(path)),
            Node::Dir(_) => {}
        }
    }
    text
}

/// One line stands behind the `=`, unless it is blank (an editor that strips blanks would change it); others follow.
fn write_content(text: &mut String, content: &[u8]) {
    let lines: Vec<&[u8]> = content.split_inclusive(|b| *b == b'\n').collect();
    let single = lines.len() == 1 && content != b"\n";
    for line in &lines {
        text.push_str(match single {
            true => " ",
            false if text.ends_with('\n') => "\t",
            false => "\n\t",
        });
        let (line, end) = line.strip_suffix(b"\n").map_or((*line, NO_NEWLINE), |line| (line, ""));
        escape(text, line, false);
        text.push_str(end);
        text.push('\n');
    }
    if lines.is_empty() {
        text.push('\n');
    }
}

fn escape_path(path: &Path) -> String {
    let mut text = String::new();
    escape(&mut text, path.as_os_str().as_bytes(), true);
    text
}

/// Escapes backslashes, control characters, what is not UTF-8, and blanks: all of them, or the last one of the line.
fn escape(text: &mut String, bytes: &[u8], all_blanks: bool) {
    let body = bytes.strip_suffix(b" ").filter(|_| !all_blanks);
    for chunk in body.unwrap_or(bytes).utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                ' ' if all_blanks => push_hex(text, b' '),
                c if c.is_control() => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| push_hex(text, b)),
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|b| push_hex(text, *b));
    }
    if body.is_some() {
        push_hex(text, b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn tree(lines: &str) -> Result<Recorded, Error> {
        parse(&format!("{HEADER}\n{lines}"))
    }

    #[test]
    fn every_form_reads_back() {
        let tree = tree(concat!(
            "# a comment\n\n/a/link -> ../b\n/a/one = 8:0\n/a/empty =\n/a/blank =\n\t\n/a/many =\n\tx y\n\t\tz\n",
            "/a/no\\x20newline = abc\\c\n/a/no-mark = abc\\\\c\n/a/bytes = \\x00\\xff\\\\ \\x20\n/a/directory/\n"
        ))
        .unwrap();
        let read = |path: &str| tree.read(Path::new(path)).unwrap();
        assert_eq!(read("/a/one"), b"8:0\n");
        assert_eq!(read("/a/empty"), b"");
        assert_eq!(read("/a/blank"), b"\n");
        assert_eq!(read("/a/many"), b"x y\n\tz\n");
        assert_eq!(read("/a/no newline"), b"abc");
        assert_eq!(read("/a/no-mark"), b"abc\\c\n");
        assert_eq!(read("/a/bytes"), b"\0\xff\\  \n");
        assert_eq!(tree.read_link(Path::new("/a/link")).unwrap(), Path::new("../b"));
        assert_eq!(tree.read_dir(Path::new("/a/directory")).unwrap().len(), 0);
        assert_eq!(tree.read_dir(Path::new("/a")).unwrap().len(), 9);
        assert_eq!(parse(&tree.to_text()).unwrap(), tree);
    }

    #[test]
    fn any_content_survives_writing() {
        let contents: [&[u8]; 10] = [
            b"",
            b"\n",
            b"\n\n",
            b" ",
            b"a ",
            b"a \n b\t\n",
            b"\\c",
            b"x\\",
            b"caf\xc3\xa9\xff\x7f\xc2\x85\n",
            b"a\nb",
        ];
        for content in contents {
            let mut tree = Recorded::default();
            tree.insert(Path::new("/x y/\u{1}"), Node::File(content.to_vec())).unwrap();
            let text = tree.to_text();
            assert_eq!(parse(&text).unwrap_or_else(|e| panic!("{content:?}: {text}: {e}")), tree, "{text}");
            assert!(text.lines().all(|line| line.trim_end().len() == line.len() || line == "\t"), "{text:?}");
        }
    }

    #[test]
    fn bad_text_is_named_by_line() {
        let cases = [
            ("/a\n", 2, "none of the known forms"),
            ("/a = 1\n/a = 2\n", 3, "/a is there already"),
            ("/a = 1\n/a/b = 2\n", 3, "/a is not a directory"),
            ("/a/b = 1\n/a -> x\n", 3, "/a is there already"),
            ("\tx\n", 2, "content without a file"),
            ("/a/../b = 1\n", 2, "bad path"),
            ("a = 1\n", 2, "bad path"),
            ("/ = 1\n", 2, "bad path"),
            ("/a\\x00 = 1\n", 2, "bad path"),
            ("/a = \\q\n", 2, "unknown escape \\q"),
            ("/a = \\x+1\n", 2, "unknown escape"),
            ("/a = \\\n", 2, "lone backslash"),
            ("/a ->\n", 2, "none of the known forms"),
            ("\n/a => b\n", 3, "none of the known forms"),
        ];
        for (text, line, part) in cases {
            let error = tree(text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}:")) && error.contains(part), "{text:?}: {error}");
        }
        for text in ["", "/a = 1", "# peripety device tree 2\n"] {
            assert!(parse(text).unwrap_err().to_string().contains("line 1:"), "{text:?}");
        }
    }

    #[test]
    fn loops_end() {
        let tree = tree("/a -> b\n/b -> a\n").unwrap();
        assert!(tree.read(Path::new("/a")).is_err());
    }
}
