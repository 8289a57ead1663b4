//! Many events of one burst, counted into one.

use super::Done;
use crate::event::{EventDraft, StorageEvent};

/// Capture of rules: lines that the kernel did not print ("N callbacks suppressed"), which are summed up.
pub const SUPPRESSED: &str = "suppressed";

/// Events that are not reported yet.
#[derive(Debug)]
pub struct Counted<T> {
    /// The first of them, with the text and extension of the latest.
    event: EventDraft,
    carried: Vec<T>,
    last_time: u64,
    sectors: Option<(u64, u64)>,
    suppressed: Option<u64>,
}

impl<T> Counted<T> {
    /// Begins with one.
    pub fn new(event: EventDraft, carried: Vec<T>) -> Self {
        let sector = number(&event, "sector").map(|sector| (sector, sector));
        let (last_time, suppressed) = (event.timestamp, number(&event, SUPPRESSED));
        Counted { event, carried, last_time, sectors: sector, suppressed }
    }

    /// Adds one more.
    pub fn add(&mut self, later: EventDraft, carried: Vec<T>) {
        let EventDraft { event: later, holders, covered } = later;
        self.carried.extend(carried);
        self.last_time = self.last_time.max(later.timestamp);
        if let Some(sector) = number(&later, "sector") {
            let (lowest, highest) = self.sectors.unwrap_or((sector, sector));
            self.sectors = Some((lowest.min(sector), highest.max(sector)));
        }
        self.suppressed = match (self.suppressed, number(&later, SUPPRESSED)) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        let event = &mut self.event;
        event.repeat_count += later.repeat_count;
        event.severity = event.severity.min(later.severity);
        event.timestamp = event.timestamp.min(later.timestamp);
        event.source.entries += later.source.entries;
        event.source.last = later.source.last;
        event.source.lines.extend(later.source.lines);
        event.covered.extend(covered);
        event.msg = later.msg;
        event.raw_msg = later.raw_msg;
        event.extension = later.extension;
        if later.dev_path.is_some() {
            event.dev_wwid = later.dev_wwid;
            event.dev_path = later.dev_path;
            event.owners_wwids = later.owners_wwids;
            event.owners_paths = later.owners_paths;
            event.holders = holders;
        }
    }

    /// Number of log entries counted.
    pub fn entries(&self) -> u64 {
        self.event.source.entries
    }

    /// The event that stands for all of them. `first`: the event that was reported at once.
    pub fn into_event(mut self, first: &str) -> Done<T> {
        let event = &mut self.event.event;
        event.root_cause_event_id = Some(first.to_owned());
        let mut set = |key: &str, value: u64| drop(event.extension.insert(key.into(), value.to_string()));
        set("first_time", event.timestamp);
        set("last_time", self.last_time);
        if let Some((lowest, highest)) = self.sectors {
            set("lowest_sector", lowest);
            set("highest_sector", highest);
        }
        if let Some(suppressed) = self.suppressed {
            set(SUPPRESSED, suppressed);
        }
        Done { event: self.event, carried: self.carried }
    }
}

fn number(event: &StorageEvent, key: &str) -> Option<u64> {
    event.extension.get(key)?.parse().ok()
}

/// The text with every run of digits, and every hexadecimal number, as `#`.
pub fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let hex = word.strip_prefix("0x").unwrap_or(&word);
        let is_hex = hex.bytes().all(|b| b.is_ascii_hexdigit()) && hex.bytes().any(|b| b.is_ascii_digit());
        if is_hex {
            out.push('#');
        } else {
            let mut digits = false;
            for c in word.chars() {
                if !c.is_ascii_digit() {
                    out.push(c);
                } else if !digits {
                    out.push('#');
                }
                digits = c.is_ascii_digit();
            }
        }
        word.clear();
        out.push(c);
    }
    out
}

#[cfg(test)]
mod unit_tests {
    use super::without_numbers;

    #[test]
    fn numbers_do_not_make_a_text_another() {
        let a =
            without_numbers("I/O error, dev sdb, sector 12345 op 0x0:(READ) flags 0x80700 tag#7 deadbeef01");
        assert_eq!(a, "I/O error, dev sdb, sector # op #:(READ) flags # tag## # ");
        assert_ne!(without_numbers("sda failed"), without_numbers("sdb failed"));
    }
}
