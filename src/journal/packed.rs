//! A compact position: one is kept for every entry in progress.

use super::Position;

/// A [`Position`]. Its text is 180 bytes in several pieces, of which all but numbers is always the same.
#[derive(Debug)]
pub enum PackedPosition {
    /// The numbers.
    Numbers(Numbers),
    /// The cursor is written in another way.
    Text(Box<Position>),
}

/// The numbers of a cursor (sd_journal_get_cursor(3)), as systemd's src/libsystemd/sd-journal/sd-journal.c writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    sequence: [u64; 2],
    number: u64,
    boot: [u64; 2],
    monotonic: u64,
    realtime: u64,
    hash: u64,
}

impl PackedPosition {
    /// The whole position.
    pub fn unpack(&self) -> Position {
        match self {
            PackedPosition::Numbers(numbers) => numbers.position(),
            PackedPosition::Text(position) => position.as_ref().clone(),
        }
    }
}

impl From<Position> for PackedPosition {
    fn from(position: Position) -> Self {
        match Numbers::parse(&position.cursor).filter(|numbers| numbers.position() == position) {
            Some(numbers) => PackedPosition::Numbers(numbers),
            None => PackedPosition::Text(Box::new(position)),
        }
    }
}

impl Numbers {
    fn parse(cursor: &str) -> Option<Self> {
        let mut parts = cursor.split(';');
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let id = |text: &str| Some([number(text.get(..16)?)?, number(text.get(16..)?)?]);
        Some(Numbers {
            sequence: id(part("s")?)?,
            number: number(part("i")?)?,
            boot: id(part("b")?)?,
            monotonic: number(part("m")?)?,
            realtime: number(part("t")?)?,
            hash: number(part("x")?)?,
        })
    }

    fn position(&self) -> Position {
        let Numbers { sequence, number, boot, monotonic, realtime, hash } = *self;
        let id = |[high, low]: [u64; 2]| format!("{high:016x}{low:016x}");
        let (sequence, boot_id) = (id(sequence), id(boot));
        let cursor =
            format!("s={sequence};i={number:x};b={boot_id};m={monotonic:x};t={realtime:x};x={hash:x}");
        Position { cursor, boot_id, monotonic, realtime }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURSOR: &str =
        "s=4c39bfdbb2b34a43ba360513a07134a7;i=a7a61;b=00000000000000000123456789abcdef;m=0;t=661723dbaccc7;x=ffffffffffffffff";

    fn position(cursor: &str) -> Position {
        let boot_id = "00000000000000000123456789abcdef".into();
        Position { cursor: cursor.into(), boot_id, monotonic: 0, realtime: 0x0006_6172_3dba_ccc7 }
    }

    #[test]
    fn a_cursor_is_numbers() {
        let packed = PackedPosition::from(position(CURSOR));
        assert!(matches!(packed, PackedPosition::Numbers(_)));
        assert_eq!(packed.unpack(), position(CURSOR));
        assert!(std::mem::size_of::<PackedPosition>() <= 72);
    }

    #[test]
    fn what_is_written_in_another_way_is_kept_as_it_is() {
        let other_boot = Position { boot_id: "b".into(), ..position(CURSOR) };
        let cursors = [
            "",
            "7",
            "s=1;i=2",
            &CURSOR.to_uppercase(),
            &format!("{CURSOR};y=1"),
            &CURSOR.replace("i=a7a61", "i=0a7a61"),
            &CURSOR.replace("m=0", "m=+0"),
            &CURSOR.replace("m=0", "m=1"),
            &CURSOR.replace("s=4c39", "s=4c"),
            &CURSOR.replace("s=4c39", "s=ü39"),
        ];
        for position in cursors.map(position).into_iter().chain([other_boot]) {
            let packed = PackedPosition::from(position.clone());
            assert!(matches!(packed, PackedPosition::Text(_)), "{position:?}");
            assert_eq!(packed.unpack(), position);
        }
    }
}
