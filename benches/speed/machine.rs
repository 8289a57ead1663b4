//! The device tree of a machine with ten thousand SCSI paths under multipath maps, and a logical volume on each map, with what
//! the kernel and udev say of each.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Context;

/// SCSI paths, and how many of them lie under one map.
pub const PATHS: usize = 10_000;
pub const PER_MAP: usize = 4;
pub const MAPS: usize = PATHS / PER_MAP;

/// `sda` … `sdz`, `sdaa` … (drivers/scsi/sd.c, sd_format_disk_name)
pub fn disk(mut index: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'a' + u8::try_from(index % 26).unwrap_or(0)));
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    format!("sd{}", letters.iter().rev().collect::<String>())
}

/// A path's place: one of four hosts, so that the paths of a map are on different ones.
pub fn address(path: usize) -> String {
    let (map, host) = (path / PER_MAP, path % PER_MAP);
    format!("{host}:0:{}:{}", map / 250, map % 250)
}

pub fn number(path: usize) -> String {
    format!("{}:{}", 8 + path / 256, path % 256)
}

pub fn wwid(map: usize) -> String {
    format!("6{map:031x}")
}

pub fn uuid(map: usize) -> String {
    format!("{map:08x}-9afd-4cb5-b1d8-316b1e68cd43")
}

/// One device of the tree.
struct Node<'n> {
    directory: &'n str,
    name: &'n str,
    number: &'n str,
    /// The kernel's sequence number of the disk.
    seq: usize,
    /// Links to it that udev noted, and those of them that lead to it: a path's lead to the map.
    links: &'n [String],
    leading: &'n [String],
    /// Properties that udev noted.
    properties: &'n [(&'n str, &'n str)],
}

/// What else the kernel has in the directory of each block device (block/genhd.c, disk_attrs).
const OTHER_FILES: [&str; 12] = [
    "alignment_offset",
    "capability",
    "discard_alignment",
    "events",
    "events_async",
    "events_poll_msecs",
    "ext_range",
    "inflight",
    "partscan",
    "range",
    "stat",
    "badblocks",
];

/// Writes the tree.
pub fn make(root: &Path) -> anyhow::Result<()> {
    for dir in ["sys/class/block", "sys/dev/block", "sys/bus/scsi/devices", "run/udev/data", "proc/self"] {
        fs::create_dir_all(root.join(dir))?;
    }
    for dir in ["mapper", "vg", "disk/by-id", "disk/by-uuid", "disk/by-path", "disk/by-diskseq"] {
        fs::create_dir_all(root.join("dev").join(dir))?;
    }
    fs::write(root.join("proc/self/mountinfo"), "")?;
    fs::write(root.join("empty"), "")?;
    for host in 0..PER_MAP {
        files(root, &format!("sys/class/scsi_host/host{host}"), &[("proc_name", "lpfc")])?;
    }
    (0..PATHS).try_for_each(|index| path(root, index))?;
    (0..MAPS).try_for_each(|index| map_and_volume(root, index))
}

