//! The two published examples, by the interface of the crate.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use peripety_blkinfo::{BlkType, DevNumber, Tree};

fn tree(case: &str) -> Tree {
    Tree::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(case).join("tree.txt"))
        .unwrap()
}

#[test]
fn a_file_system_on_lvm_on_multipath() {
    let tree = tree("ext4-lvm-multipath");
    let volume = tree.identity_of_fs("47841ee5-047d-4f73-8951-5a3d7a4c770e").unwrap();
    assert_eq!((volume.kdev.as_str(), volume.dev_path.as_str()), ("dm-1", "/dev/mapper/vg-lv"));
    assert!(volume.dev_wwid.as_deref().is_some_and(|wwid| wwid.starts_with("LVM-jM0Tz8")));
    // Eight paths, one identity.
    assert_eq!(volume.owners_wwids(), ["mpath-333333330000007d0", "t10.Linux-scsi_debug-2000"]);
    let paths = "/dev/mapper/mpatha /dev/sdb /dev/sdc /dev/sdd /dev/sde /dev/sdf /dev/sdg /dev/sdh /dev/sdi";
    assert_eq!(volume.owners_paths(), paths.split(' ').collect::<Vec<_>>());
    assert_eq!(volume.mount_points, ["/mnt/test"]);
    assert_eq!(tree.mount_of(DevNumber { major: 253, minor: 1 }).len(), 1);
    assert_eq!(tree.mount_at("/mnt/test/x").unwrap().unwrap().source, "/dev/mapper/vg-lv");
}

#[test]
fn a_fibre_channel_path() {
    let tree = tree("fc-multipath");
    let map = tree.holders_of_type("8:48", BlkType::DmMultipath).unwrap();
    assert_eq!(map.dev_wwid.as_deref(), Some("mpath-360a98000324669436c2b45666c567946"));
    assert_eq!(map.dev_path, "/dev/mapper/360a98000324669436c2b45666c567946");
    let path = tree.kernel_block("8:48").unwrap();
    assert_eq!(
        (path.dev_path.as_str(), path.dev_wwid.as_deref()),
        ("/dev/sdd", Some("t10.NETAPP-LUN-2FiCl+EflVyF"))
    );
    let detail: Vec<(&str, &str)> = path.extension.iter().collect();
    // The published event does not say where the adapter sits.
    assert_eq!(path.extension.get("pci_address"), Some("0000:0a:00.0"));
    let detail: Vec<(&str, &str)> = detail.into_iter().filter(|(key, _)| *key != "pci_address").collect();
    let published = [
        ("driver_name", "lpfc"),
        ("host_wwpn", "0x10000000c9a02834"),
        ("port_state", "Online"),
        ("rport", "rport-3:0-2"),
        ("speed", "8 Gbit"),
        ("target_wwpn", "0x500a0982891b8dc5"),
        ("transport", "FC"),
    ];
    assert_eq!(detail, published);
}
