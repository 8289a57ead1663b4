//! The peer of a connection, and what it may see.

use tokio::net::UnixStream;

/// Groups that may read the journal, and so may read events (systemd-journald.service(8)).
const READERS: [&str; 2] = ["systemd-journal", "adm"];

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// It may read events.
    pub may_read: bool,
}

impl Peer {
    /// The client of a connection.
    pub fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let uid = credentials.uid();
        let mut groups = crate::sys::peer_groups(stream).unwrap_or_default();
        groups.push(credentials.gid());
        let known = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let own = rustix::process::geteuid().as_raw();
        Ok(Peer { uid, may_read: uid == 0 || uid == own || is_reader(&groups, &known) })
    }
}

/// One of the groups is allowed to read the journal; `known` is the text of /etc/group.
fn is_reader(groups: &[u32], known: &str) -> bool {
    known.lines().any(|line| {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or_default();
        let gid = fields.nth(1).and_then(|gid| gid.parse().ok());
        READERS.contains(&name) && gid.is_some_and(|gid| groups.contains(&gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_the_journal_groups_may_read() {
        let known = "root:x:0:\nadm:x:4:syslog\nsystemd-journal:x:101:\nusers:x:100:\n";
        assert!(is_reader(&[100, 101], known));
        assert!(is_reader(&[4], known));
        assert!(!is_reader(&[100], known));
        assert!(!is_reader(&[101], ""));
    }
}
