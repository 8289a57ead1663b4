//! `ls -l` of directories in /dev, also `ls -lR`: nodes with their numbers, and links to them.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_kernel_name, Named};
use super::super::note::Note;
use super::super::wwid;
use crate::escape::decode_hex;
use crate::identity::array_uuid;

/// A node of a block device, a link to one, or the name of a directory in /dev.
pub fn prints(line: &str) -> bool {
    let known = |directory: &str| {
        ["/dev", "/dev/disk", "/dev/mapper"].contains(&directory) || directory.starts_with("/dev/disk/by-")
    };
    directory(line).is_some_and(known) || link(line).is_some() || node(line).is_some()
}

/// Takes nodes and links. `command` may name the directory.
pub fn take(devices: &mut ListedDevices, command: &str, text: &str) {
    // sosreport writes `ls -l /dev/disk/by-id` as ls_-l_.dev.disk.by-id
    let mut place = command.replace(".dev", "/dev").replace(".disk", "/disk").replace(".by-", "/by-");
    for line in text.lines() {
        if let Some(directory) = directory(line) {
            place = directory.to_owned();
        } else if let Some((name, kname)) = link(line) {
            linked(devices, place.trim_end_matches('/'), name, kname);
        } else if let Some((number, name)) = node(line) {
            let top = place.ends_with("/dev") || !name.contains('/');
            if top && is_kernel_name(name) {
                devices.note(Named::kernel(name), Note::default().fact(Fact::Number, &number));
            }
        }
    }
}

/// `/dev/disk/by-id:`.
fn directory(line: &str) -> Option<&str> {
    line.trim_end()
        .strip_suffix(':')
        .filter(|directory| directory.starts_with('/') && !directory.contains(' '))
}

/// `lrwxrwxrwx 1 root root 9 Nov 24 12:00 wwn-0x5000c500a1b2c3d4 -> ../../sdb`.
fn link(line: &str) -> Option<(&str, &str)> {
    let (before, target) = line.trim_end().strip_prefix('l')?.split_once(" -> ")?;
    let name = before.rsplit(' ').next()?;
    let kname = target.rsplit('/').next()?;
    let upwards = target.strip_suffix(kname)?;
    let fits = !upwards.is_empty() && upwards.replace("../", "").is_empty() || upwards == "/dev/";
    (fits && is_kernel_name(kname)).then_some((name, kname))
}

/// `brw-rw---- 1 root disk 8, 16 Nov 24 12:00 sdb`: number and name.
fn node(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_prefix('b').filter(|rest| rest.starts_with("rw") || rest.starts_with("r-"))?;
    let (before, behind) = rest.split_once(',')?;
    let major = before.split_whitespace().last()?;
    let minor = behind.split_whitespace().next()?;
    let digits = [major, minor].iter().all(|number| number.bytes().all(|b| b.is_ascii_digit()));
    digits.then(|| Some((format!("{major}:{minor}"), behind.split_whitespace().last()?)))?
}

fn linked(devices: &mut ListedDevices, place: &str, name: &str, kname: &str) {
    let directory = place.rsplit('/').next().unwrap_or_default();
    let note = match directory {
        "by-uuid" => Note::default().fact(Fact::FsUuid, name),
        "by-label" => Note::default().fact(Fact::FsLabel, &decode_hex(name)),
        "mapper" if kname.starts_with("dm-") => Note::default().fact(Fact::DmName, name),
        "by-path" | "by-partuuid" | "by-partlabel" | "by-diskseq" => Note::default(),
        // Names of by-id are known by themselves.
        _ => by_id(name, kname),
    };
    let link = place.split_once("/dev/").map(|(_, place)| format!("{place}/{name}"));
    link.iter().for_each(|link| devices.link(link, kname));
    let of_udev = link.filter(|_| directory.starts_with("by-"));
    devices.note(Named::kernel(kname), of_udev.iter().fold(note, |note, link| note.link(link)));
}

