//! `lsblk -J` and `lsblk -P`.

use serde_json::Value;

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_kernel_name, is_number, Named};
use super::super::note::Note;

/// Nested devices in lsblk's JSON.
const MAX_DEPTH: usize = 32;

/// It is lsblk's JSON, as far as is seen.
pub fn is_json(text: &str) -> bool {
    text.contains("\"blockdevices\"")
}

/// A line that only lsblk prints.
pub fn prints(line: &str) -> bool {
    let line = line.trim_start();
    is_json(line)
        || ["NAME=\"", "KNAME=\""].iter().any(|name| line.starts_with(name))
        || line.contains(" KNAME=\"")
}

/// Takes what it printed.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    match is_json(text) {
        true => objects(devices, text),
        false => text.lines().for_each(|line| pairs_of_device(devices, line)),
    }
}

/// The device of a row, and the name of its map if it is one. Of device-mapper lsblk shows the map's name; the kernel's has the
/// minor number, and util-linux before 2.19 writes it behind the other: `mpathb (dm-2)`.
pub fn device(
    kname: Option<&str>,
    name: &str,
    number: Option<&str>,
    kind: Option<&str>,
) -> (Named, Option<String>) {
    let (name, shown) =
        match name.split_once(" (dm-").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
            Some((name, minor)) => (name, Some(format!("dm-{minor}"))),
            None => (name, None),
        };
    let minor = number
        .filter(|number| is_number(number))
        .and_then(|number| number.split_once(':'))
        .map(|(_, minor)| minor);
    // Nothing else has a name that is not the kernel's.
    let is_map = !matches!(kind, Some("disk" | "rom" | "loop"));
    let kname = kname.map(str::to_owned).or(shown).or_else(|| match minor {
        Some(minor) if is_map && !is_kernel_name(name) => Some(format!("dm-{minor}")),
        _ => is_kernel_name(name).then(|| name.to_owned()),
    });
    match kname {
        Some(kname) => {
            let map = (kname.starts_with("dm-") && kname != name).then(|| name.to_owned());
            (Named::kernel(&kname), map)
        }
        None => (Named::any(name), None),
    }
}

fn objects(devices: &mut ListedDevices, text: &str) {
    let Some(value) = json(devices, text) else { return };
    let all = value.get("blockdevices").and_then(Value::as_array);
    all.into_iter().flatten().for_each(|device| object(devices, device, None, 0));
}

/// The first object in a text. What follows it may be another command's.
pub fn json(devices: &mut ListedDevices, text: &str) -> Option<Value> {
    let at = text.find('{')?;
    let (before, json) = text.split_at_checked(at)?;
    match serde_json::Deserializer::from_str(json).into_iter::<Value>().next()? {
        Ok(value) => Some(value),
        Err(e) => {
            let line = before.lines().count().max(1) + e.line().max(1) - 1;
            devices.problem(line, &format!("damaged JSON, which is not read: {e}"));
            None
        }
    }
}

fn object(devices: &mut ListedDevices, value: &Value, parent: Option<&Named>, depth: usize) {
    let text = |name: &str| match value.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(flag)) => Some(u8::from(*flag).to_string()),
        _ => None,
    };
    let (kname, number, kind) = (text("kname"), text("maj:min"), text("type"));
    let Some(name) = text("name").or_else(|| kname.clone()) else { return };
    let (found, map) = device(kname.as_deref(), &name, number.as_deref(), kind.as_deref());
    let names = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let columns: Vec<(&str, String)> = names.filter_map(|name| Some((name, text(name)?))).collect();
    let note = Note::of_columns(columns.iter().map(|(name, value)| (*name, value.as_str())));
    let listed = text("pkname").map(|name| Named::kernel(&name)).filter(|below| *below != found);
    let note = note.maybe(Fact::DmName, map.as_deref()).below(listed.into_iter().chain(parent.cloned()));
    let points = value.get("mountpoints").and_then(Value::as_array).into_iter().flatten();
    let points = points.filter_map(Value::as_str).chain(value.get("mountpoint").and_then(Value::as_str));
    let fs_type = text("fstype").unwrap_or_default();
    let note = points.fold(note, |note, point| note.mounted(point, &fs_type));
    devices.note(found.clone(), note);
    let children = value.get("children").and_then(Value::as_array).into_iter().flatten();
    if depth < MAX_DEPTH {
        children.for_each(|child| object(devices, child, Some(&found), depth + 1));
    }
}

