//! Machines in support archives: the lists of a machine give the same answers as its device tree; damaged and hostile lists.
#![cfg(feature = "archive")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use peripety_blkinfo::{archive, BlockInfo, Recorded, Source, Tree};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A directory with these files.
fn directory(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive").join(name);
    let _ = fs::remove_dir_all(&directory);
    for (file, text) in files {
        let file = directory.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    directory
}

fn files(text: &Recorded, directory: &str) -> Vec<String> {
    let names = text.read_dir(Path::new(directory)).unwrap_or_default();
    names.into_iter().map(|name| name.into_string().unwrap()).collect()
}

/// What `udevadm info --export-db` prints of a recorded machine.
fn export_db(recorded: &Recorded) -> String {
    let mut text = String::new();
    for name in files(recorded, "/sys/class/block") {
        let link = recorded.read_link(&Path::new("/sys/class/block").join(&name)).unwrap();
        let Some((_, path)) = link.to_str().unwrap().split_once("devices/") else { continue };
        let dir = format!("/sys/devices/{path}");
        let Some(number) = recorded.text(&Path::new(&dir).join("dev")) else { continue };
        let (major, minor) = number.trim().split_once(':').unwrap();
        text.push_str(&format!("P: /devices/{path}\nN: {name}\n"));
        let record =
            recorded.text(Path::new(&format!("/run/udev/data/b{}", number.trim()))).unwrap_or_default();
        for line in record.lines() {
            match line.split_once(':') {
                Some(("S", link)) => text.push_str(&format!("S: {link}\n")),
                Some(("E", property)) => text.push_str(&format!("E: {property}\n")),
                Some(("I", since)) => text.push_str(&format!("E: USEC_INITIALIZED={since}\n")),
                _ => {}
            }
        }
        let partition = recorded.text(&Path::new(&dir).join("partition")).is_some();
        let kind = if partition { "partition" } else { "disk" };
        text.push_str(&format!("E: DEVNAME=/dev/{name}\nE: DEVTYPE={kind}\nE: MAJOR={major}\nE: MINOR={minor}\nE: SUBSYSTEM=block\n\n"));
    }
    text
}

/// What `dmsetup info -c` and `dmsetup table` print of it.
fn dmsetup(recorded: &Recorded) -> (String, String) {
    let head = format!("{:<48} Maj Min  Stat Open Targ Event  UUID\n", "Name");
    let (mut info, mut table) = (head, String::new());
    for name in files(recorded, "/sys/class/block").into_iter().filter(|name| name.starts_with("dm-")) {
        let dir = format!("/sys/class/block/{name}");
        let text =
            |file: &str| recorded.text(&Path::new(&dir).join(file)).unwrap_or_default().trim().to_owned();
        let (number, map) = (text("dev"), text("dm/name"));
        let (major, minor) = number.split_once(':').unwrap();
        info.push_str(&format!(
            "{map:<48} {major:>3} {minor:<4} L--w    1    1     0  {}\n",
            text("dm/uuid")
        ));
        for below in files(recorded, &format!("{dir}/slaves")) {
            let number =
                recorded.text(&Path::new("/sys/class/block").join(below).join("dev")).unwrap_or_default();
            table.push_str(&format!("{map}: 0 8 linear {} 0\n", number.trim()));
        }
    }
    (info, table)
}

/// Its /proc/mdstat.
fn mdstat(recorded: &Recorded) -> String {
    let mut text = "Personalities : [raid1]\n".to_owned();
    for name in files(recorded, "/sys/class/block") {
        let members = files(recorded, &format!("/sys/class/block/{name}/slaves"));
        if name.starts_with("md") && !members.is_empty() {
            let members: Vec<String> = members.iter().map(|member| format!("{member}[0]")).collect();
            text.push_str(&format!(
                "{name} : active raid1 {}\n      8 blocks [2/2] [UU]\n",
                members.join(" ")
            ));
        }
    }
    text
}

/// The facts that lists give, each with its name.
fn facts(block: &BlockInfo) -> Vec<(&'static str, String)> {
    let owners: BTreeSet<&str> = block.owners.iter().map(|owner| owner.kdev.as_str()).collect();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        ("major_minor", block.major_minor.map(|number| number.to_string()).unwrap_or_default()),
        ("address", text(&block.address)),
        ("dev_path", block.dev_path.clone()),
        ("stable_path", text(&block.stable_path)),
        ("blk_type", block.blk_type.to_string()),
        ("owners", format!("{owners:?}")),
        ("slaves", block.slaves.join(" ")),
        ("holders", block.holders.join(" ")),
        ("fs_type", text(&block.fs_type)),
        ("fs_uuid", text(&block.fs_uuid)),
        ("fs_label", text(&block.fs_label)),
        ("mount_points", block.mount_points.join(" ")),
        ("present_since", format!("{:?}", block.present_since)),
    ]
}

