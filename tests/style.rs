//! Documents name what exists, files stay small, and words are those of the field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::common::project;

/// Longest file that needs no reason.
const MAX_LINES: usize = 400;
/// How a long file gives its reason, near its top.
const REASON: &str = "of over 400 lines";
/// Directories with files that people write.
const DIRECTORIES: [&str; 13] = [
    "api",
    "benches",
    "blkinfo",
    "cli",
    "config",
    "docs",
    "fuzz",
    "generate",
    "kernel-coverage",
    "rules",
    "scripts",
    "src",
    "tests",
];
/// Use instead: directory, pending or not reported, unrecognised, "probably a mistake".
const BANNED: [&str; 5] = ["folder", "folders", "untold", "nobody wrote down", "hardly meant"];

/// All files below a directory that are written by people, with one of these extensions.
fn files(directory: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || ["fixtures", "target", "corpus", "seeds", "__pycache__"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            files(&path, extensions, found);
        } else if extensions.contains(&path.extension().unwrap_or_default().to_str().unwrap()) {
            found.push(path);
        }
    }
}

fn all(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    DIRECTORIES.iter().for_each(|directory| files(&project(directory), extensions, &mut found));
    let tops = std::fs::read_dir(project("")).unwrap().map(|entry| entry.unwrap().path());
    let is_wanted =
        |path: &PathBuf| path.extension().is_some_and(|e| extensions.contains(&e.to_str().unwrap()));
    found.extend(tops.filter(|path| path.is_file() && is_wanted(path)));
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn long_files_give_a_reason() {
    let is_long = |text: &str| text.lines().count() > MAX_LINES;
    let has_reason = |text: &str| {
        let mut top = text.lines().take(20);
        top.any(|line| line.contains(REASON) || line.contains("Generated from"))
    };
    let long: Vec<PathBuf> = all(&["rs", "py", "sh", "c", "h"])
        .into_iter()
        .filter(|(_, text)| is_long(text) && !has_reason(text))
        .map(|(path, _)| path)
        .collect();
    assert!(
        long.is_empty(),
        "split these files, or say \"One file {REASON}, because …\" at the top: {long:#?}"
    );
}

/// The comments of a line; all of it in a document.
fn comment<'t>(path: &Path, line: &'t str) -> &'t str {
    let mark = match path.extension().unwrap_or_default().to_str().unwrap() {
        "rs" | "c" | "h" => "//",
        "sh" | "py" | "toml" => "#",
        _ => return line,
    };
    line.split_once(mark).map_or("", |(_, comment)| comment)
}

