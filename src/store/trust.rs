//! Distinguishes Peripety's own events: anyone may write fields named `PERIPETY_…`.

use super::fields;
use crate::journal::{Error, Reader};

/// The daemon's unit.
const UNIT: &str = "peripetyd.service";

/// The writer of a stored event, according to journald.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// `_UID`.
    pub uid: Vec<u8>,
    /// `_SYSTEMD_UNIT`.
    pub unit: Vec<u8>,
    /// `_TRANSPORT`.
    pub transport: Vec<u8>,
}

/// Who may have written events.
#[derive(Clone, Debug)]
pub struct Trust {
    uids: Vec<String>,
}

impl Trust {
    /// For this machine's own journal: root, the unit, the daemon's own user and the system
    /// user `peripety` of `passwd` (the text of /etc/passwd).
    pub fn local(own_uid: u32, passwd: &str) -> Self {
        let mut uids = vec!["0".to_owned(), own_uid.to_string()];
        uids.extend(uid_of("peripety", passwd));
        Trust { uids }
    }

    /// For this machine, with its /etc/passwd.
    pub fn here() -> Self {
        let passwd = std::fs::read("/etc/passwd").unwrap_or_default();
        Trust::local(rustix::process::geteuid().as_raw(), &String::from_utf8_lossy(&passwd))
    }

    /// Has journald's index find the candidates: entries with the fields of an event by a writer
    /// that is trusted.
    pub fn add_matches(&self, reader: &mut Reader) -> Result<(), Error> {
        reader.match_add(fields::FORMAT, fields::FORMAT_VERSION)?;
        reader.match_add("_TRANSPORT", "journal")?;
        reader.match_and()?;
        for uid in &self.uids {
            reader.match_add("_UID", uid)?;
        }
        reader.match_or()?;
        reader.match_add("_SYSTEMD_UNIT", UNIT)
    }

    /// An entry of this writer is an event of Peripety.
    pub fn accepts(&self, writer: &Writer) -> bool {
        writer.transport == b"journal"
            && (writer.unit == UNIT.as_bytes() || self.uids.iter().any(|uid| uid.as_bytes() == writer.uid))
    }
}

fn uid_of(user: &str, passwd: &str) -> Option<String> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
    line.split(':').nth(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_the_unit_and_the_daemon_s_users_are_trusted() {
        let trust = Trust::local(1234, "root:x:0:0::/:/bin/sh\nperipety:x:997:997::/:/bin/false\n");
        let writer = |uid: &str, unit: &str| Writer {
            uid: uid.into(),
            unit: unit.into(),
            transport: b"journal".to_vec(),
        };
        for (uid, unit) in [("0", ""), ("1234", ""), ("997", ""), ("1", "peripetyd.service")] {
            assert!(trust.accepts(&writer(uid, unit)), "{uid} {unit}");
        }
        for (uid, unit) in [("1000", ""), ("", ""), ("99", "peripety.service"), ("9970", "")] {
            assert!(!trust.accepts(&writer(uid, unit)), "{uid} {unit}");
        }
        let syslog = Writer { transport: b"syslog".to_vec(), ..writer("0", "") };
        assert!(!trust.accepts(&syslog));
    }
}
