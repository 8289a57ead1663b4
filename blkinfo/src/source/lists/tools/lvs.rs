//! `lvs` with the column of devices (`lvs -a -o +devices`).

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{self, Named};
use super::super::note::Note;
use super::super::table::{value, Table};

/// The head of the table.
pub fn prints(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("LV") && words.next() == Some("VG")
}

/// Takes what volumes lie on.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut table: Option<Table> = None;
    for line in text.lines() {
        if prints(line) {
            table = Some(Table::new(line)).filter(|table| table.has("Devices"));
        } else if let Some(table) = &table {
            let row = table.row(line);
            let (Some(lv), Some(vg), Some(on)) =
                (value(&row, "LV"), value(&row, "VG"), value(&row, "Devices"))
            else {
                continue;
            };
            let below = on.split(',').filter_map(|device| below(vg, device));
            devices.note(mapped(vg, lv), Note::default().fact(Fact::Type, "lvm").below(below));
        }
    }
}

/// The map of a volume; hidden ones are in brackets.
pub fn mapped(vg: &str, lv: &str) -> Named {
    Named::Any(named::volume(vg, lv.trim_matches(['[', ']'])))
}

/// `/dev/sdb(0)`, or a hidden volume `pool_tdata(0)`.
pub fn below(vg: &str, device: &str) -> Option<Named> {
    let (name, _) = device.trim().split_once('(')?;
    Some(if name.starts_with("/dev/") { Named::any(name) } else { mapped(vg, name) })
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn volumes_and_what_they_lie_on() {
        let text = "  LV           VG     Attr       LSize   Pool Origin Data%  Devices\n  a            my-vg  -wi-ao---- 100.00g                     /dev/sdb1(0),/dev/sdc(5)\n";
        let names =
            "Name      Maj Min Stat Open Targ Event  UUID\nmy--vg-a  253   4 L--w    1    1      0 LVM-abc\n";
        let volume = block(&[("lvs", text), ("", names)], "dm-4").unwrap();
        assert_eq!(volume.slaves, ["sdb1", "sdc"]);
    }
}
