//! Excerpts of public reports in the form in which people send them, with what a storage engineer expects of each:
//! `tests/fixtures/excerpts/CASE/`, described in the README there.
//!
//! `make coverage` prints the score and what is wrong in each case. BLESS=1 writes the table into docs/coverage.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use peripety::event::Severity;
use serde_derive::Deserialize;
use serde_json::Value;

use crate::common;

const BEGIN: &str = "<!-- excerpts: made by make coverage -->\n";
const END: &str = "<!-- end of excerpts -->\n";

/// `verdict.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    area: String,
    /// The log file, or the directory or archive with it.
    #[serde(default = "log_txt")]
    log: String,
    #[serde(default)]
    alarms: Vec<Alarm>,
    /// Texts of lines that must raise no alarm.
    #[serde(default)]
    quiet: Vec<String>,
    /// Most alarms without a root cause.
    most: Option<usize>,
    /// Host name of all alarms.
    host: Option<String>,
    /// Part of the time of all alarms, in UTC.
    time: Option<String>,
    /// Why the case is not right yet.
    known: Option<String>,
}

/// An alarm that must be raised.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alarm {
    /// One of these event types; `*` at the end matches any text.
    types: Vec<String>,
    /// One of these names, without `/dev/` and `mapper/`; none: any.
    #[serde(default)]
    device: Vec<String>,
    /// At least this severity.
    severity: String,
    /// Text of one of its lines.
    #[serde(default)]
    line: String,
    /// Further fields of the event: `dev_path`, `extension.mount_point` …
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

fn log_txt() -> String {
    "log.txt".to_owned()
}

fn events(case: &Path, log: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_peripetyd"))
        .args(["parse", "--no-progress", "-o", "json", log])
        .current_dir(case)
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn severity(event: &Value) -> Severity {
    event["severity"].as_str().unwrap().parse().unwrap()
}

fn types(event: &Value) -> BTreeSet<&str> {
    let more = event["extension"]["event_types"].as_str().unwrap_or_default();
    more.split_whitespace().chain(event["event_type"].as_str()).collect()
}

/// Everything that the event calls a device, and the values of its extension.
fn names(event: &Value) -> BTreeSet<String> {
    let extension = event["extension"].as_object().unwrap().values();
    let owners = event["owners_paths"].as_array().unwrap().iter();
    let values = [&event["kdev"], &event["dev_path"]].into_iter().chain(owners).chain(extension);
    let plain = |name: &str| name.trim_start_matches("/dev/").trim_start_matches("mapper/").to_owned();
    values.filter_map(Value::as_str).map(plain).collect()
}

fn utc(event: &Value) -> String {
    let time = jiff::Timestamp::from_microsecond(event["timestamp"].as_i64().unwrap()).unwrap();
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn field(event: &Value, path: &str) -> String {
    let value = path.split('.').fold(event, |value, key| &value[key]);
    value.as_str().unwrap_or_default().to_owned()
}

impl Alarm {
    fn is_type(&self, name: &str) -> bool {
        let matches = |wanted: &String| match wanted.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == wanted,
        };
        self.types.iter().any(matches)
    }

    /// What is wrong: which of the conditions leaves no event.
    fn fault(&self, events: &[Value], verdict: &Verdict) -> Option<String> {
        let least: Severity = self.severity.parse().unwrap();
        let mut left: Vec<&Value> = events.iter().collect();
        let mut keep = |what: &str, is: &dyn Fn(&Value) -> bool, shown: &dyn Fn(&Value) -> String| {
            let before: BTreeSet<String> = left.iter().map(|event| shown(event)).collect();
            left.retain(|event| is(event));
            left.is_empty().then(|| format!("{what}: {:?} {:?} has {before:?}", self.types, self.line))
        };
        let named = |event: &Value| {
            self.device.is_empty() || self.device.iter().any(|name| names(event).contains(name))
        };
        keep("missed", &|event| event["raw_msg"].as_str().unwrap().contains(&self.line), &|_| String::new())
            .or_else(|| {
                keep("type", &|event| types(event).iter().any(|name| self.is_type(name)), &|event| {
                    format!("{:?}", types(event))
                })
            })
            .or_else(|| {
                keep("too mild", &|event| severity(event) <= least, &|event| field(event, "severity"))
            })
            .or_else(|| keep("device", &named, &|event| format!("{:?}", names(event))))
            .or_else(|| {
                let all =
                    |event: &Value| self.fields.iter().all(|(path, value)| field(event, path) == *value);
                keep("field", &all, &|event| {
                    self.fields.keys().map(|path| format!("{path}={} ", field(event, path))).collect()
                })
            })
            .or_else(|| {
                let host = verdict.host.as_deref();
                keep("host", &|event| host.is_none_or(|host| event["hostname"] == host), &|event| {
                    field(event, "hostname")
                })
            })
            .or_else(|| {
                let time = verdict.time.as_deref();
                keep("time", &|event| time.is_none_or(|time| utc(event).contains(time)), &utc)
            })
    }
}

fn faults(verdict: &Verdict, events: &[Value]) -> Vec<String> {
    let mut faults: Vec<String> =
        verdict.alarms.iter().filter_map(|alarm| alarm.fault(events, verdict)).collect();
    let alarms: Vec<&Value> = events.iter().filter(|event| severity(event) <= Severity::Warning).collect();
    for text in &verdict.quiet {
        let loud = alarms.iter().filter(|event| event["msg"].as_str().unwrap().contains(text));
        faults.extend(loud.map(|event| format!("false alarm: {} {}", event["event_type"], event["msg"])));
    }
    let roots: Vec<&&Value> = alarms.iter().filter(|event| event["root_cause_event_id"].is_null()).collect();
    if let Some(most) = verdict.most.filter(|most| roots.len() > *most) {
        let shown: Vec<String> =
            roots.iter().map(|event| format!("{} {}", event["event_type"], event["kdev"])).collect();
        faults.push(format!("{} alarms without a root cause, at most {most} wanted: {shown:?}", roots.len()));
    }
    faults
}

fn cases() -> Vec<(PathBuf, Verdict)> {
    let directory = std::fs::read_dir(common::project("tests/fixtures/excerpts")).unwrap();
    let mut cases: Vec<(PathBuf, Verdict)> = directory
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let text = std::fs::read_to_string(path.join("verdict.toml")).unwrap();
            let verdict = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, verdict)
        })
        .collect();
    cases.sort_by(|one, other| one.0.cmp(&other.0));
    cases
}

