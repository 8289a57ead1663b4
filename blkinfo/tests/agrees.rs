//! lsblk and udev looked at the same machine at the same moment: what this crate says must agree with them.
//!
//! A fixture has what they said beside its `tree.txt`:
//! * `lsblk.json`: the output of `lsblk -J -O -b -a`;
//! * `links.txt`: one link a line, and the kernel's name of the device to which udev led it.
//!
//! Where the answers differ on purpose, the table [`KNOWN`] says why, and so does `docs/devices.md`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use peripety_blkinfo::{BlkType, BlockInfo, Tree};

use common::lsblk::{digits, joined, known, live_devices, lsblk_devices, Facts};
use common::skip::skip;

/// A difference that is meant.
struct Known {
    field: &'static str,
    /// Is it this one? What lsblk and this crate say of the field, and the device.
    fits: fn(Option<&str>, Option<&str>, &BlockInfo) -> bool,
    /// Where it is seen: `fixture/device`. A place where nothing differs any more fails the test.
    places: &'static [&'static str],
    reason: &'static str,
}

const KNOWN: &[Known] = &[
    Known {
        field: "transport",
        fits: |lsblk, ours, _| lsblk.is_none() && matches!(ours, Some("virtio" | "UFS" | "MMC")),
        places: &[
            "emulated-hardware/sdb",
            "emulated-hardware/sdc",
            "emulated-hardware/sde",
            "emulated-hardware/sdi",
            "many-stacks/sda",
            "many-stacks/sdb",
            "many-stacks/sdc",
            "many-stacks/sdd",
        ],
        reason: "lsblk knows neither virtio-scsi nor UFS; older ones know no virtio and no MMC at all",
    },
    Known {
        field: "model",
        fits: |lsblk, _, block| lsblk.is_none() && block.blk_type == BlkType::Mmc,
        places: &["emulated-hardware/mmcblk0"],
        reason: "a card has no model but the product name in its identification register, which lsblk does not show",
    },
    Known {
        field: "mount points",
        fits: |lsblk, _, block| lsblk == Some("") && block.fs_type.as_deref() == Some("btrfs"),
        places: &["many-stacks/vdc"],
        reason: "lsblk tells the mounts of a file system on several devices at the device that was mounted",
    },
];

fn fixtures_with(file: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = cases.filter(|case| case.join(file).exists()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no fixture has a {file}");
    cases
}

fn name_of(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

// --- What this crate says -----------------------------------------------------

/// The same facts. The WWN that lsblk tells of a partition is that of its disk.
fn our_facts(block: &BlockInfo) -> Facts {
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    // udev's WWN is a number; a T10 identifier is text.
    let wwid =
        block.dev_wwid.as_deref().filter(|wwid| !wwid.starts_with("t10.")).map(|wwid| match block.blk_type {
            BlkType::Partition => wwid.rsplit_once("-part").map_or(wwid, |(disk, _)| disk),
            _ => wwid,
        });
    known([
        ("size", Some(block.size_bytes.to_string())),
        ("mount points", Some(joined(block.mount_points.iter().cloned().collect()))),
        ("serial", block.serial.clone()),
        ("model", block.model.clone()),
        ("wwid", wwid.map(digits)),
        (
            "transport",
            block.transport.as_deref().map(|name| name.split('-').next().unwrap_or(name).to_owned()),
        ),
        ("rotational", flag(block.rotational)),
        ("read-only", flag(block.read_only)),
        ("removable", flag(block.removable)),
        ("type", Some(our_type(block.blk_type).to_owned())),
        ("parents", Some(joined(block.slaves.iter().cloned().collect()))),
    ])
}

fn our_type(blk_type: BlkType) -> &'static str {
    match blk_type {
        BlkType::Partition => "part",
        BlkType::DmLvm => "lvm",
        BlkType::DmCrypt => "crypt",
        BlkType::DmMultipath => "mpath",
        BlkType::Dm => "dm",
        BlkType::Md => "md",
        BlkType::Loop => "loop",
        _ => "disk",
    }
}

// --- Comparing ----------------------------------------------------------------

/// The fields that differ. An identity that only one of them knows is none: lsblk has no WWN of what is not a disk, and
/// this crate takes the best that a disk has. lsblk knows how a partition is attached only for some names.
fn differences(theirs: &Facts, ours: &Facts) -> BTreeSet<&'static str> {
    let fields: BTreeSet<&'static str> = theirs.keys().chain(ours.keys()).copied().collect();
    let partition = ours.get("type").is_some_and(|kind| kind == "part");
    let counts = |field: &str| match field {
        "wwid" => theirs.contains_key(field) && ours.contains_key(field),
        "transport" if partition => theirs.contains_key(field),
        _ => true,
    };
    fields.into_iter().filter(|field| theirs.get(field) != ours.get(field) && counts(field)).collect()
}

