//! The fields of one journal entry that Peripety looks at.

use super::{Error, Position, Reader, LOG_VALUE};

macro_rules! fields {
    ($($(#[$doc:meta])* $member:ident = $name:literal,)*) => {
        /// The fields of one entry (systemd.journal-fields(7)), reused from entry to entry: an
        /// empty value means that the entry has no such field.
        #[derive(Clone, Debug, Default)]
        pub struct Entry {
            $($(#[$doc])* pub $member: Vec<u8>,)*
        }

        impl Entry {
            fn clear(&mut self) {
                $(self.$member.clear();)*
            }

            /// An entry with these fields.
            #[cfg(test)]
            pub fn of(fields: &[(&str, &str)]) -> Self {
                let mut entry = Entry::default();
                fields.iter().for_each(|(name, value)| entry.set(name.as_bytes(), value.as_bytes()));
                entry
            }

            /// Sets the field of this name; fields that nobody looks at are passed over, and of
            /// one that comes twice the first counts. Long values are cut.
            pub fn set(&mut self, name: &[u8], value: &[u8]) {
                $(if name == $name && self.$member.is_empty() {
                    self.$member.extend_from_slice(value.get(..LOG_VALUE).unwrap_or(value));
                    return;
                })*
            }
        }
    };
}

fields! {
    /// The text.
    message = b"MESSAGE",
    /// How the entry reached journald; a client cannot choose it.
    transport = b"_TRANSPORT",
    /// Who wrote it, by its own account.
    identifier = b"SYSLOG_IDENTIFIER",
    /// syslog facility, a number.
    facility = b"SYSLOG_FACILITY",
    /// syslog level, a digit.
    priority = b"PRIORITY",
    /// User id of the writer.
    uid = b"_UID",
    /// Name of the writer's process.
    comm = b"_COMM",
    /// Executable of the writer.
    exe = b"_EXE",
    /// systemd unit of the writer.
    unit = b"_SYSTEMD_UNIT",
    /// Host that logged it.
    hostname = b"_HOSTNAME",
    /// Kernel's time stamp, µs since the boot.
    source_monotonic = b"_SOURCE_MONOTONIC_TIMESTAMP",
    /// Writer's time stamp, µs since the epoch.
    source_realtime = b"_SOURCE_REALTIME_TIMESTAMP",
    /// Device that a kernel line is about, as the kernel names it.
    kernel_device = b"_KERNEL_DEVICE",
    /// Its node, when udev knew one at the time.
    udev_devnode = b"_UDEV_DEVNODE",
    /// Type of message.
    message_id = b"MESSAGE_ID",
}

impl Entry {
    /// Reads the current entry of a journal into `self`.
    pub fn read(&mut self, reader: &mut Reader) {
        self.clear();
        reader.fields(|name, value| self.set(name, value));
    }

    /// Reads the current entry if its writer is `wanted`. Of any other entry (most are) only some
    /// fields are read, and the answer is false: the text, which tends to come last and may be
    /// compressed, costs the most.
    pub fn read_if(&mut self, reader: &mut Reader, wanted: impl Fn(&[u8]) -> bool) -> bool {
        self.clear();
        reader.fields_while(|name, value| self.set_if(name, value, &wanted));
        wanted(&self.identifier)
    }

    /// Sets a field. Returns false if the writer is now known and not wanted.
    fn set_if(&mut self, name: &[u8], value: &[u8], wanted: impl Fn(&[u8]) -> bool) -> bool {
        self.set(name, value);
        name != b"SYSLOG_IDENTIFIER" || self.identifier.is_empty() || wanted(&self.identifier)
    }

    /// A field as text; bytes that are not UTF-8 become U+FFFD, an empty field `None`.
    pub fn text(field: &[u8]) -> Option<String> {
        (!field.is_empty()).then(|| String::from_utf8_lossy(field).into_owned())
    }

    /// A field as a number.
    pub fn number(field: &[u8]) -> Option<u64> {
        std::str::from_utf8(field).ok()?.parse().ok()
    }
}

impl Reader {
    /// Position of the current entry.
    pub fn position(&self) -> Result<Position, Error> {
        let (monotonic, boot_id) = self.monotonic()?;
        Ok(Position { cursor: self.cursor()?, boot_id, monotonic, realtime: self.realtime()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_until_its_writer_is_not_wanted() {
        let kernel = |identifier: &[u8]| identifier == b"kernel";
        let mut entry = Entry::default();
        assert!(entry.set_if(b"_UID", b"0", kernel));
        // A client may send an empty field, or the field twice: the first non-empty one is used.
        assert!(entry.set_if(b"SYSLOG_IDENTIFIER", b"", kernel));
        assert!(entry.set_if(b"SYSLOG_IDENTIFIER", b"kernel", kernel));
        assert!(entry.set_if(b"SYSLOG_IDENTIFIER", b"sshd", kernel));
        assert!(entry.set_if(b"MESSAGE", b"text", kernel));
        assert_eq!((entry.identifier.as_slice(), entry.message.as_slice()), (&b"kernel"[..], &b"text"[..]));
        assert!(!Entry::default().set_if(b"SYSLOG_IDENTIFIER", b"sshd", kernel));
    }
}
