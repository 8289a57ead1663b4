//! The findings of `peripetyd` about configuration files, word by word. Each directory of
//! tests/fixtures/config is a case: a file `peripetyd.conf`, or a tree with `etc`, `run` and `usr`;
//! `expected.txt` holds what `--check-config` prints. BLESS=1 writes the expectation anew.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{project, skip};
use serde_json::Value;

/// peripetyd in the directory of a case, with its configuration.
fn peripetyd(case: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peripetyd"));
    command.current_dir(case).env_remove("RUST_LOG").env("NO_COLOR", "1");
    match case.join("peripetyd.conf").exists() {
        true => command.args(["--config", "peripetyd.conf"]),
        false => command.args(["--root", "."]),
    };
    command.args(arguments);
    command
}

fn run(case: &Path, arguments: &[&str]) -> Output {
    peripetyd(case, arguments).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn cases() -> Vec<PathBuf> {
    let directory = std::fs::read_dir(project("tests/fixtures/config")).unwrap();
    let mut cases: Vec<PathBuf> = directory.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 25);
    cases
}

fn expected(case: &Path) -> String {
    let file = case.join("expected.txt");
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

/// Cases that are no errors.
const FINE: [&str; 11] = [
    "condition-of-own",
    "drop-ins-masked",
    "event-types",
    "first-format",
    "first-format-never-matches",
    "first-format-other-spelling",
    "no-file-at-all",
    "notifier-unknown-event-type",
    "notifiers",
    "slow-and-unanchored",
    "writer-of-a-tool",
];

#[test]
fn every_finding_is_worded_as_expected() {
    for case in cases() {
        let out = run(&case, &["--check-config"]);
        let said = text(out.stdout);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(case.join("expected.txt"), &said).unwrap();
        }
        assert_eq!(said, expected(&case), "{}", name(&case));
        assert!(out.stderr.is_empty(), "{}: {}", name(&case), text(out.stderr));
        let code = i32::from(!FINE.contains(&name(&case)));
        assert_eq!(out.status.code(), Some(code), "{}: {said}", name(&case));
    }
}

#[test]
fn findings_as_json_say_the_same() {
    for case in cases() {
        let out = run(&case, &["--check-config", "-J"]);
        let findings: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
        let texts: String = findings.iter().map(|f| format!("{}\n", f["text"].as_str().unwrap())).collect();
        assert_eq!(texts, expected(&case), "{}", name(&case));
        let errors = findings.iter().filter(|f| f["level"] == "error").count();
        assert_eq!(errors == 0, FINE.contains(&name(&case)), "{}", name(&case));
        assert_eq!(out.status.code(), Some(i32::from(errors > 0)));
        for finding in findings {
            let file = finding["file"].as_str().unwrap();
            assert!(case.join(file).exists(), "{}: {file}", name(&case));
            if let Some(line) = finding["line"].as_u64() {
                let said = finding["text"].as_str().unwrap();
                assert!(said.starts_with(&format!("{file}:{line}:")), "{}: {said}", name(&case));
            }
        }
    }
}

/// A daemon with a bad configuration does not start, and says all that is wrong: nothing is half
/// applied. Examples and what notifiers need are for --check-config only.
#[test]
fn a_bad_configuration_stops_the_start() {
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    for case in cases() {
        let only_checked =
            ["example-", "not-line", "exec-program-"].iter().any(|begin| name(&case).starts_with(begin));
        let fine = FINE.contains(&name(&case)) || (only_checked && name(&case) != "example-without-line");
        if fine {
            continue;
        }
        let socket = format!("unix:{state}/socket");
        let out = run(&case, &["--varlink", &socket, "--state-directory", state, "--no-store"]);
        assert_eq!(out.status.code(), Some(1), "{}", name(&case));
        assert_eq!(text(out.stderr), format!("peripetyd: {}", expected(&case)), "{}", name(&case));
        assert!(!Path::new(state).join("position.json").exists(), "{}", name(&case));
        let dump = run(&case, &["--dump-config"]);
        assert_eq!((dump.status.code(), dump.stdout.len()), (Some(1), 0), "{}", name(&case));
        assert_eq!(text(dump.stderr), format!("peripetyd: {}", expected(&case)), "{}", name(&case));
    }
}

#[test]
fn what_is_in_force() {
    let dump = |case: &str| {
        let out = run(&project("tests/fixtures/config").join(case), &["--dump-config"]);
        assert!(out.status.success());
        text(out.stdout)
    };
    let masked = "# from ./etc/peripetyd.conf\n# from ./usr/lib/peripetyd.conf.d/30-c.toml\n[main]\n\
                  notify_stdout = true\nsave_to_journald = false\ndump_blk_info_at_start = false\n\n\
                  [burst]\nenabled = true\ninterval_seconds = 60\n";
    let varlink = "\n[varlink]\nmax_connections = 512\nmax_connections_per_user = 64\nidle_seconds = 600\n";
    assert_eq!(dump("drop-ins-masked"), [masked, varlink].concat());
    let defaults =
        "[main]\nnotify_stdout = false\nsave_to_journald = true\ndump_blk_info_at_start = false\n\n\
                    [burst]\nenabled = true\ninterval_seconds = 60\n";
    assert_eq!(dump("no-file-at-all"), [defaults, varlink].concat());
    let notifiers = "\n[notifiers.exec]\ntype = \"exec\"\nprogram = \"/bin/true\"\n\
                     arguments = [\"--queue\", \"storage\"]\ntimeout_seconds = 30\n\n\
                     [notifiers.exec.filter]\nseverity = \"Error\"\nevent_types = [\"FS_SHUTDOWN\"]\n\
                     causes_only = true\n\n[notifiers.shown]\ntype = \"stdout\"\n";
    let files = "# from ./etc/peripetyd.conf\n# from ./etc/peripetyd.conf.d/10-page.toml\n";
    assert_eq!(dump("notifiers"), [files, defaults, varlink, notifiers].concat());
    assert_eq!(dump("first-format"), dump("first-format-other-spelling"));
    let first = dump("first-format");
    assert!(first.contains("# peripetyd.conf:6\n[[collector_regexs]]\n"), "{first}");
}

#[test]
fn a_file_that_is_not_there_or_may_not_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let check = |root: bool| {
        let mut command = Command::new("setpriv");
        if root {
            command = Command::new(env!("CARGO_BIN_EXE_peripetyd"));
        } else {
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
            command.arg(env!("CARGO_BIN_EXE_peripetyd"));
        }
        let command = command.args(["--check-config", "--config", "my.conf"]).current_dir(dir.path());
        command.output().unwrap()
    };
    let missing = check(true);
    let expected = "cannot read my.conf: No such file or directory (os error 2); check that it exists and \
                    that peripetyd may read it\n";
    assert_eq!((missing.status.code(), text(missing.stdout)), (Some(1), expected.to_owned()));

    let file = dir.path().join("my.conf");
    std::fs::create_dir(&file).unwrap();
    let directory = check(true);
    assert!(directory.status.code() == Some(1) && text(directory.stdout).contains("Is a directory"));
    std::fs::remove_dir(&file).unwrap();

    let is_root = rustix::process::geteuid().is_root();
    std::fs::write(&file, "[main]\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let unreadable = check(!is_root);
    // The program itself may lie where only root may go.
    if unreadable.status.code() != Some(1) {
        return skip("an unreadable configuration", "another user cannot run the program here");
    }
    let expected = "cannot read my.conf: Permission denied (os error 13); check that it exists and that \
                    peripetyd may read it\n";
    assert_eq!(text(unreadable.stdout), expected);
}
