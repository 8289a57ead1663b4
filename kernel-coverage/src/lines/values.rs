//! What arguments of a format print, by their names in the code.

use std::sync::OnceLock;

use regex::Regex;

use super::place;

/// Where, which argument (a regex on its lower-case text), and its values on the two machines.
type Value = (&'static str, &'static str, [&'static str; 2]);

/// Texts; the first that fits counts.
const TEXTS: &[Value] = &[
    ("", r"current->comm|tsk->comm|task->comm|\bcomm\b", ["kworker/u8:2", "mysqld"]),
    ("fs/btrfs", r"rcu_str|dev_name|device->name|->path|dev_path", ["/dev/sda1", "/dev/dm-3"]),
    ("", r"mdname|bmname|md_name|mddev_name", ["{md}", "{md}"]),
    ("drivers/pci", r"severity", ["Uncorrectable (Fatal)", "Correctable"]),
    ("drivers/pci", r"bus_type", ["PCIe", "PCIe"]),
    ("drivers/pci", r"layer", ["Transaction Layer", "Data Link Layer"]),
    ("drivers/pci", r"agent", ["Receiver ID", "Transmitter ID"]),
    ("", r"^(level|lvl|indent|prefix)$|kern_level", ["", ""]),
    ("fs/buffer.c", r"^msg$", [", lost async page write", ", lost sync page write"]),
    ("block", r"blk_errors|blk_status_to_str|status_to_str", ["I/O", "critical medium"]),
    ("block", r"blk_op_str", ["WRITE", "READ"]),
    ("drivers/block/rbd.c", r"op.*name", ["write", "read"]),
    ("", r"mmc_hostname", ["{mmc}", "{mmc}"]),
    ("drivers/mmc", r"mmc_card_id|card_id", ["{card}", "{card}"]),
    ("drivers/scsi/mpt3sas", r"ioc\)?->name", ["mpt3sas_cm0", "mpt3sas_cm1"]),
    ("drivers/scsi/mpi3mr", r"ioc\)?->name", ["mpi3mr0", "mpi3mr1"]),
    ("drivers/message", r"ioc\)?->name", ["ioc0", "ioc1"]),
    ("drivers/scsi/aacraid", r"dev->name|aac->name|\bname\b", ["aacraid", "aacraid"]),
    ("drivers/scsi/pm8001", r"hba\)?->name|pm8001_ha\)?->name", ["pm80xx0", "pm80xx1"]),
    ("drivers/md", r"dm_device_name|dm_table_device_name|md_device_name", ["{dm}", "{dm}"]),
    ("", r"pci_name", ["{pci}", "{pci}"]),
    ("drivers/md", r"dm_bdev|dev->name|bd_disk|disk_name", ["{bdev}", "{bdev}"]),
    ("fs", r"s_type->name", ["ext4", "xfs"]),
    (
        "",
        r"s_id\b|bdevname|bd_disk|disk_name|disk->|sb_id|bdev\b|gendisk|->diskname|\bdisk\b|nbd_name|dev_name|devname",
        ["{disk}", "{disk}"],
    ),
    ("fs/nfs", r"host|server|cl_", ["{server}", "{server}"]),
    ("fs/smb", r"host|server", ["{server}", "{server}"]),
    ("", r"errstr|error_string|strerror|errmsg|reason|msg\b|message|err_?str", ["out of space", "I/O error"]),
    ("drivers/scsi", r"reset.*type|type.*reset", ["soft", "hard"]),
    ("", r"state", ["running", "offline"]),
    ("fs", r"lock.*table", ["cluster:vol1", "cluster:vol2"]),
    ("fs", r"sd_fsname|fsname", ["cluster:vol1.0", "cluster:vol2.1"]),
    ("", r"op.*(str|name)|cmd_name|rw_str|direction|\bdir\b", ["WRITE", "READ"]),
    ("", r"cmd|opcode", ["WRITE(10)", "READ(16)"]),
    (
        "",
        r"iqn|target_?name|initiator|wwn|\btport\b|\btpg\b|acl|nqn",
        ["iqn.2001-04.com.example:storage.disk1", "nqn.2014-08.org.example:disk2"],
    ),
    ("fs", r"func|where|caller", ["{function}", "{function}"]),
    ("fs", r"name", ["file.txt", "database-1"]),
    ("drivers/scsi", r"name", ["scsi{number}", "scsi{number}"]),
    ("", r"port", ["Port0", "Port1"]),
    ("", r"ver(sion)?\b", ["1.2.3", "07.719"]),
];

/// Numbers in decimal; the first that fits counts.
const DECIMALS: &[Value] = &[
    ("", r"__line__|\bline\b", ["{line}", "{line}"]),
    (
        "",
        r"(^|->|\.|\*)(ret|rc|err|error|res|result|retval|status|errno|r|ret_val|rval)$|ptr_err",
        ["-5", "-110"],
    ),
    ("drivers/ata", r"print_id", ["3", "11"]),
    ("drivers/ata", r"pmp|devno", ["0", "0"]),
    ("drivers/scsi/lpfc", r"brd_no|\bvpi\b", ["0", "1"]),
    ("", r"host_no|hostno|brd_no|instance", ["2", "11"]),
    ("", r"->(id|target|channel|unique_id)\b", ["0", "5"]),
    ("", r"->lun\b", ["0", "3"]),
    ("", r"pci_func|pci_slot", ["0", "1"]),
    ("", r"major", ["8", "253"]),
    ("", r"minor", ["16", "4"]),
    ("", r"sector|block|lba|ino|offset|pos\b", ["2048", "976773160"]),
    ("", r"temp", ["71", "105"]),
    ("", r"percent", ["98", "90"]),
];

/// Numbers in hexadecimal; the first that fits counts.
const HEXADECIMALS: &[Value] = &[
    ("drivers", r"pci_bus_num|bus->number|->bus\b", ["3b", "af"]),
    ("drivers", r"pci_func|->func\b", ["0", "1"]),
    ("drivers", r"pci_slot|->slot\b|devfn|pci_devid|devid", ["0", "1f"]),
    ("drivers", r"domain|seg", ["0", "1"]),
];

struct Rule {
    place: &'static str,
    argument: Regex,
    values: &'static [&'static str; 2],
}

fn compiled(table: &'static [Value]) -> Vec<Rule> {
    let rule = |(place, argument, values): &'static Value| {
        Some(Rule { place, argument: Regex::new(argument).ok()?, values })
    };
    table.iter().filter_map(rule).collect()
}

