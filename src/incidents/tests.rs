//! Conditions and incidents by the events that make them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::event::{Identity, Severity, StorageEvent};
use crate::rules::conditions::Data;

/// A second, µs.
const S: u64 = 1_000_000;
/// When the tests begin.
const BEGIN: u64 = 1_800_000_000 * S;

struct World {
    incidents: Incidents,
    number: u64,
    changes: Vec<Change>,
}

/// An event: its type, how bad, its device, details.
fn event(
    number: u64,
    time: u64,
    event_type: &str,
    severity: Severity,
    kdev: &str,
    details: &[(&str, &str)],
) -> EventDraft {
    let event = StorageEvent {
        hostname: "h".into(),
        severity,
        sub_system: "scsi".into(),
        timestamp: BEGIN + time,
        event_id: format!("event-{number}"),
        event_type: event_type.into(),
        kdev: Some(kdev.to_owned()).filter(|kdev| !kdev.is_empty()),
        extension: details.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        repeat_count: 1,
        boot_id: "b".into(),
        ..StorageEvent::default()
    };
    event.into()
}

impl World {
    fn new() -> Self {
        World { incidents: Incidents::new(Kinds::builtin().unwrap()), number: 0, changes: Vec::new() }
    }

    fn push(&mut self, event: &EventDraft) {
        let changes = self.incidents.push(event, 0);
        self.changes.extend(changes);
    }

    fn see(&mut self, time: u64, event_type: &str, severity: Severity, kdev: &str, details: &[(&str, &str)]) {
        self.number += 1;
        let event = event(self.number, time, event_type, severity, kdev, details);
        self.push(&event);
    }

    /// The incidents as they are, by identifier.
    fn views(&mut self) -> Vec<View> {
        let flushed = self.incidents.flush();
        self.changes.extend(flushed);
        let all: BTreeMap<String, View> = self
            .changes
            .iter()
            .map(|change| (change.view.incident_id.clone(), change.view.clone()))
            .collect();
        let mut all: Vec<View> = all.into_values().filter(|view| view.merged_into.is_none()).collect();
        all.sort_by_key(|view| (view.since, view.incident_id.clone()));
        all
    }

    fn only(&mut self) -> View {
        let mut views = self.views();
        assert_eq!(views.len(), 1, "{:#?}", views.iter().map(|view| &view.title).collect::<Vec<_>>());
        views.remove(0)
    }

    fn reasons(&self) -> Vec<Reason> {
        self.changes.iter().map(|change| change.reason).collect()
    }
}

use Severity::{Critical, Error, Info, Notice, Warning};

#[test]
fn what_opens_closes() {
    let mut world = World::new();
    world.see(0, "FS_SERVER_NOT_RESPONDING", Error, "", &[("server", "192.0.2.8")]);
    world.see(20 * S, "FS_SERVER_NOT_RESPONDING", Error, "", &[("server", "192.0.2.8")]);
    let view = world.only();
    assert_eq!((view.state, view.until, view.events), (ConditionState::Open, None, 2));
    assert_eq!(view.title, "Server 192.0.2.8 does not answer");
    world.see(90 * S, "FS_SERVER_OK", Notice, "", &[("server", "192.0.2.9")]);
    assert_eq!(world.only().state, ConditionState::Open, "another server");
    world.see(100 * S, "FS_SERVER_OK", Notice, "", &[("server", "192.0.2.8")]);
    let view = world.only();
    assert_eq!((view.state, view.until, view.rev), (ConditionState::Closed, Some(BEGIN + 100 * S), 3));
    assert_eq!(world.reasons(), [Reason::Opened, Reason::Counts, Reason::Closed]);
}

