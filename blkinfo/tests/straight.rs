//! A question about one device looks at that device and its neighbours, however many others there are.

#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use peripety_blkinfo::{Recorded, Source, Tree};

/// A tree that counts what is read from it: calls, and the names that directories have.
struct Counting {
    tree: Recorded,
    count: Arc<AtomicUsize>,
}

impl Counting {
    fn add(&self, number: usize) {
        self.count.fetch_add(number, Ordering::Relaxed);
    }
}

impl Source for Counting {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.add(1);
        self.tree.read(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.add(1);
        self.tree.read_link(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let names = self.tree.read_dir(path)?;
        self.add(1 + names.len());
        Ok(names)
    }
}

/// Two paths under each of so many maps, a logical volume on each.
fn machine(maps: usize, seen: u64) -> (Tree, Arc<AtomicUsize>) {
    let mut text = "# peripety device tree 1\n/proc/self/mountinfo =\n".to_owned();
    for map in 0..maps {
        for (host, minor) in [(2, map), (3, maps + map)] {
            let name = format!("sd{host}x{map}");
            let dir = format!("pci0/host{host}/target{host}:0:0/{host}:0:0:{map}");
            let disk = format!("{dir}/block/{name}");
            let link = format!("disk/by-id/scsi-S{map}");
            device(&mut text, &disk, &name, &format!("8:{minor}"), seen, &link);
            let device = format!("/sys/devices/{dir}");
            writeln!(text, "{device}/wwid = naa.6{map:031x}\n/sys/devices/{disk}/device -> ../..").unwrap();
            writeln!(text, "/sys/devices/{disk}/holders/dm-{map} -> /sys/class/block/dm-{map}").unwrap();
            writeln!(text, "/sys/bus/scsi/devices/{host}:0:0:{map} -> {device}").unwrap();
        }
        let volume = maps + map;
        let mapped = [
            (
                map,
                format!("mpath{map}"),
                format!("mpath-36{map:031x}"),
                format!("disk/by-id/wwn-0x6{map:031x}"),
            ),
            (volume, format!("vg-lv{map}"), format!("LVM-{map}"), format!("disk/by-uuid/0-{map}")),
        ];
        for (minor, name, uuid, link) in mapped {
            let dir = format!("virtual/block/dm-{minor}");
            device(&mut text, &dir, &format!("dm-{minor}"), &format!("253:{minor}"), seen, &link);
            writeln!(text, "/sys/devices/{dir}/dm/name = {name}\n/sys/devices/{dir}/dm/uuid = {uuid}")
                .unwrap();
            writeln!(text, "/dev/mapper/{name} -> ../dm-{minor}\n/dev/{link} -> ../../dm-{minor}").unwrap();
        }
        let slaves = |of: usize| format!("/sys/devices/virtual/block/dm-{of}/slaves");
        for host in [2, 3] {
            writeln!(text, "{}/sd{host}x{map} -> /sys/class/block/sd{host}x{map}", slaves(map)).unwrap();
        }
        writeln!(text, "{}/dm-{map} -> /sys/class/block/dm-{map}", slaves(volume)).unwrap();
    }
    let count = Arc::new(AtomicUsize::new(0));
    let tree = Tree::new(Counting { tree: Recorded::parse(&text).unwrap(), count: count.clone() });
    (tree, count)
}

fn device(text: &mut String, dir: &str, name: &str, number: &str, seen: u64, link: &str) {
    let dir = format!("/sys/devices/{dir}");
    writeln!(text, "{dir}/dev = {number}\n{dir}/size = 8\n/sys/class/block/{name} -> {dir}").unwrap();
    writeln!(text, "/sys/dev/block/{number} -> {dir}").unwrap();
    writeln!(text, "/run/udev/data/b{number} =\n\tI:{seen}\n\tS:{link}").unwrap();
}

/// The same device in each machine: its names, and those of its map and volume.
const QUESTIONS: [(&str, &str); 13] = [
    ("sd2x7", "sd2x7"),
    ("8:7", "sd2x7"),
    ("2:0:0:7", "sd2x7"),
    ("/dev/sd2x7", "sd2x7"),
    ("dm-7", "dm-7"),
    ("253:7", "dm-7"),
    ("mpath7", "dm-7"),
    ("/dev/mapper/mpath7", "dm-7"),
    ("/dev/disk/by-id/wwn-0x60000000000000000000000000000007", "dm-7"),
    ("naa.60000000000000000000000000000007", "dm-7"),
    ("mpath-360000000000000000000000000000007", "dm-7"),
    ("vg/lv7", ""),
    ("/dev/disk/by-uuid/0-7", ""),
];

#[test]
fn a_question_costs_the_same_among_many_devices() {
    let ((few, few_reads), (many, many_reads)) = (machine(8, 1000), machine(400, 1000));
    for (question, kdev) in QUESTIONS {
        let cost = |tree: &Tree, count: &AtomicUsize, maps: usize| {
            let before = count.load(Ordering::Relaxed);
            let volume = format!("dm-{}", maps + 7);
            let expected = if kdev.is_empty() { volume.as_str() } else { kdev };
            assert_eq!(tree.block(question).unwrap().kdev, expected, "{question}");
            count.load(Ordering::Relaxed) - before
        };
        let (few, many) = (cost(&few, &few_reads, 8), cost(&many, &many_reads, 400));
        assert!(many <= few && many < 120, "{question}: {few} reads among 32 devices, {many} among 1,600");
    }
}

#[test]
fn when_udev_saw_the_first_device_is_looked_up_once() {
    let (tree, reads) = machine(400, 20_000_000);
    let cost = || {
        let before = reads.load(Ordering::Relaxed);
        assert_eq!(tree.block("sd2x7").unwrap().present_since, Some(0));
        reads.load(Ordering::Relaxed) - before
    };
    let (first, second) = (cost(), cost());
    assert!(first > 1600 && second < 120, "{first} reads, then {second}");
}

#[test]
fn a_listing_reads_each_fact_once() {
    let ((few, few_reads), (many, many_reads)) = (machine(100, 1000), machine(400, 1000));
    let each = |tree: &Tree, count: &AtomicUsize| {
        let listed = tree.list().unwrap().len();
        count.load(Ordering::Relaxed) / listed
    };
    let (few, many) = (each(&few, &few_reads), each(&many, &many_reads));
    assert!(many <= few && many < 60, "{few} reads a device among 400, {many} among 1,600");
}
