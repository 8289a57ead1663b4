//! Recorded scenarios, replayed on their own times: `tests/fixtures/captures/<scenario>/`.
//!
//! Each has the journal, the device trees, the uevents, and in `expect` sentences that a judge compares with the events. The
//! same sentences are judged in the virtual machine that made the recording.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use peripety::correlate::burst::Settings;
use peripety::event::StorageEvent;
use peripety::replay::{self, Played};
use peripety::rules::builtin;
use serde_json::json;

use crate::common::{project, skip};

fn play(directory: &Path, bursts: Settings) -> Vec<Played> {
    let rules = builtin::rules().unwrap();
    replay::play(directory, rules, bursts).unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
}

fn directory(name: &str) -> PathBuf {
    project("tests/fixtures/captures").join(name)
}

/// What the judge says; `None` where it cannot run.
fn judge(directory: &Path, played: &[Played]) -> Option<Result<(), String>> {
    let judge = project("tests/lab/judge.py");
    let events = tempfile::NamedTempFile::new().unwrap();
    let lines = played
        .iter()
        .map(|played| json!({ "received": played.received, "event": played.event }).to_string() + "\n");
    std::fs::write(events.path(), lines.collect::<String>()).unwrap();
    let (marks, expect) = (directory.join("marks.json"), directory.join("expect"));
    // What is read long after it was written, as after a reboot, is late by nature.
    let reboots = std::fs::read_to_string(&marks).unwrap().contains("\"phase\": 2");
    let latency = reboots.then_some("--no-latency");
    let mut command = Command::new("python3");
    command.arg(judge).args(latency).args([&marks, &expect]).arg(events.path());
    let out = command.output().ok()?;
    let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    Some(if out.status.success() { Ok(()) } else { Err(said.into_owned()) })
}

#[test]
fn every_recording_is_as_expected() {
    if !project("tests/lab/judge.py").exists() {
        return skip("recorded scenarios", "there is no tests/lab/judge.py");
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(project("tests/fixtures/captures")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        match judge(&path, &play(&path, Settings::default())) {
            None => return skip("recorded scenarios", "python3 cannot be run"),
            Some(Err(said)) => wrong.push(format!("{}:\n{said}", path.display())),
            Some(Ok(())) => {}
        }
        count += 1;
    }
    assert!(count > 0, "there is no recording");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The events that cover a line with this text.
fn covering<'p>(played: &'p [Played], text: &str) -> Vec<&'p StorageEvent> {
    let found: Vec<_> =
        played.iter().map(|p| &p.event).filter(|event| event.raw_msg.contains(text)).collect();
    assert!(!found.is_empty(), "no event covers {text:?}: {played:#?}");
    found
}

const OLD: &str = "naa.3333333000001770";
const NEW: &str = "naa.3333333000001f40";
const FILE_SYSTEM: &str = "e08da882-a163-4717-aa54-582722c6e214";

fn by_hand() -> &'static [Played] {
    static PLAYED: OnceLock<Vec<Played>> = OnceLock::new();
    let single = Settings { enabled: false, ..Settings::default() };
    PLAYED.get_or_init(|| play(&directory("name-reused-by-hand"), single))
}

/// A disk is removed, another one has its name at once; its errors come before the uevent about it, and after that about its
/// removal.
#[test]
fn a_name_is_used_by_another_disk_at_once() {
    let played = by_hand();
    let wwid = |text: &str, expected: &str| {
        for event in covering(played, text) {
            assert_eq!(event.dev_wwid.as_deref(), Some(expected), "{text}: {event:#?}");
        }
    };
    wwid("sector 4656", OLD);
    wwid("sd 2:0:0:0: [sdb] Synchronizing", OLD);
    // The first sector cannot be read while the second disk is probed.
    wwid("sd 3:0:0:0: [sdb] tag#12 CDB", NEW);
    wwid("sector 0 op", NEW);
    wwid("unable to read partition table", NEW);
    wwid("sector 8000", NEW);
    wwid("sd 3:0:0:0: [sdb] Synchronizing", NEW);
    wwid("limit=0", NEW);
    wwid("lost sync page write", NEW);
    wwid("ext4_find_entry", FILE_SYSTEM);
    let error = covering(played, "ext4_find_entry");
    assert!(error.iter().all(|event| event.owners_wwids == [NEW]), "{error:#?}");
    assert!(error.iter().all(|event| event.extension["mount_point"] == "/mnt/second"), "{error:#?}");
}

/// What waits for a disk that is being probed waits until that is there, and not longer.
#[test]
fn errors_of_a_disk_that_is_probed_wait_for_it() {
    let played = by_hand();
    let probed = played.iter().find(|played| played.event.raw_msg.contains("tag#12 CDB")).unwrap();
    let waited = probed.received - probed.event.timestamp;
    assert!((700_000..1_500_000).contains(&waited), "{waited} µs");
    let known = played.iter().find(|played| played.event.raw_msg.contains("sector 4656")).unwrap();
    let waited = known.received - known.event.timestamp;
    assert!(waited < 300_000, "{waited} µs");
}
