//! Who must have written the lines of a rule: its keys `user`, `programs` and `units`.

use std::path::Path;

/// The users of this machine: passwd(5). Those of a directory service have only a number here: a start must not wait for one.
const USERS: &str = "/etc/passwd";
/// Identifiers with trust rules of their own.
const SPECIAL: [&str; 3] = ["kernel", "systemd-journald", "peripetyd"];

/// The writer of a rule's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// User id.
    pub uid: u32,
    /// Its executables; empty: any. `*` at the beginning or the end stands for any text.
    pub programs: Vec<String>,
    /// Its systemd units, in the same way.
    pub units: Vec<String>,
}

impl Writer {
    /// The writer that a rule for lines of this identifier requires, if it specifies one.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub fn of(
        identifier: &str,
        user: Option<&str>,
        programs: Vec<String>,
        units: Vec<String>,
    ) -> Result<Option<Self>, (String, &'static str)> {
        if user.is_none() && programs.is_empty() && units.is_empty() {
            return Ok(None);
        }
        if SPECIAL.contains(&identifier) {
            let message = format!("lines of \"{identifier}\" have no user, program or unit");
            return Err((message, "remove these keys, or give the identifier of a tool"));
        }
        let uid = match user {
            None => 0,
            Some(user) => uid(user, Path::new(USERS)).ok_or((
                format!("{USERS} has no user \"{user}\""),
                "correct the name, or write the number of the user",
            ))?,
        };
        Ok(Some(Writer { uid, programs, units }))
    }
}

fn uid(user: &str, users: &Path) -> Option<u32> {
    if let Ok(number) = user.parse() {
        return Some(number);
    }
    let users = std::fs::read(users).ok()?;
    users.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let is_user = fields.next() == Some(user.as_bytes());
        let number = fields.nth(1).filter(|_| is_user)?;
        std::str::from_utf8(number).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_numbers_or_local_names() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwd");
        std::fs::write(&file, b"root:x:0:0::/root:/bin/sh\n# \xff\nceph:x:64045:64045::/:\nodd:x\n").unwrap();
        for (user, expected) in [
            ("root", Some(0)),
            ("ceph", Some(64045)),
            ("42", Some(42)),
            ("odd", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(uid(user, &file), expected, "{user}");
        }
        assert_eq!(uid("ceph", &dir.path().join("missing")), None);
    }
}
