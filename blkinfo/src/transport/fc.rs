//! Fibre Channel.

use std::path::Path;

use crate::tree::Tree;

use super::{facts, host_class, pci_address, Detail, ScsiPath};

/// From drivers/scsi/scsi_transport_fc.c: the classes fc_host (`port_name, port_state, speed`), fc_transport
/// (`port_name` of a target) and fc_remote_ports (`port_name, port_state`). The remote port's state is the path's; a
/// host whose driver shows no remote port lends its own.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    let tree = path.tree;
    let host = host_class("fc_host", path.address);
    let host_wwpn = tree.attr(&host.join("port_name"))?;
    let address = path.address;
    let target =
        format!("/sys/class/fc_transport/target{}:{}:{}", address.host, address.channel, address.target);
    let rport = path.ancestor_like("rport-");
    let remote = rport.map(|name| Path::new("/sys/class/fc_remote_ports").join(name));
    let of_remote = |attr: &str| tree.attr(&remote.as_ref()?.join(attr));
    Some(facts([
        ("transport", Some(transport(tree, &host))),
        ("host_wwpn", Some(host_wwpn)),
        ("target_wwpn", tree.attr(&Path::new(&target).join("port_name")).or_else(|| of_remote("port_name"))),
        ("rport", rport.map(str::to_owned)),
        ("port_state", of_remote("port_state").or_else(|| tree.attr(&host.join("port_state")))),
        ("speed", tree.attr(&host.join("speed"))),
        ("pci_address", pci_address(&path.device.dir)),
    ]))
}

/// Drivers of Fibre Channel over Ethernet name the network interface in the host's `symbolic_name`: `fcoe v0.1 over eth1`
/// (drivers/scsi/fcoe/fcoe.c, drivers/scsi/bnx2fc/bnx2fc_fcoe.c).
fn transport(tree: &Tree, host: &Path) -> String {
    let over_ethernet = tree.attr(&host.join("symbolic_name")).is_some_and(|name| name.contains(" over "));
    if over_ethernet { "FCoE" } else { "FC" }.to_owned()
}
