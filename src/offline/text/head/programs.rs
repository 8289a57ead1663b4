//! Heads in the log files of programs that do not use syslog: Ceph, GlusterFS, libvirt and Pacemaker.

use super::syslog::level_of;
use super::{message, split, Head};
use crate::offline::text::stamp;

/// The daemons of Ceph; the cluster log is written by a monitor.
const CEPH: &[&str] = &["ceph-osd", "ceph-mon", "ceph-mgr", "ceph-mds"];
const CEPH_CLUSTER: &[&str] = &["ceph-mon", "ceph-osd", "ceph-mgr", "ceph-mds"];
/// GlusterFS: the names of its programs, and the identifier with which it writes to syslog.
const GLUSTER: &[&str] = &["glusterfsd", "glusterd", "glusterfs", "GlusterFS"];
/// libvirt: libvirtd and the daemons that replaced it.
const LIBVIRT: &[&str] = &["libvirtd", "virtqemud", "virtstoraged"];

impl<'l> Head<'l> {
    /// Removes the head of a program after a date, if no host was found.
    pub(super) fn program(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let fresh = self.wall.is_some() && self.boot.is_none() && self.host.is_none() && self.other.is_none();
        if !fresh || self.kernel {
            return None;
        }
        match rest.first()? {
            b'0'..=b'9' | b'a'..=b'f' => self.ceph_daemon(rest).or_else(|| self.libvirt(rest)),
            b'm' | b'o' => self.ceph_cluster(rest),
            b'A'..=b'Z' => self.gluster(rest),
            _ => None,
        }
    }

    fn is(&mut self, names: &'static [&'static str]) {
        self.tool = names.first().map(|name| name.as_bytes());
        self.aliases = names;
        self.process = true;
    }

    /// `7fa713903700 -1 osd.40 229380 …`: thread, level (src/log/Log.cc of ceph).
    fn ceph_daemon(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let (thread, behind) = split(rest)?;
        if !(8..=16).contains(&thread.len()) || !thread.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let behind = behind.trim_ascii_start();
        let (_, behind) = stamp::number(behind.strip_prefix(b"-").unwrap_or(behind), 1, 2)?;
        let body = behind.strip_prefix(b" ")?;
        self.is(CEPH);
        Some(body.trim_ascii_start())
    }

    /// `mon.a (mon.0) 123 : cluster [WRN] …`, of older ones `mon.a mon.1 10.0.0.5:6789/0 123 : cluster [INF] …`
    /// (src/common/LogEntry.cc of ceph).
    fn ceph_cluster(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        const KINDS: [&[u8]; 5] = [b"mon.", b"osd.", b"mgr.", b"mds.", b"client."];
        if !KINDS.iter().any(|kind| rest.starts_with(kind)) {
            return None;
        }
        let at = memchr::memmem::find(rest.get(..128).unwrap_or(rest), b" : ")?;
        let body = rest.get(at + 3..)?;
        let bracket = body.iter().take(24).position(|byte| *byte == b'[')?;
        self.level = match body.get(bracket + 1..bracket + 4)? {
            b"ERR" | b"SEC" => Some(3),
            b"WRN" => Some(4),
            b"INF" => Some(6),
            b"DBG" => Some(7),
            _ => return None,
        };
        self.is(CEPH_CLUSTER);
        Some(body)
    }

    /// `E [MSGID: 113075] [posix-helpers.c:2214:posix_health_check_thread_proc] 0-vol-posix: …`, older ones without the first
    /// bracket (libglusterfs/src/logging.c).
    fn gluster(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let level = match rest {
            [b'M' | b'A', b' ', b'[', ..] => 1,
            [b'C', b' ', b'[', ..] => 2,
            [b'E', b' ', b'[', ..] => 3,
            [b'W', b' ', b'[', ..] => 4,
            [b'N', b' ', b'[', ..] => 5,
            [b'I', b' ', b'[', ..] => 6,
            [b'D' | b'T', b' ', b'[', ..] => 7,
            _ => return None,
        };
        self.level = Some(level);
        self.is(GLUSTER);
        Some(rest)
    }

    /// `1234: error : virStorageFileReadHeader:100 : …` (src/util/virlog.c of libvirt).
    fn libvirt(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let (_, behind) = stamp::number(rest, 1, 8)?;
        let (level, behind) = split(behind.strip_prefix(b": ")?)?;
        let level = level_of(level)?;
        let body = behind.strip_prefix(b": ")?;
        let at = memchr::memmem::find(body.get(..96).unwrap_or(body), b" : ");
        self.level = Some(level);
        self.is(LIBVIRT);
        at.map_or(Some(body), |at| body.get(at + 3..))
    }

    /// `[1234] node1       crmd:    error: …` after a date, as Pacemaker wrote up to 1.1.
    pub(super) fn process_first(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        self.wall?;
        if self.host.is_some() || self.kernel {
            return None;
        }
        let (_, behind) = stamp::number(rest.get(1..)?, 1, 10)?;
        let (host, behind) = split(behind.strip_prefix(b"] ")?)?;
        let behind = behind.trim_ascii_start();
        let end = behind.iter().take(48).position(|byte| matches!(byte, b':' | b' '))?;
        let (name, behind) = behind.split_at_checked(end)?;
        let (level, body) = level_first(behind.strip_prefix(b":")?)?;
        (self.host, self.tool, self.process, self.level) = (Some(host), Some(name), true, Some(level));
        Some(body)
    }
}

/// `   error: text` of Pacemaker: the level, and the message.
pub fn level_first(text: &[u8]) -> Option<(u8, &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().take(9).position(|byte| *byte == b':')?;
    let level = level_of(&text.get(..end)?.to_ascii_lowercase())?;
    Some((level, message(text.get(end + 1..)?)))
}
