//! Hardware on the way to a disk, by the name that its directory in sysfs has and the kernel puts before its messages
//! (include/linux/dev_printk.h: driver and device name).

use std::path::Path;

use super::choice::one_disk;
use crate::device::Device;
use crate::error::Error;
use crate::name::{number, numbered};
use crate::tree::Tree;

/// A SCSI target `target2:0:0`, SCSI host `host2`, iSCSI session `session3`, port of a Fibre Channel network
/// `rport-7:0-2`, SAS device `end_device-0:0`, PCI function `0000:04:00.0`, USB port `1-2.3`, virtio device `virtio4`,
/// MMC card `mmc0:0001` …: the disk behind it. The string is compared with names on the way to the known devices and
/// never becomes part of a path.
pub(super) fn on_the_way(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    match directory_name(name) {
        Some(directory) => one_disk(tree, name, tree.disks_behind(&directory)?),
        None => Ok(None),
    }
}

/// `connection3:0`: a connection of an iSCSI session (drivers/scsi/scsi_transport_iscsi.c, iscsi_add_conn), when the
/// session has it.
pub(super) fn connection(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let Some((session, _)) = numbers(name, "connection", ':', 2..=2).and_then(|rest| rest.split_once(':'))
    else {
        return Ok(None);
    };
    if !tree.names(Path::new("/sys/class/iscsi_connection")).iter().any(|known| known == name) {
        return Ok(None);
    }
    one_disk(tree, name, tree.disks_behind(&format!("session{session}"))?)
}

/// Has the string the form of such a name?
pub(super) fn is_name(name: &str) -> bool {
    directory_name(name).is_some()
}

/// The directory's name, when the string is one that the kernel gives to hardware.
fn directory_name(name: &str) -> Option<String> {
    let same = |is: bool| is.then(|| name.to_owned());
    same(is_counted(name) || is_scsi(name) || is_usb(name) || is_mmc_card(name))
        .or_else(|| pci_function(name))
}

/// A prefix and a number: SCSI host (drivers/scsi/hosts.c), iSCSI session, virtio device (drivers/virtio/virtio.c),
/// USB root hub (drivers/usb/core/usb.c), MMC host (drivers/mmc/core/host.c).
fn is_counted(name: &str) -> bool {
    ["host", "session", "virtio", "usb", "mmc"].iter().any(|prefix| numbered(name, prefix).is_some())
}

/// Names of the SCSI layer: drivers/scsi/scsi_scan.c (scsi_alloc_target), scsi_transport_fc.c (fc_remote_port_create),
/// scsi_transport_sas.c (sas_end_device_alloc, sas_expander_alloc, sas_port_alloc: those behind an expander have three
/// numbers); and of a persistent memory namespace (drivers/nvdimm/namespace_devs.c).
fn is_scsi(name: &str) -> bool {
    let rport = || {
        let (place, port) = name.strip_prefix("rport-")?.split_once('-')?;
        numbers(place, "", ':', 2..=2).and(number::<u32>(port))
    };
    numbers(name, "target", ':', 3..=3).is_some()
        || ["end_device-", "expander-", "port-"].iter().any(|p| numbers(name, p, ':', 2..=3).is_some())
        || numbers(name, "namespace", '.', 2..=2).is_some()
        || rport().is_some()
}

/// What follows `prefix`, if it is this number of decimal numbers.
fn numbers<'a>(
    name: &'a str,
    prefix: &str,
    between: char,
    count: std::ops::RangeInclusive<usize>,
) -> Option<&'a str> {
    let rest = name.strip_prefix(prefix)?;
    let parts = rest.split(between).map(number::<u32>).collect::<Option<Vec<u32>>>()?;
    count.contains(&parts.len()).then_some(rest)
}

/// A USB device `1-2.3` (bus, ports of the hubs on the way) or its interface `1-2.3:1.0`
/// (drivers/usb/core/usb.c, usb_alloc_dev; message.c, usb_set_configuration).
fn is_usb(name: &str) -> bool {
    let (device, interface) = name.split_once(':').map_or((name, None), |(d, i)| (d, Some(i)));
    let ports = |(bus, ports): (&str, &str)| number::<u32>(bus).and(numbers(ports, "", '.', 1..=6)).is_some();
    let whole = interface.is_none_or(|interface| numbers(interface, "", '.', 2..=2).is_some());
    whole && device.split_once('-').is_some_and(ports)
}

/// A card `mmc0:0001`: host and relative address in four hexadecimal digits (drivers/mmc/core/bus.c, mmc_add_card).
fn is_mmc_card(name: &str) -> bool {
    let card = name.split_once(':').filter(|(host, _)| numbered(host, "mmc").is_some());
    card.is_some_and(|(_, card)| card.len() == 4 && is_hex(card))
}

/// A PCI function with its domain, or without one as lspci(8) leaves out domain 0. Behind Intel's VMD a domain has more
/// than four digits (drivers/pci/probe.c, pci_setup_device).
fn pci_function(name: &str) -> Option<String> {
    let (place, function) = name.rsplit_once('.')?;
    let place: Vec<&str> = place.split(':').collect();
    let (domain, rest) = match place.as_slice() {
        [bus, slot] => ("0000", [*bus, *slot]),
        [domain, bus, slot] => (*domain, [*bus, *slot]),
        _ => return None,
    };
    let fits =
        (4..=8).contains(&domain.len()) && rest.iter().all(|part| part.len() == 2) && function.len() == 1;
    let [bus, slot] = rest;
    let hex = [domain, bus, slot, function].into_iter().all(is_hex);
    (fits && hex).then(|| format!("{domain}:{bus}:{slot}.{function}").to_ascii_lowercase())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_names_of_hardware() {
        for name in [
            "target2:0:0",
            "host2",
            "session3",
            "rport-7:0-2",
            "end_device-0:1:5",
            "port-10:0",
            "1-2.3",
            "2-1:1.0",
            "virtio4",
            "mmc0",
            "mmc0:0001",
            "10000:e1:00.0",
        ] {
            assert_eq!(directory_name(name).as_deref(), Some(name));
        }
        assert_eq!(directory_name("04:00.0").as_deref(), Some("0000:04:00.0"));
        assert_eq!(directory_name("0000:0A:1F.2").as_deref(), Some("0000:0a:1f.2"));
        for other in [
            "",
            "host",
            "host-1",
            "target2:0",
            "target2:0:0:0",
            "rport-7:0",
            "rport-7-0:2",
            "end_device-0",
            "1-",
            "-2",
            "1-2.",
            "1-2:1",
            "mmc0:1",
            "mmc0:zzzz",
            "4:00.0",
            "000:04:00.0",
            "0000:04:00.00",
            "..",
            "sda",
            "host1/..",
            "0000:04:00.é",
            "block",
            "devices",
        ] {
            assert_eq!(directory_name(other), None, "{other:?}");
        }
    }
}
