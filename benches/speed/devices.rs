//! Looking devices up in a large tree: ten thousand SCSI paths under multipath maps, a logical volume on each map.
//!
//! The tree is a directory with real files, as sysfs is, read through the same calls. Beside it: a plain reading of all names and
//! numbers, `lsblk` on the devices of this machine, and the history of the same devices in memory.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use peripety_blkinfo::history::{History, Window};
use peripety_blkinfo::{BlockInfo, Tree};

use crate::machine::{address, disk, make, number, uuid, wwid, MAPS, PATHS, PER_MAP};
use crate::measure::median;
use crate::table;

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
    let directory = tempfile::Builder::new().prefix("peripety-bench").tempdir_in(shared_memory())?;
    make(directory.path())?;
    let tree = || Tree::directory(directory.path());
    let blocks = tree().list_all()?;
    anyhow::ensure!(blocks.len() == PATHS + 2 * MAPS, "{} devices were listed", blocks.len());
    let walk = seconds(repeat, || walk(directory.path()))?;
    let list = seconds(repeat, || {
        black_box(tree().list_all()?);
        Ok(())
    })?;
    let row =
        |what: &str, seconds: f64| vec![what.to_owned(), microseconds(seconds), table::ratio(walk, seconds)];
    let mut rows =
        vec![row("names and numbers of all devices, read plainly", walk), row("all devices, in full", list)];
    for (what, count, name) in QUESTIONS {
        rows.push(row(what, cold(repeat, &tree, count, name)?));
    }
    let history = History::new("0", Window { after: 1, by: 1 }, blocks.iter().cloned());
    rows.push(row("one path by its name, in the history", warm(repeat, &history)?));
    let title = format!("Devices: {PATHS} SCSI paths, {MAPS} multipath maps, as many logical volumes.");
    table::print(&title, &["lookup", "µs", "times as fast as plain"], &rows);
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
        history.advance(2_000_000);
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
