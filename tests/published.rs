//! The events that the first Peripety published as examples, made again:
//! `tests/fixtures/published/<case>/`.
//!
//! Every field must be as in `published.json`, unless `differences.json` names it and says why;
//! a difference that is named must be one.

use crate::common::{journal_file, project, Machine};
use serde_json::{json, Value};

/// The one event of a case.
fn event(case: &str) -> Option<Value> {
    let directory = project("tests/fixtures/published").join(case);
    let machine = Machine::start(&format!("published example {case}"), &[])?;
    let journal = machine.path("one.journal");
    journal_file(&std::fs::read(directory.join("journal.export")).unwrap(), &journal);
    let tree = directory.join("tree.txt");
    let daemon = machine.daemon(&[
        "--journal-file",
        journal.to_str().unwrap(),
        "--device-tree",
        tree.to_str().unwrap(),
    ]);
    daemon.settle();
    let events = daemon.query(json!({}));
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];

    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(directory.join(name)).unwrap()).unwrap()
    };
    let (published, differences) = (read("published.json"), read("differences.json"));
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for name in fields(&published).into_iter().chain(fields(event)) {
        let same = published.get(&name) == event.get(&name);
        let listed = differences.get(&name).is_some();
        assert_eq!(
            !same,
            listed,
            "{name}: published {:?}, ours {:?}",
            published.get(&name),
            event.get(&name)
        );
    }
    for name in fields(&differences) {
        assert_ne!(published.get(&name), event.get(&name), "{name} is no difference");
    }
    Some(event.clone())
}

#[test]
fn ext4_mounted_on_a_logical_volume_over_multipath() {
    let Some(event) = event("ext4-mounted") else { return };
    let disks: Vec<String> = ('b'..='i').map(|letter| format!("/dev/sd{letter}")).collect();
    assert_eq!(
        event["owners_paths"],
        json!([vec!["/dev/mapper/vg-lv".to_owned(), "/dev/mapper/mpatha".to_owned()], disks].concat())
    );
    let extension = json!({"mount_point": "/mnt/test", "data_mode": "ordered", "options": "(null)"});
    assert_eq!(event["extension"], extension);
    assert_eq!(event["raw_msg"], event["msg"]);
}

#[test]
fn fc_path_failed() {
    let Some(event) = event("fc-path-failed") else { return };
    assert_eq!(event["dev_wwid"], "mpath-360a98000324669436c2b45666c567946");
    let published = project("tests/fixtures/published/fc-path-failed/published.json");
    let published: Value = serde_json::from_slice(&std::fs::read(published).unwrap()).unwrap();
    // The published event does not say where the adapter sits.
    let mut extension = event["extension"].clone();
    assert!(extension.as_object_mut().unwrap().remove("pci_address").is_some());
    assert_eq!(extension, published["extention"]);
}