/// What a link in /dev/disk/by-id reveals (rules of udev and of the tools).
fn by_id(name: &str, kname: &str) -> Note {
    let note = Note::default();
    let is_part =
        name.rsplit_once("-part").is_some_and(|(_, number)| number.bytes().all(|b| b.is_ascii_digit()));
    if let Some(uuid) = name.strip_prefix("dm-uuid-") {
        return note.fact(Fact::DmUuid, uuid);
    }
    if let Some(map) = name.strip_prefix("dm-name-") {
        return note.fact(Fact::DmName, map);
    }
    if is_part {
        return note;
    }
    if let Some(uuid) = name.strip_prefix("md-uuid-") {
        return note.wwid(array_uuid(uuid));
    }
    let wwid = match name.split_once('-') {
        // A map has the links of its paths, too.
        _ if kname.starts_with("dm-") => None,
        Some(("wwn", wwn)) => wwid::of_wwn(wwn),
        Some(("scsi", id)) => wwid::of_scsi_id(id),
        Some(("nvme", id)) => wwid::of_nvme(id),
        Some(("virtio", serial)) => kname.starts_with("vd").then(|| serial.to_owned()),
        _ => None,
    };
    note.wwid(wwid)
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn nodes_and_links() {
        let text = "\
/dev:
total 0
brw-rw----  1 0 6   8,  16 Nov 24 12:00 sdb
brw-rw----. 1 root disk 253, 2 Nov 24 12:00 dm-2
crw-rw----  1 0 6   1,   3 Nov 24 12:00 null

/dev/disk/by-id:
total 0
lrwxrwxrwx 1 0 0  9 Nov 24 12:00 wwn-0x5000c500a1b2c3d4 -> ../../sdb
lrwxrwxrwx 1 0 0 10 Nov 24 12:00 wwn-0x5000c500a1b2c3d4-part1 -> ../../sdb1
lrwxrwxrwx 1 0 0 10 Nov 24 12:00 dm-uuid-LVM-abc -> ../../dm-2
lrwxrwxrwx 1 0 0 13 Nov 24 12:00 nvme-eui.0025385b71b00001 -> ../../nvme0n1
lrwxrwxrwx 1 0 0 10 Nov 24 12:00 md-uuid-93ba32ed:1dac9cdb:d4c2e7d8:6aa4ff51 -> ../../md127

/dev/disk/by-label:
lrwxrwxrwx 1 0 0 9 Nov 24 12:00 my\\x20disk -> ../../sdb1

/dev/disk/by-uuid:
lrwxrwxrwx 1 0 0 10 Nov 24 12:00 8ab1a8a5-8b41-4779-88a5-ab738b864914 -> ../../dm-2

/dev/mapper:
crw------- 1 0 0 10, 236 Nov 24 12:00 control
lrwxrwxrwx 1 0 0 7 Nov 24 12:00 vg-a -> ../dm-2

/dev/vg:
lrwxrwxrwx 1 0 0 7 Nov 24 12:00 a -> ../dm-2
";
        let mounts = "/dev/vg/a /data xfs rw 0 0\n";
        let get = |kname: &str| block(&[("ls_-lanR_.dev", text), ("mounts", mounts)], kname).unwrap();
        let volume = get("dm-2");
        assert_eq!(
            (volume.dev_wwid.as_deref(), volume.dev_path.as_str()),
            (Some("LVM-abc"), "/dev/mapper/vg-a")
        );
        assert_eq!(
            (volume.major_minor.unwrap().to_string(), volume.mount_points),
            ("253:2".into(), vec!["/data".to_owned()])
        );
        assert_eq!(volume.fs_uuid.as_deref(), Some("8ab1a8a5-8b41-4779-88a5-ab738b864914"));
        let part = get("sdb1");
        assert_eq!(
            (part.dev_wwid.as_deref(), part.fs_label.as_deref()),
            (Some("naa.5000c500a1b2c3d4-part1"), Some("my disk"))
        );
        assert_eq!(get("nvme0n1").dev_wwid.as_deref(), Some("eui.0025385b71b00001"));
        assert_eq!(get("md127").dev_wwid.as_deref(), Some("93ba32ed-1dac-9cdb-d4c2-e7d86aa4ff51"));
    }
}
