//! The present boot, and the clocks that journald writes.

use super::{Error, Location, Reader, LOG_VALUE};

/// MESSAGE_ID of journald's "Journal started" (sd-messages.h: SD_MESSAGE_JOURNAL_START).
pub const STARTED: &str = "f77379a8490b408bbe5f6940505a777b";

/// Cursor of the first entry of the present boot; `None` when the journal has none yet.
pub fn first_of_boot(location: &Location) -> Result<Option<String>, Error> {
    match present_boot(location)? {
        Some(boot_id) => first_of(location, &boot_id),
        None => Ok(None),
    }
}

/// The present boot under the name that the journal has for it; `None` when it has no entry of it.
pub fn present_boot(location: &Location) -> Result<Option<String>, Error> {
    let own = boot_id().map_err(|cause| Error::Read {
        location: location.to_string(),
        operation: "boot_id",
        cause,
    })?;
    match first_of(location, &own)? {
        Some(_) => Ok(Some(own)),
        None => boot_of_newest(location),
    }
}

fn first_of(location: &Location, boot_id: &str) -> Result<Option<String>, Error> {
    let mut reader = Reader::open(location, LOG_VALUE)?;
    reader.match_add("_BOOT_ID", boot_id)?;
    reader.seek_head()?;
    reader.step()?.then(|| reader.cursor()).transpose()
}

/// Cursor of the newest entry; `None` when the journal is empty.
pub fn newest(location: &Location) -> Result<Option<String>, Error> {
    let mut reader = Reader::open(location, LOG_VALUE)?;
    reader.seek_tail()?;
    reader.step_back()?.then(|| reader.cursor()).transpose()
}

/// When journald first started in a boot, as far as the journal goes back: µs since the boot.
pub fn first_start(location: &Location, boot_id: &str) -> Result<Option<u64>, Error> {
    let mut reader = Reader::open(location, LOG_VALUE)?;
    reader.match_add("_BOOT_ID", boot_id)?;
    reader.match_add("_TRANSPORT", "driver")?;
    reader.match_add("MESSAGE_ID", STARTED)?;
    reader.seek_head()?;
    let started = reader.step()?.then(|| reader.monotonic()).transpose()?;
    Ok(started.map(|(usec, _)| usec))
}

/// The kernel's own messages of a boot; the reader is positioned before the first.
pub fn kernel_lines(location: &Location, boot_id: &str) -> Result<Reader, Error> {
    let mut reader = Reader::open(location, LOG_VALUE)?;
    for (field, value) in [("_BOOT_ID", boot_id), ("_TRANSPORT", "kernel"), ("SYSLOG_FACILITY", "0")] {
        reader.match_add(field, value)?;
    }
    reader.seek_head()?;
    Ok(reader)
}

/// The boot of the newest entry, if its clocks say that it is the present one. In a container,
/// journald has another boot id than a sandboxed service sees.
fn boot_of_newest(location: &Location) -> Result<Option<String>, Error> {
    let mut reader = Reader::open(location, LOG_VALUE)?;
    reader.seek_tail()?;
    if !reader.step_back()? {
        return Ok(None);
    }
    let newest = reader.position()?;
    Ok(started_together((now(), monotonic_now()), (newest.realtime, newest.monotonic))
        .then_some(newest.boot_id))
}

/// Two pairs of realtime and monotonic time (µs) are of one boot: it began at the same time.
fn started_together(a: (u64, u64), b: (u64, u64)) -> bool {
    const SLACK: u64 = 5_000_000;
    let began = |(realtime, monotonic): (u64, u64)| realtime.saturating_sub(monotonic);
    began(a).abs_diff(began(b)) < SLACK
}

/// The present boot, as journald writes it.
pub fn boot_id() -> std::io::Result<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(text.trim().replace('-', ""))
}

/// CLOCK_MONOTONIC, µs since the boot.
pub fn monotonic_now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000
}

/// When this boot began, µs since the epoch by the present clock.
pub fn boot_began() -> u64 {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now().saturating_sub(u64::try_from(boot.tv_sec).unwrap_or(0).saturating_add(1) * 1_000_000)
}

/// The present time, µs since the epoch.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_are_told_apart_by_their_beginning() {
        const HOUR: u64 = 3_600_000_000;
        assert!(started_together((10 * HOUR, 2 * HOUR), (9 * HOUR, HOUR)));
        assert!(!started_together((10 * HOUR, 2 * HOUR), (7 * HOUR, HOUR)));
    }
}
