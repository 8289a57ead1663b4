//! The words of a format, by which it is recognised again in another kernel.

use crate::extract::conversion;

/// Hashes of the words of a format, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Words(Vec<u16>);

/// Bits of a word's hash: two digits.
const BITS: u32 = 12;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Words {
    /// The words of a format.
    pub fn of(format: &str) -> Self {
        let text = conversion::words(format);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        Words(words.map(hash).collect())
    }

    /// Reads what [`Words::shown`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte).map(|at| at as u16);
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 6 | digit(*low)?),
            _ => None,
        };
        text.as_bytes().chunks(2).map(pair).collect::<Option<_>>().map(Words)
    }

    /// Two digits a word.
    pub fn shown(&self) -> String {
        let digit = |at: u16| DIGITS.get(usize::from(at & 63)).map_or('?', |byte| char::from(*byte));
        self.0.iter().flat_map(|word| [digit(word >> 6), digit(*word)]).collect()
    }

    /// How many of the words two formats share, from 0 to 1.
    pub fn likeness(&self, other: &Words) -> f64 {
        let (mut own, mut others) = (self.0.clone(), other.0.clone());
        own.sort_unstable();
        others.sort_unstable();
        let (mut at, mut shared) = (others.iter().peekable(), 0_u32);
        for word in &own {
            while at.peek().is_some_and(|other| *other < word) {
                at.next();
            }
            if at.peek() == Some(&word) {
                at.next();
                shared += 1;
            }
        }
        let all = own.len() + others.len();
        if all == 0 {
            0.0
        } else {
            f64::from(2 * shared) / all as f64
        }
    }
}

/// FNV-1a, folded.
fn hash(word: &str) -> u16 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    ((hash ^ (hash >> 24) ^ (hash >> 48)) & ((1 << BITS) - 1)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_word_leaves_formats_alike() {
        let (old, new) = (
            Words::of("tag#%d status: scsi 0x%x hv 0x%x\n"),
            Words::of("tag#%d status: scsi 0x%x host 0x%x\n"),
        );
        assert!(old != new && old.likeness(&new) > 0.7, "{}", old.likeness(&new));
        assert!(old.likeness(&Words::of("Unable to allocate memory")) < 0.2);
        assert_eq!(Words::parse(&old.shown()), Some(old));
    }
}
