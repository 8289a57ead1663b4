//! Lines per second through the matcher, with few rules and with many.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use peripety::rules::{builtin, Rule, RuleSet};

use crate::measure::median;
use crate::random::Random;
use crate::{lines, recording, synthetic, table};

/// Lines in a mix.
const LINES: usize = 20_000;
/// Rules: few, all the built-in ones, and all with variations of them.
const FEW: usize = 20;
const MANY: usize = 5000;
/// How long one measurement takes at least.
const AT_LEAST: Duration = Duration::from_millis(300);

/// Identifier and text.
type Line = (Vec<u8>, Vec<u8>);

/// Kernel lines, of which one in so many is a storage event.
struct Mix {
    name: &'static str,
    one_in: u64,
    storage: Vec<Line>,
}

/// Measures the matcher and prints a table.
pub fn run(repeat: u32) -> anyhow::Result<()> {
    let builtin = builtin::rules()?;
    let sets = [FEW, builtin.len(), MANY].map(|count| anyhow::Ok(RuleSet::new(synthetic::rules(count)?)));
    let [few, all, many] = sets;
    let (few, all, many) = (few?, all?, many?);
    let mut rows = Vec::new();
    for mix in mixes(&all, &builtin)? {
        let lines = mix.lines();
        let hits = agreed(&all, &lines)?;
        for rules in [&few, &many] {
            agreed(rules, &lines)?;
        }
        let [few, all_fast, many] =
            [&few, &all, &many].map(|rules| nanoseconds(&lines, repeat, |line| find(rules, line)));
        let slow =
            nanoseconds(&lines, repeat, |(identifier, line)| all.find_slowly(identifier, line).is_some());
        rows.push(vec![
            mix.name.to_owned(),
            format!("{:.1} %", 100.0 * hits as f64 / lines.len() as f64),
            format!("{few:.0}"),
            format!("{all_fast:.0}"),
            table::ratio(all_fast, few),
            table::grouped(1e9 / all_fast),
            format!("{many:.0}"),
            format!("{slow:.0}"),
        ]);
    }
    let title = format!("Matcher: ns a line with {FEW} rules, all {} built-in ones, and {MANY}.", all.len());
    let head = ["lines", "matched", "few", "all", "all : few", "lines/s, all", "many", "all, trying each"];
    table::print(&title, &head, &rows);
    Ok(())
}

/// What an ordinary machine logs, what one in trouble does, and every wording there is: nothing is worse for caches.
fn mixes(rules: &RuleSet, builtin: &[Arc<Rule>]) -> anyhow::Result<[Mix; 3]> {
    let recorded = recording::read(rules)?.storage;
    let recorded: Vec<Line> = recorded
        .iter()
        .map(|entry| ["SYSLOG_IDENTIFIER", "MESSAGE"].map(|name| recording::value(entry, name).to_vec()))
        .map(|[identifier, line]| (identifier, line))
        .collect();
    let examples = builtin.iter().flat_map(|rule| rule.example_lines().map(move |line| (rule, line)));
    let examples = examples
        .map(|(rule, line)| (rule.identifier.as_bytes().to_vec(), line.as_bytes().to_vec()))
        .collect();
    Ok([
        Mix { name: "ordinary, 1 in 100 of an incident", one_in: 100, storage: recorded.clone() },
        Mix { name: "1 in 2 of an incident", one_in: 2, storage: recorded },
        Mix { name: "1 in 10 any example of any rule", one_in: 10, storage: examples },
    ])
}

impl Mix {
    fn lines(&self) -> Vec<Line> {
        let mut random = Random(2);
        let one = |_| match random.below(self.one_in) {
            0 => random.pick(&self.storage),
            _ => (b"kernel".to_vec(), lines::kernel(&mut random).into_bytes()),
        };
        (0..LINES).map(one).collect()
    }
}

fn find(rules: &RuleSet, (identifier, line): &Line) -> bool {
    rules.find(identifier, line).is_some()
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
