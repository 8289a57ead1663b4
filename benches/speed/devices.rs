//! Looking devices up in a large tree: ten thousand SCSI paths under multipath maps, a logical volume on each map.
//!
//! The tree is a folder with real files, as sysfs is, read through the same calls. Beside it: `lsblk` and `prpt`'s library on
//! the devices of this machine, and the history of the same devices in memory.

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
/// Look-ups in one measurement.
const LOOK_UPS: usize = 50;

/// Measures and prints tables.
pub fn run(repeat: u32) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("peripety-bench").tempdir_in(shared_memory())?;
    make(folder.path())?;
    let tree = || Tree::directory(folder.path());
    let blocks = tree().list_all()?;
    let list = seconds(repeat, || {
        black_box(tree().list_all()?);
        Ok(())
    })?;
    let walk = seconds(repeat, || walk(folder.path()))?;
    let cold = |name: &dyn Fn(usize) -> String| {
        let all = seconds(repeat, || {
            for i in 0..LOOK_UPS {
                black_box(tree().block(&name(i * 37 % (PATHS / PER_MAP)))?);
            }
            Ok(())
        });
        all.map(|all| all / LOOK_UPS as f64)
    };
    let history = History::new("0", Window { after: 1, by: 1 }, blocks.iter().cloned());
    let names: Vec<String> = (0..LOOK_UPS).map(|i| disk(i * 37)).collect();
    let warm = seconds(repeat, || {
        for name in &names {
            black_box(history.at(name, 1));
        }
        Ok(())
    })? / LOOK_UPS as f64;
    let row =
        |what: &str, seconds: f64| vec![what.to_owned(), microseconds(seconds), table::ratio(walk, seconds)];
    let rows = vec![
        row("names and numbers of all devices, read from the folder", walk),
        row("all devices, in full", list),
        row("one path by its name, cold", cold(&disk)?),
        row("one logical volume by its kernel name, cold", cold(&|i| format!("dm-{}", PATHS / PER_MAP + i))?),
        row("one map by its device-mapper name, cold", cold(&|i| format!("mpath{i}"))?),
        row("one path by its name, in the history", warm),
    ];
    let maps = PATHS / PER_MAP;
    let title = format!("Devices: {PATHS} SCSI paths, {maps} multipath maps, as many logical volumes.");
    table::print(&title, &["question", "µs", "reading all names takes"], &rows);
    burst(&blocks, repeat)?;
    here(repeat)
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
        let dir = root.join("sys/block-devices").join(entry?.file_name());
        black_box(fs::read(dir.join("dev"))?);
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

/// Writes the tree.
fn make(root: &Path) -> anyhow::Result<()> {
    for dir in
        ["sys/class/block", "sys/dev/block", "sys/block-devices", "run/udev/data", "proc/self", "dev/mapper"]
    {
        fs::create_dir_all(root.join(dir))?;
    }
    fs::write(root.join("proc/self/mountinfo"), "")?;
    for path in 0..PATHS {
        let (map, name) = (path / PER_MAP, disk(path));
        let hardware = format!("sys/devices/pci0/host{path}/target{path}:0:0/{path}:0:0:0");
        let wwid = format!("naa.6000{map:012}");
        files(
            root,
            &hardware,
            &[("wwid", &wwid), ("state", "running"), ("vendor", "LAB"), ("model", "DISK")],
        )?;
        let number = format!("{}:{}", 8 + path / 256, path % 256);
        let dir = device(root, &format!("{hardware}/block/{name}"), &name, &number, path)?;
        symlink("../..", dir.join("device"))?;
        link(&dir.join("holders"), &format!("dm-{map}"))?;
    }
    for map in 0..PATHS / PER_MAP {
        let volume = PATHS / PER_MAP + map;
        let below: Vec<String> = (0..PER_MAP).map(|path| disk(map * PER_MAP + path)).collect();
        mapped(
            root,
            map,
            &format!("mpath{map}"),
            &format!("mpath-3{map}"),
            &below,
            &[format!("dm-{volume}")],
        )?;
        mapped(root, volume, &format!("vg-lv{map}"), &format!("LVM-{map}"), &[format!("dm-{map}")], &[])?;
    }
    Ok(())
}

fn mapped(
    root: &Path,
    index: usize,
    name: &str,
    uuid: &str,
    below: &[String],
    above: &[String],
) -> anyhow::Result<()> {
    let kdev = format!("dm-{index}");
    let folder = format!("sys/devices/virtual/block/{kdev}");
    let number = format!("252:{index}");
    let dir = device(root, &folder, &kdev, &number, PATHS + index)?;
    files(root, &format!("{folder}/dm"), &[("name", name), ("uuid", uuid)])?;
    symlink(format!("../{kdev}"), root.join("dev/mapper").join(name))?;
    below.iter().try_for_each(|other| link(&dir.join("slaves"), other))?;
    above.iter().try_for_each(|other| link(&dir.join("holders"), other))
}

fn device(
    root: &Path,
    folder: &str,
    name: &str,
    number: &str,
    seq: usize,
) -> anyhow::Result<std::path::PathBuf> {
    let seq = seq.to_string();
    files(
        root,
        folder,
        &[("dev", number), ("size", "2097152"), ("diskseq", &seq), ("ro", "0"), ("removable", "0")],
    )?;
    let up = "../".repeat(3);
    symlink(format!("{up}{folder}"), root.join("sys/class/block").join(name))?;
    symlink(format!("{up}{folder}"), root.join("sys/dev/block").join(number))?;
    symlink(format!("../../{folder}"), root.join("sys/block-devices").join(name))?;
    let record =
        format!("S:disk/by-id/wwn-0x{seq}\nI:1000\nE:ID_SERIAL=S{seq}\nE:ID_SERIAL_SHORT={seq}\nV:1\n");
    fs::write(root.join("run/udev/data").join(format!("b{number}")), record)?;
    Ok(root.join(folder))
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