/// A port, its path, the map: one incident, whose root is the port, also when the path is logged first.
#[test]
fn a_path_and_its_map_follow_from_the_port() {
    for port_at in [0, 500_000] {
        let mut world = World::new();
        let path = [("map", "mpatha"), ("host", "host3")];
        if port_at == 0 {
            world.see(port_at, "HBA_LINK_DOWN", Error, "", &[("host", "host3")]);
        }
        world.see(100_000, "DM_MPATH_PATH_FAILED", Warning, "8:16", &path);
        if port_at > 0 {
            world.see(port_at, "HBA_LINK_DOWN", Error, "", &[("host", "host3")]);
        }
        world.see(S, "DM_MPATH_PATH_MARKED_FAILED", Warning, "sdb", &[]);
        let view = world.only();
        assert_eq!((view.root.kind.as_str(), view.root.device.as_str()), ("link_down", "host3"), "{view:#?}");
        let effects: Vec<(&str, &str)> = view
            .effects
            .iter()
            .map(|effect| (effect.condition.device.as_str(), effect.condition.kind.as_str()))
            .collect();
        assert_eq!(effects.len(), 2, "{effects:?}");
        assert!(
            effects.contains(&("sdb", "path_failed")) && effects.contains(&("mpatha", "map_degraded")),
            "{effects:?}"
        );
        world.see(10 * S, "HBA_LINK_UP", Info, "", &[("host", "host3")]);
        assert_eq!(world.only().state, ConditionState::Open, "the path is still out of use");
        world.see(11 * S, "DM_MPATH_PATH_REINSTATED", Notice, "8:16", &path);
        assert_eq!(world.only().state, ConditionState::Closed);
    }
}

/// The end of the root does not end what was lost.
#[test]
fn damage_outlives_its_cause() {
    let mut world = World::new();
    world.see(0, "DM_THIN_OUT_OF_DATA_SPACE", Critical, "dm-2", &[]);
    let mut lost = event(2, S, "FS_DATA_LOSS", Critical, "dm-4", &[("mount_point", "/home")]);
    lost.event.owners_paths = vec!["/dev/dm-2".into()];
    world.push(&lost);
    world.see(80 * S, "DM_THIN_WRITABLE", Notice, "dm-2", &[]);
    let view = world.only();
    assert_eq!(
        (view.state, view.data, view.latent, view.until),
        (ConditionState::Latent, Data::Lost, 1, Some(BEGIN + 80 * S))
    );
    assert_eq!(
        (view.root.kind.as_str(), view.mounts.as_slice()),
        ("pool_full", ["/home".to_owned()].as_slice())
    );
    world.see(100 * S, "FSCK_CLEAN", Info, "dm-4", &[]);
    assert_eq!(world.only().state, ConditionState::Closed);
}

/// What begins again within an hour is the same, and is reported; from the fifth time on it is only counted.
#[test]
fn what_comes_and_goes_is_one_incident() {
    let mut world = World::new();
    for round in 0..8 {
        world.see(round * 60 * S, "ISCSI_CONN_ERROR", Error, "connection1:0", &[]);
        world.see((round * 60 + 10) * S, "ISCSI_CONN_RECOVERED", Notice, "connection1:0", &[]);
    }
    let again = world.reasons().iter().filter(|reason| **reason == Reason::Again).count();
    assert_eq!(again, 3, "{:?}", world.reasons());
    let view = world.only();
    assert_eq!((view.state, view.root.episodes), (ConditionState::Flapping, 8));
    world.see(3 * 3_600 * S, "ISCSI_DAEMON_STARTED", Info, "", &[]);
    let view = world.only();
    assert_eq!(view.state, ConditionState::Closed, "it has not come again for an hour");
    world.see(3 * 3_600 * S + S, "ISCSI_CONN_ERROR", Error, "connection1:0", &[]);
    assert_eq!(world.views().len(), 2);
}

#[test]
fn what_is_not_heard_of_closes_when_it_was_last() {
    let mut world = World::new();
    world.see(0, "BLK_IO_ERROR", Error, "sda", &[]);
    world.see(600 * S, "BLK_IO_ERROR", Error, "sda", &[]);
    world.see(1_400 * S, "FS_MOUNTED", Info, "sdz", &[]);
    assert_eq!(world.only().state, ConditionState::Open);
    world.see(1_501 * S, "FS_MOUNTED", Info, "sdz", &[]);
    let view = world.only();
    assert_eq!((view.state, view.until), (ConditionState::Closed, Some(BEGIN + 600 * S)));
}

/// Pairs of faults at one time without a common name stay apart, in any order.
#[test]
fn what_happens_at_one_time_is_not_one_incident() {
    let mut world = World::new();
    for pair in 0..300 {
        let at = pair * 1_000 * S;
        world.see(
            at,
            "DM_MPATH_PATH_FAILED",
            Warning,
            &format!("sda{pair}x"),
            &[("map", &format!("mpath{pair}"))],
        );
        world.see(
            at + 300_000,
            "MD_DISK_FAILED",
            Critical,
            &format!("md{pair}"),
            &[("member", &format!("nvme{pair}n1"))],
        );
        world.see(at + 400_000, "FS_ERROR", Error, &format!("vd{pair}x"), &[]);
    }
    assert_eq!(world.views().len(), 900);
}

