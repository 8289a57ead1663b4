//! What `make install` puts into a file system, and what systemd's own tools say of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{program, project, skip};

/// Runs `make TARGET` with these variables and the programs built for the tests.
fn make(target: &str, variables: &[&str]) -> String {
    let programs = program("peripetyd").parent().unwrap().display().to_string();
    let out = Command::new("make")
        .args(["--silent", "--no-print-directory", target])
        .arg(format!("PROGRAMS={programs}"))
        .args(variables)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("MAKEFLAGS")
        .output()
        .unwrap();
    let said = text(&out);
    assert!(out.status.success(), "make {target}: {said}");
    said
}

fn text(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

/// All files below a directory.
fn files(directory: &Path) -> BTreeSet<String> {
    let out = Command::new("find").arg(directory).args(["-type", "f", "-printf", "/%P\n"]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A tool of systemd's of at least this version; `None`, with the reason noted, where it is not.
fn systemd(test: &str, tool: &str, version: u32) -> Option<Command> {
    let Ok(out) = Command::new(tool).arg("--version").output() else {
        skip(test, &format!("there is no {tool}"));
        return None;
    };
    let said = text(&out);
    let have = said.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    if have < version {
        skip(test, &format!("{tool} is of systemd {have}, older than {version}"));
        return None;
    }
    Some(Command::new(tool))
}

#[test]
fn everything_is_put_in_its_place_and_taken_away_again() {
    let root = tempfile::tempdir().unwrap();
    let destdir = format!("DESTDIR={}", root.path().display());
    make("install", &[&destdir, "prefix=/usr"]);
    let expected: BTreeSet<String> =
        include_str!("fixtures/install.txt").lines().map(str::to_owned).collect();
    assert_eq!(files(root.path()), expected);
    let unit = root.path().join("usr/lib/systemd/system/peripetyd.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    assert!(unit.contains("\nExecStart=/usr/sbin/peripetyd\n"), "{unit}");
    // A configuration with an error must make "systemctl reload" fail, before the daemon reads it.
    let reload = "\nExecReload=/usr/sbin/peripetyd --check-config\nExecReload=/bin/kill -HUP $MAINPID\n";
    assert!(unit.contains(reload), "{unit}");
    make("uninstall", &[&destdir, "prefix=/usr"]);
    assert_eq!(files(root.path()), BTreeSet::from(["/etc/peripetyd.conf".to_owned()]));
    assert!(!root.path().join("usr/share/doc/peripety").exists());
}

#[test]
fn the_administrators_configuration_is_never_touched() {
    let root = tempfile::tempdir().unwrap();
    let destdir = format!("DESTDIR={}", root.path().display());
    let file = root.path().join("etc/peripetyd.conf");
    std::fs::create_dir(root.path().join("etc")).unwrap();
    std::fs::write(&file, "# mine\n").unwrap();
    let said = make("install", &[&destdir]);
    assert!(said.contains("stays as it is"), "{said}");
    make("uninstall", &[&destdir]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine\n");
}

#[test]
fn the_installed_program_takes_the_installed_configuration() {
    let root = tempfile::tempdir().unwrap();
    make("install", &[&format!("DESTDIR={}", root.path().display())]);
    let out = Command::new(root.path().join("usr/local/sbin/peripetyd"))
        .args(["--check-config", "--root"])
        .arg(root.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out));
    let out = Command::new(root.path().join("usr/local/sbin/peripetyd"))
        .args(["--dump-config", "--root"])
        .arg(root.path())
        .output()
        .unwrap();
    assert!(text(&out).contains("etc/peripetyd.conf"), "{}", text(&out));
}

/// Units whose programs are where they say: `systemd-analyze verify` looks.
fn units(root: &Path) -> [String; 2] {
    let prefix = root.display();
    make("install", &[&format!("prefix={prefix}"), &format!("sysconfdir={prefix}/etc"), "DESTDIR="]);
    ["service", "socket"].map(|kind| format!("{prefix}/lib/systemd/system/peripetyd.{kind}"))
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let Some(mut analyze) = systemd("systemd_finds_no_fault_in_the_units", "systemd-analyze", 249) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let out = analyze.args(["verify", "--man=no"]).args(units(root.path())).output().unwrap();
    let said = text(&out);
    if !Path::new("/usr/lib/systemd/system/sysinit.target").exists()
        && !Path::new("/lib/systemd/system/sysinit.target").exists()
    {
        return skip("systemd_finds_no_fault_in_the_units", "systemd's own units are not installed");
    }
    if !Path::new("/bin/kill").exists() {
        return skip("systemd_finds_no_fault_in_the_units", "there is no /bin/kill, which ExecReload= uses");
    }
    // A unit of the machine may be at fault: only what is said of ours counts.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("peripety")).collect();
    assert!(ours.is_empty(), "{said}");
}

#[test]
fn the_sandbox_is_tight() {
    let Some(mut analyze) = systemd("the_sandbox_is_tight", "systemd-analyze", 250) else { return };
    let root = tempfile::tempdir().unwrap();
    let [service, _] = units(root.path());
    // Exposure 2.0 of 10.
    let out = analyze
        .args(["security", "--offline=true", "--threshold=20", "--no-pager", &service])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("Overall exposure level"), "{}", text(&out));
}

#[test]
fn the_user_is_made_and_may_read_the_journal() {
    let Some(mut sysusers) = systemd("the_user_is_made_and_may_read_the_journal", "systemd-sysusers", 249)
    else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    make("install", &[&format!("DESTDIR={}", root.path().display()), "prefix=/usr"]);
    let etc = root.path().join("etc");
    std::fs::write(etc.join("passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    std::fs::write(etc.join("group"), "root:x:0:\nsystemd-journal:x:190:\n").unwrap();
    let out = sysusers.arg(format!("--root={}", root.path().display())).output().unwrap();
    assert!(out.status.success(), "{}", text(&out));
    let passwd = std::fs::read_to_string(etc.join("passwd")).unwrap();
    assert!(passwd.lines().any(|line| line.starts_with("peripety:")), "{passwd}");
    let group = std::fs::read_to_string(etc.join("group")).unwrap();
    assert!(group.lines().any(|line| line == "systemd-journal:x:190:peripety"), "{group}");
}

#[test]
fn journalctl_takes_the_catalog() {
    let Some(mut journalctl) = systemd("journalctl_takes_the_catalog", "journalctl", 249) else { return };
    let root = tempfile::tempdir().unwrap();
    make("install", &[&format!("DESTDIR={}", root.path().display()), "prefix=/usr"]);
    let option = format!("--root={}", root.path().display());
    let out = journalctl.args([&option, "--update-catalog"]).output().unwrap();
    assert!(out.status.success(), "{}", text(&out));
    let out = Command::new("journalctl").args([&option, "--list-catalog"]).output().unwrap();
    let listed: BTreeSet<String> =
        text(&out).lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    let rules = peripety::rules::builtin::rules().unwrap();
    let wanted: BTreeSet<String> = rules
        .iter()
        .map(|rule| peripety::event::message_id(&rule.event_type))
        .chain(["PERIPETY_EVENT_NOT_STORED", "PERIPETY_BLK_INFO"].map(peripety::event::message_id))
        .collect();
    assert_eq!(listed, wanted, "run make docs");
}

/// The long options that a program's help names.
fn options(name: &str, arguments: &[&str]) -> BTreeSet<String> {
    let out = Command::new(program(name)).args(arguments).arg("--help").output().unwrap();
    let said = text(&out);
    let lines = said.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split([' ', ',', '=', '[']).filter(|word| word.starts_with("--")));
    words.map(str::to_owned).collect()
}

#[test]
fn the_manual_pages_know_every_option() {
    let commands: [&[&str]; 8] = [
        &["query"],
        &["monitor"],
        &["info"],
        &["list"],
        &["status"],
        &["rules", "list"],
        &["rules", "test"],
        &["rules", "explain"],
    ];
    let prpt: BTreeSet<String> = commands.iter().flat_map(|command| options("prpt", command)).collect();
    for (page, options) in [("peripetyd.8", options("peripetyd", &[])), ("prpt.1", prpt)] {
        assert!(options.len() > 5, "{options:?}");
        let page = std::fs::read_to_string(project("docs").join(page)).unwrap();
        let on_page = |option: &&String| page.contains(&option.replacen("--", "Fl \\-", 1));
        let missing: Vec<_> = options.iter().filter(|option| !on_page(option)).collect();
        assert!(missing.is_empty(), "{missing:?} is in --help but not on the page");
    }
}

#[test]
fn the_manual_pages_are_well_formed() {
    if Command::new("groff").arg("--version").output().is_err() {
        return skip("the_manual_pages_are_well_formed", "there is no groff");
    }
    let macros = Command::new("groff").args(["-mandoc", "-z", "/dev/null"]).output().unwrap();
    if !macros.status.success() || !macros.stderr.is_empty() {
        return skip("the_manual_pages_are_well_formed", "groff has no macros for manual pages");
    }
    for page in ["docs/peripetyd.8", "docs/prpt.1"] {
        let out = Command::new("groff")
            .args(["-mandoc", "-ww", "-z", "-Tutf8"])
            .arg(project(page))
            .output()
            .unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{page}: {}", text(&out));
    }
}