/// `KEY="value" KEY="value"`, a device a line.
fn pairs_of_device(devices: &mut ListedDevices, line: &str) {
    let pairs = pairs(line);
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let kname = value("KNAME");
    let Some(name) = value("NAME").or(kname) else { return };
    let number = value("MAJ:MIN").or_else(|| value("MAJ_MIN"));
    let (found, map) = device(kname, name, number, value("TYPE"));
    let note = Note::of_columns(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let note = note.maybe(Fact::DmName, map.as_deref()).below(value("PKNAME").map(Named::kernel));
    let points = value("MOUNTPOINTS").or_else(|| value("MOUNTPOINT"));
    let fs_type = value("FSTYPE").unwrap_or_default();
    let points = points.into_iter().flat_map(|points| points.split("\\x0a"));
    devices.note(found, points.fold(note, |note, point| note.mounted(point, fs_type)));
}

/// The pairs of a line, also those of blkid.
pub fn pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while let Some((key, behind)) = rest.split_once("=\"") {
        let Some((value, behind)) = behind.split_once('"') else { break };
        pairs.push((key.trim().to_owned(), value.to_owned()));
        rest = behind;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    const JSON: &str = r#"{"blockdevices":[{"kname":"sdb","maj:min":"8:16","path":"/dev/sdb","type":"disk",
        "wwn":"0x5000c500a1b2c3d4","hctl":"2:0:0:1","tran":"sas","children":[{"kname":"dm-0","maj:min":"253:0",
        "type":"mpath","path":"/dev/mapper/mpatha","mountpoints":[null]}]}]}"#;

    #[test]
    fn lists_complete_each_other() {
        let udev = "P: /devices/virtual/block/dm-0\nE: SUBSYSTEM=block\nE: MAJOR=253\nE: MINOR=0\nE: DM_NAME=mpatha\n\
            E: DM_UUID=mpath-35000c500a1b2c3d4\nE: USEC_INITIALIZED=7\n";
        let mount = "/dev/mapper/mpatha on /data type xfs (rw)\n";
        let all = [("lsblk.json", JSON), ("udev-db", udev), ("mount", mount)];
        let map = block(&all, "dm-0").unwrap();
        assert_eq!(map.dev_wwid.as_deref(), Some("mpath-35000c500a1b2c3d4"));
        assert_eq!(
            (map.owners_paths(), map.owners_wwids()),
            (vec!["/dev/sdb"], vec!["naa.5000c500a1b2c3d4"])
        );
        assert_eq!((map.mount_points.as_slice(), map.present_since), (&["/data".to_owned()][..], Some(0)));
        let disk = block(&all, "sdb").unwrap();
        assert_eq!((disk.holders, disk.transport.as_deref()), (vec!["dm-0".to_owned()], Some("SAS")));
    }

    #[test]
    fn a_device_of_which_two_lists_tell_different_identities_has_none() {
        let other = r#"NAME="sdb" KNAME="sdb" MAJ:MIN="8:16" WWN="0x5000c500ffffffff""#;
        let disk = block(&[("", JSON), ("", other)], "sdb").unwrap();
        assert_eq!((disk.dev_wwid, disk.address.as_deref()), (None, Some("2:0:0:1")));
    }

    /// Of device-mapper, the kernel's name and the map's stand in different columns, or only one of them.
    #[test]
    fn maps_in_every_form() {
        let root = |text: &str| {
            let block = block(&[("", text)], "dm-0").unwrap();
            (block.dev_path, block.blk_type.to_string(), block.mount_points)
        };
        for text in [
            r#"KNAME="dm-0" MAJ:MIN="253:0" NAME="rhel-root" TYPE="lvm" MOUNTPOINT="/""#,
            r#"NAME="rhel-root" MAJ:MIN="253:0" RM="0" SIZE="8G" RO="0" TYPE="lvm" MOUNTPOINT="/""#,
            r#"{"blockdevices":[{"name":"vda2","maj:min":"252:2","type":"part","children":[
               {"name":"rhel-root","maj:min":"253:0","rm":"0","size":"8G","ro":"0","type":"lvm","mountpoint":"/"}]}]}"#,
            "NAME                MAJ:MIN RM   SIZE RO MOUNTPOINT\nvda2                252:2    0     9G  0 \n└─rhel-root (dm-0)  253:0    0     8G  0 /\n",
        ] {
            let (node, kind, points) = root(text);
            assert_eq!((node.as_str(), points), ("/dev/mapper/rhel-root", vec!["/".to_owned()]), "{text}");
            assert!(kind == "dm-lvm" || !text.contains("lvm"), "{text}");
        }
    }

    #[test]
    fn pairs_of_lsblk() {
        let text = "NAME=\"sda\" KNAME=\"sda\" MAJ:MIN=\"8:0\" WWN=\"0x5\" PKNAME=\"\"\n\
            NAME=\"sda1\" KNAME=\"sda1\" MAJ_MIN=\"8:1\" TYPE=\"part\" PARTN=\"1\" PKNAME=\"sda\" MOUNTPOINT=\"/\"\n";
        assert_eq!(block(&[("", text)], "sda1").unwrap().dev_wwid.as_deref(), Some("naa.5-part1"));
    }
}
