//! Names that mean one device, and what depends on what.

use std::collections::HashSet;

use super::naming::{Class, Named, Relation};
use super::nodes::*;
use crate::event::Identity;

fn named(names: &[&str], wwid: Option<&str>) -> Named {
    let identity = Identity { wwid: wwid.map(str::to_owned), diskseq: None };
    Named { names: names.iter().map(|name| (*name).to_owned()).collect(), identity }
}

fn device(nodes: &mut Nodes, names: &[&str]) -> NodeId {
    nodes.resolve(0, Class::Device, &named(names, None)).unwrap().0
}

#[test]
fn a_line_with_two_names_makes_one_device_of_two() {
    let mut nodes = Nodes::new(100);
    let (disk, address, map) =
        (device(&mut nodes, &["sdb"]), device(&mut nodes, &["2:0:0:0"]), device(&mut nodes, &["dm-0"]));
    nodes.link(map, Relation::On, address);
    let (id, unified) = nodes.resolve(0, Class::Device, &named(&["sdb", "2:0:0:0"], None)).unwrap();
    assert_eq!((id, unified), (disk, vec![Unified { kept: disk, dropped: address }]));
    assert_eq!(nodes.all_below(map, |_| false), [(Relation::On, disk)]);
    assert_eq!(nodes.get(disk).unwrap().name(), "sdb");
}

#[test]
fn other_identities_other_places_and_contents_are_other_devices() {
    let mut nodes = Nodes::new(100);
    let disk = nodes.resolve(0, Class::Device, &named(&["sdb"], Some("naa.1"))).unwrap().0;
    let other = nodes.resolve(0, Class::Device, &named(&["sdb"], Some("naa.2"))).unwrap().0;
    let content = nodes.resolve(0, Class::Content, &named(&["sdb"], None)).unwrap().0;
    let elsewhere = nodes.resolve(1, Class::Device, &named(&["sdb"], None)).unwrap().0;
    let all = HashSet::from([disk, other, content, elsewhere]);
    assert_eq!(all.len(), 4);
    nodes.retire(other);
    assert!(!all.contains(&device(&mut nodes, &["sdb"])), "the name is free");
}

/// A name that moved to another address is another disk.
#[test]
fn a_device_has_one_address() {
    let mut nodes = Nodes::new(100);
    let old = device(&mut nodes, &["sdb", "2:0:0:0"]);
    let new = device(&mut nodes, &["sdb", "5:0:0:0"]);
    assert_ne!(old, new);
    assert_eq!(device(&mut nodes, &["sdb"]), new);
    assert_eq!(device(&mut nodes, &["2:0:0:0"]), old);
}

#[test]
fn what_bears_a_loss_hides_what_is_below_it() {
    let mut nodes = Nodes::new(100);
    let (fs, map, path, port) = (
        device(&mut nodes, &["fs"]),
        device(&mut nodes, &["dm-0"]),
        device(&mut nodes, &["sdb"]),
        device(&mut nodes, &["host3"]),
    );
    nodes.link(fs, Relation::Content, map);
    nodes.link(map, Relation::Path, path);
    nodes.link(path, Relation::Behind, port);
    assert_eq!(nodes.all_below(fs, |_| false), [(Relation::Content, map)]);
    assert_eq!(nodes.all_below(fs, |node| node == map).len(), 3);
    assert_eq!(nodes.all_below(map, |_| false).len(), 2);
    assert_eq!(nodes.all_above(port), [path, map, fs]);
}

#[test]
fn room_is_made_by_what_nothing_is_wrong_with() {
    let mut nodes = Nodes::new(8);
    let bad = device(&mut nodes, &["bad"]);
    nodes.get_mut(bad).unwrap().conditions.push(1);
    for n in 0..100 {
        device(&mut nodes, &[&format!("n{n}")]);
    }
    assert!(nodes.len() <= 9 && nodes.get(bad).is_some());
    assert_eq!(device(&mut nodes, &["bad"]), bad);
}