fn many_paths(world: &mut World, ports: u64, paths: u64) {
    for path in 0..paths {
        let host = format!("host{}", path % ports);
        let map = format!("map{}of{}", path % 2_500, path % ports);
        let name = format!("{}:0:{}:{}", path % ports, path / 250, path % 250);
        world.see(path * 100, "DM_MPATH_PATH_FAILED", Warning, &name, &[("map", &map), ("host", &host)]);
    }
}

/// Thousands of paths behind one port are one incident, behind two ports two; effects are named up to a bound and counted.
#[test]
fn siblings_have_a_common_cause() {
    let mut world = World::new();
    many_paths(&mut world, 1, 10_000);
    let view = world.only();
    assert_eq!((view.effects_total, view.effects.len(), view.open), (12_499, 256, 12_500));
    assert_eq!(view.suspects[0].device, "host0");
    assert!(view.title.starts_with("10000 paths failed behind host0"), "{}", view.title);
    let mut world = World::new();
    many_paths(&mut world, 2, 200);
    assert_eq!(world.views().iter().map(|view| view.open).collect::<Vec<_>>(), [200, 200]);
}

/// The same events give the same incidents, identifiers and revisions.
#[test]
fn a_replay_is_the_same() {
    let play = || {
        let mut world = World::new();
        many_paths(&mut world, 3, 100);
        for at in 0..50 {
            world.see(
                (10 + at) * S,
                "DM_MPATH_PATH_REINSTATED",
                Notice,
                &format!("{}:0:0:{at}", at % 3),
                &[],
            );
        }
        world.views();
        world
            .changes
            .into_iter()
            .map(|change| (change.view.incident_id.clone(), change.view.rev, change.reason))
            .collect::<Vec<_>>()
    };
    let first = play();
    assert!(first.len() > 3);
    assert_eq!(first, play());
}

/// Two incidents that turn out to be one: the older identifier lives, the other one ends in it.
#[test]
fn what_turns_out_to_be_one_keeps_the_older_identifier() {
    let mut world = World::new();
    world.see(0, "BLK_IO_ERROR", Error, "sdf", &[]);
    world.see(60 * S, "BLK_IO_ERROR", Error, "sdh", &[]);
    let ids: Vec<String> = world.views().iter().map(|view| view.incident_id.clone()).collect();
    assert_eq!(ids.len(), 2);
    world.see(61 * S, "MD_DISK_FAILED", Critical, "md5", &[("member", "sdh")]);
    world.see(62 * S, "MD_DISK_FAILED", Critical, "md5", &[("member", "sdf")]);
    let view = world.only();
    assert_eq!(view.incident_id, ids[0]);
    let merged: Vec<&Change> =
        world.changes.iter().filter(|change| change.reason == Reason::Merged).collect();
    assert_eq!((merged.len(), merged[0].view.merged_into.as_ref()), (1, Some(&ids[0])));
    assert_eq!(
        view.effects.iter().find(|e| e.condition.kind == "array_degraded").unwrap().condition.members,
        ["sdh", "sdf"]
    );
}

/// What carries the name of a disk that was removed is another one.
#[test]
fn a_name_that_is_given_again_is_another_disk() {
    let mut world = World::new();
    let holder = |wwid: &str| Holder {
        names: vec!["sda".into()],
        identity: Identity { wwid: Some(wwid.into()), diskseq: None },
        gone: false,
    };
    let mut first = event(1, 0, "BLK_IO_ERROR", Error, "sda", &[]);
    first.holders = vec![holder("naa.1")];
    world.push(&first);
    world.incidents.gone("b", &holder("naa.1"), BEGIN + S);
    world.see(2 * S, "SCSI_CMD_TIMEOUT", Error, "sda", &[]);
    assert_eq!(world.views().len(), 2);
    // Without a sequence number of disks nothing distinguishes the last lines about the first from lines about the second.
    let numbered = |number: u64| Holder {
        identity: Identity { wwid: Some("naa.1".into()), diskseq: Some(number) },
        ..holder("naa.1")
    };
    let mut world = World::new();
    first.holders = vec![numbered(7)];
    world.push(&first);
    world.incidents.gone("b", &numbered(7), BEGIN + S);
    let mut last = event(3, 2 * S, "BLK_BUFFER_IO_ERROR", Error, "sda", &[]);
    last.holders = vec![Holder { gone: true, ..numbered(7) }];
    world.push(&last);
    world.only();
    first.holders = vec![holder("naa.1")];
    // The same without uevents, by the identity.
    let mut world = World::new();
    world.push(&first);
    let mut second = event(2, S, "SCSI_CMD_TIMEOUT", Error, "sda", &[]);
    second.holders = vec![holder("naa.2")];
    world.push(&second);
    assert_eq!(world.views().len(), 2);
}

