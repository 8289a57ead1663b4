//! /proc/mdstat, `mdadm -D` and `mdadm -E`.

use super::super::devices::ListedDevices;
use super::super::named::{is_kernel_name, Named};
use super::super::note::Note;
use crate::identity::array_uuid;

/// A line that only these print.
pub fn prints(line: &str) -> bool {
    let examined = line.trim_start().starts_with("Magic : a92b4efc");
    line.starts_with("Personalities :") || array(line).is_some() || is_scan(line) || examined
}

/// Takes arrays with their members.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut present: Option<Named> = None;
    // The member that `mdadm -E` describes.
    let mut examined: Option<Named> = None;
    for line in text.lines() {
        if let Some((kname, members)) = listed(line) {
            devices.note(Named::kernel(kname), Note::default().below(members));
        } else if is_scan(line) {
            let uuid = line.split_whitespace().find_map(|word| word.strip_prefix("UUID="));
            if let (Some(node), Some(uuid)) = (line.split_whitespace().nth(1), uuid) {
                devices.note(Named::any(node), Note::default().wwid(array_uuid(uuid)));
            }
        } else if let Some(node) = array(line) {
            (present, examined) = (Some(Named::any(node)), None);
        } else if let Some(node) = node_of_head(line) {
            (present, examined) = (None, Some(Named::any(node)));
        } else if let Some(member) = &examined {
            // `UUID` with superblocks of version 0.90.
            let uuid = line.trim().strip_prefix("Array ").unwrap_or(line.trim()).strip_prefix("UUID : ");
            if let Some(uuid) = uuid.and_then(|uuid| array_uuid(uuid.split(' ').next()?)) {
                devices.note(Named::Array(uuid), Note::default().below([member.clone()]));
            }
        } else if let Some(array) = &present {
            if let Some(uuid) = line.trim().strip_prefix("UUID : ") {
                devices.note(array.clone(), Note::default().wwid(array_uuid(uuid.trim())));
            } else if let Some(member) = member(line) {
                devices.note(array.clone(), Note::default().below([Named::any(member)]));
            }
        }
    }
}

/// `md127 : active raid1 dm-1[4] dm-0[3] dm-2[2](F)`.
fn listed(line: &str) -> Option<(&str, Vec<Named>)> {
    let (kname, rest) = line.split_once(" : ")?;
    let fits = kname.starts_with("md")
        && is_kernel_name(kname)
        && (rest.starts_with("active") || rest.starts_with("inactive"));
    let members =
        rest.split_whitespace().filter_map(|word| word.split_once('[')).map(|(name, _)| Named::kernel(name));
    fits.then(|| (kname, members.collect()))
}

/// `/dev/md127:`, the head of `mdadm -D`.
fn array(line: &str) -> Option<&str> {
    line.trim_end().strip_suffix(':').filter(|node| node.starts_with("/dev/md") && !node.contains(' '))
}

/// `/dev/sda1:`, the head of `mdadm -E`.
fn node_of_head(line: &str) -> Option<&str> {
    line.trim_end().strip_suffix(':').filter(|node| node.starts_with("/dev/") && !node.contains(' '))
}

/// `ARRAY /dev/md/0 metadata=1.2 UUID=…` of `mdadm --detail --scan`.
fn is_scan(line: &str) -> bool {
    line.starts_with("ARRAY /dev/") && line.contains("UUID=")
}

/// `       0     253        0        0      active sync   /dev/dm-0`.
fn member(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let number = words.next()?;
    let fits = number == "-" || number.bytes().all(|b| b.is_ascii_digit());
    words.next_back().filter(|node| fits && node.starts_with("/dev/"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn arrays_and_their_members() {
        let status = "Personalities : [raid1] \nmd127 : active raid1 sdb1[4] sdc1[2](F)\n      39936 blocks super 1.2 [2/2] [UU]\n";
        let detail = "/dev/md127:\n           Version : 1.2\n              UUID : 93ba32ed:1dac9cdb:d4c2e7d8:6aa4ff51\n\n    \
            Number   Major   Minor   RaidDevice State\n       0       8       17        0      active sync   /dev/sdb1\n       -       8       49        -      spare   /dev/sdd1\n";
        let array = block(&[("mdstat", status), ("mdadm_-D", detail)], "md127").unwrap();
        assert_eq!(array.dev_wwid.as_deref(), Some("93ba32ed-1dac-9cdb-d4c2-e7d86aa4ff51"));
        assert_eq!(array.slaves, ["sdb1", "sdc1", "sdd1"]);
        let examined = "/dev/sde1:\n          Magic : a92b4efc\n     Array UUID : 93ba32ed:1dac9cdb:d4c2e7d8:6aa4ff51\n   Device UUID : 11111111:1dac9cdb:d4c2e7d8:6aa4ff51\n";
        let all = [("mdadm_-D", detail), ("mdadm_-E", examined)];
        assert_eq!(block(&all, "md127").unwrap().slaves, ["sdb1", "sdd1", "sde1"]);
        let scan = "ARRAY /dev/md127 metadata=1.2 name=h:0 UUID=93ba32ed:1dac9cdb:d4c2e7d8:6aa4ff51\n";
        assert_eq!(block(&[("", scan)], "md127").unwrap().dev_wwid, array.dev_wwid);
    }
}
