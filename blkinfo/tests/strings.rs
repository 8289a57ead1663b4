//! Device strings that were changed at random, asked of every fixture: an answer comes, in time, and nothing is read but
//! descriptions of devices.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, io};

use peripety_blkinfo::{Error, Recorded, Source, Tree};

/// How many strings each fixture is asked about.
const STRINGS: usize = 240;
/// A question on the largest fixture takes some milliseconds, unoptimised.
const STRING_TIMEOUT: Duration = Duration::from_secs(3);

/// Knuth's linear congruential generator: the same strings in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        from.get(self.below(from.len())).unwrap()
    }
}

/// A tree that notes the paths which it would rather not have been asked for.
struct Watched {
    tree: Recorded,
    bad: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Watched {
    fn check(&self, path: &Path, allowed: &[&str]) {
        let plain = !path.components().any(|component| component == Component::ParentDir);
        if !plain || !allowed.iter().any(|place| path.starts_with(place)) {
            self.bad.lock().unwrap().insert(path.to_owned());
        }
    }
}

const READ: [&str; 5] =
    ["/sys", "/run/udev/data", "/proc/self/mountinfo", "/proc/swaps", "/proc/sys/kernel/random/boot_id"];
/// Where links are followed. In one fixture a link in /dev leads to /etc: what stands there is not looked at.
const LINKS: [&str; 2] = ["/sys", "/dev"];

impl Source for Watched {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.check(path, &READ);
        self.tree.read(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.check(path, &LINKS);
        self.tree.read_link(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.check(path, &READ);
        self.tree.read_dir(path)
    }
}

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// The device strings of all fixtures' questions.
fn strings() -> Vec<String> {
    let mut strings = BTreeSet::new();
    for case in cases() {
        let queries = fs::read_to_string(case.join("queries.txt")).unwrap();
        let lines = queries.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        strings.extend(lines.map(|line| match line.split_once(' ') {
            Some((command, string)) if command.starts_with('!') => string.to_owned(),
            _ => line.to_owned(),
        }));
    }
    strings.into_iter().collect()
}

/// Pieces that mean something in one form of device string or another.
const PIECES: [&str; 24] = [
    "..",
    "/",
    "../",
    "/..",
    ":",
    "-",
    ".",
    "0",
    "4294967296",
    "99999999999999999999",
    "+scsi:",
    "[",
    "]",
    "\0",
    " ",
    "é",
    "-part1",
    "=",
    "n",
    "c",
    "host",
    "nvme0",
    "/dev/",
    "/sys/",
];

/// One to four changes: a piece put in, a character taken out or doubled, the rest cut off, another string's end.
fn changed(random: &mut Random, strings: &[String]) -> String {
    let mut text: Vec<char> = random.pick(strings).chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(text.len() + 1);
        match random.below(6) {
            0 | 1 => {
                let piece: Vec<char> = random.pick(&PIECES).chars().collect();
                text.splice(at..at, piece);
            }
            2 => text.truncate(at),
            3 if at < text.len() => drop(text.remove(at)),
            4 if at < text.len() => text.insert(at, *text.get(at).unwrap()),
            _ => {
                let other: Vec<char> = random.pick(strings).chars().collect();
                text.truncate(at);
                text.extend(other.get(random.below(other.len() + 1)..).unwrap());
            }
        }
    }
    text.into_iter().collect()
}

/// Everything that the answer to a string must be.
fn check(tree: &Tree, string: &str) {
    for answer in [tree.block(string), tree.kernel_block(string)] {
        match answer {
            Ok(block) => assert_eq!(tree.kernel_block(&block.kdev).unwrap().kdev, block.kdev, "{string:?}"),
            Err(Error::NotFound { device, looked }) => assert!(device == string && !looked.is_empty()),
            Err(Error::Ambiguous { device, candidates }) => {
                assert_eq!(device, string);
                assert!(candidates.len() > 1, "{string:?}: {candidates:?}");
                let mut sorted = candidates.clone();
                sorted.sort_by(|a, b| peripety_blkinfo::natural_cmp(a, b));
                sorted.dedup();
                assert_eq!(candidates, sorted, "{string:?}");
            }
            Err(error) => assert!(matches!(error, Error::Source { .. }), "{string:?}: {error}"),
        }
    }
}

#[test]
fn changed_strings_are_answered() {
    let strings = strings();
    let mut random = Random(11);
    for case in cases() {
        let bad = Arc::new(Mutex::new(BTreeSet::new()));
        let tree = Recorded::parse(&fs::read_to_string(case.join("tree.txt")).unwrap()).unwrap();
        let tree = Tree::new(Watched { tree, bad: bad.clone() });
        for _ in 0..STRINGS {
            let string = changed(&mut random, &strings);
            let begin = Instant::now();
            check(&tree, &string);
            assert!(
                begin.elapsed() < STRING_TIMEOUT,
                "{string:?} took {:?} in {}",
                begin.elapsed(),
                case.display()
            );
            let bad = std::mem::take(&mut *bad.lock().unwrap());
            assert!(bad.is_empty(), "{string:?} led to {bad:?} in {}", case.display());
        }
    }
}

/// A name that only people give is none of the kernel's, whatever fixture has it.
#[test]
fn the_kernel_means_no_labels_and_serial_numbers() {
    let people = [
        "SN-0001",
        "SN-0002",
        "NV-0007",
        "LABANA0",
        "my label",
        "pool",
        "scratch",
        "lab:r1",
        "rbd/vm-1",
        "r0/1",
        "secret",
        "wwn-0x5000c50000000320",
        "naa.5000c50000000320",
        "c0ffee00-1111-4222-8333-444455556666",
        "LABEL=pool",
        "/dev/sda",
        "/var/lib/x.img",
        "/",
        "/sys/block/sda",
    ];
    for case in cases() {
        let tree = Tree::open(case.join("tree.txt")).unwrap();
        for string in people {
            let answer = tree.kernel_block(string);
            assert!(
                matches!(answer, Err(Error::NotFound { .. })),
                "{string:?} in {}: {answer:?}",
                case.display()
            );
        }
    }
}

/// Every form of device string, by one that a fixture knows: the first column is what the comments of `Tree::block` and
/// `Tree::kernel_block` call it.
const FORMS: &[(&str, &str)] = &[
    ("number", "8:16"),
    ("number of a character device", "c189:4"),
    ("kernel name", "sdb"),
    ("kernel name in brackets", "[sdb]"),
    ("path node", "nvme0c0n1"),
    ("SCSI address", "2:0:0:1"),
    ("journald's name", "+scsi:9:0:0:0"),
    ("journald's name of a target", "+scsi:target10:0:1"),
    ("journald's name of a PCI function", "+pci:0000:00:0f.0"),
    ("SCSI target", "target10:0:1"),
    ("SCSI host", "host0"),
    ("iSCSI session", "session3"),
    ("iSCSI connection", "connection3:0"),
    ("remote port", "rport-3:0-2"),
    ("SAS end device", "end_device-10:1"),
    ("SAS expander", "expander-0:0"),
    ("SAS port", "port-0:0:1"),
    ("ATA port", "ata3"),
    ("ATA device", "ata3.00"),
    ("ATA slave", "ata3.01"),
    ("disk of a port multiplier", "ata4.01"),
    ("generic SCSI node's name", "sg0"),
    ("generic SCSI node", "/dev/sg0"),
    ("NVMe controller", "nvme0"),
    ("NVMe controller's node", "/dev/nvme0"),
    ("NVMe subsystem", "nvme-subsys1"),
    ("NVMe qualified name", "nqn.2026-11.org.example:ana"),
    ("NVMe namespace by number", "nvme0 nsid 1"),
    ("NVMe namespace in words", "nvme0 namespace 7"),
    ("NVMe namespace after a colon", "nvme0:1"),
    ("NVMe namespace as in a message", "nvme nvme0: nsid 7"),
    ("NVMe generic node's name", "ng0n2"),
    ("NVMe generic node", "/dev/ng1n2"),
    ("PCI function", "0000:04:00.0"),
    ("PCI function without domain", "04:00.0"),
    ("USB port", "1-2.3"),
    ("USB interface", "1-2.3:1.0"),
    ("virtio device", "virtio4"),
    ("MMC card", "mmc0:0001"),
    ("persistent memory namespace", "namespace1.0"),
    ("journal", "dm-1-8"),
    ("array", "md127"),
    ("array's name", "lab:r1"),
    ("array's name without host", "r5"),
    ("array's link", "/dev/md/single"),
    ("array's UUID with colons", "ffeeddcc:bbaa9988:77665544:33221100"),
    ("Ceph image", "rbd/vm-1"),
    ("DRBD resource", "mail"),
    ("DRBD volume", "r0/1"),
    ("backing file", "/var/lib/x.img"),
    ("mount point", "/var/lib/mounted.img"),
    ("device-mapper name", "secret"),
    ("logical volume", "v-g/lv"),
    ("WWID as the kernel has it", "naa.5000c50000000a01"),
    ("WWID as udev has it", "0x5000C50000000320"),
    ("WWID as multipath has it", "35000c50000000a02"),
    ("WWID of NVMe", "eui.0025388b00c3f1a2"),
    ("name of a link by WWN", "wwn-0x5000c50000000320"),
    ("name of a link by SCSI id", "scsi-35000c50000000320"),
    ("name of a link by path", "pci-0000:00:0f.0-scsi-0:0:1:0"),
    ("serial number", "SN-0002"),
    ("label", "my label"),
    ("UUID of a partition", "c0ffee00-1111-4222-8333-444455556666"),
    ("UUID of a file system of two devices", "aaaa0000-0000-4000-8000-00000000b7f5"),
    ("number as udev writes it", "b8:1"),
    ("partition", "sda3"),
    ("node", "/dev/sda1"),
    ("link by id", "/dev/disk/by-id/wwn-0x5000c500000001a1-part1"),
    ("link by UUID", "/dev/disk/by-uuid/11111111-aaaa-4bbb-8ccc-000000000001"),
    ("link by label", "/dev/disk/by-label/boot"),
    ("link by partition's UUID", "/dev/disk/by-partuuid/aaaaaaaa-0001-4000-8000-000000000001"),
    ("link by partition's name", "/dev/disk/by-partlabel/boot"),
    ("link by path", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1.0-part1"),
    ("link by disk number", "/dev/disk/by-diskseq/1-part1"),
    ("link without /dev/", "disk/by-id/ata-Lab_Disk_LAB-A"),
    ("node of device-mapper", "/dev/mapper/vg0-root"),
    ("link of a logical volume", "/dev/vg0/root"),
    ("logical volume's name in device-mapper", "vg0-root"),
    ("logical volume's name in LVM", "vg0/root"),
    ("mapping", "dm-1"),
    ("journal on a mapping", "dm-1-8"),
    ("journal on a partition", "sda1-8"),
    ("journald's name of a SCSI device", "+scsi:2:0:0:0"),
    ("SCSI target of one disk", "target2:0:0"),
    ("SCSI host of one disk", "host2"),
    ("NVMe disk", "nvme0n1"),
    ("other path node", "nvme0c1n1"),
    ("remote port of Fibre Channel", "rport-3:0-2"),
    ("disk of a card", "mmcblk0"),
    ("virtio disk", "vda"),
    ("loop device", "loop0"),
    ("network block device", "nbd0"),
    ("Ceph disk", "rbd1"),
    ("compressed memory", "zram0"),
    ("persistent memory", "pmem0"),
    ("cached disk", "bcache0"),
    ("replicated disk", "drbd0"),
    ("mapping of dm-integrity", "checked_dif"),
    ("mapping of dm-crypt", "luks-root"),
    ("UUID in a tag", "UUID=66666666-aaaa-4bbb-8ccc-000000000006"),
    ("label in a tag", "LABEL=boot"),
    ("partition's UUID in a tag", "PARTUUID=aaaaaaaa-0001-4000-8000-000000000001"),
    ("path below a mount point", "/home/somebody"),
    ("path below a bind mount", "/mnt/again/deep/er"),
    ("bind mount", "/srv/www"),
    ("member of a btrfs", "66666666-aaaa-4bbb-8ccc-000000000060"),
    ("WWID", "naa.5000c500000001a1"),
];

#[test]
fn every_form_is_known_to_a_fixture_that_asks_for_it() {
    for &(form, string) in FORMS {
        let asks = |case: &PathBuf| {
            let queries = fs::read_to_string(case.join("queries.txt")).unwrap();
            queries.lines().any(|line| line.strip_prefix("!kernel ").unwrap_or(line) == string)
        };
        let asking: Vec<PathBuf> = cases().into_iter().filter(asks).collect();
        let knows = |case: &PathBuf| {
            let answer = Tree::open(case.join("tree.txt")).unwrap().block(string);
            matches!(answer, Ok(_) | Err(Error::Ambiguous { .. }))
        };
        assert!(asking.iter().any(knows), "{form}: {string:?}, asked in {asking:?}");
    }
}
