//! The extractor on a small tree in the shape of a kernel's sources.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use peripety_kernel_coverage::check::check;
use peripety_kernel_coverage::extract::calls::{Format, Found};
use peripety_kernel_coverage::extracted;
use peripety_kernel_coverage::judge::{judge, Contradiction, How, Judged};
use peripety_kernel_coverage::known::Known;
use peripety_kernel_coverage::verdicts::{Reason, Verdicts};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tree")
}

fn found() -> Found {
    let (version, found) = extracted(&root()).unwrap();
    assert_eq!(version, "9.1.4");
    found
}

/// Function, level, and the message for each of the machines.
const EXPECTED: &[(&str, u8, &[&str])] = &[
    (
        "demo_map",
        3,
        &[
            "device-mapper: demo: 253:4: cannot map sector 2048",
            "device-mapper: demo: 252:17: cannot map sector 976773160",
        ],
    ),
    ("demo_reset", 4, &["nvme nvme0: resetting controller", "nvme nvme11: resetting controller"]),
    ("demo_reset", 3, &["nvme nvme0: error -EIO: no queue", "nvme nvme11: error -EIO: no queue"]),
    ("demo_start", 4, &["demo_hba: demo_start: start took 5 ms", "demo_hba: demo_start: start took 12 ms"]),
    (
        "demo_stop",
        3,
        &[
            "demo_hba: demo_stop: scsi2: adapter stopped late, ret=-5",
            "demo_hba: demo_stop: scsi11: adapter stopped late, ret=-110",
        ],
    ),
    (
        "demo_stop",
        2,
        &[
            "demo_hba 0000:3b:00.0: slot 5: adapter is dead",
            "demo_hba 0001:af:00.1: slot 12: adapter is dead",
        ],
    ),
    ("demo_stop", 3, &["sd 2:0:0:0: command of write lost", "sd 11:0:5:3: command of read lost"]),
    (
        "demo_stop",
        3,
        &[
            "demo_hba 0000:3b:00.0: register 0x0080 is unreadable",
            "demo_hba 0001:af:00.1: register 0x001c is unreadable",
        ],
    ),
    ("demo_stop", 5, &["level from an argument"]),
    (
        "demo_stop",
        3,
        &[
            "demo_hba: demo_stop: first half of a message,\n\tsecond half of scsi2",
            "demo_hba: demo_stop: first half of a message,\n\tsecond half of scsi11",
        ],
    ),
    (
        "demo_read",
        2,
        &[
            "EXT4-fs error (device sda1): demo_read:23: comm kworker/u8:2: bad block 2048",
            "EXT4-fs error (device dm-3): demo_read:23: comm mysqld: bad block 976773160",
        ],
    ),
    ("demo_read", 4, &["EXT4-fs (sda1): 98% of inodes used", "EXT4-fs (dm-3): 90% of inodes used"]),
];

#[test]
fn every_message_is_found_with_level_prefix_and_devices() {
    let found = found();
    let shown = |format: &Format| {
        let lines: Vec<&str> = format.lines.iter().map(String::as_str).collect();
        format!("{} {} {lines:#?}", format.function, format.level)
    };
    let wanted: Vec<String> =
        EXPECTED.iter().map(|(function, level, lines)| format!("{function} {level} {lines:#?}")).collect();
    let shown: Vec<String> = found.formats.iter().map(shown).collect();
    for (shown, wanted) in shown.iter().zip(&wanted) {
        assert_eq!(shown, wanted);
    }
    assert_eq!(shown.len(), wanted.len(), "{shown:#?}");
    // The one whose format is a variable.
    assert_eq!(found.unresolved.values().sum::<usize>(), 1, "{:?}", found.unresolved);
}

fn judged() -> Vec<Judged> {
    judge(found().formats).unwrap()
}

fn of<'j>(all: &'j [Judged], part: &str) -> &'j Judged {
    all.iter().find(|judged| judged.format.text.contains(part)).unwrap()
}

#[test]
fn messages_are_judged_by_the_built_in_rules() {
    let all = judged();
    let (reset, error) = (of(&all, "resetting controller"), of(&all, "bad block"));
    assert_eq!((reset.how, error.how), (How::Specific, How::Specific));
    assert!(!error.lacks_device() && !error.depends_on_device);
    assert_eq!(of(&all, "level from an argument").how, How::None);
}

#[test]
fn what_a_specific_rule_knew_may_not_be_lost() {
    let all = judged();
    let verdicts = Verdicts::parse("").unwrap();
    let mut known = Known::default();
    known.bless((9, 1), &all);
    let known = Known::parse(&known.written()).unwrap();
    assert!(check("9.1.5", &all, &verdicts, &known).drifted.is_empty());

    // A rule is gone.
    let mut without = all.clone();
    without
        .iter_mut()
        .filter(|judged| judged.format.function == "demo_reset")
        .for_each(|judged| judged.how = How::None);
    let drifted = check("9.1.5", &without, &verdicts, &known).drifted;
    assert_eq!(drifted.len(), 1, "{drifted:#?}");

    // A word of the format is another.
    let mut formats = found().formats;
    let reset = formats.iter_mut().find(|format| format.text.contains("resetting controller")).unwrap();
    reset.text = reset.text.replace("controller", "adapter");
    reset.lines = vec!["nvme nvme0: a wording that no rule knows".to_owned()];
    let drifted = check("9.2.0", &judge(formats).unwrap(), &verdicts, &known).drifted;
    assert_eq!(drifted.len(), 1, "{drifted:#?}");
    assert!(drifted[0].text.contains("another wording"), "{drifted:#?}");
}

#[test]
fn verdicts_leave_out_and_demand() {
    let all = judged();
    let verdicts = |text: &str| Verdicts::parse(text).unwrap();
    let late = of(&all, "stopped late");
    let left_out = verdicts(
        "[[left_out]]\nreason = \"set-up\"\nfiles = [\"drivers/scsi/demo/\"]\nformats = ['stopped LATE']",
    );
    assert_eq!(left_out.left_out(late), Some(Reason::SetUp));
    assert_eq!(left_out.left_out(of(&all, "is dead")), None);

    let wanted =
        "[[wanted]]\nformats = ['level from an argument']\nevent = \"HBA_FAULT\"\nseverity = \"Error\"";
    let missed = check("9.1", &all, &verdicts(wanted), &Known::default()).missed;
    assert_eq!(missed.len(), 1, "{missed:#?}");
    let met = wanted
        .replace("level from an argument", "bad block")
        .replace("HBA_FAULT", &event_type(&all, "bad block"));
    assert!(check("9.1", &all, &verdicts(&met), &Known::default()).missed.is_empty());
    assert!(Verdicts::parse("[[wanted]]\nformats = ['(']\nseverity = \"Error\"").is_err());
}

fn event_type(all: &[Judged], part: &str) -> String {
    of(all, part).event.as_ref().unwrap().event_type.clone()
}

#[test]
fn a_severity_that_contradicts_its_level_needs_a_verdict() {
    let mut formats = found().formats;
    formats.iter_mut().filter(|format| format.text.contains("bad block")).for_each(|format| format.level = 6);
    let all = judge(formats).unwrap();
    assert_eq!(of(&all, "bad block").contradiction(), Some(Contradiction::TooSevere));
    let contradictions = |text: &str| {
        check("9.1", &all, &Verdicts::parse(text).unwrap(), &Known::default()).contradictions.len()
    };
    assert_eq!(contradictions(""), 1);
    assert_eq!(contradictions("[[severity]]\nwhy = \"a test\"\nformats = ['bad block']"), 0);
}
