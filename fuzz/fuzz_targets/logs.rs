//! Any bytes as the input of `peripetyd parse`: text of all kinds, records, compressed files and archives. Events come of it, or
//! none; each survives being written as JSON.
#![no_main]

use std::io::Write;
use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use peripety::correlate::burst::Settings;
use peripety::devices::Devices;
use peripety::offline::identity::{self, Machine};
use peripety::offline::pool::{self, InputItem};
use peripety::offline::progress::Progress;
use peripety::offline::rules::Rules;
use peripety::offline::stage::{LogRoot, Made, Stage};
use peripety::rules::builtin;
use peripety_api::StorageEvent;

/// When the file was last changed, µs since the epoch.
const MODIFIED: u64 = 1_700_000_000_000_000;

fn rules() -> Arc<Rules> {
    static RULES: OnceLock<Arc<Rules>> = OnceLock::new();
    RULES.get_or_init(|| Arc::new(Rules::new(builtin::rules().expect("the built-in rules")))).clone()
}

fuzz_target!(|data: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(data).expect("room for a file");
    let path = file.path().to_owned();
    let places = identity::of(&path).into_iter().map(|(root, machine): (String, Machine)| LogRoot {
        root,
        devices: Arc::new(Devices::elsewhere(machine.devices.clone())),
        machine,
    });
    let mut stage = Stage::new(places.collect(), TimeZone::UTC, Settings::default());
    let progress = Progress::new(None, true);
    let items = pool::start(vec![path], None, rules(), Arc::default(), progress).expect("threads");
    for item in items {
        match item {
            InputItem::Begin { name, .. } => stage.begin(name, MODIFIED),
            InputItem::Work(result) => {
                let batch = result.recv().unwrap_or_default();
                stage.learn(batch.ties);
                batch.found.into_iter().for_each(|found| check(stage.take(found)));
                stage.carry(batch.carry);
            }
            InputItem::Found(all) => all.into_iter().for_each(|found| check(stage.take(found))),
            InputItem::End => check(stage.end()),
            InputItem::Counted(_) | InputItem::Skipped { .. } | InputItem::Failed { .. } => {}
        }
    }
});

fn check(all: Vec<Made>) {
    for Made { event, .. } in all {
        let json = serde_json::to_vec(&event.event).expect("an event as JSON");
        let again: StorageEvent = serde_json::from_slice(&json).expect("what was written");
        assert_eq!(serde_json::to_vec(&again).expect("an event as JSON"), json);
    }
}
