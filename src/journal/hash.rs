//! The hash of an entry, by which its cursor names it: whether the fields that were read are those that were written.
//!
//! journald combines (exclusive or) the hashes of the fields, each with its name, `NAME=value`
//! (systemd's src/libsystemd/sd-journal/journal-file.c: journal_file_append_entry()). The hash is lookup3 by Bob Jenkins,
//! hashlittle2() (<https://burtleburtle.net/bob/c/lookup3.c>), also in files whose own tables use a keyed hash.

use super::{Reader, LOG_VALUE};

/// Bytes that are mixed at a time.
const BLOCK: usize = 12;

impl Reader {
    /// The fields of the current entry are those that were written. Also true where that cannot be known: a field is too
    /// long to be read whole, or is compressed in a way that libsystemd does not know here.
    pub fn is_intact(&mut self, cursor: &str) -> bool {
        let written = cursor.split(';').find_map(|part| part.strip_prefix("x="));
        let Some(written) = written.and_then(|hash| u64::from_str_radix(hash, 16).ok()) else { return true };
        let (mut hashes, mut long) = (Vec::new(), false);
        let read = self.enumerate(|name, value| {
            long |= name.len() + value.len() >= LOG_VALUE;
            hashes.push(field_hash(name, value));
            true
        });
        read.is_err() || long || adds_up(&hashes, written)
    }
}

/// The hashes of the fields make up that of the entry. A field that was sent twice is stored once, and counts twice.
fn adds_up(hashes: &[u64], written: u64) -> bool {
    let rest = hashes.iter().fold(written, |rest, hash| rest ^ hash);
    let mut others = hashes.iter();
    rest == 0
        || hashes.contains(&rest)
        || std::iter::from_fn(|| others.next()).any(|one| hashes.contains(&(rest ^ one)))
}

/// Hash of one field.
fn field_hash(name: &[u8], value: &[u8]) -> u64 {
    let bytes = [name, b"=", value].concat();
    // The length counts in 32 bits there, too.
    let mut words = [0xdead_beef_u32.wrapping_add(bytes.len() as u32); 3];
    let mut blocks = bytes.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        add(&mut words, block);
        match blocks.peek() {
            Some(_) => mix(&mut words),
            None => finish(&mut words),
        }
    }
    let [_, low, high] = words;
    u64::from(high) << 32 | u64::from(low)
}

/// Adds up to twelve bytes, little-endian; missing ones are zeros.
fn add(words: &mut [u32; 3], block: &[u8]) {
    for (word, part) in words.iter_mut().zip(block.chunks(4)) {
        let value = part.iter().rev().fold(0, |value: u32, byte| value << 8 | u32::from(*byte));
        *word = word.wrapping_add(value);
    }
}

fn mix([a, b, c]: &mut [u32; 3]) {
    for [first, second, third] in [[4, 6, 8], [16, 19, 4]] {
        *a = a.wrapping_sub(*c) ^ c.rotate_left(first);
        *c = c.wrapping_add(*b);
        *b = b.wrapping_sub(*a) ^ a.rotate_left(second);
        *a = a.wrapping_add(*c);
        *c = c.wrapping_sub(*b) ^ b.rotate_left(third);
        *b = b.wrapping_add(*a);
    }
}

fn finish([a, b, c]: &mut [u32; 3]) {
    let step = |into: &mut u32, from: u32, bits| *into = (*into ^ from).wrapping_sub(from.rotate_left(bits));
    step(c, *b, 14);
    step(a, *c, 11);
    step(b, *a, 25);
    step(c, *b, 16);
    step(a, *c, 4);
    step(b, *a, 14);
    step(c, *b, 24);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_journald() {
        let known: [(&[u8], &[u8], u64); 3] = [
            (b"PRIORITY", b"6", 0x80f0_9f19_808d_26a3),
            (b"_TRANSPORT", b"kernel", 0x5837_fe9d_c1c9_1f32),
            (b"MESSAGE", b"wearctl: path 8:17 is worn", 0xe885_fd81_0671_f15c),
        ];
        for (name, value, hash) in known {
            assert_eq!(field_hash(name, value), hash);
        }
    }

    #[test]
    fn a_field_that_was_sent_twice_counts_twice() {
        let hashes = [3, 5, 9];
        assert!(adds_up(&hashes, 3 ^ 5 ^ 9));
        assert!(adds_up(&hashes, 3 ^ 9), "the second was sent twice");
        assert!(adds_up(&hashes, 9), "and the first");
        assert!(!adds_up(&hashes, 3 ^ 5 ^ 9 ^ 1));
    }
}
