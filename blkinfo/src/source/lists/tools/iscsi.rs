//! `iscsiadm -m session -P 3`: sessions, and the disks behind them.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_address, Named};
use super::super::note::Note;

/// The head of a target's sessions.
pub fn prints(line: &str) -> bool {
    line.starts_with("iSCSI Transport Class version")
        || line.starts_with("Target: iqn.")
        || line.starts_with("Target: eui.")
}

/// The session that is being read.
#[derive(Default)]
struct Session<'t> {
    target: Option<&'t str>,
    portal: Option<&'t str>,
    interface: Option<&'t str>,
    number: Option<&'t str>,
    address: Option<String>,
}

/// Takes disks with their sessions.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut session = Session::default();
    for line in text.lines().map(str::trim) {
        if let Some(target) = line.strip_prefix("Target: ") {
            session = Session { target: target.split(' ').next(), ..Session::default() };
        } else if let Some(portal) = line.strip_prefix("Current Portal: ") {
            session = Session { target: session.target, portal: Some(portal), ..Session::default() };
        } else if let Some(interface) = line.strip_prefix("Iface Name: ") {
            session.interface = Some(interface);
        } else if let Some(number) = line.strip_prefix("SID: ") {
            session.number = Some(number);
        } else if let Some(address) = address(line) {
            session.address = Some(address);
        } else if let Some(disk) = line.strip_prefix("Attached scsi disk ") {
            disk.split_whitespace().next().into_iter().for_each(|kname| note(devices, kname, &session));
        }
    }
}

/// `scsi2 Channel 00 Id 0 Lun: 1`.
fn address(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [host, "Channel", channel, "Id", id, "Lun:", lun] = words.as_slice() else { return None };
    let number = |text: &str| text.parse::<u64>().ok();
    let host = number(host.strip_prefix("scsi")?)?;
    Some(format!("{host}:{}:{}:{}", number(channel)?, number(id)?, number(lun)?))
}

fn note(devices: &mut ListedDevices, kname: &str, session: &Session<'_>) {
    // 192.0.2.1:3260,1
    let portal = session.portal.and_then(|portal| portal.rsplit_once(','));
    let place = portal.and_then(|(place, _)| place.rsplit_once(':'));
    let note = Note::default()
        .fact(Fact::Transport, "iscsi")
        .maybe(Fact::Address, session.address.as_deref().filter(|address| is_address(address)))
        .maybe(Fact::Session, session.number.filter(|number| number.parse::<u32>().is_ok()))
        .maybe(Fact::Target, session.target)
        .maybe(Fact::TargetGroup, portal.map(|(_, group)| group))
        .maybe(Fact::PortalAddress, place.map(|(address, _)| address.trim_matches(['[', ']'])))
        .maybe(Fact::PortalPort, place.map(|(_, port)| port))
        .maybe(Fact::Interface, session.interface);
    devices.note(Named::kernel(kname), note);
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;

    #[test]
    fn disks_behind_sessions() {
        let text = "iSCSI Transport Class version 2.0-870\nversion 6.2.1.4\n\
            Target: iqn.2026-01.lab:t1 (non-flash)\n\tCurrent Portal: [fd00::1]:3260,1\n\tPersistent Portal: [fd00::1]:3260,1\n\
            \t\t**********\n\t\tInterface:\n\t\t**********\n\t\tIface Name: default\n\t\tSID: 3\n\
            \t\tAttached SCSI devices:\n\t\tHost Number: 2\tState: running\n\t\tscsi2 Channel 00 Id 0 Lun: 1\n\
            \t\t\tAttached scsi disk sdb\t\tState: running\n";
        let tree = tree(&[("iscsiadm_-m_session_-P_3", text)]);
        for name in ["session3", "connection3:0", "2:0:0:1", "sdb"] {
            let disk = tree.kernel_block(name).unwrap();
            assert_eq!((disk.kdev.as_str(), disk.transport.as_deref()), ("sdb", Some("iSCSI")), "{name}");
            let fact = |key: &str| disk.extension.get(key).map(str::to_owned).unwrap_or_default();
            assert_eq!(
                [fact("target_name"), fact("address"), fact("port"), fact("tpgt"), fact("iface_name")],
                ["iqn.2026-01.lab:t1", "fd00::1", "3260", "1", "default"]
            );
        }
    }
}