/// A path with what udev notes of one: scsi_id and 55-scsi-sg3_id.rules say the same in two ways.
fn path(root: &Path, index: usize) -> anyhow::Result<()> {
    let (map, name, address) = (index / PER_MAP, disk(index), address(index));
    let (target, lun) = address.rsplit_once(':').context("no address")?;
    let hardware =
        format!("sys/devices/pci0000:00/0000:00:03.0/host{}/target{target}/{address}", index % PER_MAP);
    let digits = wwid(map);
    let wwid = format!("naa.{digits}");
    files(root, &hardware, &[("wwid", &wwid), ("state", "running"), ("vendor", "LAB"), ("model", "DISK")])?;
    symlink(format!("../../../../{hardware}"), root.join("sys/bus/scsi/devices").join(&address))?;
    let directory = format!("{hardware}/block/{name}");
    let (wwn, long, serial) = (format!("0x{digits}"), format!("3{digits}"), format!("SN{index}"));
    let (short, target_name) = (digits.as_str(), format!("naa.5{map:015X}"));
    let properties = [
        ("SCSI_TPGS", "1"),
        ("SCSI_TYPE", "disk"),
        ("SCSI_VENDOR", "LAB"),
        ("SCSI_VENDOR_ENC", r"LAB\x20\x20\x20\x20\x20"),
        ("SCSI_MODEL", "DISK"),
        ("SCSI_MODEL_ENC", r"DISK\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20"),
        ("SCSI_REVISION", "0191"),
        ("ID_SCSI", "1"),
        ("ID_SCSI_INQUIRY", "1"),
        ("SCSI_IDENT_SERIAL", &serial),
        ("SCSI_IDENT_LUN_NAA_REGEXT", short),
        ("SCSI_IDENT_PORT_RELATIVE", "1"),
        ("SCSI_IDENT_PORT_TARGET_PORT_GROUP", "0x400"),
        ("SCSI_IDENT_TARGET_NAME", &target_name),
        ("ID_VENDOR", "LAB"),
        ("ID_VENDOR_ENC", r"LAB\x20\x20\x20\x20\x20"),
        ("ID_MODEL", "DISK"),
        ("ID_MODEL_ENC", r"DISK\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20\x20"),
        ("ID_REVISION", "0191"),
        ("ID_TYPE", "disk"),
        ("ID_TARGET_PORT", "400"),
        ("ID_WWN_WITH_EXTENSION", &wwn),
        ("ID_WWN", wwn.get(..18).unwrap_or_default()),
        ("ID_SCSI_SERIAL", &serial),
        ("ID_BUS", "scsi"),
        ("ID_SERIAL", &long),
        ("ID_SERIAL_SHORT", short),
        ("ID_PATH", &format!("pci-0000:00:03.0-scsi-{address}")),
        ("DM_MULTIPATH_DEVICE_PATH", "1"),
        ("ID_FS_TYPE", "mpath_member"),
        ("SYSTEMD_READY", "0"),
        ("DM_DEL_PART_NODES", "1"),
    ];
    let seq = index + 1;
    let own =
        [format!("disk/by-path/pci-0000:00:03.0-scsi-{target}:{lun}"), format!("disk/by-diskseq/{seq}")];
    let of_map = [format!("disk/by-id/wwn-{wwn}"), format!("disk/by-id/scsi-{long}")];
    let links = [of_map, own.clone()].concat();
    let number = number(index);
    let node = Node {
        directory: &directory,
        name: &name,
        number: &number,
        seq,
        links: &links,
        leading: &own,
        properties: &properties,
    };
    device(root, &node)?;
    symlink("../..", root.join(&directory).join("device"))?;
    link(&root.join(&directory).join("holders"), &format!("dm-{map}"))
}

fn map_and_volume(root: &Path, map: usize) -> anyhow::Result<()> {
    let paths: Vec<String> = (0..PER_MAP).map(|path| disk(map * PER_MAP + path)).collect();
    let volume = MAPS + map;
    let (map_name, volume_name) = (format!("dm-{map}"), format!("dm-{volume}"));
    let (digits, name) = (wwid(map), format!("mpath{map}"));
    let uuid = format!("mpath-3{digits}");
    let links = [
        format!("mapper/{name}"),
        format!("disk/by-id/dm-uuid-{uuid}"),
        format!("disk/by-id/dm-name-{name}"),
        format!("disk/by-id/wwn-0x{digits}"),
        format!("disk/by-id/scsi-3{digits}"),
    ];
    let properties = [
        ("DM_TYPE", "scsi"),
        ("DM_WWN", &format!("0x{digits}")),
        ("DM_SERIAL", &format!("3{digits}")),
        ("ID_FS_TYPE", "LVM2_member"),
        ("ID_FS_USAGE", "raid"),
        ("ID_FS_UUID", &format!("{map:06x}-qFRf-kpVV-JujW-E58o-D7O2-pQqxy8")),
        ("ID_FS_UUID_ENC", &format!("{map:06x}-qFRf-kpVV-JujW-E58o-D7O2-pQqxy8")),
        ("ID_FS_VERSION", "LVM2 001"),
    ];
    mapped(
        root,
        &map_name,
        &links,
        [&name, &uuid],
        &properties,
        [&paths, std::slice::from_ref(&volume_name)],
    )?;
    let (name, uuid) = (format!("vg-lv{map}"), format!("LVM-{map:064}"));
    let links = [
        format!("mapper/{name}"),
        format!("vg/lv{map}"),
        format!("disk/by-id/dm-uuid-{uuid}"),
        format!("disk/by-id/dm-name-{name}"),
        format!("disk/by-uuid/{}", self::uuid(map)),
    ];
    let properties = [
        ("DM_VG_NAME", "vg"),
        ("DM_LV_NAME", &format!("lv{map}")),
        ("ID_FS_UUID", &self::uuid(map)),
        ("ID_FS_UUID_ENC", &self::uuid(map)),
        ("ID_FS_VERSION", "1.0"),
        ("ID_FS_BLOCKSIZE", "4096"),
        ("ID_FS_LASTBLOCK", "262144"),
        ("ID_FS_SIZE", "1073741824"),
        ("ID_FS_TYPE", "ext4"),
        ("ID_FS_USAGE", "filesystem"),
    ];
    mapped(root, &volume_name, &links, [&name, &uuid], &properties, [&[map_name], &[]])
}

