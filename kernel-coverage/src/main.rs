//! `make kernel-coverage`: which of a kernel's storage messages the built-in rules recognise.
//!
//! Exit codes: 0 nothing is wrong, 1 a wording drifted, a wanted message is missed or a severity contradicts its level, 2 usage error or
//! unreadable sources.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use peripety_kernel_coverage::check::{check, shown, Fault, Faults};
use peripety_kernel_coverage::judge::{judge, How, Judged};
use peripety_kernel_coverage::known::{version, Known};
use peripety_kernel_coverage::verdicts::Verdicts;
use peripety_kernel_coverage::{compare, extracted, sample, scope, table};

/// Extracts the messages of a kernel's storage code from its sources, runs them through the built-in rules, and prints how many are
/// recognised.
#[derive(Debug, Parser)]
#[command(name = "kernel-coverage")]
struct Args {
    /// Directory with the sources of a kernel
    #[arg(required_unless_present_any = ["directories", "old"])]
    source: Option<PathBuf>,

    /// Print what SOURCE changes since the kernel in this directory, as a list of rules to write
    #[arg(long, value_name = "DIR", requires = "source")]
    old: Option<PathBuf>,

    /// Print the files and directories of a kernel's sources that are read, and exit
    #[arg(long)]
    directories: bool,

    /// Print this many formats that are left out, chosen at random, for review
    #[arg(long, value_name = "NUMBER")]
    sample: Option<usize>,

    /// Choose the sample by this number; default: by the time, and it is printed
    #[arg(long, requires = "sample")]
    seed: Option<u64>,

    /// Print formats instead of the table, with tabs between file, line, function, level, event, severity, rule, format and message
    #[arg(long, value_name = "WHICH")]
    list: Option<Which>,

    /// Take over what is recognised in this kernel: later, none of it may be lost
    #[arg(long)]
    bless: bool,

    /// Directory with verdicts.toml and known.tsv
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_MANIFEST_DIR"))]
    data: PathBuf,
}

/// Formats to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// All.
    All,
    /// At warning or worse, not recognised, and nobody has decided yet.
    Open,
    /// At warning or worse, not recognised, and left out by a verdict.
    LeftOut,
    /// Taken by a catch-all.
    CatchAll,
    /// Severity and level contradict each other.
    Contradictions,
    /// An event without a device.
    NoDevice,
    /// Another device changes how it is recognised.
    DependsOnDevice,
    /// Recognised worse if each line is an entry.
    Split,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    if args.directories {
        let places = scope::STORAGE.iter().chain(scope::HEADERS);
        places.chain(&["Makefile"]).try_for_each(|place| writeln!(out, "{place}"))?;
        return Ok(true);
    }
    let source = args.source.as_deref().context("give the directory of a kernel's sources")?;
    let verdicts = Verdicts::read(&args.data.join("verdicts.toml"))?;
    let (version, all) = judged(source)?;
    if let Some(old) = &args.old {
        let (old_version, old) = judged(old)?;
        let entries = compare::to_write(&old, &all, &verdicts);
        let drifted =
            entries.iter().filter(|entry| entry.old.is_some_and(|old| old.how == How::Specific)).count();
        writeln!(
            out,
            "Linux {old_version} to {version}: {} new formats at warning or worse need a rule; {drifted} of them are other \
             wordings of what a specific rule knows.",
            entries.len()
        )?;
        write!(out, "{}", compare::list(&entries))?;
        return Ok(true);
    }
    if let Some(count) = args.sample {
        return print_sample(&mut out, &version, &all, &verdicts, count, args.seed);
    }
    if let Some(which) = args.list {
        return list(&mut out, which, &all, &verdicts);
    }
    writeln!(out, "Linux {version}: {} formats at all levels\n", all.len())?;
    writeln!(out, "{}", table::table(&all, &verdicts))?;
    let path = args.data.join("known.tsv");
    let mut known = Known::parse(&fs::read_to_string(&path).unwrap_or_default())
        .with_context(|| format!("{}", path.display()))?;
    if args.bless {
        bless(&mut known, &path, &version, &all)?;
    }
    let faults = check(&version, &all, &verdicts, &known);
    print(&mut out, &faults)?;
    Ok(faults.is_empty())
}