fn find(rules: &[Rule], path: &str, argument: &str, machine: usize) -> Option<&'static str> {
    let lower = argument.to_ascii_lowercase();
    let fits = |rule: &&Rule| path.starts_with(rule.place) && rule.argument.is_match(&lower);
    rules.iter().find(fits)?.values.get(machine).copied()
}

/// What an argument prints as text, with names of devices in braces.
pub fn text(path: &str, argument: &str, machine: usize) -> String {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| compiled(TEXTS));
    let disk = place::disk(path);
    find(rules, path, argument, machine).unwrap_or("{disk}").replace("{disk}", disk)
}

/// What an argument prints as a decimal number.
pub fn decimal(path: &str, argument: &str, is_signed: bool, machine: usize) -> &'static str {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| compiled(DECIMALS));
    let value = find(rules, path, argument, machine);
    let value = value.or([Some("5"), Some("12")].get(machine).copied().flatten()).unwrap_or("5");
    if is_signed {
        value
    } else {
        value.trim_start_matches('-')
    }
}

/// What an argument prints as a hexadecimal number.
pub fn hexadecimal(path: &str, argument: &str, is_long: bool, machine: usize) -> &'static str {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| compiled(HEXADECIMALS));
    let usual = match (is_long, machine) {
        (false, 0) => "80",
        (false, _) => "1c",
        (true, 0) => "1a2b3c",
        (true, _) => "5000c500a1b2c3d4",
    };
    find(rules, path, argument, machine).unwrap_or(usual)
}

const ADDRESS: &str = "00000000d5b1c3f0";
const UUID: &str = "5d1e0a9a-4a0f-4a3b-9d3b-0a5c9a3c7d11";

/// What stands behind `%p`, and what is printed; the longest that fits counts.
const POINTERS: &[(&str, &str)] = &[
    ("SR", "do_something+0x1a/0x60"),
    ("S", "do_something+0x1a/0x60"),
    ("s", "{function}"),
    ("B", "do_something+0x1a/0x60"),
    ("e", "-EIO"),
    ("U", UUID),
    ("I4", "192.168.1.10"),
    ("I6c", "fe80::1"),
    ("I6", "fe80:0000:0000:0000:0000:0000:0000:0001"),
    ("ISpsc", "192.168.1.10:3260"),
    ("ISpc", "192.168.1.10:3260"),
    ("ISp", "192.168.1.10:3260"),
    ("IS", "192.168.1.10"),
    ("i4", "192.168.1.10"),
    ("M", "00:1b:21:3c:4d:5e"),
    ("m", "001b213c4d5e"),
    ("R", "[mem 0xdf200000-0xdf20ffff 64bit]"),
    ("r", "[mem 0xdf200000-0xdf20ffff 64bit flags 0x140204]"),
    ("a", "0x00000000df200000"),
    ("G", "0x17ffffc0000000(node=0|zone=2)"),
    ("d", "file.txt"),
    ("D", "file.txt"),
    ("OF", "/soc/mmc@fe320000"),
    ("fw", "/soc/mmc"),
    ("t", "2026-01-02T03:04:05"),
    ("g", "{disk}"),
    ("hN", "001a05007f200008"),
    ("hC", "00:1a:05:00:7f:20:00:08"),
    ("hD", "00-1a-05-00-7f-20-00-08"),
    ("h", "00 1a 05 00 7f 20 00 08"),
    ("E", "text"),
    ("V", "some text"),
];

/// What `%p` with an extension prints.
pub fn pointer(path: &str, extension: &str) -> String {
    let found = POINTERS.iter().filter(|(known, _)| !known.is_empty() && extension.starts_with(known));
    let best = found.max_by_key(|(known, _)| known.len());
    best.map_or(ADDRESS, |(_, value)| value).replace("{disk}", place::disk(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(compiled(TEXTS).len(), TEXTS.len());
        assert_eq!(compiled(DECIMALS).len(), DECIMALS.len());
        assert_eq!(compiled(HEXADECIMALS).len(), HEXADECIMALS.len());
    }

    #[test]
    fn values_follow_the_names_of_arguments() {
        assert_eq!(text("fs/ext4/super.c", "sb->s_id", 0), "{part}");
        assert_eq!(text("drivers/md/raid5.c", "mdname(mddev)", 1), "{md}");
        assert_eq!(decimal("fs/x.c", "ret", true, 1), "-110");
        assert_eq!(decimal("fs/x.c", "ret", false, 1), "110");
        assert_eq!(pointer("fs/ext4/super.c", "g"), "{part}");
    }
}
