//! Looking devices up in a large tree: ten thousand SCSI paths under multipath maps, a logical volume on each map.
//!
//! The tree is a folder with real files, as sysfs is, read through the same calls. Beside it: a plain reading of all names and
//! numbers, `lsblk` on the devices of this machine, and the history of the same devices in memory.

use std::fs;
use std::hint::black_box;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use peripety_blkinfo::history::{History, Window};
use peripety_blkinfo::{BlockInfo, Tree};

use crate::measure::median;
use crate::table;

/// SCSI paths, and how many of them lie under one map.
const PATHS: usize = 10_000;
const PER_MAP: usize = 4;
const MAPS: usize = PATHS / PER_MAP;
/// Look-ups in one measurement: straight ones, and those that go through all devices.
const STRAIGHT: usize = 50;
const THROUGH: usize = 1;
/// Histories of all devices that are made when memory is measured: the first ones take what was freed before.
const HISTORIES: (usize, usize) = (2, 4);

/// What is asked for, of the map or volume of that index.
type Question = (&'static str, usize, fn(usize) -> String);

const QUESTIONS: [Question; 9] = [
    ("one path by its name, cold", STRAIGHT, disk),
    ("one path by its number, cold", STRAIGHT, number),
    ("one path by its SCSI address, cold", STRAIGHT, address),
    ("one map by its device-mapper name, cold", STRAIGHT, |i| format!("mpath{i}")),
    ("one map by its WWID, cold", STRAIGHT, |i| format!("naa.{}", wwid(i))),
    ("one logical volume as vg/lv, cold", STRAIGHT, |i| format!("vg/lv{i}")),
    ("one logical volume by /dev/disk/by-uuid, cold", STRAIGHT, |i| format!("/dev/disk/by-uuid/{}", uuid(i))),
    ("one logical volume by the UUID alone, cold", THROUGH, uuid),
    ("one path by its serial number, cold", THROUGH, |i| format!("SN{}", i * PER_MAP)),
];

/// Measures and prints tables.
pub fn run(repeat: u32) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("peripety-bench").tempdir_in(shared_memory())?;
    make(folder.path())?;
    let tree = || Tree::directory(folder.path());
    let blocks = tree().list_all()?;
    anyhow::ensure!(blocks.len() == PATHS + 2 * MAPS, "{} devices were listed", blocks.len());
    let walk = seconds(repeat, || walk(folder.path()))?;
    let list = seconds(repeat, || {
        black_box(tree().list_all()?);
        Ok(())
    })?;
    let row =
        |what: &str, seconds: f64| vec![what.to_owned(), microseconds(seconds), table::ratio(walk, seconds)];
    let mut rows = vec![
        row("names and numbers of all devices, read plainly (the peer)", walk),
        row("all devices, in full", list),
    ];
    for (what, count, name) in QUESTIONS {
        rows.push(row(what, cold(repeat, &tree, count, name)?));
    }
    let history = History::new("0", Window { after: 1, by: 1 }, blocks.iter().cloned());
    rows.push(row("one path by its name, in the history", warm(repeat, &history)?));
    let title = format!("Devices: {PATHS} SCSI paths, {MAPS} multipath maps, as many logical volumes.");
    table::print(&title, &["question", "µs", "the peer takes"], &rows);
    burst(&blocks, repeat)?;
    memory(&blocks)?;
    here(repeat)
}

/// One question to a tree that nobody asked before.
fn cold(
    repeat: u32,
    tree: &dyn Fn() -> Tree,
    count: usize,
    name: fn(usize) -> String,
) -> anyhow::Result<f64> {
    let names: Vec<String> = (0..count).map(|i| name(i * 37 % MAPS)).collect();
    let all = seconds(repeat, || {
        names.iter().try_for_each(|name| {
            black_box(tree().block(name)?);
            Ok(())
        })
    });
    Ok(all? / count as f64)
}

fn warm(repeat: u32, history: &History) -> anyhow::Result<f64> {
    let names: Vec<String> = (0..MAPS).map(disk).collect();
    let all = seconds(repeat, || {
        for name in &names {
            black_box(history.at(name, 1));
        }
        Ok(())
    });
    Ok(all? / names.len() as f64)
}

/// What a history of all devices takes, by the growth of this process.
fn memory(blocks: &[BlockInfo]) -> anyhow::Result<()> {
    let make = || History::new("0", Window { after: 1, by: 1 }, blocks.iter().cloned());
    let (first, more) = HISTORIES;
    let mut histories: Vec<History> = (0..first).map(|_| make()).collect();
    let before = anonymous()?;
    histories.extend((0..more).map(|_| make()));
    let each = (anonymous()? - before) / (more * blocks.len()) as f64;
    black_box(histories);
    println!("\nThe history takes {} bytes a device.", table::grouped(each));
    Ok(())
}

/// Anonymous memory of this process that is resident, in bytes.
fn anonymous() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    Ok(value.context("no RssAnon in /proc/self/status")?.parse::<f64>()? * 1024.0)
}