fn judged(source: &Path) -> anyhow::Result<(String, Vec<Judged>)> {
    let (version, found) = extracted(source)?;
    let mut unresolved: Vec<_> = found.unresolved.into_iter().collect();
    unresolved.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
    let count: usize = unresolved.iter().map(|(_, count)| count).sum();
    let most: Vec<String> =
        unresolved.iter().take(8).map(|(name, count)| format!("{name} {count}")).collect();
    let mut errors = std::io::stderr().lock();
    writeln!(errors, "Linux {version}: the format of {count} calls is no constant ({})", most.join(", "))?;
    Ok((version, judge(found.formats)?))
}

fn bless(known: &mut Known, path: &Path, version_: &str, all: &[Judged]) -> anyhow::Result<()> {
    let version = version(version_).with_context(|| format!("{version_:?} is no version of a kernel"))?;
    known.bless(version, all);
    fs::write(path, known.written()).with_context(|| format!("{} cannot be written", path.display()))
}

fn print(out: &mut impl Write, faults: &Faults) -> anyhow::Result<()> {
    let kinds: [(&str, &Vec<Fault>); 3] = [
        ("drifted away from a specific rule", &faults.drifted),
        ("wanted and missed", &faults.missed),
        ("with a severity that contradicts the level, without a verdict", &faults.contradictions),
    ];
    for (kind, faults) in kinds {
        writeln!(out, "{} {kind}", faults.len())?;
        for Fault { text, line } in faults {
            writeln!(out, "  {text}\n    {}", line.replace('\n', "\\n"))?;
        }
    }
    Ok(())
}

fn print_sample(
    out: &mut impl Write,
    version: &str,
    all: &[Judged],
    verdicts: &Verdicts,
    count: usize,
    seed: Option<u64>,
) -> anyhow::Result<bool> {
    let by_time = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = seed.unwrap_or_else(by_time);
    writeln!(out, "Linux {version}: {count} formats that are left out, SEED={seed}")?;
    for (judged, reason) in sample::left_out(all, verdicts, count, seed) {
        let format = &judged.format;
        let line = format.lines.first().map_or("", |line| line).replace('\n', "\\n");
        writeln!(out, "{}\t{}\t{}\t{}\t{line}", reason.name(), format.level, format.file, format.function)?;
    }
    Ok(true)
}

fn list(out: &mut impl Write, which: Which, all: &[Judged], verdicts: &Verdicts) -> anyhow::Result<bool> {
    let is_missed = |judged: &Judged| judged.is_warning() && judged.how == How::None;
    let is_wanted = |judged: &&Judged| match which {
        Which::All => true,
        Which::Open => is_missed(judged) && verdicts.left_out(judged).is_none(),
        Which::LeftOut => is_missed(judged) && verdicts.left_out(judged).is_some(),
        Which::CatchAll => judged.how == How::CatchAll,
        Which::Contradictions => judged.contradiction().is_some() && !verdicts.allows(judged),
        Which::NoDevice => judged.lacks_device(),
        Which::DependsOnDevice => judged.depends_on_device,
        Which::Split => judged.lost_when_split,
    };
    let shown_line = |text: &str| text.replace('\n', "\\n").replace('\t', "\\t");
    for judged in all.iter().filter(is_wanted) {
        let format = &judged.format;
        let place = format!("{}\t{}\t{}\t{}", format.file, format.line, format.function, format.level);
        let lines: Vec<String> = format.lines.iter().map(|line| shown_line(line)).collect();
        writeln!(out, "{place}\t{}\t{}\t{}", shown(judged), shown_line(&format.text), lines.join("\t"))?;
    }
    Ok(true)
}
