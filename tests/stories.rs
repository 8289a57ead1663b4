//! Incidents of logs, compared with what an engineer says of them: `tests/fixtures/stories/NAME`.
//!
//! `log` is read by `peripetyd parse --summary -o json`. `story.toml` says which incidents there are, and which lines belong to each;
//! root, state, when it began and ended by the number of the line, severity, data, effects, and how the title begins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::tz::TimeZone;
use peripety::correlate::burst::Settings;
use peripety::incidents::text::{story, Times};
use peripety::incidents::view::View;
use peripety::replay;
use peripety::rules::builtin;
use peripety::rules::conditions::Kinds;
use serde::Deserialize;
use serde_json::Value;

use crate::common::project;

/// What an engineer says of a log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    #[serde(default)]
    incident: Vec<Wanted>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    root: Part,
    state: String,
    since: u64,
    until: Option<u64>,
    severity: String,
    data: Option<String>,
    lines: String,
    title: String,
    episodes: Option<u64>,
    #[serde(default)]
    effects: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    device: String,
    kind: String,
    state: Option<String>,
}

/// What `1-4,7` means.
fn lines(text: &str) -> BTreeSet<u64> {
    let number = |text: &str| text.trim().parse::<u64>().unwrap();
    let parts = text.split(',').map(|part| part.split_once('-').unwrap_or((part, part)));
    parts.flat_map(|(first, last)| number(first)..=number(last)).collect()
}

fn summary(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peripetyd"));
    command.current_dir(directory).env("TZ", "UTC").env_remove("RUST_LOG");
    let out =
        command.args(["parse", "--no-progress", "--summary"]).args(arguments).arg("log").output().unwrap();
    assert!(out.status.success(), "{}: {}", directory.display(), String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn of_incident(incident: &Value) -> BTreeSet<u64> {
    let files = incident["lines"].as_array().unwrap();
    files
        .iter()
        .flat_map(|file| file["lines"].as_array().unwrap())
        .map(|line| line.as_u64().unwrap())
        .collect()
}

/// What differs between an incident and what is wanted.
fn differences(wanted: &Wanted, found: &Value, times: &BTreeMap<u64, u64>) -> Vec<String> {
    let mut all = Vec::new();
    let mut compare = |what: &str, wanted: String, found: String| {
        if wanted != found {
            all.push(format!("{what}: {found} instead of {wanted}"));
        }
    };
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let named = |device: &Value| {
        let names = device["names"].as_array().unwrap().iter().map(text);
        names.chain([text(&device["device"])]).collect::<BTreeSet<String>>()
    };
    if !named(&found["root"]).contains(&wanted.root.device) {
        compare("root", wanted.root.device.clone(), text(&found["root"]["device"]));
    }
    compare("root", wanted.root.kind.clone(), text(&found["root"]["kind"]));
    compare("state", wanted.state.clone(), text(&found["state"]));
    compare("severity", wanted.severity.clone(), text(&found["severity"]));
    let at = |line: Option<u64>| line.map(|line| times[&line]);
    compare("since", format!("{:?}", at(Some(wanted.since))), format!("{:?}", found["since"].as_u64()));
    compare("until", format!("{:?}", at(wanted.until)), format!("{:?}", found["until"].as_u64()));
    if let Some(data) = &wanted.data {
        compare("data", data.clone(), text(&found["data"]));
    }
    if let Some(episodes) = wanted.episodes {
        compare("episodes", episodes.to_string(), found["root"]["episodes"].to_string());
    }
    let title = text(&found["title"]);
    if !title.starts_with(&wanted.title) {
        compare("title", wanted.title.clone(), title);
    }
    let effects = found["effects"].as_array().unwrap();
    for effect in &wanted.effects {
        let fits = |found: &&Value| {
            let state = effect.state.as_ref().is_none_or(|wanted| *wanted == text(&found["state"]));
            named(found).contains(&effect.device) && text(&found["kind"]) == effect.kind && state
        };
        if !effects.iter().any(|effect| fits(&effect)) {
            let all: Vec<String> =
                effects.iter().map(|e| format!("{} {} {}", e["device"], e["kind"], e["state"])).collect();
            compare("effect", format!("{effect:?}"), all.join(", "));
        }
    }
    all
}

/// Precision and recall of the lines over the incidents: B-cubed.
fn b_cubed(wanted: &[BTreeSet<u64>], found: &[BTreeSet<u64>]) -> (f64, f64) {
    let one = |of: &[BTreeSet<u64>], by: &[BTreeSet<u64>]| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (group, line) in of.iter().flat_map(|group| group.iter().map(move |line| (group, line))) {
            let other = by.iter().find(|other| other.contains(line));
            let common = other.map_or(0, |other| other.intersection(group).count());
            sum += common as f64 / group.len() as f64;
            count += 1.0;
        }
        if count == 0.0 {
            1.0
        } else {
            sum / count
        }
    };
    (one(found, wanted), one(wanted, found))
}

struct Judged {
    name: String,
    precision: f64,
    recall: f64,
    whole: bool,
    wrong: Vec<String>,
}

fn judge(directory: &Path) -> Judged {
    let story: Story =
        toml::from_str(&std::fs::read_to_string(directory.join("story.toml")).unwrap()).unwrap();
    let found: Value = serde_json::from_str(&summary(directory, &["-o", "json"])).unwrap();
    let found = found["incidents"].as_array().unwrap();
    let times = times(directory);
    // Routine lines of a story may belong to it or not: only lines of problems are listed, so those of the log that made events.
    let of_found: Vec<BTreeSet<u64>> = found.iter().map(of_incident).collect();
    let known: BTreeSet<u64> = times.keys().copied().collect();
    let of_wanted: Vec<BTreeSet<u64>> = story
        .incident
        .iter()
        .map(|wanted| lines(&wanted.lines).intersection(&known).copied().collect())
        .collect();
    let (precision, recall) = b_cubed(&of_wanted, &of_found);
    let mut wrong = Vec::new();
    for (wanted, lines) in story.incident.iter().zip(&of_wanted) {
        match found.iter().max_by_key(|incident| of_incident(incident).intersection(lines).count()) {
            Some(incident) => wrong.extend(differences(wanted, incident, &times)),
            None => wrong.push(format!("no incident for {}", wanted.title)),
        }
    }
    if found.len() != story.incident.len() {
        let titles: Vec<&Value> = found.iter().map(|incident| &incident["title"]).collect();
        wrong.push(format!("{} incidents instead of {}: {titles:?}", found.len(), story.incident.len()));
    }
    let name = directory.file_name().unwrap().to_string_lossy().into_owned();
    Judged { name, precision, recall, whole: found.len() == story.incident.len(), wrong }
}

/// The times of the lines of which there are events.
fn times(directory: &Path) -> BTreeMap<u64, u64> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peripetyd"));
    let config = tempfile::NamedTempFile::new().unwrap();
    // Every line by itself, as far as it goes.
    std::fs::write(config.path(), "[burst]\nenabled = false\n").unwrap();
    command
        .current_dir(directory)
        .args(["parse", "--no-progress", "-o", "json", "--config"])
        .arg(config.path())
        .arg("log");
    let out = command.env("TZ", "UTC").output().unwrap();
    let mut times = BTreeMap::new();
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        for number in event["source"]["lines"].as_array().unwrap() {
            times.insert(number.as_u64().unwrap(), event["timestamp"].as_u64().unwrap());
        }
    }
    times
}

