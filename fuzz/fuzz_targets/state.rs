//! Any bytes where the daemon keeps its state (the first byte chooses): a file of the state directory, a stored event, a cursor.
//! What cannot be used is passed over; what can be used survives being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peripety::collector::device_file::DeviceFile;
use peripety::collector::state::StateDirectory;
use peripety::event::Covered;
use peripety::journal::{EntryKey, Location};
use peripety::store::query::EventKey;
use peripety_api::{schema, StorageEvent};
use peripety_fuzz::Bytes;

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    match bytes.byte() % 6 {
        0 => position(bytes.0),
        1 => devices("devices.json", bytes.0),
        2 => devices("devices-progress.json", bytes.0),
        3 => event(bytes.0),
        4 => Covered::from_bytes(bytes.0).for_each(|covered| {
            assert_eq!(Covered::from_bytes(&covered.to_bytes()).collect::<Vec<_>>(), [covered]);
        }),
        _ => {
            if let Ok(text) = std::str::from_utf8(bytes.0) {
                let _ = EntryKey::parse(text).map(|key| key.mark());
                if let Some(key) = EventKey::from_cursor(text) {
                    assert_eq!(EventKey::from_cursor(&key.to_cursor()), Some(key));
                }
            }
        }
    }
});

fn position(text: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("position.json"), text).expect("a file");
    let state = StateDirectory::open(directory.path(), &Location::Local).expect("a state directory");
    let _ = state.load();
}

fn devices(name: &str, text: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(name), text).expect("a file");
    let file = DeviceFile::new(directory.path());
    if let Some(history) = file.load() {
        file.save(&history).expect("room for a file");
        assert!(file.load().is_some(), "what was written");
    }
}

fn event(json: &[u8]) {
    // What passes as it is can be decoded.
    let fits = std::str::from_utf8(json).is_ok_and(|json| schema::fits("StorageEvent", json));
    assert!(!fits || serde_json::from_slice::<StorageEvent>(json).is_ok());
    let Ok(event) = serde_json::from_slice::<StorageEvent>(json) else { return };
    let written = serde_json::to_vec(&event).expect("an event as JSON");
    let again: StorageEvent = serde_json::from_slice(&written).expect("what was written");
    assert_eq!(serde_json::to_vec(&again).expect("an event as JSON"), written);
    assert!(schema::fits("StorageEvent", std::str::from_utf8(&written).expect("text")));
    let _ = (event.event_types().count(), event.sub_systems().count(), event.is_consequence());
}