/// All of them come, and all go.
fn burst(blocks: &[BlockInfo], repeat: u32) -> anyhow::Result<()> {
    let mut left = 0;
    let taken = seconds(repeat, || {
        let mut history = History::new("0", Window { after: 1, by: 1 }, []);
        for (block, time) in blocks.iter().zip(2..) {
            history.seen(block.clone(), time);
        }
        for (block, time) in blocks.iter().zip(1_000_000..) {
            history.gone(&block.kdev, block.diskseq, time);
        }
        history.told(2_000_000);
        let known = |block: &&BlockInfo| {
            history.at(&block.kdev, 2_000_000) != peripety_blkinfo::history::Answer::Absent
        };
        left = blocks.iter().filter(known).count();
        Ok(())
    })?;
    anyhow::ensure!(left == 0, "{left} devices are there after all went");
    let each = taken / blocks.len() as f64;
    println!(
        "\nA burst of {} devices that come and go: {} µs each; none is left.",
        blocks.len(),
        microseconds(each)
    );
    Ok(())
}

/// The devices of this machine.
fn here(repeat: u32) -> anyhow::Result<()> {
    let tree = Tree::live();
    let Ok(blocks) = tree.list() else { return Ok(()) };
    let own = seconds(repeat, || {
        black_box(tree.list()?);
        Ok(())
    })?;
    let lsblk = seconds(repeat, || {
        let out = Command::new("lsblk").args(["-J", "-O"]).output().context("cannot start lsblk")?;
        anyhow::ensure!(out.status.success(), "lsblk failed");
        Ok(())
    });
    match lsblk {
        Ok(lsblk) => println!(
            "\nThe {} devices of this machine: {} µs in full; lsblk -J -O {} µs with the start of its process ({}).",
            blocks.len(),
            microseconds(own),
            microseconds(lsblk),
            table::ratio(lsblk, own)
        ),
        Err(e) => println!("\nlsblk was not measured: {e}"),
    }
    Ok(())
}

fn seconds(repeat: u32, mut what: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..repeat {
        let start = Instant::now();
        what()?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(median(times))
}

fn microseconds(seconds: f64) -> String {
    match seconds * 1e6 {
        small if small < 100.0 => format!("{small:.2}"),
        large => table::grouped(large),
    }
}

/// What any reader of sysfs does at least: every device's name and number.
fn walk(root: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(root.join("sys/class/block"))? {
        let entry = entry?;
        black_box(fs::read(entry.path().join("dev"))?);
    }
    Ok(())
}

fn shared_memory() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    }
}

/// `sda` … `sdz`, `sdaa` … (drivers/scsi/sd.c, sd_format_disk_name)
fn disk(mut index: usize) -> String {
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
fn address(path: usize) -> String {
    let (map, host) = (path / PER_MAP, path % PER_MAP);
    format!("{host}:0:{}:{}", map / 250, map % 250)
}

fn number(path: usize) -> String {
    format!("{}:{}", 8 + path / 256, path % 256)
}

fn wwid(map: usize) -> String {
    format!("6{map:031x}")
}

fn uuid(map: usize) -> String {
    format!("{map:08x}-9afd-4cb5-b1d8-316b1e68cd43")
}

/// One device of the tree.
struct Node<'n> {
    folder: &'n str,
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

/// What else the kernel has in the folder of each block device (block/genhd.c, disk_attrs).
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
fn make(root: &Path) -> anyhow::Result<()> {
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
    let folder = format!("{hardware}/block/{name}");
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
        folder: &folder,
        name: &name,
        number: &number,
        seq,
        links: &links,
        leading: &own,
        properties: &properties,
    };
    device(root, &node)?;
    symlink("../..", root.join(&folder).join("device"))?;
    link(&root.join(&folder).join("holders"), &format!("dm-{map}"))
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
    let folder = format!("sys/devices/virtual/block/{kdev}");
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
        folder: &folder,
        name: kdev,
        number: &number,
        seq,
        links: &links,
        leading: &links,
        properties: &properties,
    };
    device(root, &node)?;
    files(root, &format!("{folder}/dm"), &[("name", name), ("uuid", uuid), ("suspended", "0")])?;
    let dir = root.join(folder);
    below.iter().try_for_each(|other| link(&dir.join("slaves"), other))?;
    above.iter().try_for_each(|other| link(&dir.join("holders"), other))
}

fn device(root: &Path, node: &Node<'_>) -> anyhow::Result<()> {
    let Node { folder, name, number, seq, .. } = node;
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
    for folder_in_it in ["queue", "holders", "slaves", "power", "trace", "mq"] {
        fs::create_dir_all(root.join(folder).join(folder_in_it))?;
    }
    files(root, folder, &contents)?;
    for other in OTHER_FILES {
        fs::hard_link(root.join("empty"), root.join(folder).join(other))?;
    }
    symlink("/sys/class/block", root.join(folder).join("subsystem"))?;
    symlink(format!("../../../{folder}"), root.join("sys/class/block").join(name))?;
    symlink(format!("../../../{folder}"), root.join("sys/dev/block").join(number))?;
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

fn files(root: &Path, folder: &str, contents: &[(&str, &str)]) -> anyhow::Result<()> {
    fs::create_dir_all(root.join(folder))?;
    contents.iter().try_for_each(|(name, content)| {
        fs::write(root.join(folder).join(name), format!("{content}\n")).map_err(Into::into)
    })
}

/// A link to another device; it is followed inside the tree, from the root.
fn link(folder: &Path, name: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    Ok(symlink(format!("/sys/class/block/{name}"), folder.join(name))?)
}
