//! `peripetyd`: the storage event daemon.

mod args;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use args::{Args, Command};
use peripety::config::tree::Places;
use peripety::config::{check, Config, ConfigSource};
use peripety::daemon::{self, Options};
use peripety::journal::Location;
use peripety::offline::{self, args::ParseArgs, Outcome};
use peripety::probe;
use peripety::rules::{builtin, RuleSet};
use peripety::varlink::listener;

/// Longest `--probe`.
const PROBE: Duration = Duration::from_secs(8);
/// Exit status of `--probe` and `parse`: no storage event.
const NO_EVENT: u8 = 3;
/// Exit status of `--probe`: the journal cannot be read.
const UNREADABLE: u8 = 4;

fn main() -> ExitCode {
    let args = Args::parse();
    peripety::logging::start();
    peripety::journal::survive_shrinking_files();
    let result = match () {
        () if args.command.is_some() => command(&args),
        () if args.probe => run_probe(&args),
        () if args.check_config => check_config(&args),
        () if args.dump_config => dump_config(&args),
        () => run(args),
    };
    result.unwrap_or_else(|e| {
        eprintln!("peripetyd: {e:#}");
        ExitCode::FAILURE
    })
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    daemon::keep_little_memory();
    daemon::prepare_process();
    let config = ConfigSource { places: places(&args), stdout: args.stdout, no_store: args.no_store };
    let options = Options {
        location: location(&args)?,
        since: args.since.as_deref().map(since).transpose()?,
        device_tree: args.device_tree,
        state_directory: args.state_directory,
        varlink: args.varlink,
        config,
        follow: !args.no_follow,
    };
    let socket = listener::passed()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Permits leave some of them free: each costs memory, and parsers would start hundreds.
        .max_blocking_threads(24)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let result = runtime.block_on(daemon::run(options, socket));
    // A thread that hangs in a system call must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result?;
    Ok(ExitCode::SUCCESS)
}

fn command(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Some(Command::Parse(args)) => parse(args),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn parse(args: &ParseArgs) -> anyhow::Result<ExitCode> {
    let at = |name: &str, text: &Option<String>| text.as_deref().map(|text| time_of(name, text)).transpose();
    let since = at("--since", &args.since)?.unwrap_or(0);
    let span = offline::Span { since, until: at("--until", &args.until)?.unwrap_or(u64::MAX) };
    Ok(match offline::run(args, span)? {
        Outcome::Events => ExitCode::SUCCESS,
        Outcome::NoEvent => NO_EVENT.into(),
        Outcome::Unreadable => ExitCode::FAILURE,
    })
}

fn places(args: &Args) -> Places {
    Places { root: args.root.clone(), named: args.config.clone() }
}

fn check_config(args: &Args) -> anyhow::Result<ExitCode> {
    let findings = check::check(&places(args));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        findings.iter().for_each(|finding| println!("{}", finding.text));
    }
    let failed = findings.iter().any(|finding| finding.level == check::Level::Error);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn dump_config(args: &Args) -> anyhow::Result<ExitCode> {
    print!("{}", Config::load(&places(args))?.to_toml());
    Ok(ExitCode::SUCCESS)
}

fn run_probe(args: &Args) -> anyhow::Result<ExitCode> {
    let rules = RuleSet::new(builtin::rules()?);
    let location = location(args)?;
    Ok(match probe::probe(&location, &rules, PROBE) {
        Ok(Some(found)) if found.events > 0 => {
            let more = if found.incomplete { "at least " } else { "" };
            println!("{more}{} storage events in {} entries", found.events, found.entries);
            ExitCode::SUCCESS
        }
        Ok(Some(found)) => {
            println!("no storage event in {} entries", found.entries);
            NO_EVENT.into()
        }
        Ok(None) => {
            println!("the {} holds no entry that this user may read; run as root or as a member of the group systemd-journal, and check that systemd-journald runs", location);
            UNREADABLE.into()
        }
        Err(e) => {
            println!("{e}");
            UNREADABLE.into()
        }
    })
}

/// The journal, by absolute path: the saved position is about it wherever the daemon is started.
fn location(args: &Args) -> anyhow::Result<Location> {
    let absolute = |path: &PathBuf| {
        std::fs::canonicalize(path).with_context(|| format!("cannot read the journal {}", path.display()))
    };
    Ok(match (&args.journal_directory, &args.namespace) {
        (Some(directory), _) => Location::Directory(absolute(directory)?),
        (None, Some(name)) => Location::Namespace(name.clone()),
        (None, None) if args.journal_file.is_empty() => Location::Local,
        (None, None) => Location::Files(args.journal_file.iter().map(absolute).collect::<Result<_, _>>()?),
    })
}

fn since(text: &str) -> anyhow::Result<u64> {
    time_of("--since", text)
}

/// The time that an option gives, µs since the epoch.
fn time_of(option: &str, text: &str) -> anyhow::Result<u64> {
    peripety_api::time::parse(text, &jiff::ZonedDateTime::now()).with_context(|| format!("{option} {text}"))
}