/// A mount is a new life of a file system; the disk below it is not touched.
#[test]
fn an_unmount_ends_what_was_wrong_with_the_file_system() {
    let mut world = World::new();
    world.see(0, "SCSI_DEVICE_OFFLINED", Critical, "sdb", &[]);
    world.see(S, "FS_REMOUNT_READ_ONLY", Critical, "sdb1", &[]);
    world.see(10 * S, "FS_UNMOUNTED", Info, "sdb1", &[]);
    world.see(11 * S, "FS_ERROR", Error, "sdb1", &[]);
    let view = world.only();
    assert_eq!((view.state, view.open), (ConditionState::Open, 1), "last words of what is gone open nothing");
    assert_eq!(view.effects[0].condition.closed_by.as_deref(), Some("gone"));
}

/// A mount point that is used again is another file system's.
#[test]
fn a_mount_point_changes_hands() {
    let mut world = World::new();
    let point = [("mount_point", "/srv")];
    world.see(0, "FS_DATA_LOSS", Critical, "sda1", &point);
    world.see(S, "FS_UNMOUNTED", Info, "sda1", &point);
    world.see(100 * S, "FS_MOUNTED", Info, "sdb1", &point);
    world.see(200 * S, "FS_ERROR", Error, "sdb1", &point);
    let views = world.views();
    assert_eq!(
        views.iter().map(|view| view.state).collect::<Vec<_>>(),
        [ConditionState::Latent, ConditionState::Open]
    );
}

#[test]
fn a_boot_ends_or_makes_unknown() {
    let mut world = World::new();
    world.see(0, "BLK_IO_ERROR", Error, "sda", &[]);
    world.see(S, "MD_DISK_FAILED", Critical, "md0", &[("member", "sdq")]);
    let mut later = event(9, 100 * S, "FS_MOUNTED", Info, "sdx", &[]);
    later.event.boot_id = "c".into();
    world.push(&later);
    let states: BTreeSet<ConditionState> = world.views().iter().map(|view| view.state).collect();
    assert_eq!(states, BTreeSet::from([ConditionState::Closed, ConditionState::Unknown]));
}

/// Worse is reported again at once, the same is only counted.
#[test]
fn worse_is_reported() {
    let mut world = World::new();
    world.see(0, "FS_SERVER_ERROR", Warning, "", &[("server", "a")]);
    world.see(5 * S, "FS_SERVER_ERROR", Warning, "", &[("server", "a")]);
    world.see(6 * S, "FS_SERVER_NOT_RESPONDING", Error, "", &[("server", "a")]);
    world.see(7 * S, "FS_SERVER_NOT_RESPONDING", Error, "", &[("server", "a")]);
    assert_eq!(world.reasons(), [Reason::Opened, Reason::Worse]);
    world.see(70 * S, "FS_SERVER_NOT_RESPONDING", Error, "", &[("server", "a")]);
    assert_eq!(world.reasons(), [Reason::Opened, Reason::Worse, Reason::Counts]);
}

/// A flood of different devices takes bounded memory, and what is open stays.
#[test]
fn memory_is_bounded() {
    let mut world = World::new();
    world.see(0, "FS_SERVER_NOT_RESPONDING", Error, "", &[("server", "first")]);
    for number in 0..MAX_CONDITIONS as u64 + 1_000 {
        world.number += 1;
        let event =
            event(world.number, S + number, "SMART_HEALTH_FAILED", Critical, &format!("disk{number}"), &[]);
        world.incidents.push(&event, 0);
    }
    assert!(world.incidents.remembered().1 <= MAX_CONDITIONS);
    world.see(10 * S, "FS_SERVER_OK", Notice, "", &[("server", "first")]);
    assert_eq!(world.changes.last().unwrap().reason, Reason::Closed);
}
