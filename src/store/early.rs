//! Events that a search by time does not find: when they were stored, the clock had been set back.

use super::fields;
use crate::journal::{Error, Location, Reader, EVENT_VALUE};

/// Opens the journal with its index set to such events, those only that `add_matches` leaves.
pub fn open(
    location: &Location,
    add_matches: impl FnOnce(&mut Reader) -> Result<(), Error>,
) -> Result<Reader, Error> {
    let mut reader = Reader::open(location, EVENT_VALUE)?;
    add_matches(&mut reader)?;
    reader.match_and()?;
    reader.match_add(fields::STORED_EARLY, "1")?;
    Ok(reader)
}
