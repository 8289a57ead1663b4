//! A question about a device costs no I/O: the example program `blk` is asked with every kind of device string under
//! strace, and whatever it does with a file must be a reading of what describes devices.
//!
//! No node is opened, nothing is asked of a device by ioctl(2), and a path that somebody asks about is never touched:
//! on a dead file system even stat(2) would hang.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};
use std::{env, fs, process};

use peripety_blkinfo::Recorded;

use common::skip::skip;
use common::strace::{obstacle, traced, Call};
use common::unpack::unpack;

/// What describes devices, as in `docs/devices.md`.
const PLACES: [&str; 5] =
    ["/sys", "/run/udev/data", "/proc/self/mountinfo", "/proc/swaps", "/proc/sys/kernel/random/boot_id"];
/// Calls that read; any other call with a path is wrong.
const OPENING: [&str; 3] = ["open", "openat", "openat2"];
const LOOKING: [&str; 6] = ["stat", "lstat", "newfstatat", "statx", "access", "faccessat"];
const LINK_READING: [&str; 2] = ["readlink", "readlinkat"];

// --- What is allowed ----------------------------------------------------------

/// A tree that is asked, and what belongs to it.
struct World {
    /// Its root on this machine; `None` for a tree in a file, of which nothing but that file may be touched.
    root: Option<PathBuf>,
    /// The file or directory that was named on the command line.
    named: Option<PathBuf>,
    /// What any run touches before it reads its arguments: the program, its libraries.
    start: BTreeSet<String>,
}

impl World {
    /// What is wrong with the calls of one run, each path once.
    fn wrongs(&self, question: &str, calls: &[Call]) -> BTreeSet<String> {
        let wrong = |call: &Call| {
            let path = call.path.as_deref().unwrap_or(&call.line);
            self.wrong(call).map(|why| format!("{question:?}: {why}: {} {path}", call.name))
        };
        calls.iter().filter_map(wrong).collect()
    }

    fn wrong(&self, call: &Call) -> Option<&'static str> {
        if call.name == "ioctl" {
            return Some("ioctl");
        }
        // Without a path it is about a file that was opened before.
        let text = call.path.as_deref().filter(|path| !path.is_empty())?;
        let path = Path::new(text);
        if self.start.contains(text) {
            return None;
        }
        if !(call.is(&OPENING) || call.is(&LOOKING) || call.is(&LINK_READING)) {
            return Some("a call that does not read");
        }
        if ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| call.line.contains(flag)) {
            return Some("opened for writing");
        }
        if !path.is_absolute() || path.components().any(|component| component == Component::ParentDir) {
            return Some("a path that is not plain");
        }
        if call.is(&OPENING) && is_node(path) {
            return Some("a device node was opened");
        }
        if self.named.as_deref() == Some(path) {
            return None;
        }
        let inside = self.root.as_ref().and_then(|root| path.strip_prefix(root).ok());
        match inside.map(|inside| Path::new("/").join(inside)) {
            Some(inside) if asks_the_disk(&inside) => Some("an attribute that asks the disk was read"),
            Some(inside) if PLACES.iter().any(|place| inside.starts_with(place)) => None,
            Some(inside) if call.is(&LINK_READING) && is_link_place(&inside) => None,
            _ => Some("outside the places that describe devices"),
        }
    }
}

/// Is it a device node on this machine?
fn is_node(path: &Path) -> bool {
    let kind = fs::metadata(path).map(|metadata| metadata.file_type());
    kind.is_ok_and(|kind| kind.is_block_device() || kind.is_char_device())
}

/// Attributes that ask: `serial` of a virtio disk the host (drivers/block/virtio_blk.c, serial_show), `nuse` of an NVMe
/// namespace the controller (drivers/nvme/host/sysfs.c, ns_update_nuse).
fn asks_the_disk(path: &Path) -> bool {
    let mut names = path.iter().rev().filter_map(|name| name.to_str());
    match (names.next(), names.next()) {
        (Some("serial"), Some(disk)) => disk.starts_with("vd"),
        (Some("nuse"), Some(disk)) => disk.starts_with("nvme"),
        _ => false,
    }
}

/// Links are looked for on the way to the places, and anywhere below /dev.
fn is_link_place(path: &Path) -> bool {
    path.starts_with("/dev") || PLACES.iter().any(|place| Path::new(place).starts_with(path))
}

// --- What is asked ------------------------------------------------------------

