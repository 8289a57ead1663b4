//! Which USB ports and PCI devices have storage behind them, by what is known of them from before: a port that fails is a problem of
//! storage only then.
//!
//! The device tree shows what is present, its history what was. Lines of the log show it too, also for another boot
//! and for a file from elsewhere: usb-storage and uas name their port, drivers of adapters their PCI address. What usb-storage and uas
//! print of a SCSI host alone belongs to the port that is reset or disconnected at the same time.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use peripety_blkinfo::{BlockInfo, Error};

use super::Devices;
use crate::bus::RawEvent;

/// Boots whose ports are kept; beyond them, anew.
const MAX_BOOTS: usize = 64;
/// Ports kept of a boot.
const MAX_PORTS: usize = 1024;
/// Lines about one disconnected or reset disk are written within this time, µs.
const MOMENT: u64 = 2_000_000;
/// Latest lines about ports that were reset or disconnected.
const MAX_RECENT: usize = 32;

/// Sub-systems of which every line is about USB storage.
const STORAGE: [&str; 2] = ["usb_storage", "uas"];
/// Event types that a device of any kind has, and that a disk has together with lines about its host.
const OF_ANY_DEVICE: [&str; 2] = ["USB_RESET", "USB_DISCONNECTED"];
/// Event types of a disk that is going.
const GOING: [&str; 2] = ["SCSI_DISK_STOPPING", "SCSI_SYNC_CACHE_FAILED"];

/// Sub-systems whose lines name PCI devices of any kind.
const OF_ANY_PCI_DEVICE: [&str; 2] = ["pci", "usb"];

/// Where storage may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A port and what is plugged into it: `1-2.3`.
    Port(String),
    /// A bus, by its number.
    Bus(String),
    /// A USB controller, by the name of its device: `0000:00:14.0`.
    UsbController(String),
    /// Any other PCI device.
    Pci(String),
}

impl Place {
    /// By the captures of a rule with `storage_severity`: `kdev` (`1-2.3`, `1-2:1.0`, `usb1`, `usb1-port2`, `1-2-port3`) and
    /// `port_number`, or `pci`.
    fn of(raw: &RawEvent) -> Option<Self> {
        let capture = |name: &str| raw.captures.get(name).map(String::as_str);
        if let Some(controller) = capture("pci").filter(|_| raw.sub_system == "usb") {
            return Some(Place::UsbController(controller.to_owned()));
        }
        if let Some(device) = pci_device(raw) {
            return Some(Place::Pci(address(device)));
        }
        let kdev = capture("kdev")?;
        let (hub, port) = kdev.split_once("-port").map_or((kdev, None), |(hub, port)| (hub, Some(port)));
        Some(match (hub_of(hub)?, port.or(capture("port_number"))) {
            (Place::Bus(bus), Some(port)) => Place::Port(format!("{bus}-{port}")),
            (Place::Port(hub), Some(port)) => Place::Port(format!("{hub}.{port}")),
            (hub, _) => hub,
        })
    }

    /// This USB port is it, or is below it.
    fn has_port(&self, port: &str) -> bool {
        match self {
            Place::Port(own) => {
                port.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            Place::Bus(bus) => port.split_once('-').is_some_and(|(own, _)| own == bus),
            // Its buses are not known: it may be any.
            Place::UsbController(_) => true,
            Place::Pci(_) => false,
        }
    }

    /// The device is behind it.
    fn has(&self, block: &BlockInfo) -> bool {
        let detail = |key: &str, fits: &dyn Fn(&str) -> bool| block.extension.get(key).is_some_and(fits);
        match self {
            Place::Pci(own) => detail("pci_address", &|address| address == own),
            _ => detail("usb_port", &|port| self.has_port(port)),
        }
    }

    /// The directory in sysfs under which its disks are.
    fn directory(&self) -> String {
        match self {
            Place::Port(port) => port.clone(),
            Place::Bus(bus) => format!("usb{bus}"),
            Place::UsbController(name) | Place::Pci(name) => name.clone(),
        }
    }
}

/// A hub, by the name of its device or interface: that at the root of a bus is `usb1`, its interface `1-0:1.0`
/// (drivers/usb/core/message.c, usb_set_configuration).
fn hub_of(name: &str) -> Option<Place> {
    if let Some(bus) = name.strip_prefix("usb") {
        return Some(Place::Bus(bus.to_owned()));
    }
    let device = name.split_once(':').map_or(name, |(device, _)| device);
    match device.split_once('-')? {
        (bus, "0") => Some(Place::Bus(bus.to_owned())),
        _ => port(device).map(|port| Place::Port(port.to_owned())),
    }
}

/// The port in the name of a device `1-2.3` or its interface `1-2.3:1.0`.
fn port(name: &str) -> Option<&str> {
    let device = name.split_once(':').map_or(name, |(device, _)| device);
    let (bus, ports) = device.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(bus) && ports.split('.').all(is_number)).then_some(device)
}

