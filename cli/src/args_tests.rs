//! Tests of the command line.
use super::*;

fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("prpt").chain(args.iter().copied()))
}

fn query(args: &[&str]) -> QueryArgs {
    let all: Vec<&str> = std::iter::once("query").chain(args.iter().copied()).collect();
    match parse(&all).unwrap().command {
        Command::Query(query) => query,
        other => panic!("not a query: {other:?}"),
    }
}

#[test]
fn definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn formats() {
    for (text, format) in [
        ("short", Format::Short),
        ("Json", Format::Json),
        ("JSON-PRETTY", Format::JsonPretty),
        ("json_pretty", Format::JsonPretty),
        ("JsonSeq", Format::JsonSeq),
        ("json-seq", Format::JsonSeq),
    ] {
        for args in [["-o", text, "list"], ["list", "--format", text]] {
            assert_eq!(parse(&args).unwrap().global.format(), format, "{args:?}");
        }
    }
    assert_eq!(parse(&["list", "-J"]).unwrap().global.format(), Format::Json);
    assert_eq!(parse(&["list"]).unwrap().global.format(), Format::Short);
    assert!(parse(&["list", "-o", "xml"]).is_err());
    assert!(parse(&["list", "-J", "-o", "short"]).is_err());
}

#[test]
fn lists_repeat_and_split_at_commas() {
    let args = query(&["--event-type", "A, B", "--event-type", "C", "--sub-system", "ext4"]);
    assert_eq!(args.events.event_type, ["A", "B", "C"]);
    assert_eq!(args.events.sub_system, ["ext4"]);
    for empty in ["", "A,,B", ","] {
        assert!(parse(&["query", "--event-type", empty]).is_err(), "{empty}");
    }
}

#[test]
fn times_may_start_with_a_hyphen() {
    let args = query(&["--since", "-2h", "--until", "now"]);
    let (since, until) = (args.events.since.unwrap(), args.events.until.unwrap());
    assert_eq!(until - since, 2 * 3600 * 1_000_000);
    assert!(args.events.check().is_ok());
    assert!(query(&["--since", "now", "--until", "-2h"]).events.check().is_err());
    assert!(query(&["--since", "now", "--until", "now"]).events.check().is_ok());
}

#[test]
fn severities() {
    for (text, severity) in [
        ("warning", Severity::Warning),
        ("WARN", Severity::Warning),
        ("4", Severity::Warning),
        ("err", Severity::Error),
        ("Emergency", Severity::Emergency),
        ("7", Severity::Debug),
    ] {
        assert_eq!(query(&["--severity", text]).events.severity, Some(severity), "{text}");
    }
    for text in ["8", "-1", "bad", ""] {
        assert!(parse(&["query", "--severity", text]).is_err(), "{text}");
    }
}

#[test]
fn limits_are_at_least_one() {
    assert_eq!(query(&["--limit", "1"]).events.limit, Some(1));
    for text in ["0", "-1", "x", "99999999999999999999"] {
        assert!(parse(&["query", "--limit", text]).is_err(), "{text}");
    }
}

#[test]
fn no_options_mean_no_filter() {
    let address: Address = "/run/x".parse().unwrap();
    assert_eq!(query(&[]).events.filter(None, &address), None);
    let filter = query(&["--blk", "sdb"]).events.filter(Some("id".to_owned()), &address);
    assert_eq!(
        filter,
        Some(Filter { blk: Some("sdb".to_owned()), event_id: Some("id".to_owned()), ..Filter::default() })
    );
}
