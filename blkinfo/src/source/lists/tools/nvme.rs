//! `nvme list`, the table and JSON (`-o json`), of old and new versions of nvme-cli.

use serde_json::Value;

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::Named;
use super::super::note::Note;
use super::super::table::{value, Table};
use super::{lsblk, nvme_subsys};

/// Nested objects.
const MAX_DEPTH: usize = 16;

/// It is the JSON, as far as is seen.
pub fn is_json(text: &str) -> bool {
    text.contains("\"Devices\"") && (text.contains("\"DevicePath\"") || text.contains("\"HostNQN\""))
}

/// The head of the table, or a key of the JSON.
pub fn prints(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let head = words.next() == Some("Node") && words.any(|word| word == "SN");
    head || line.trim_start().starts_with("\"DevicePath\"")
        || line.trim_start().starts_with("\"HostNQN\"")
        || is_json(line)
        || nvme_subsys::prints(line)
}

/// Takes namespaces.
pub fn take(devices: &mut ListedDevices, command: &str, text: &str) {
    if nvme_subsys::is_json(text) || text.lines().any(nvme_subsys::is_head) {
        nvme_subsys::take(devices, command, text);
        return;
    }
    if is_json(text) {
        let value = lsblk::json(devices, text);
        value.iter().for_each(|value| object(devices, value, (None, None), 0));
        return;
    }
    let mut table: Option<Table> = None;
    for line in text.lines() {
        if prints(line) {
            table = Some(Table::new(line));
        } else if let Some(table) = table.as_ref().filter(|_| line.starts_with("/dev/nvme")) {
            let row = table.row(line);
            let Some(node) = value(&row, "Node") else { continue };
            note(devices, node.split(' ').next().unwrap_or(node), (value(&row, "SN"), value(&row, "Model")));
        }
    }
}

/// Serial number and model.
type About<'v> = (Option<&'v str>, Option<&'v str>);

fn note(devices: &mut ListedDevices, node: &str, (serial, model): About<'_>) {
    let kname = node.strip_prefix("/dev/").unwrap_or(node);
    let note = Note::default().maybe(Fact::Serial, serial).maybe(Fact::Model, model);
    devices.note(Named::kernel(kname), note);
}

fn object<'v>(devices: &mut ListedDevices, value: &'v Value, about: About<'v>, depth: usize) {
    let text = |value: &'v Value, name: &str| value.get(name).and_then(Value::as_str);
    match value {
        Value::Array(all) if depth < MAX_DEPTH => {
            all.iter().for_each(|one| object(devices, one, about, depth + 1))
        }
        Value::Object(all) if depth < MAX_DEPTH => {
            // In new versions the controllers, which have the serial number, stand beside the namespaces.
            let controller = value.get("Controllers").and_then(|all| all.get(0));
            let found = |name: &str| text(value, name).or_else(|| text(controller?, name));
            let about = (found("SerialNumber").or(about.0), found("ModelNumber").or(about.1));
            if let Some(node) = text(value, "DevicePath").or_else(|| text(value, "NameSpace")) {
                note(devices, node, about);
            }
            all.values().for_each(|one| object(devices, one, about, depth + 1));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn all_forms_of_the_list() {
        let table = "\
Node             SN                   Model                                    Namespace Usage                      Format           FW Rev
---------------- -------------------- ---------------------------------------- --------- -------------------------- ---------------- --------
/dev/nvme0n1     S4EVNF0M1            Samsung SSD 970 EVO 500GB                1         500.11  GB / 500.11  GB    512   B +  0 B   2B2QEXE7
";
        let old = r#"{"Devices":[{"NameSpace":1,"DevicePath":"/dev/nvme0n1","ModelNumber":"Samsung SSD 970 EVO 500GB","SerialNumber":"S4EVNF0M1"}]}"#;
        let new = r#"{
  "Devices":[ { "HostNQN":"nqn", "Subsystems":[ { "Controllers":[ { "SerialNumber":"S4EVNF0M1",
   "ModelNumber":"Samsung SSD 970 EVO 500GB", "Namespaces":[] } ], "Namespaces":[ { "NameSpace":"nvme0n1" } ] } ] } ] }"#;
        for text in [table, old, new] {
            let disk = block(&[("nvme_list", text)], "nvme0n1").unwrap();
            assert_eq!(
                (disk.serial.as_deref(), disk.model.as_deref()),
                (Some("S4EVNF0M1"), Some("Samsung SSD 970 EVO 500GB")),
                "{text}"
            );
        }
    }
}