/// Compares a tree with what lsblk said: the differences that nothing excuses, and by number the entries of [`KNOWN`]
/// that were needed, with their device.
fn compare(tree: &Tree, devices: &BTreeMap<String, Facts>) -> (Vec<String>, BTreeSet<(usize, String)>) {
    let (mut wrong, mut excused) = (Vec::new(), BTreeSet::new());
    for (kdev, theirs) in devices {
        let block = match tree.block(kdev) {
            Ok(block) if block.kdev == *kdev => block,
            other => {
                wrong.push(format!("{kdev}: {other:?}"));
                continue;
            }
        };
        let ours = our_facts(&block);
        for field in differences(theirs, &ours) {
            let (lsblk, own) = (theirs.get(field).map(String::as_str), ours.get(field).map(String::as_str));
            match KNOWN.iter().position(|known| known.field == field && (known.fits)(lsblk, own, &block)) {
                Some(number) => drop(excused.insert((number, kdev.clone()))),
                None => wrong.push(format!("{kdev}, {field}: lsblk says {lsblk:?}, we say {own:?}")),
            }
        }
    }
    (wrong, excused)
}

fn report(place: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{place}: {} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn links_lead_where_udev_led_them() {
    for case in fixtures_with("links.txt") {
        let tree = Tree::open(case.join("tree.txt")).unwrap();
        let links = fs::read_to_string(case.join("links.txt")).unwrap();
        let pairs: Vec<(&str, &str)> = links.lines().filter_map(|line| line.rsplit_once(' ')).collect();
        assert!(
            !pairs.is_empty() && pairs.len() == links.lines().count(),
            "{}: lines without name",
            name_of(&case)
        );
        let answer = |link: &str| match tree.block(link) {
            Ok(block) => block.kdev,
            Err(error) => error.to_string(),
        };
        let wrong = pairs.iter().map(|(link, kdev)| (link, kdev, answer(link)));
        let wrong = wrong.filter(|(_, kdev, answer)| *kdev != answer);
        let wrong: Vec<String> =
            wrong.map(|(link, kdev, answer)| format!("{link}: udev says {kdev}, we say {answer}")).collect();
        report(name_of(&case), &wrong);
    }
}

#[test]
fn lsblk_says_the_same() {
    let mut needed = BTreeSet::new();
    for case in fixtures_with("lsblk.json") {
        let tree = Tree::open(case.join("tree.txt")).unwrap();
        let json = serde_json::from_str(&fs::read_to_string(case.join("lsblk.json")).unwrap()).unwrap();
        let devices = lsblk_devices(&json);
        assert!(!devices.is_empty(), "{}: lsblk.json has no device", name_of(&case));
        let (wrong, excused) = compare(&tree, &devices);
        report(name_of(&case), &wrong);
        needed
            .extend(excused.into_iter().map(|(number, kdev)| (number, format!("{}/{kdev}", name_of(&case)))));
    }
    for (number, known) in KNOWN.iter().enumerate() {
        let seen: BTreeSet<&str> =
            needed.iter().filter(|(entry, _)| *entry == number).map(|(_, place)| place.as_str()).collect();
        let expected: BTreeSet<&str> = known.places.iter().copied().collect();
        assert_eq!(
            seen, expected,
            "{}: where it differs, and where the table says so ({})",
            known.field, known.reason
        );
    }
}

/// A wrong answer in any field of any device is found.
#[test]
fn every_field_is_compared() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/emulated-hardware");
    let tree = Tree::open(case.join("tree.txt")).unwrap();
    let json = serde_json::from_str(&fs::read_to_string(case.join("lsblk.json")).unwrap()).unwrap();
    let devices = lsblk_devices(&json);
    let fields: BTreeSet<&'static str> = devices.values().flat_map(|facts| facts.keys().copied()).collect();
    for field in &fields {
        // What the table excuses stays excused.
        let here = |known: &Known, kdev: &str| {
            known.field == *field && known.places.iter().any(|place| place.ends_with(kdev))
        };
        let excused = |kdev: &str| KNOWN.iter().any(|known| here(known, kdev));
        let mut changed = devices.clone();
        let altered = changed.iter_mut().filter(|(kdev, facts)| facts.contains_key(field) && !excused(kdev));
        let altered = altered.map(|(_, facts)| facts.insert(field, "something else".to_owned())).count();
        assert!(altered > 0, "{field}");
        assert_eq!(compare(&tree, &changed).0.len(), altered, "{field}");
    }
    assert_eq!(fields.len(), 11, "{fields:?}");
}

/// Between two answers of lsblk that are the same.
#[test]
fn lsblk_says_the_same_of_this_machine() {
    let name = "lsblk_says_the_same_of_this_machine";
    for _ in 0..10 {
        let before = match live_devices() {
            Ok(devices) => devices,
            Err(reason) => return skip(name, &reason),
        };
        let (wrong, _) = compare(&Tree::live(), &before);
        if live_devices().as_ref() == Ok(&before) {
            return report("this machine", &wrong);
        }
    }
    skip(name, "the devices of this machine change all the time");
}
