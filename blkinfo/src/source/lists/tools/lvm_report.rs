//! `lvm fullreport --reportformat json`, and `lvs` in that form.

use std::collections::HashMap;

use serde_json::Value;

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{self, Named};
use super::super::note::Note;
use super::lsblk;
use super::lvs;

/// The first key of the report.
pub fn prints(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('{').trim_start();
    line.starts_with("\"report\":") || line.starts_with("\"report\" :")
}

/// Takes volumes with their numbers, and what they lie on.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let Some(report) = lsblk::json(devices, text) else { return };
    for group in report.get("report").and_then(Value::as_array).into_iter().flatten() {
        group_of_volumes(devices, group);
    }
}

fn rows<'v>(group: &'v Value, kind: &str) -> impl Iterator<Item = &'v Value> {
    group.get(kind).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(row: &'v Value, key: &str) -> Option<&'v str> {
    row.get(key).and_then(Value::as_str).map(str::trim).filter(|value| !value.is_empty())
}

fn group_of_volumes(devices: &mut ListedDevices, report: &Value) {
    let of_group = rows(report, "vg").find_map(|vg| text(vg, "vg_name"));
    // Segments name their volume by its UUID.
    let mut names: HashMap<&str, (&str, &str)> = HashMap::new();
    for lv in rows(report, "lv") {
        let full = text(lv, "lv_full_name").and_then(|full| full.split_once('/'));
        let name =
            text(lv, "lv_name").or(full.map(|(_, name)| name)).map(|name| name.trim_matches(['[', ']']));
        let vg = text(lv, "vg_name").or(full.map(|(vg, _)| vg)).or(of_group);
        let (Some(vg), Some(name)) = (vg, name) else { continue };
        names.extend(text(lv, "lv_uuid").map(|uuid| (uuid, (vg, name))));
        volume(devices, lv, (vg, name));
        lies_on(devices, lv, (vg, name));
    }
    for segment in rows(report, "seg") {
        if let Some(name) = text(segment, "lv_uuid").and_then(|uuid| names.get(uuid)) {
            lies_on(devices, segment, *name);
        }
    }
}

/// A volume that is active has a number.
fn volume(devices: &mut ListedDevices, lv: &Value, (vg, name): (&str, &str)) {
    let number = |key: &str| text(lv, key).and_then(|number| number.parse::<u32>().ok());
    let note = Note::default().fact(Fact::Type, "lvm");
    match (number("lv_kernel_major"), number("lv_kernel_minor")) {
        (Some(major), Some(minor)) => {
            let map = named::volume(vg, name);
            let map = map.strip_prefix("mapper/").unwrap_or(&map);
            let note = note.fact(Fact::DmName, map).fact(Fact::Number, &format!("{major}:{minor}"));
            devices.note(Named::Kernel(format!("dm-{minor}")), note);
        }
        _ => devices.note(lvs::mapped(vg, name), note),
    }
}

/// `"devices": "/dev/sdb1(0),/dev/sdc(5)"`.
fn lies_on(devices: &mut ListedDevices, row: &Value, (vg, name): (&str, &str)) {
    let on = text(row, "devices").into_iter().flat_map(|on| on.split(','));
    let below: Vec<Named> = on.filter_map(|device| lvs::below(vg, device)).collect();
    if !below.is_empty() {
        devices.note(lvs::mapped(vg, name), Note::default().below(below));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn volumes_of_a_full_report() {
        let text = r#"  {
      "report": [ {
          "vg": [ {"vg_name":"my-vg", "vg_uuid":"x"} ],
          "pv": [ {"pv_name":"/dev/sdb1"} ],
          "lv": [ {"lv_uuid":"u1", "lv_name":"a", "lv_full_name":"my-vg/a", "lv_kernel_major":"253", "lv_kernel_minor":"4"},
                  {"lv_uuid":"u2", "lv_name":"off", "lv_kernel_major":"-1", "lv_kernel_minor":"-1"} ],
          "seg": [ {"segtype":"linear", "devices":"/dev/sdb1(0)", "lv_uuid":"u1"},
                   {"segtype":"linear", "devices":"/dev/sdc(5)", "lv_uuid":"u1"} ]
      } ]
  }"#;
        let volume = block(&[("lvm_fullreport", text)], "dm-4").unwrap();
        assert_eq!(
            (volume.dev_path.as_str(), volume.slaves),
            ("/dev/mapper/my--vg-a", vec!["sdb1".to_owned(), "sdc".to_owned()])
        );
        assert_eq!(
            (volume.blk_type.to_string(), volume.major_minor.unwrap().to_string()),
            ("dm-lvm".into(), "253:4".into())
        );
    }
}
