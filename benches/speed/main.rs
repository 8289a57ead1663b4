//! How fast Peripety is, and how much memory it takes, beside `journalctl` on the same files in
//! the same run. `make bench` runs it; docs/benchmarks.md tells what is measured.

mod devices;
mod journal;
mod lines;
mod machine;
mod matcher;
mod measure;
mod memory;
mod parse;
mod pipeline;
mod random;
mod recording;
mod start;
mod status;
mod synthetic;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures speed and memory; prints tables.
#[derive(Debug, Parser)]
#[command(name = "make bench")]
struct Args {
    /// Entries in each generated journal
    #[arg(long, default_value_t = 200_000)]
    entries: u32,

    /// MB of the generated log for `peripetyd parse`
    #[arg(long, default_value_t = 200)]
    megabytes: u64,

    /// How often each measurement is done; the median is shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Seconds after which the memory that remains is measured
    #[arg(long, default_value_t = 60)]
    settle: u64,

    /// Measure only this
    #[arg(long)]
    only: Option<Part>,

    /// Keep the generated journals in this directory, and use those that are there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// cargo passes it
    #[arg(long, hide = true)]
    bench: bool,

    /// Measure the command that follows, inside a private journald, and write the result here
    #[arg(long, hide = true, requires = "command")]
    measure: Option<PathBuf>,

    #[arg(last = true, hide = true)]
    command: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Start,
    Matcher,
    Devices,
    Parse,
    Pipeline,
    Memory,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(result) = &args.measure {
        return pipeline::measure_inside(&args.command, result);
    }
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores; every figure is the median of {}.", args.repeat);
    let wanted = |part: Part| args.only.is_none_or(|only| only == part);
    if wanted(Part::Start) {
        start::run()?;
    }
    if wanted(Part::Matcher) {
        matcher::run(args.repeat)?;
    }
    if wanted(Part::Devices) {
        devices::run(args.repeat)?;
    }
    if wanted(Part::Parse) {
        parse::run(args.megabytes, args.repeat)?;
    }
    if wanted(Part::Pipeline) {
        pipeline::run(args.entries, args.repeat, args.keep.as_deref())?;
    }
    if wanted(Part::Memory) {
        memory::run(args.entries, Duration::from_secs(args.settle))?;
    }
    Ok(())
}