/// The PCI device that the line names: `0000:3b:00.0`, `3b:00.0`.
fn pci_device(raw: &RawEvent) -> Option<&str> {
    let is_address = |name: &&str| {
        let signs = |sign: char| name.matches(sign).count();
        (1..=2).contains(&signs(':')) && signs('.') == 1 && signs('-') == 0
    };
    ["pci", "kdev"].iter().filter_map(|name| raw.captures.get(*name)).map(String::as_str).find(is_address)
}

/// A PCI address with its domain, which some lines leave out when it is 0.
fn address(name: &str) -> String {
    match name.matches(':').count() {
        1 => format!("0000:{name}"),
        _ => name.to_owned(),
    }
}

/// Ports and PCI devices with storage, as lines of the log name them, for each host and boot.
#[derive(Debug, Default)]
pub(super) struct Attached(Mutex<HashMap<(String, String), Boot>>);

/// What is known from the lines of one boot.
#[derive(Debug, Default)]
struct Boot {
    /// USB ports.
    ports: BTreeSet<String>,
    /// PCI addresses of adapters.
    adapters: BTreeSet<String>,
    /// Ports that were reset or disconnected, and when.
    recent: VecDeque<(String, u64)>,
    /// When a line was about USB storage, or about a disk that goes, without naming the port.
    unplaced: Option<u64>,
}

impl Boot {
    fn add(&mut self, port: &str) {
        if self.ports.len() < MAX_PORTS {
            self.ports.insert(port.to_owned());
        }
    }

    fn note(&mut self, raw: &RawEvent) {
        if let Some(name) = adapter(raw).filter(|_| self.adapters.len() < MAX_PORTS) {
            self.adapters.insert(address(name));
        }
        let time = raw.entry.timestamp;
        let event_type = &*raw.rule.event_type;
        let named = ["kdev", "port"].iter().find_map(|name| port(raw.captures.get(*name)?));
        match named {
            Some(port) if STORAGE.contains(&raw.sub_system.as_str()) => self.add(port),
            Some(port) if OF_ANY_DEVICE.contains(&event_type) => {
                if self.unplaced.is_some_and(|at| time.saturating_sub(at) < MOMENT) {
                    self.add(port);
                }
                let line = (port.to_owned(), time);
                // Every parser sees every line.
                if !self.recent.contains(&line) {
                    self.recent.push_back(line);
                    self.recent.drain(..self.recent.len().saturating_sub(MAX_RECENT));
                }
            }
            None if STORAGE.contains(&raw.sub_system.as_str()) || GOING.contains(&event_type) => {
                self.unplaced = Some(time);
                let recent = std::mem::take(&mut self.recent);
                for (port, _) in recent.iter().filter(|(_, at)| time.saturating_sub(*at) < MOMENT) {
                    self.add(port);
                }
                self.recent = recent;
            }
            _ => {}
        }
    }
}

/// The PCI device of a line that a driver of storage writes.
fn adapter(raw: &RawEvent) -> Option<&str> {
    pci_device(raw).filter(|_| !OF_ANY_PCI_DEVICE.contains(&raw.sub_system.as_str()))
}

impl Attached {
    /// Takes note of a line, if it tells where storage hangs.
    pub(super) fn note(&self, raw: &RawEvent) {
        let relevant = adapter(raw).is_some()
            || STORAGE.contains(&raw.sub_system.as_str())
            || OF_ANY_DEVICE.iter().chain(&GOING).any(|name| raw.rule.event_type == *name);
        if !relevant || raw.entry.identifier != "kernel" {
            return;
        }
        let mut boots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if boots.len() >= MAX_BOOTS && !boots.contains_key(&key(raw)) {
            boots.clear();
        }
        boots.entry(key(raw)).or_default().note(raw);
    }

    /// Lines of the same boot named storage there.
    fn has(&self, raw: &RawEvent, place: &Place) -> bool {
        let boots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        boots.get(&key(raw)).is_some_and(|boot| match place {
            Place::Pci(address) => boot.adapters.contains(address),
            _ => boot.ports.iter().any(|port| place.has_port(port)),
        })
    }
}

fn key(raw: &RawEvent) -> (String, String) {
    (raw.entry.hostname.clone(), raw.entry.boot_id.clone())
}

