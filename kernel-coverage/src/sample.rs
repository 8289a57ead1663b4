//! A random sample of formats that are left out, for a person to read.

use crate::judge::{How, Judged};
use crate::verdicts::{Reason, Verdicts};

/// Formats at warning or worse that no rule takes because of a verdict, chosen by a seed; the same for the same kernel and seed.
pub fn left_out<'j>(
    all: &'j [Judged],
    verdicts: &Verdicts,
    count: usize,
    seed: u64,
) -> Vec<(&'j Judged, Reason)> {
    let missed = all.iter().filter(|judged| judged.is_warning() && judged.how == How::None);
    let mut left: Vec<_> = missed.filter_map(|judged| Some((judged, verdicts.left_out(judged)?))).collect();
    let (mut random, mut chosen) = (Random(seed), Vec::new());
    while chosen.len() < count && !left.is_empty() {
        chosen.push(left.swap_remove(random.below(left.len())));
    }
    chosen
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % limit.max(1) as u64) as usize
    }
}