fn cases() -> Vec<PathBuf> {
    let all = std::fs::read_dir(project("tests/fixtures/stories")).unwrap();
    let mut all: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    all.sort();
    assert!(all.len() >= 10);
    all
}

#[test]
fn incidents_are_those_that_an_engineer_finds() {
    let judged: Vec<Judged> = cases().iter().map(|directory| judge(directory)).collect();
    let count = judged.len() as f64;
    let mean = |value: fn(&Judged) -> f64| judged.iter().map(value).sum::<f64>() / count;
    let whole = judged.iter().filter(|judged| judged.whole).count();
    println!(
        "{} logs, {whole} with the right number of incidents; B-cubed precision {:.3}, recall {:.3}",
        judged.len(),
        mean(|j| j.precision),
        mean(|j| j.recall)
    );
    let wrong: Vec<String> = judged
        .iter()
        .filter(|judged| !judged.wrong.is_empty() || judged.precision < 1.0 || judged.recall < 1.0)
        .map(|judged| {
            format!(
                "{} (precision {:.2}, recall {:.2}):\n  {}",
                judged.name,
                judged.precision,
                judged.recall,
                judged.wrong.join("\n  ")
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The incidents of a recorded scenario, as titles with their states: `BLESS=1` writes them anew.
#[test]
fn recordings_have_their_stories() {
    let kinds = Kinds::builtin().unwrap();
    let times = Times::of_zone(TimeZone::UTC);
    for entry in std::fs::read_dir(project("tests/fixtures/captures")).unwrap() {
        let directory = entry.unwrap().path();
        if !directory.is_dir() {
            continue;
        }
        let changes =
            replay::incidents(&directory, builtin::rules().unwrap(), Settings::default(), kinds.clone());
        let all = changes.unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
        let last: BTreeMap<&str, &View> =
            all.iter().map(|change| (change.view.incident_id.as_str(), &change.view)).collect();
        let mut views: Vec<&View> = last.into_values().filter(|view| view.merged_into.is_none()).collect();
        views.sort_by_key(|view| (view.since, &view.incident_id));
        let text: String = views.iter().map(|view| story(view, None, &times) + "\n").collect();
        let file = directory.join("stories.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(text, expected, "{}", directory.display());
    }
}

/// A log without any time has line numbers instead of times, and no durations.
#[test]
fn lines_stand_for_times() {
    let directory = tempfile::tempdir().unwrap();
    let log = "XFS (dm-0): log I/O error -5\nXFS (dm-0): Unmounting Filesystem\n";
    std::fs::write(directory.path().join("log"), log).unwrap();
    let text = summary(directory.path(), &[]);
    assert!(text.contains("line 1 to line 2") && text.contains("  Since: line 1, until line "), "{text}");
    assert!(!text.contains("00:00") && !text.contains(" ms)"), "{text}");
}

/// The text is no wider than a terminal, apart from words that are.
#[test]
fn a_story_fits_a_terminal() {
    for directory in cases() {
        let text = summary(&directory, &[]);
        let wide = text.lines().find(|line| line.chars().count() > 80 && line.trim().contains(' '));
        assert_eq!(wide, None, "{}", directory.display());
        assert!(text.lines().count() <= 40, "{text}");
    }
}