/// The device strings of a fixture's questions.
fn questions(case: &Path) -> Vec<String> {
    let queries = fs::read_to_string(case.join("queries.txt")).unwrap();
    let lines = queries.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let strings = lines.map(|line| match line.split_once(' ') {
        Some((command, string)) if command.starts_with('!') => string.to_owned(),
        _ => line.to_owned(),
    });
    let strings: BTreeSet<String> = strings.filter(|string| !string.starts_with('!')).collect();
    strings.into_iter().collect()
}

/// Strings of every kind that may mean something, or nothing, on any machine; between them `|`.
const ANYWHERE: &str =
    "8:0|b254:0|c1:3|0:0:0:0|+scsi:0:0:0:0|[sda]|ata1.00|host0|0000:00:02.0|virtio1|nvme0|\
    nvme0 nsid 1|sg0|dm-0-8|/dev/sda|/dev/null|/dev/tty|/dev/fd|/dev/mapper/control|\
    /dev/disk/by-id/none|disk/by-id/none|vg/lv|naa.5000c50000000100|wwn-0x5000c50000000100|\
    UUID=c0ffee00-1111-4222-8333-444455556666|c0ffee00-1111-4222-8333-444455556666|LABEL=none|\
    no such thing|/sys/block/sda|/|/nonexistent/below/root|/etc/hostname|/proc/self/environ|\
    /tmp/../etc";

/// The devices of this machine, its mount points, and a path below each.
fn live_questions() -> Vec<String> {
    let mut strings: BTreeSet<String> = ANYWHERE.split('|').map(str::to_owned).collect();
    let names = fs::read_dir("/sys/class/block").into_iter().flatten().take(12);
    for name in names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()) {
        strings.extend([format!("/dev/{name}"), format!("/sys/class/block/{name}"), name]);
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    for mount_point in mounts.lines().filter_map(|line| line.split(' ').nth(4)).take(12) {
        let below = format!("{}/nonexistent/x", mount_point.trim_end_matches('/'));
        strings.extend([mount_point.to_owned(), below]);
    }
    strings.into_iter().collect()
}

// --- The tests ----------------------------------------------------------------

/// Asks for the list of all devices, then every string, each in a run of its own.
fn ask(scratch: &Path, mut world: World, questions: &[String]) {
    // A string of blanks is refused before anything is read.
    let (_, start) = traced(scratch, &[" "]);
    world.start = start.into_iter().filter_map(|call| call.path).filter(|path| !path.is_empty()).collect();
    assert!(!world.start.iter().any(|path| path.starts_with("/dev") || path.starts_with("/sys")));
    let tree: Vec<&str> = match &world.named {
        Some(named) => vec!["--tree", named.to_str().unwrap()],
        None => Vec::new(),
    };
    let (mut wrong, mut answered) = (Vec::new(), 0);
    for question in [None].into_iter().chain(questions.iter().map(Some)) {
        let mut arguments = tree.clone();
        arguments.extend(question.map(String::as_str));
        let (output, calls) = traced(scratch, &arguments);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{question:?}: {output:?}");
        assert!(!calls.is_empty(), "{question:?}: strace saw nothing");
        answered += usize::from(output.status.success());
        wrong.extend(world.wrongs(question.map_or("list", String::as_str), &calls));
    }
    assert!(wrong.is_empty(), "{} calls\n{}", wrong.len(), wrong.join("\n"));
    assert!(answered > 1, "nothing but errors came of {questions:?}");
}

/// A directory for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("blkinfo-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(case)
}

const FIXTURES: [&str; 2] = ["strings", "odd"];

#[test]
fn the_running_machine() {
    if let Some(reason) = obstacle() {
        return skip("the_running_machine", &reason);
    }
    let scratch = Scratch::new("no-io-live");
    let world = World { root: Some("/".into()), named: None, start: BTreeSet::new() };
    ask(&scratch.0, world, &live_questions());
}

#[test]
fn a_recorded_tree() {
    if let Some(reason) = obstacle() {
        return skip("a_recorded_tree", &reason);
    }
    let scratch = Scratch::new("no-io-text");
    for case in FIXTURES.map(fixture) {
        let world = World { root: None, named: Some(case.join("tree.txt")), start: BTreeSet::new() };
        ask(&scratch.0, world, &questions(&case));
    }
}

