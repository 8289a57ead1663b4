//! A line without a time gets that of its neighbour.
//!
//! Chunks are read in parallel, so that only neighbours in the same chunk are known. The sequential stage adds the last time of the
//! previous chunk ([`Carry`]).

use super::head::Head;
use super::wall::Wall;

/// The time of a line, or of one that follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Near {
    /// µs since boot.
    pub boot: Option<u64>,
    /// Date and time.
    pub wall: Option<Wall>,
    /// µs since that time: the sum of the deltas of `dmesg -d` and `-e`.
    pub plus: u64,
}

/// The times from which a line without a time takes its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nearby {
    /// That of the last line with a time before it in the same chunk.
    pub before: Option<Near>,
    /// If there is none: µs since the end of the previous chunk.
    pub plus: u64,
    /// That of the first line with a time after it, if there is none before it.
    pub after: Option<Near>,
}

/// The last time of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carry {
    /// That of a line with a time.
    pub last: Option<Near>,
    /// Sum of the deltas, if there is no such line.
    pub plus: u64,
}

impl Carry {
    /// The last time of this chunk and all earlier ones.
    pub fn after(self, earlier: Carry) -> Carry {
        match (self.last, earlier.last) {
            (Some(_), _) => self,
            (None, Some(last)) => Carry { last: Some(last.later(self.plus)), plus: 0 },
            (None, None) => Carry { last: None, plus: earlier.plus.saturating_add(self.plus) },
        }
    }

    /// The time of a line of the next chunk.
    pub fn of(self, nearby: Nearby) -> Option<Near> {
        let counted = || {
            let plus = self.plus.saturating_add(nearby.plus);
            (plus > 0).then_some(Near { boot: Some(0), wall: None, plus })
        };
        nearby
            .before
            .or_else(|| self.last.map(|last| last.later(nearby.plus)))
            .or(nearby.after)
            .or_else(counted)
    }
}

impl Near {
    fn of(head: &Head<'_>) -> Option<Near> {
        let wall = head.wall.filter(Wall::is_dated);
        (head.boot.is_some() || wall.is_some()).then_some(Near { boot: head.boot, wall, plus: 0 })
    }

    fn later(self, plus: u64) -> Near {
        Near { plus: self.plus.saturating_add(plus), ..self }
    }
}

/// The neighbours of every line, and the last time of the first `own` lines.
pub fn all(heads: &[Head<'_>], own: usize) -> (Vec<Nearby>, Carry) {
    let mut all: Vec<Nearby> = Vec::with_capacity(heads.len());
    let (mut current, mut carry) = (Carry::default(), Carry::default());
    for (index, head) in heads.iter().enumerate() {
        match (Near::of(head), head.delta) {
            (Some(near), _) => current = Carry { last: Some(near), plus: 0 },
            (None, Some(delta)) => current = Carry { last: None, plus: delta }.after(current),
            (None, None) => {}
        }
        all.push(Nearby { before: current.last, plus: current.plus, after: None });
        if index < own {
            carry = current;
        }
    }
    let first = heads.iter().find_map(Near::of);
    all.iter_mut().take_while(|nearby| nearby.before.is_none()).for_each(|nearby| nearby.after = first);
    (all, carry)
}

/// For lines without a time: the host of the last line that has one.
pub fn hosts<'l>(heads: &[Head<'l>]) -> Vec<Option<&'l [u8]>> {
    let mut current = None;
    let of = |head: &Head<'l>| {
        if Near::of(head).is_some() {
            current = head.host;
            return None;
        }
        head.host.or(current)
    };
    heads.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(boot: Option<u64>, delta: Option<u64>) -> Head<'static> {
        Head { boot, delta, ..Head::default() }
    }

    #[test]
    fn a_line_takes_the_time_of_the_line_before_else_of_the_line_behind() {
        let heads = [head(None, None), head(Some(7), None), head(None, None), head(None, Some(3))];
        let (all, carry) = all(&heads, 4);
        let times: Vec<Option<(Option<u64>, u64)>> = all
            .iter()
            .map(|nearby| Carry::default().of(*nearby).map(|near| (near.boot, near.plus)))
            .collect();
        assert_eq!(times, [Some((Some(7), 0)), Some((Some(7), 0)), Some((Some(7), 0)), Some((Some(7), 3))]);
        assert_eq!(carry.last.map(|near| near.plus), Some(3));
    }

    #[test]
    fn chunks_go_on_where_the_one_before_ended() {
        let (_, first) = all(&[head(Some(7), None), head(None, Some(2))], 2);
        let (second, carry) = all(&[head(None, Some(5)), head(None, None)], 2);
        let near = second.last().and_then(|nearby| first.of(*nearby));
        assert_eq!(near.map(|near| (near.boot, near.plus)), Some((Some(7), 7)));
        assert_eq!(carry.after(first).last.map(|near| near.plus), Some(7));
    }

    /// `dmesg -d` alone: the time since its first line.
    #[test]
    fn times_between_lines_alone_are_added_up() {
        let (lines, carry) = all(&[head(None, Some(0)), head(None, Some(4))], 2);
        let near = lines.last().and_then(|nearby| Carry::default().of(*nearby));
        assert_eq!(near.map(|near| (near.boot, near.plus)), Some((Some(0), 4)));
        assert_eq!(carry.after(carry).plus, 8);
    }
}