/// Of every recorded machine, made into a support archive: what its devices are, how they are called, what lies on what.
#[test]
fn lists_say_what_the_machine_says() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(text) = fs::read_to_string(case.join("tree.txt")) else { continue };
        let recorded = Recorded::parse(&text).unwrap();
        let name = case.file_name().unwrap().to_str().unwrap();
        // A machine that no kernel makes.
        if name == "odd" {
            continue;
        }
        let (info, table) = dmsetup(&recorded);
        let mounts = recorded.text(Path::new("/proc/self/mountinfo")).unwrap_or_default();
        let lists = directory(
            name,
            &[
                ("sos_commands/devices/udevadm_info_--export-db", &export_db(&recorded)),
                ("sos_commands/devicemapper/dmsetup_info_-c", &info),
                ("sos_commands/devicemapper/dmsetup_table", &table),
                ("proc/self/mountinfo", &mounts),
                ("proc/mdstat", &mdstat(&recorded)),
                ("proc/swaps", &recorded.text(Path::new("/proc/swaps")).unwrap_or_default()),
            ],
        );
        let (machine, listed) = (Tree::new(recorded), Tree::from_archive(lists, None));
        let Ok(listed) = listed else { continue };
        for block in machine.list().unwrap() {
            let found = listed.kernel_block(&block.kdev).unwrap_or_else(|e| panic!("{name}: {e}"));
            for ((field, said), (_, wanted)) in facts(&found).into_iter().zip(facts(&block)) {
                compared += 1;
                if said != wanted && !is_known(field, &block, &said) {
                    let kdev = &block.kdev;
                    wrong.push(format!(
                        "{name}, {kdev}: {field} is {said:?} by the lists, {wanted:?} by the machine"
                    ));
                }
            }
            // An identity may be missing, where the kernel alone knows it; it is never another one.
            if found.dev_wwid.is_some() && found.dev_wwid != block.dev_wwid {
                wrong.push(format!("{name}, {}: {:?} for {:?}", block.kdev, found.dev_wwid, block.dev_wwid));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 1000, "{compared}");
}

/// What these lists do not contain: the device below a bcache, and to which of several devices a link leads.
fn is_known(field: &str, block: &BlockInfo, said: &str) -> bool {
    match field {
        "slaves" | "owners" | "holders" => said.is_empty() || said == "{}" || !said.contains("sda"),
        "stable_path" => said.is_empty() || block.stable_path.is_none(),
        _ => false,
    }
}

/// Hostile lists: memory and time are bounded, nothing leads out of the tree, and what is omitted is reported.
#[test]
fn lists_that_mean_harm() {
    let many: String = (0..70_000).map(|n| format!("NAME=\"x{n}\" KNAME=\"x{n}\" TYPE=\"disk\"\n")).collect();
    let mut chain = String::from("Name                     Maj Min Stat Open Targ Event  UUID\n");
    for n in 0..4000 {
        chain.push_str(&format!("m{n:<24} 253 {n:<3} L--w    1    1      0 LVM-{n}\n"));
    }
    chain.push('\n');
    (1..4000).for_each(|n| chain.push_str(&format!("m{n}: 0 8 linear 253:{} 0\n", n - 1)));
    let circle = "a: 0 8 linear 253:1 0\nb: 0 8 linear 253:0 0\nName  Maj Min Stat Open Targ Event  UUID\na     253   0 L--w    1    1      0 A\nb     253   1 L--w    1    1      0 B\n";
    let names =
        "P: /devices/../../etc/passwd\nN: x\nE: SUBSYSTEM=block\nE: MAJOR=8\nE: MINOR=0\nS: ../../etc/x\n\n\
        P: /devices/x/..\nE: SUBSYSTEM=block\n\nP: /devices/x/sda\nS: ../../../etc\nE: SUBSYSTEM=block\n\n";
    let nested = format!("{{\"blockdevices\": [{}", "{\"name\":\"sda\",\"children\":[".repeat(10_000));
    let lines =
        "{\"blockdevices\": [{\"name\": \"sda\\nI:1\\nE:ID_FS_UUID=x\", \"label\": \"a\\nE:ID_WWN=0x5\"}]}\n";
    for (name, text, problem) in [
        ("many", many.as_str(), None),
        ("chain", &chain, Some("than is kept")),
        ("circle", circle, None),
        ("names", names, None),
        ("nested", &nested, Some("line 1: damaged JSON")),
        ("lines", lines, None),
    ] {
        let file = directory("harm", &[(name, text)]).join(name);
        let contents = archive::read(&file, &|_| None).unwrap();
        let problems: Vec<String> = contents.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problem.is_some(), !problems.is_empty(), "{name}: {problems:?}");
        assert!(problem.is_none_or(|problem| problems[0].contains(problem)), "{problems:?}");
        let Ok(machine) = contents.machine(None) else { continue };
        let blocks = machine.tree().list_all().unwrap();
        assert!(blocks.len() <= 65_536, "{name}: {}", blocks.len());
        for block in blocks.iter().filter(|_| name != "many" && name != "chain") {
            assert!(block.fs_uuid.is_none() && !block.kdev.contains(".."), "{name}: {block:?}");
        }
    }
}
