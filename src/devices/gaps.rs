//! Gaps in the sequence numbers of uevents.
//!
//! Sequence numbers are global in the kernel. Uevents of network devices are sent only to the network namespace of
//! the device (lib/kobject_uevent.c, kobject_uevent_net_broadcast), so that a container that starts makes a gap here. A
//! uevent that was lost because of a full buffer makes the same gap. So all devices are scanned, but not for every container.

/// The interval between scans because of gaps, as a multiple of the duration of the last scan.
const SCAN_INTERVAL_FACTOR: u64 = 20;
/// Maximum of that interval, µs.
const MAX_SCAN_INTERVAL: u64 = 10_000_000;

/// The last sequence number, and whether some are missing since the last full scan.
#[derive(Debug, Default)]
pub struct Gaps {
    last: Option<u64>,
    open: bool,
    /// When the last scan ended, and how long until the next, µs.
    looked: Option<(u64, u64)>,
}

impl Gaps {
    /// A uevent arrived.
    pub fn note(&mut self, number: u64) {
        let missing = self.last.is_some_and(|last| number > last + 1);
        self.open |= missing;
        self.last = Some(number);
        if missing {
            tracing::debug!("uevents are missing before {number}");
        }
    }

    /// A uevent may have been missed.
    pub fn open(&self) -> bool {
        self.open
    }

    /// A full scan is due.
    pub fn due(&self, now: u64) -> bool {
        let over = |(ended, pause): (u64, u64)| now.saturating_sub(ended) >= pause;
        self.open && self.looked.is_none_or(over)
    }

    /// A full scan ran from `begin` to `end`, successfully or not.
    pub fn looked(&mut self, begin: u64, end: u64, all: bool) {
        let took = end.saturating_sub(begin);
        self.open = !all;
        self.looked = Some((end, took.saturating_mul(SCAN_INTERVAL_FACTOR).min(MAX_SCAN_INTERVAL)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn one_gap_is_looked_after_at_once() {
        let now = 5 * SECOND;
        let mut gaps = Gaps::default();
        for number in [7, 8, 9] {
            gaps.note(number);
            assert!(!gaps.open() && !gaps.due(now));
        }
        gaps.note(11);
        assert!(gaps.open() && gaps.due(now));
        let end = now + SECOND;
        gaps.looked(now, end, false);
        assert!(gaps.open() && !gaps.due(end), "it could not be");
        assert!(gaps.due(end + MAX_SCAN_INTERVAL));
        gaps.looked(end, end, true);
        assert!(!gaps.open() && !gaps.due(end + MAX_SCAN_INTERVAL));
    }

    /// Number of scans in a hundred seconds of starting containers, if a scan takes this long.
    fn looks(took: u64) -> u32 {
        let (begin, mut gaps, mut looks) = (5 * SECOND, Gaps::default(), 0);
        let (mut now, mut number) = (begin, 0);
        while now < begin + SECOND * 100 {
            now += SECOND / 100;
            number += 2;
            gaps.note(number);
            if gaps.due(now) {
                gaps.looked(now, now + took, true);
                now += took;
                looks += 1;
            }
        }
        looks
    }

    #[test]
    fn a_hundred_seconds_of_containers() {
        assert!(looks(SECOND / 1000) > 2000, "a few devices");
        assert!((150..250).contains(&looks(SECOND / 40)), "five percent of the time");
        assert!((8..11).contains(&looks(SECOND)), "ten thousand devices");
    }
}