fn mapped(
    root: &Path,
    kdev: &str,
    links: &[String],
    [name, uuid]: [&str; 2],
    properties: &[(&str, &str)],
    [below, above]: [&[String]; 2],
) -> anyhow::Result<()> {
    let directory = format!("sys/devices/virtual/block/{kdev}");
    let number = kdev.replace("dm-", "252:");
    let minor: usize = kdev.trim_start_matches("dm-").parse()?;
    let seq = PATHS + minor + 1;
    let of_dm = [
        ("DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG", "1"),
        ("DM_UDEV_PRIMARY_SOURCE_FLAG", "1"),
        ("DM_UDEV_RULES_VSN", "3"),
        ("DM_NAME", name),
        ("DM_UUID", uuid),
    ];
    let properties = [&of_dm, properties].concat();
    let links = [links, &[format!("disk/by-diskseq/{seq}")]].concat();
    let node = Node {
        directory: &directory,
        name: kdev,
        number: &number,
        seq,
        links: &links,
        leading: &links,
        properties: &properties,
    };
    device(root, &node)?;
    files(root, &format!("{directory}/dm"), &[("name", name), ("uuid", uuid), ("suspended", "0")])?;
    let dir = root.join(directory);
    below.iter().try_for_each(|other| link(&dir.join("slaves"), other))?;
    above.iter().try_for_each(|other| link(&dir.join("holders"), other))
}

fn device(root: &Path, node: &Node<'_>) -> anyhow::Result<()> {
    let Node { directory, name, number, seq, .. } = node;
    let (major, minor) = number.split_once(':').context("no number")?;
    let uevent = format!("MAJOR={major}\nMINOR={minor}\nDEVNAME={name}\nDEVTYPE=disk\nDISKSEQ={seq}");
    let contents = [
        ("dev", *number),
        ("size", "2097152"),
        ("diskseq", &seq.to_string()),
        ("ro", "0"),
        ("removable", "0"),
        ("hidden", "0"),
        ("uevent", &uevent),
        ("queue/rotational", "0"),
    ];
    for directory_in_it in ["queue", "holders", "slaves", "power", "trace", "mq"] {
        fs::create_dir_all(root.join(directory).join(directory_in_it))?;
    }
    files(root, directory, &contents)?;
    for other in OTHER_FILES {
        fs::hard_link(root.join("empty"), root.join(directory).join(other))?;
    }
    symlink("/sys/class/block", root.join(directory).join("subsystem"))?;
    symlink(format!("../../../{directory}"), root.join("sys/class/block").join(name))?;
    symlink(format!("../../../{directory}"), root.join("sys/dev/block").join(number))?;
    for link in node.leading {
        let up = "../".repeat(link.matches('/').count());
        symlink(format!("{up}{name}"), root.join("dev").join(link))?;
    }
    Ok(fs::write(root.join("run/udev/data").join(format!("b{number}")), record(node))?)
}

/// udev's record, in the order in which it writes one.
fn record(node: &Node<'_>) -> String {
    let links = node.links.iter().map(|link| format!("S:{link}\n"));
    let properties = node.properties.iter().map(|(key, value)| format!("E:{key}={value}\n"));
    let lines: String = links.chain(["L:0\nI:1000\n".to_owned()]).chain(properties).collect();
    lines + "G:systemd\nQ:systemd\nV:1\n"
}

fn files(root: &Path, directory: &str, contents: &[(&str, &str)]) -> anyhow::Result<()> {
    fs::create_dir_all(root.join(directory))?;
    contents.iter().try_for_each(|(name, content)| {
        fs::write(root.join(directory).join(name), format!("{content}\n")).map_err(Into::into)
    })
}

/// A link to another device; it is followed inside the tree, from the root.
fn link(directory: &Path, name: &str) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    Ok(symlink(format!("/sys/class/block/{name}"), directory.join(name))?)
}
