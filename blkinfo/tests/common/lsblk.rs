//! What lsblk(8) says of devices: the output of `lsblk -J -O -b -a` as facts that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What a device is said to be, field by field, in the words of [`lsblk_facts`]; a field that is missing is not known.
pub type Facts = BTreeMap<&'static str, String>;

/// Every device of lsblk's tree by its kernel name. One that stands below several others has all of them as parents.
pub fn lsblk_devices(json: &Value) -> BTreeMap<String, Facts> {
    fn walk(device: &Value, parent: Option<&str>, devices: &mut BTreeMap<String, (Facts, BTreeSet<String>)>) {
        let kdev = string(device, "kname").unwrap().replace('!', "/");
        let entry = devices.entry(kdev.clone()).or_insert_with(|| (lsblk_facts(device), BTreeSet::new()));
        entry.1.extend(string(device, "pkname"));
        entry.1.extend(parent.map(str::to_owned));
        for child in device.get("children").and_then(Value::as_array).into_iter().flatten() {
            walk(child, Some(&kdev), devices);
        }
    }
    let mut devices = BTreeMap::new();
    for device in json.get("blockdevices").and_then(Value::as_array).unwrap() {
        walk(device, None, &mut devices);
    }
    let with_parents = |(mut facts, parents): (Facts, BTreeSet<String>)| {
        facts.insert("parents", joined(parents));
        facts
    };
    devices.into_iter().map(|(kdev, device)| (kdev, with_parents(device))).collect()
}

fn lsblk_facts(device: &Value) -> Facts {
    let mount_points = match device.get("mountpoints").and_then(Value::as_array) {
        Some(points) => points.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        // lsblk before 2.37 knows one.
        None => string(device, "mountpoint").into_iter().collect::<BTreeSet<_>>(),
    };
    let facts = [
        ("size", string(device, "size")),
        ("mount points", Some(joined(mount_points))),
        ("serial", string(device, "serial")),
        ("model", string(device, "model")),
        ("wwid", string(device, "wwn").map(|wwn| digits(&wwn))),
        ("transport", string(device, "tran").map(|tran| transport(&tran).to_owned())),
        ("rotational", flag(device, "rota")),
        ("read-only", flag(device, "ro")),
        ("removable", flag(device, "rm")),
        ("type", string(device, "type").map(|kind| lsblk_type(&kind).to_owned())),
    ];
    known(facts)
}

/// A value as text without blanks around it; `null` and nothing are not known.
fn string(device: &Value, key: &str) -> Option<String> {
    let text = match device.get(key)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => return None,
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// lsblk before 2.33 prints flags as `"0"` and `"1"`.
fn flag(device: &Value, key: &str) -> Option<String> {
    string(device, key).map(|flag| (flag == "1" || flag == "true").to_string())
}

/// lsblk's name of a transport (misc-utils/lsblk.c, get_transport) in this crate's.
fn transport(tran: &str) -> &str {
    const NAMES: [(&str, &str); 11] = [
        ("sata", "SATA"),
        ("ata", "ATA"),
        ("usb", "USB"),
        ("sas", "SAS"),
        ("spi", "SPI"),
        ("nvme", "NVMe"),
        ("virtio", "virtio"),
        ("iscsi", "iSCSI"),
        ("fc", "FC"),
        ("fcoe", "FCoE"),
        ("mmc", "MMC"),
    ];
    NAMES.iter().find(|(theirs, _)| *theirs == tran).map_or(tran, |(_, ours)| ours)
}

/// lsblk's type (misc-utils/lsblk.c, get_type): that of the SCSI device, the level of an array, device-mapper's user.
fn lsblk_type(kind: &str) -> &str {
    match kind {
        "rom" => "disk",
        level if level.starts_with("raid") || matches!(level, "linear" | "md" | "container") => "md",
        "disk" | "part" | "lvm" | "crypt" | "mpath" | "loop" => kind,
        _ => "dm",
    }
}

pub fn known<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Facts {
    facts.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
}

pub fn joined(values: BTreeSet<String>) -> String {
    values.into_iter().collect::<Vec<_>>().join(" ")
}

/// An identity without what says how it is spelled: `0x5000…` and `naa.5000…`, hyphens, the case of the digits.
pub fn digits(identity: &str) -> String {
    let bare =
        ["0x", "naa.", "eui.", "uuid.", "mpath-3"].iter().find_map(|prefix| identity.strip_prefix(prefix));
    bare.map_or_else(|| identity.to_owned(), |bare| bare.replace('-', "").to_ascii_lowercase())
}

/// What lsblk says of this machine now; the reason why it says nothing.
pub fn live_devices() -> Result<BTreeMap<String, Facts>, String> {
    let output = Command::new("lsblk").args(["-J", "-O", "-b", "-a"]).output();
    let output = output.map_err(|error| format!("lsblk cannot be run: {error}"))?;
    let json = serde_json::from_slice(&output.stdout);
    let json: Value = json.map_err(|_| String::from_utf8_lossy(&output.stderr).trim().to_owned())?;
    Ok(lsblk_devices(&json))
}
