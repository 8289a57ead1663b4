//! Names of months and weekdays in the languages of glibc's locales, as dmesg, journalctl and date print them.
//!
//! `scripts/locale-names.py` generates the table. A name may mean two months in two languages; see [`super::wall`].

use std::collections::HashMap;
use std::sync::LazyLock;

/// The meaning of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The month in most locales, from 1; 0 if it is not a month.
    pub month: i8,
    /// All months, bit 1 is January.
    pub months: u16,
    /// The weekdays, bit 1 is Monday.
    pub weekdays: u8,
}

/// Longest name that is looked up, in bytes.
const MAX_NAME_BYTES: usize = 48;

static TABLE: LazyLock<HashMap<&str, Meaning>> =
    LazyLock::new(|| include_str!("names.tsv").lines().filter_map(row).collect());

fn row(line: &str) -> Option<(&str, Meaning)> {
    let mut columns = line.split('\t');
    let name = columns.next().filter(|name| !name.starts_with('#'))?;
    let (months, weekdays) = (columns.next()?, columns.next()?);
    let bits = |text: &str| {
        text.split(',')
            .filter_map(|text| text.parse::<u32>().ok())
            .fold(0u16, |bits, number| bits | 1 << (number & 15))
    };
    let first = months.split(',').next().unwrap_or_default();
    let month = first.parse().ok().unwrap_or(0);
    let weekdays = u8::try_from(bits(weekdays)).unwrap_or(0);
    // An English name has its English meaning, whatever a rarer language calls by it.
    let is_english = columns.next().is_some_and(|locales| locales.split(' ').any(|locale| locale == "C"));
    let months = bits(if is_english { first } else { months });
    Some((name, Meaning { month, months, weekdays }))
}

/// The meaning of a word. Case and a trailing dot are ignored; a word that is not UTF-8 is decoded as Latin-1.
pub fn meaning(word: &[u8]) -> Option<Meaning> {
    if word.is_empty() || word.len() > MAX_NAME_BYTES {
        return None;
    }
    let text = match std::str::from_utf8(word) {
        Ok(text) => text.to_lowercase(),
        Err(_) => word.iter().map(|byte| char::from(*byte)).collect::<String>().to_lowercase(),
    };
    TABLE.get(text.trim_end_matches(['.', ','])).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_languages() {
        for (word, month) in [
            ("Okt", 10),
            ("Mär", 3),
            ("févr.", 2),
            ("AOÛT", 8),
            ("янв", 1),
            ("6月", 6),
            ("12월", 12),
            ("Thg 6", 6),
            ("Mai", 5),
            ("maj", 5),
            ("ene", 1),
            ("dic", 12),
            ("gen", 1),
            ("out", 10),
            ("ekim", 10),
        ] {
            let found = meaning(word.as_bytes()).map(|meaning| meaning.months >> month & 1);
            assert_eq!(found, Some(1), "{word}");
        }
        for (word, weekday) in [("Mo", 1), ("lun.", 1), ("日", 7), ("пт", 5), ("sex", 5), ("Sunday", 7)] {
            let found = meaning(word.as_bytes()).map(|meaning| meaning.weekdays >> weekday & 1);
            assert_eq!(found, Some(1), "{word}");
        }
        assert_eq!(meaning(b"M\xe4r").map(|meaning| meaning.month), Some(3), "Latin-1");
        assert_eq!(meaning(b"EXT4-fs"), None);
    }

    /// A name that means several months has all of them; the weekday decides (`wall.rs`).
    #[test]
    fn ambiguous_names_have_all_their_months() {
        for (word, months) in [("lip", [6, 7]), ("lis", [10, 11]), ("srp", [7, 8]), ("listopad", [10, 11])] {
            let found = meaning(word.as_bytes()).map(|meaning| meaning.months);
            let bits = months.iter().fold(0u16, |bits, month| bits | 1 << month);
            assert_eq!(found, Some(bits), "{word}");
        }
    }
}