/// A directory is slow to ask under strace: every fourth question.
#[test]
fn a_tree_in_a_directory() {
    if let Some(reason) = obstacle() {
        return skip("a_tree_in_a_directory", &reason);
    }
    let scratch = Scratch::new("no-io-directory");
    for name in FIXTURES {
        let case = fixture(name);
        let recorded = Recorded::parse(&fs::read_to_string(case.join("tree.txt")).unwrap()).unwrap();
        let root = scratch.0.join(name);
        unpack(&recorded, Path::new("/"), &root);
        let world = World { root: Some(root.clone()), named: Some(root), start: BTreeSet::new() };
        let questions: Vec<String> = questions(&case).into_iter().step_by(4).collect();
        ask(&scratch.0, world, &questions);
    }
}

/// The test itself finds what it looks for.
#[test]
fn what_is_wrong_is_found() {
    let hex = |path: &str| path.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let wrong = |root: &str, call: &str| {
        let world =
            World { root: Some(root.into()), named: None, start: BTreeSet::from(["/lib/x".to_owned()]) };
        let (before, rest) = call.split_once('"').unwrap_or((call, ""));
        let (path, after) = rest.split_once('"').unwrap_or_default();
        world.wrong(&Call::parse(&format!("77 {before}\"{}\"{after}", hex(path))).unwrap())
    };
    for call in [
        r#"openat(AT_FDCWD, "/dev/null", O_RDONLY|O_CLOEXEC) = 3"#,
        r#"open("/dev/vda", O_RDONLY) = -1 ENOENT"#,
        r#"statx(AT_FDCWD, "/dev/vda", AT_STATX_SYNC_AS_STAT, STATX_ALL, <unfinished ...>"#,
        r#"statx(AT_FDCWD, "/nonexistent/below/root", 0, STATX_ALL, 0x1) = -1 ENOENT"#,
        r#"readlink("/mnt/dead", 0x1, 256) = -1 EINVAL"#,
        r#"readlink("/etc/hostname", 0x1, 256) = -1 EINVAL"#,
        r#"readlink("/proc/self/fd", 0x1, 256) = -1 EINVAL"#,
        r#"openat(AT_FDCWD, "/sys/class/nvme/nvme0/nvme0c0n1/nuse", O_RDONLY) = 3"#,
        r#"openat(AT_FDCWD, "/sys/block/vda/serial", O_RDONLY) = 3"#,
        r#"openat(AT_FDCWD, "/sys/block/vda/size", O_RDWR) = 3"#,
        r#"openat(AT_FDCWD, "/sys/../etc/passwd", O_RDONLY) = 3"#,
        r#"openat(4, "size", O_RDONLY) = 3"#,
        r#"unlink("/sys/block") = 0"#,
        r#"statfs("/mnt", {}) = 0"#,
        "ioctl(3, BLKGETSIZE64, 0x1) = 0",
    ] {
        assert!(wrong("/", call).is_some(), "{call}");
        assert!(wrong("/tree", call).is_some(), "{call}");
    }
    for call in [
        r#"openat(AT_FDCWD, "/sys/block/vda/size", O_RDONLY|O_CLOEXEC) = 3"#,
        r#"statx(AT_FDCWD, "/proc/self/mountinfo", 0, STATX_ALL, 0x1) = 0"#,
        r#"readlink("/dev/disk/by-id/x", 0x1, 256) = -1 ENOENT"#,
        r#"openat(AT_FDCWD, "/lib/x", O_RDONLY) = 3"#,
        r#"newfstatat(3, "", {}, AT_EMPTY_PATH) = 0"#,
    ] {
        assert_eq!(wrong("/", call), None, "{call}");
    }
    assert!(wrong("/tree", r#"readlink("/dev/disk/by-id/x", 0x1, 256) = -1 ENOENT"#).is_some());
    assert_eq!(wrong("/tree", r#"readlink("/tree/dev/disk/by-id/x", 0x1, 256) = -1 ENOENT"#), None);
    let at = |directory: &str, name: &str| {
        let line = format!("77 openat(4<{}>, \"{}\", O_RDONLY) = 5", hex(directory), hex(name));
        let world = World { root: Some("/".into()), named: None, start: BTreeSet::new() };
        world.wrong(&Call::parse(&line).unwrap())
    };
    assert_eq!(at("/sys/block/vda", "size"), None);
    for (directory, name) in [("/etc", "passwd"), ("/dev", "null"), ("/sys/block/vda", "serial")] {
        assert!(at(directory, name).is_some(), "{directory} {name}");
    }
    assert!(Call::parse("77 +++ exited with 0 +++").is_none());
    assert!(Call::parse("77 <... openat resumed>) = 3").is_none());
}