impl Devices {
    /// There is storage, or was earlier in the boot, behind the USB port, hub or controller or the PCI device that the line names.
    pub fn has_storage_behind(&self, raw: &RawEvent) -> bool {
        let Some(place) = Place::of(raw) else { return false };
        if self.attached.has(raw, &place) {
            return true;
        }
        if !self.knows(&raw.entry) {
            let earlier = self.earlier.as_ref().filter(|history| history.boot_id() == raw.entry.boot_id);
            return earlier.is_some_and(|history| history.blocks().any(|block| place.has(block)));
        }
        let present = self.tree.kernel_block(&place.directory());
        matches!(present, Ok(_) | Err(Error::Ambiguous { .. }))
            || self.watch.as_ref().is_some_and(|watch| watch.any(|block| place.has(block)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::raw::EntryInfo;
    use crate::bus::Ticket;
    use crate::event::Severity;
    use crate::rules::{builtin, RuleSet};

    /// The severities of lines, one second apart, in which nothing else is known of the machine.
    fn severities(lines: &[&str]) -> Vec<String> {
        let rules = RuleSet::new(builtin::rules().unwrap());
        let devices = Devices::elsewhere(None);
        let severity = |(line, timestamp): (&&str, u64)| {
            let matched = rules.matched(b"kernel", line.as_bytes()).unwrap();
            let raw = RawEvent {
                number: 0,
                sub_system: matched.rule.sub_system.to_string(),
                severity: matched.rule.severity_at(Severity::Info),
                captures: matched.captures,
                event_id: "id".into(),
                entry: EntryInfo { timestamp, identifier: "kernel".into(), ..EntryInfo::default() },
                ticket: Ticket::detached(),
                rule: matched.rule,
            };
            devices.note_line(&raw);
            crate::parser::parse(&devices, &raw).severity.to_string()
        };
        lines.iter().zip((0..).step_by(1_000_000)).map(severity).collect()
    }

    fn last(lines: &[&str]) -> String {
        severities(lines).pop().unwrap()
    }

    #[test]
    fn a_port_without_storage_is_no_alarm() {
        for line in [
            "usb 1-2: device descriptor read/64, error -71",
            "usb 1-2: device not accepting address 7, error -71",
            "usb usb1-port2: unable to enumerate USB device",
            "hub 1-0:1.0: unable to enumerate USB device on port 2",
            "usb 1-1-port4: Cannot enable. Maybe the USB cable is bad?",
            "hub 1-1:1.0: hub_ext_port_status failed (err = -71)",
            "xhci_hcd 0000:00:14.0: HC died; cleaning up",
            "xhci_hcd 0000:00:14.0: xHCI host controller not responding, assume dead",
        ] {
            assert_eq!(last(&[line]), "Info", "{line}");
            assert_eq!(
                last(&["usb-storage 3-4:1.0: USB Mass Storage device detected", line]) == "Info",
                !line.starts_with("xhci"),
                "{line}"
            );
        }
    }

    #[test]
    fn a_port_with_storage_is() {
        let found = "usb-storage 1-1.4:1.0: USB Mass Storage device detected";
        for line in [
            "usb 1-1.4: device descriptor read/64, error -71",
            "usb 1-1: device not accepting address 7, error -71",
            "usb usb1-port1: unable to enumerate USB device",
            "hub 1-0:1.0: unable to enumerate USB device on port 1",
            "usb 1-1-port4: Cannot enable. Maybe the USB cable is bad?",
            "hub 1-1:1.0: hub_ext_port_status failed (err = -71)",
        ] {
            assert_eq!(last(&[found, line]), "Warning", "{line}");
        }
        assert_eq!(last(&[found, "xhci_hcd 0000:00:14.0: HC died; cleaning up"]), "Critical");
        assert_eq!(last(&[found, "usb usb1-port10: unable to enumerate USB device"]), "Info");
        assert_eq!(last(&[found, "usb 1-1.40: device descriptor read/64, error -71"]), "Info");
        assert_eq!(last(&[found, "usb 11-1: device descriptor read/64, error -71"]), "Info");
    }

    #[test]
    fn a_disk_that_goes_with_its_port_was_there() {
        let fails = "usb 2-1: device descriptor read/64, error -71";
        let gone = "usb 2-1: USB disconnect, device number 2";
        assert_eq!(last(&[gone, fails]), "Info");
        assert_eq!(last(&[gone, "sd 6:0:0:0: [sdb] Synchronizing SCSI cache", fails]), "Warning");
        let reset = "usb 2-1: reset SuperSpeed USB device number 2 using xhci_hcd";
        assert_eq!(last(&[reset, fails]), "Info");
        assert_eq!(last(&["scsi host6: uas_eh_device_reset_handler start", reset, fails]), "Warning");
    }

    #[test]
    fn an_adapter_is_known_by_its_driver() {
        let fault = "DMAR: [DMA Write NO_PASID] Request device [3b:00.0] fault addr 0xdeadb000 [fault reason 0x05] PTE Write access is not set";
        assert_eq!(last(&[fault]), "Info");
        assert_eq!(last(&["lpfc 0000:3b:00.0: 0:9999 Something is stuck", fault]), "Error");
        assert_eq!(last(&["nvme nvme0: pci function 0000:3b:00.0", fault]), "Error");
        assert_eq!(last(&["lpfc 0000:3c:00.0: 0:9999 Something is stuck", fault]), "Info");
    }
}
