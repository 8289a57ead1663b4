//! Lines that journalctl prints between entries.

use super::date;
use super::wall::Wall;

/// The meaning of such a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// Another boot begins.
    Boot,
    /// The time of the last entry in the journal.
    Ends(Wall),
}

/// `-- Boot 5f0c… --`, `-- Reboot --`, `-- Logs begin at …, end at Fri 2022-02-11 19:23:49 UTC. --`,
/// `-- Journal begins at …, ends at …. --`.
pub fn of(line: &[u8]) -> Option<Heading> {
    let inner = line.strip_prefix(b"-- ")?.trim_ascii_end().strip_suffix(b" --")?;
    if inner == b"Reboot" || inner.starts_with(b"Boot ") {
        return Some(Heading::Boot);
    }
    if !inner.starts_with(b"Logs begin at ") && !inner.starts_with(b"Journal begins at ") {
        return None;
    }
    const MARKS: [&[u8]; 4] = [b", ends at ", b", end at ", b"; ends at ", b"; end at "];
    let (at, mark) = MARKS.iter().find_map(|mark| Some((memchr::memmem::find(inner, mark)?, mark)))?;
    let end = inner.get(at + mark.len()..)?;
    date::whole(end.strip_suffix(b".").unwrap_or(end)).map(Heading::Ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_journalctl() {
        assert_eq!(of(b"-- Reboot --"), Some(Heading::Boot));
        assert_eq!(of(b"-- Boot 5f0c97e1a8e34b31b1c0a5c7f1b2c3d4 --"), Some(Heading::Boot));
        for line in [
            "-- Logs begin at Fri 2022-02-11 18:58:10 UTC, end at Fri 2022-02-11 19:23:49 UTC. --",
            "-- Journal begins at Fri 2022-02-11 18:58:10 UTC, ends at Fri 2022-02-11 19:23:49 UTC. --",
        ] {
            let Some(Heading::Ends(wall)) = of(line.as_bytes()) else { unreachable!("{line}") };
            assert_eq!((wall.year, wall.month, wall.day, wall.time), (Some(2022), 2, 11, [19, 23, 49]));
        }
        assert_eq!(of(b"-- No entries --"), None);
    }
}
