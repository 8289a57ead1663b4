//! `nvme list-subsys`, for people and as JSON: NVMe subsystems and the controllers through which they are reached.

use serde_json::Value;

use super::super::devices::ListedDevices;
use super::super::nvme::{Controller, Subsystem};
use super::lsblk;
use crate::name::numbered;

/// Nested objects.
const MAX_DEPTH: usize = 8;

/// The head of a subsystem, or a key of the JSON.
pub fn prints(line: &str) -> bool {
    head(line).is_some() || line.contains("\"Subsystems\"")
}

/// It is the JSON. That of `nvme list` has subsystems, too.
pub fn is_json(text: &str) -> bool {
    text.contains("\"Subsystems\"") && text.contains("\"Paths\"") && !text.contains("\"Devices\"")
}

/// Takes subsystems.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    if is_json(text) {
        let value = lsblk::json(devices, text);
        value.iter().for_each(|value| object(devices, value, &mut None, 0));
        return;
    }
    let mut present: Option<Subsystem> = None;
    for line in text.lines() {
        if let Some((number, nqn)) = head(line) {
            present.take().into_iter().for_each(|subsystem| devices.subsystem(subsystem));
            present = Some(Subsystem { number, nqn: nqn.to_owned(), controllers: Vec::new() });
        } else if let (Some(subsystem), Some(controller)) = (&mut present, controller(line)) {
            subsystem.controllers.push(controller);
        }
    }
    present.into_iter().for_each(|subsystem| devices.subsystem(subsystem));
}

/// The head of a subsystem.
pub fn is_head(line: &str) -> bool {
    head(line).is_some()
}

/// `nvme-subsys0 - NQN=nqn.2014-08.org.nvmexpress:uuid:…`.
fn head(line: &str) -> Option<(u32, &str)> {
    let (name, nqn) = line.trim_end().split_once(" - NQN=")?;
    Some((numbered(name, "nvme-subsys")?, nqn))
}

/// ` +- nvme0 tcp traddr=192.0.2.1,trsvcid=4420 live optimized`.
fn controller(line: &str) -> Option<Controller> {
    let mut words = line.trim_start().strip_prefix("+- ")?.split_whitespace();
    let number = numbered(words.next()?, "nvme")?;
    let transport = words.next()?.to_owned();
    let rest: Vec<&str> = words.collect();
    let state = rest.iter().position(|word| !word.contains(['=', ':', '.'])).unwrap_or(rest.len());
    let address = rest.get(..state)?.join(",");
    Some(Controller::new(number, transport, &address, rest.get(state).copied()))
}

/// `{"Name":"nvme-subsys0","NQN":"…","Paths":[{"Name":"nvme0","Transport":"tcp","Address":"traddr=…","State":"live"}]}`, within others;
/// before version 2 of nvme-cli the paths are an object of their own behind that of the subsystem.
fn object(devices: &mut ListedDevices, value: &Value, last: &mut Option<(u32, String)>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let name = text(value, "Name").and_then(|name| numbered(name, "nvme-subsys"));
    if let (Some(number), Some(nqn)) = (name, text(value, "NQN")) {
        *last = Some((number, nqn.to_owned()));
    }
    if let Some(paths) = value.get("Paths").and_then(Value::as_array) {
        let controllers = paths.iter().filter_map(path).collect();
        let subsystem = last.take().map(|(number, nqn)| Subsystem { number, nqn, controllers });
        return subsystem.into_iter().for_each(|subsystem| devices.subsystem(subsystem));
    }
    let array = value.as_array().into_iter().flatten();
    let members = value.as_object().into_iter().flatten().map(|(_, value)| value);
    array.chain(members).for_each(|inner| object(devices, inner, last, depth + 1));
}

fn path(path: &Value) -> Option<Controller> {
    let number = numbered(text(path, "Name")?, "nvme")?;
    let address = text(path, "Address").unwrap_or_default();
    Some(Controller::new(number, text(path, "Transport")?.to_owned(), address, text(path, "State")))
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;

    const LIST: &str = "Node             SN                   Model                                    Namespace Usage\n\
        /dev/nvme0n1     S1                   Linux                                    1         500.11  GB / 500.11  GB\n";

    /// A namespace is reached through the controllers of the subsystem that has its number.
    #[test]
    fn controllers_lead_to_their_namespace() {
        let people = "nvme-subsys0 - NQN=nqn.2014-08.org.nvmexpress:uuid:x\n\\\n \
            +- nvme0 tcp traddr=192.0.2.1,trsvcid=4420 live optimized\n +- nvme1 tcp traddr=192.0.2.2,trsvcid=4420 connecting\n";
        let json = r#"[{"HostNQN":"h","Subsystems":[{"Name":"nvme-subsys0","NQN":"nqn.2014-08.org.nvmexpress:uuid:x","Paths":[
            {"Name":"nvme0","Transport":"tcp","Address":"traddr=192.0.2.1,trsvcid=4420","State":"live"},
            {"Name":"nvme1","Transport":"tcp","Address":"traddr=192.0.2.2,trsvcid=4420","State":"connecting"}]}]}]"#;
        let old = r#"{"Subsystems":[{"Name":"nvme-subsys0","NQN":"nqn.2014-08.org.nvmexpress:uuid:x"},{"Paths":[
            {"Name":"nvme0","Transport":"tcp","Address":"traddr=192.0.2.1,trsvcid=4420","State":"live"},
            {"Name":"nvme1","Transport":"tcp","Address":"traddr=192.0.2.2,trsvcid=4420","State":"connecting"}]}]}"#;
        for text in [people, json, old] {
            let tree = tree(&[("nvme_list-subsys", text), ("nvme_list", LIST)]);
            for name in ["nvme1", "nvme-subsys0", "nqn.2014-08.org.nvmexpress:uuid:x", "nvme0n1"] {
                let disk = tree.kernel_block(name).unwrap();
                assert_eq!(
                    (disk.kdev.as_str(), disk.transport.as_deref()),
                    ("nvme0n1", Some("NVMe-TCP")),
                    "{name}"
                );
                assert_eq!(disk.extension.get("controllers"), Some("nvme0 nvme1"));
            }
        }
    }

    /// Where a controller has the number of another subsystem, the namespaces of that number may be its own.
    #[test]
    fn numbers_that_mean_two_things_lead_nowhere() {
        let text = "nvme-subsys0 - NQN=nqn.a\n\\\n +- nvme1 pcie 0000:01:00.0 live\nnvme-subsys1 - NQN=nqn.b\n\\\n +- nvme0 pcie 0000:02:00.0 live\n";
        let tree = tree(&[("nvme_list-subsys", text), ("nvme_list", LIST)]);
        assert!(tree.kernel_block("nvme1").is_err() && tree.kernel_block("nvme0").is_err());
        let alone = "nvme-subsys0 - NQN=nqn.a\n\\\n +- nvme0 pcie traddr=0000:01:00.0 live\n";
        let tree = super::super::testing::tree(&[("nvme_list-subsys", alone), ("nvme_list", LIST)]);
        let disk = tree.kernel_block("nvme0").unwrap();
        assert_eq!(
            (disk.transport.as_deref(), disk.extension.get("pci_address")),
            (Some("NVMe-PCIe"), Some("0000:01:00.0"))
        );
    }
}