#[test]
fn excerpts_say_what_an_engineer_expects() {
    let mut areas: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut sources, mut wrong) = (BTreeSet::new(), Vec::new());
    for (path, verdict) in cases() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(path.join("source")).unwrap();
        assert!(
            sources.insert(source.lines().next().unwrap().to_owned()),
            "{name}: the source of another case"
        );
        assert!(!verdict.alarms.is_empty(), "{name}: a verdict without alarms");
        let faults = faults(&verdict, &events(&path, &verdict.log));
        faults.iter().for_each(|fault| println!("{name}: {fault}"));
        let count = areas.entry(verdict.area).or_default();
        count.0 += 1;
        count.1 += usize::from(faults.is_empty());
        match verdict.known {
            Some(_) if faults.is_empty() => wrong.push(format!("{name} is right now: remove \"known\"")),
            None if !faults.is_empty() => wrong.push(format!("{name}: {faults:#?}")),
            _ => {}
        }
    }
    let table = table(&areas);
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    check_documented(&table);
}

fn table(areas: &BTreeMap<String, (usize, usize)>) -> String {
    let row = |area: &str, (all, right): (usize, usize)| format!("| {area} | {all} | {right} |\n");
    let rows: String = areas.iter().map(|(area, count)| row(area, *count)).collect();
    let all = areas.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    ["| Area | Excerpts | Right |\n| --- | ---: | ---: |\n", &rows, &row("**all**", all)].concat()
}

fn check_documented(table: &str) {
    let path = common::project("docs/coverage.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, [before, BEGIN, table, END, after].concat()).unwrap();
    } else {
        assert_eq!(written, table, "make coverage BLESS=1 writes the table anew");
    }
}
