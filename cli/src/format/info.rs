//! A block device in full: a label and a value a line, lists with one value a line.

use std::io::{self, Write};

use peripety_api::sanitize::visible;
use peripety_api::{BlockInfo, BlockPath, Fact, FactValue};

use super::stack::{Branch, DevicesByName};
use super::table::or_dash;
use super::text::{size, styled, BOLD};
use super::{Stack, Style};

/// Writes the device with everything below and above it; unknown values are omitted.
pub fn write<W: Write>(out: &mut W, stack: &Stack, style: &Style) -> io::Result<()> {
    let rows = rows(stack);
    let width = rows.iter().map(|(label, _)| label.chars().count() + 1).max().unwrap_or(0);
    for (label, values) in &rows {
        let mut label = format!("{label}:");
        for value in values {
            let padded = format!("{label:width$}");
            writeln!(out, "{} {}", styled(&padded, BOLD, style.color), visible(value))?;
            label.clear();
        }
    }
    Ok(())
}

/// Fields that come first and last. All others are between them, in the order of the interface.
const FIRST: [&str; 3] = ["kdev", "dev_path", "stable_path"];
const LAST: [&str; 5] = ["transport", "fs_type", "fs_uuid", "fs_label", "mount_points"];

type LabelledValues = (String, Vec<String>);

fn rows(stack: &Stack) -> Vec<LabelledValues> {
    let info = &stack.info;
    let row = |label: &str, values: Vec<String>| (label.to_owned(), values);
    let mut rows = labelled(info);
    rows.push(row("Paths", info.paths.iter().map(path).collect()));
    rows.push(row("Built from", side(info, &stack.below, |info| &info.slaves)));
    rows.push(row("Used by", side(info, &stack.above, |info| &info.holders)));
    let extension = info.extension.iter().filter(|(key, _)| *key != "transport");
    rows.extend(extension.map(|(key, value)| row(&visible(key), vec![value.clone()])));
    rows.retain(|(_, values)| !values.is_empty());
    rows
}

/// The fields that have a label. Flags with the same label share a line: `removable, rotational, read-only`, or those of them that
/// hold.
fn labelled(info: &BlockInfo) -> Vec<LabelledValues> {
    let mut facts: Vec<Fact<'_>> = info.facts().into_iter().collect();
    facts.sort_by_key(|fact| {
        let place_in = |names: &[&str]| names.iter().position(|name| *name == fact.name);
        (place_in(&FIRST).unwrap_or(FIRST.len()), place_in(&LAST).map_or(0, |place| place + 1))
    });
    let mut rows: Vec<LabelledValues> = Vec::new();
    for fact in facts {
        let Some(label) = fact.label else { continue };
        let values = values(info, &fact);
        match rows.iter_mut().find(|(known, _)| known == label) {
            Some((_, known)) => join(known, values),
            None => rows.push((label.to_owned(), values)),
        }
    }
    rows
}

/// Adds values to those of the same label, on one line.
fn join(known: &mut Vec<String>, more: Vec<String>) {
    known.extend(more);
    if known.len() > 1 {
        *known = vec![known.join(", ")];
    }
}

/// What is shown of a field, a line each.
fn values(info: &BlockInfo, fact: &Fact<'_>) -> Vec<String> {
    match (fact.name, fact.value) {
        ("size", FactValue::Number(bytes)) => vec![format!("{} ({bytes} bytes)", size(bytes))],
        ("stable_path", FactValue::Text(path)) if path == info.dev_path => Vec::new(),
        ("dev_wwid", FactValue::Null) => vec!["-".to_owned()],
        (name, FactValue::Flag(true)) => vec![name.replace('_', "-")],
        (_, FactValue::Null | FactValue::Flag(false)) => Vec::new(),
        (_, FactValue::Texts(texts)) => texts.to_vec(),
        (_, value) => value.single().into_iter().collect(),
    }
}

fn path(path: &BlockPath) -> String {
    let facts = [&path.address, &path.state, &path.access_state].map(|fact| or_dash(fact.as_deref()));
    let preferred = if path.preferred == Some(true) { ", preferred" } else { "" };
    let dm = path.dm_state.as_ref().map(|state| format!(", dm {state}")).unwrap_or_default();
    format!("{} {} {} {}{dm}{preferred}", path.kdev, facts[0], facts[1], facts[2])
}

/// One side of the stack as a tree, without the device itself.
fn side(info: &BlockInfo, others: &[BlockInfo], next: fn(&BlockInfo) -> &[String]) -> Vec<String> {
    let devices = DevicesByName::new(others);
    let tree = devices.tree(info, next);
    let line = |branch: &Branch<'_>| {
        let info = branch.info;
        let mounted = info.mount_points.iter().map(|point| format!(" {point}")).collect::<String>();
        let name = format!("{}{} {}", branch.drawing, info.dev_path, info.blk_type);
        format!("{name} {}{mounted}", or_dash(info.dev_wwid.as_deref()))
    };
    tree.iter().skip(1).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;
    use jiff::tz::TimeZone;

    fn text(info: &BlockInfo) -> String {
        let mut out = Vec::new();
        let stack = Stack { info: info.clone(), below: vec![samples::disk()], above: Vec::new() };
        write(&mut out, &stack, &Style { color: false, zone: TimeZone::UTC }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn aligned_and_complete() {
        let expected = "\
Device:     dm-1
Path:       /dev/mapper/vg-lv
Number:     253:1
Type:       dm-lvm
WWID:       LVM-jM0Tz8
Size:       10GiB (10737418240 bytes)
Serial:     S1
Medium:     rotational, read-only
Transport:  iSCSI
Content:    ext4
UUID:       47841ee5-047d-4f73-8951-5a3d7a4c770e
Label:      data
Mounted on: /mnt/data
            /srv/with space
Paths:      sdb 2:0:0:1 running active/optimized, dm active, preferred
Built from: └─/dev/sda scsi naa.5000
lv_name:    lv
";
        assert_eq!(text(&samples::info()), expected);
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let text = text(&samples::bare_info());
        assert!(text.contains("WWID:   -\n"), "{text}");
        for label in ["Transport", "Content", "UUID", "Label", "Mounted on", "Used by"] {
            assert!(!text.contains(label), "{text}");
        }
    }

    #[test]
    fn a_label_cannot_forge_a_line() {
        let mut info = samples::info();
        info.fs_label = Some("x\nWWID: forged\x1b[1m".to_owned());
        info.extension.insert("a\nb".to_owned(), "c".to_owned());
        let text = text(&info);
        assert!(text.contains(r"x\nWWID: forged\x1b[1m"), "{text}");
        assert!(text.contains(r"a\nb: "), "{text}");
    }
}