#[test]
fn words_are_those_of_the_field() {
    let mut bad = Vec::new();
    for (path, text) in all(&["rs", "c", "h", "sh", "py", "toml", "md", "1", "3", "8", "varlink", "conf"]) {
        if path.ends_with("tests/style.rs") {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let words = format!(
                " {} ",
                comment(&path, line).to_lowercase().replace(|c: char| !c.is_alphanumeric(), " ")
            );
            let found = BANNED.iter().find(|word| words.contains(&format!(" {word} ")));
            bad.extend(found.map(|word| format!("{}:{number}: {word}", path.display())));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Most definitions of a type name, in all packages together.
const MAX_DEFINITIONS: usize = 2;
/// Names that may be defined more often, and why.
const COMMON_NAMES: [(&str, &str); 1] = [(
    "Error",
    "the error type of a module, which code outside of it names with its module: `journal::Error`",
)];

/// Tests, and programs that measure the code and that no other package uses: files, and directories.
const NOT_SHIPPED: [&str; 5] = ["tests", "tests.rs", "benches", "fuzz", "kernel-coverage"];

/// The code of a file without its unit tests, which are at its end.
fn shipped(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(shipped, _)| shipped)
}

/// The name of the type that a line defines. An indented `type` belongs to a trait.
fn defined(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code =
        code.strip_prefix("pub(").and_then(|rest| rest.split_once(") ")).map_or(code, |(_, rest)| rest);
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let code = code.strip_prefix("unsafe ").unwrap_or(code);
    let (keyword, rest) = code.split_once(' ')?;
    let defines = ["struct", "enum", "union", "trait"].contains(&keyword)
        || keyword == "type" && !line.starts_with(' ');
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (defines && name.starts_with(|c: char| c.is_ascii_uppercase())).then_some(name)
}

#[test]
fn a_type_name_stands_for_one_thing() {
    for (line, name) in [
        ("pub(super) struct Asked<'a> {", Some("Asked")),
        ("    pub enum Entry {", Some("Entry")),
        ("pub type Row = Vec<u8>;", Some("Row")),
        ("    type Item = u8;", None),
        ("/// A struct Named", None),
    ] {
        assert_eq!(defined(line), name, "{line}");
    }
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in all(&["rs"]) {
        let path = path.strip_prefix(project("")).unwrap();
        let is_test = |part: &str| NOT_SHIPPED.contains(&part);
        let mut parts = path.iter().map(|part| part.to_str().unwrap());
        if parts.any(|part| is_test(part) || part.ends_with("_tests.rs")) {
            continue;
        }
        for (number, line) in (1..).zip(shipped(&text).lines()) {
            let Some(name) = defined(line) else { continue };
            places.entry(name.to_owned()).or_default().push(format!("{}:{number}", path.display()));
        }
    }
    assert!(places.len() > 300, "the files of the workspace were not found: {}", places.len());
    places.retain(|name, at| {
        at.len() > MAX_DEFINITIONS && !COMMON_NAMES.iter().any(|(common, _)| common == name)
    });
    assert!(places.is_empty(), "name each of these after what it is: {places:#?}");
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A path of the project that exists; not a pattern, an example of another machine, or a placeholder.
fn is_path(text: &str) -> bool {
    let starts = DIRECTORIES.iter().any(|directory| text.starts_with(&format!("{directory}/")));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    starts && text.chars().all(plain)
}

#[test]
fn documents_name_files_and_tests_that_exist() {
    let mut missing = BTreeSet::new();
    for (document, text) in all(&["md"]) {
        let name = document.strip_prefix(project("")).unwrap().display().to_string();
        // Code blocks show other things, such as commands on other machines.
        let prose: String = text.split("```").step_by(2).collect();
        for path in quoted(&prose).filter(|text| is_path(text)) {
            if !project(path).exists() {
                missing.insert(format!("{name}: {path}"));
            }
        }
        missing.extend(tests_without_function(&prose).map(|test| format!("{name}: {test}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Of "`FILE.rs`: `TEST`, `TEST`" the tests that the file does not have.
fn tests_without_function(prose: &str) -> impl Iterator<Item = String> + '_ {
    prose.split('(').flat_map(|part| {
        let part = part.split(')').next().unwrap_or_default();
        let mut file = None;
        let mut lost = Vec::new();
        for text in quoted(part) {
            if text.ends_with(".rs") {
                file = std::fs::read_to_string(project(text)).ok();
            } else if let Some(source) = file.as_ref().filter(|_| text.contains('_') && !text.contains(' ')) {
                let is_test = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                if is_test && !source.contains(&format!("{text}(")) && !source.contains(&format!("{text}:")) {
                    lost.push(text.to_owned());
                }
            }
        }
        lost
    })
}

/// The anchor that a heading has.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || "_- ".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for (document, text) in all(&["md"]) {
        let directory = document.parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { document.clone() } else { directory.join(file) };
            let headings = std::fs::read_to_string(&target).unwrap_or_default();
            let found =
                headings.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == wanted);
            if !target.exists() || !(wanted.is_empty() || found) {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Names, versions and features of all dependencies, of a package or of the workspace. Features of the project's own packages may differ.
fn dependencies(package: &[&str]) -> BTreeSet<String> {
    let out = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--no-dedupe",
            "--prefix=none",
            "--edges=normal,build,dev",
            "--format={p} [{f}]",
        ])
        .args(package)
        .current_dir(project(""))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().filter(|line| !line.contains("(/")).map(|line| line.replace(" (*)", "")).collect()
}

/// After a build of the workspace, the tests of one package start without compiling its dependencies again.
#[test]
fn packages_share_the_builds_of_their_dependencies() {
    let workspace = dependencies(&["--workspace"]);
    for package in ["prpt", "peripety-api", "peripety-rules", "peripety"] {
        let own = dependencies(&["--package", package]);
        let others: Vec<&String> = own.difference(&workspace).collect();
        assert!(
            others.is_empty(),
            "{package} uses other features than the workspace, see its dev-dependencies: {others:#?}"
        );
    }
}
