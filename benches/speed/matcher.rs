//! Lines per second through the matcher, with few rules and with many.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::bail;
use peripety::rules::{builtin, RuleSet};

use crate::measure::median;
use crate::random::Random;
use crate::{lines, synthetic, table};

/// Lines in the mix.
const LINES: usize = 20_000;
/// One line in so many is a storage event.
const ONE_IN: u64 = 10;
/// How long one measurement takes at least.
const AT_LEAST: Duration = Duration::from_millis(300);

/// Identifier and text.
type Line = (Vec<u8>, Vec<u8>);

/// Measures the matcher and prints a table.
pub fn run(repeat: u32) -> anyhow::Result<()> {
    let lines = mix()?;
    let builtin = builtin::rules()?.len();
    let mut rows = Vec::new();
    for count in [20, builtin, 1000] {
        let rules = RuleSet::new(synthetic::rules(count)?)?;
        let hits = agreed(&rules, &lines)?;
        let fast = nanoseconds(&lines, repeat, |(identifier, line)| rules.find(identifier, line).is_some());
        let slow =
            nanoseconds(&lines, repeat, |(identifier, line)| rules.find_slowly(identifier, line).is_some());
        rows.push(vec![
            rules.len().to_string(),
            format!("{:.1} %", 100.0 * hits as f64 / lines.len() as f64),
            format!("{fast:.0}"),
            table::grouped(1e9 / fast),
            format!("{slow:.0}"),
            table::ratio(slow, fast),
        ]);
    }
    let title = format!("Matcher: {} kernel lines, every {ONE_IN}th an example of a built-in rule; {builtin} rules are built in.", lines.len());
    let head = ["rules", "lines matched", "ns a line", "lines/s", "ns, trying every rule", "faster"];
    table::print(&title, &head, &rows);
    Ok(())
}

fn mix() -> anyhow::Result<Vec<Line>> {
    let rules = builtin::rules()?;
    let examples = rules.iter().flat_map(|rule| rule.spec.examples.iter().map(move |e| (rule, &e.line)));
    let storage: Vec<Line> = examples
        .map(|(rule, line)| (rule.identifier.clone().into_bytes(), line.clone().into_bytes()))
        .collect();
    let mut random = Random(2);
    let one = |_| match random.below(ONE_IN) {
        0 => random.pick(&storage),
        _ => (b"kernel".to_vec(), lines::kernel(&mut random).into_bytes()),
    };
    Ok((0..LINES).map(one).collect())
}

/// How many lines match, for which both ways of looking must find the same rule.
fn agreed(rules: &RuleSet, lines: &[Line]) -> anyhow::Result<usize> {
    let mut hits = 0;
    for (identifier, line) in lines {
        let (fast, slow) = (rules.find(identifier, line), rules.find_slowly(identifier, line));
        if fast.map(|rule| &rule.origin) != slow.map(|rule| &rule.origin) {
            bail!("the matcher and the plain loop disagree on {:?}", String::from_utf8_lossy(line));
        }
        hits += usize::from(fast.is_some());
    }
    Ok(hits)
}

/// Nanoseconds that one line takes.
fn nanoseconds(lines: &[Line], repeat: u32, mut look: impl FnMut(&Line) -> bool) -> f64 {
    let mut once = || {
        let (start, mut done) = (Instant::now(), 0);
        while start.elapsed() < AT_LEAST {
            for line in lines {
                black_box(look(black_box(line)));
            }
            done += lines.len();
        }
        start.elapsed().as_nanos() as f64 / done as f64
    };
    median((0..repeat).map(|_| once()).collect())
}
