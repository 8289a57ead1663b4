//! The built-in rules: their own examples, each other's, real lines, and the plain-loop oracle.

use crate::common;

use std::collections::BTreeSet;

use peripety::collector::tools::TOOLS;
use peripety::event::Severity;
use peripety::rules::{builtin, event_type, RuleSet};

/// Lines of the recorded incidents, kernel and user space, with their identifiers.
fn recorded_lines() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut lines = Vec::new();
    for case in std::fs::read_dir(common::project("tests/fixtures/incidents")).unwrap() {
        let export = std::fs::read(case.unwrap().path().join("journal.export")).unwrap();
        let mut identifier = Vec::new();
        for field in export.split(|byte| *byte == b'\n') {
            if let Some(value) = field.strip_prefix(b"SYSLOG_IDENTIFIER=") {
                identifier = value.to_vec();
            }
            if let Some(value) = field.strip_prefix(b"MESSAGE=") {
                lines.push((identifier.clone(), value.to_vec()));
                lines.push((b"kernel".to_vec(), value.to_vec()));
            }
        }
    }
    assert!(lines.len() > 3000);
    lines
}

/// Small changes that turn a line into one that may or may not match.
fn mutations(line: &[u8]) -> Vec<Vec<u8>> {
    let half = line.len() / 2;
    let mut all = vec![line.to_vec(), line[..half].to_vec(), line[half..].to_vec()];
    all.push([b"x", line].concat());
    all.push([line, b" "].concat());
    all.push([line, b"x"].concat());
    all.push([line, line].concat());
    all.push(line.to_ascii_uppercase());
    for at in (0..line.len()).step_by(7) {
        let mut changed = line.to_vec();
        changed[at] = changed[at].wrapping_add(1);
        all.push(changed);
        let mut cut = line.to_vec();
        cut.remove(at);
        all.push(cut);
    }
    all
}

#[test]
fn every_example_matches_its_own_rule_first() {
    let rules = builtin::rules().unwrap();
    let set = RuleSet::new(rules.iter().cloned());
    let mut examples = 0;
    for rule in &rules {
        let place = format!("{}:{}", rule.origin.file, rule.origin.line);
        assert!(!rule.spec().examples.is_empty(), "{place}: a rule without an example");
        for example in &rule.spec().examples {
            let found = set.matched(rule.identifier.as_bytes(), example.line.as_bytes());
            let found = found.unwrap_or_else(|| panic!("{place}: nothing matches {:?}", example.line));
            assert_eq!(found.rule.origin, rule.origin, "{:?}", example.line);
            assert_eq!(found.captures, example.captures.map(), "{place}: {:?}", example.line);
            examples += 1;
        }
        for line in &rule.spec().not {
            assert!(!rule.is_match(line.as_bytes()), "{place}: must not match {line:?}");
        }
    }
    assert!(examples > 200);
}

#[test]
fn built_in_rules_match_whole_lines_and_have_a_literal() {
    let rules = builtin::rules().unwrap();
    for rule in &rules {
        let place = format!("{}:{}", rule.origin.file, rule.origin.line);
        let regex = rule.regex_text().trim_start_matches("(?x)").trim_start_matches("(?s)").trim_start();
        assert!(regex.starts_with('^'), "{place}");
        assert!(rule.regex_text().trim_end().ends_with("\\s*$"), "{place}");
        assert!(rule.severity.is_some(), "{place}: no severity");
        assert_eq!(rule.compile_patterns(), Ok(()), "{place}");
        assert!(rule.has_literal(), "{place}: no fixed text");
    }
}

#[test]
fn names_follow_one_scheme() {
    for rule in builtin::rules().unwrap() {
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        assert!(rule.event_type.chars().all(upper), "{}", rule.event_type);
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(rule.sub_system.chars().all(lower), "{}", rule.sub_system);
    }
}

/// The first word of an event type: docs/events.md lists them, too.
const LAYERS: &str = "BLK SWAP KERNEL SCSI ENCLOSURE TAPE CDROM ATA NVME USB MMC UFS DASD PMEM LOOP ZRAM HBA PCI FC ISCSI DM MD LVM \
    STRATIS BCACHE DRBD NBD RBD CEPH FS ZFS MOUNT FSCK SMART UDISKS JOURNAL PERIPETY";

#[test]
fn layers_and_sub_systems_are_documented() {
    let text = std::fs::read_to_string(common::project("docs/events.md")).unwrap();
    let section =
        |from: &str, to: &str| text.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
    let (systems, types) = (section("## Sub-systems", "## Event types"), section("## Event types", "<!--"));
    let layers: BTreeSet<&str> = LAYERS.split_whitespace().collect();
    for layer in &layers {
        assert!(types.contains(&format!("`{layer}`")), "{layer} is missing in docs/events.md");
    }
    for rule in builtin::rules().unwrap() {
        let place = format!("{}:{}", rule.origin.file, rule.origin.line);
        let layer = rule.event_type.split('_').next().unwrap();
        assert!(layers.contains(layer), "{place}: {} begins with no layer", rule.event_type);
        assert!(
            systems.contains(&format!("`{}`", rule.sub_system)),
            "{place}: {} is missing",
            rule.sub_system
        );
    }
}

/// Every event type is explained once, and for a problem something is advised.
#[test]
fn what_happened_is_explained() {
    let texts = builtin::event_types().unwrap();
    let rules = builtin::rules().unwrap();
    let types: BTreeSet<&str> = rules.iter().map(|rule| &*rule.event_type).collect();
    for rule in &rules {
        let place = format!("{}:{}", rule.origin.file, rule.origin.line);
        let text = texts.get(&*rule.event_type).unwrap_or_else(|| panic!("{place}: {}", rule.event_type));
        assert!(!text.meaning.is_empty() && !text.meaning.ends_with('.'), "{}", rule.event_type);
        let problem = rule.severity.is_some_and(|s| s <= peripety::event::Severity::Warning);
        assert!(!problem || text.advice.is_some(), "{place}: nothing is advised for {}", rule.event_type);
        for followed in rule.follows.iter().chain(&rule.closes) {
            let exists = types.iter().any(|name| event_type::matches(followed, name));
            assert!(exists, "{place}: no event type is {followed}");
        }
    }
    let unused: Vec<_> = texts.keys().filter(|name| !types.contains(name.as_str())).collect();
    assert!(unused.is_empty(), "no rule makes {unused:?}");
}

/// The automaton, and what the first lines are tried on, must never find another rule than trying all of them in order.
#[test]
fn matcher_agrees_with_the_plain_loop() {
    let rules = builtin::rules().unwrap();
    let examples = rules.iter().flat_map(|rule| {
        rule.example_lines().map(|line| (rule.identifier.as_bytes().to_vec(), line.as_bytes().to_vec()))
    });
    let mut lines: Vec<_> = examples.collect();
    lines.extend(recorded_lines());
    let (set, eager) = (RuleSet::new(rules.iter().cloned()), RuleSet::eager(rules.iter().cloned()));
    let mut tried = 0;
    for (identifier, line) in
        lines.iter().step_by(11).flat_map(|(i, l)| mutations(l).into_iter().map(move |m| (i, m)))
    {
        let slow = set.find_slowly(identifier, &line).map(|rule| &rule.origin);
        for set in [&set, &eager] {
            let fast = set.find(identifier, &line).map(|rule| &rule.origin);
            assert_eq!(fast, slow, "{}", String::from_utf8_lossy(&line));
        }
        tried += 1;
    }
    assert!(tried > 10_000, "{tried}");
}

/// Who writes the lines of a rule is checked for every writer, and the table has no tool that no rule needs.
#[test]
fn every_writer_of_a_built_in_rule_is_known() {
    let rules = builtin::rules().unwrap();
    let mut writers: BTreeSet<&str> = rules.iter().map(|rule| &*rule.identifier).collect();
    // They have no program: `peripety::collector::provenance` says what makes them trusted.
    for special in ["kernel", "systemd-journald", "peripetyd"] {
        assert!(writers.remove(special), "{special}");
    }
    let tools: BTreeSet<&str> = TOOLS.iter().map(|tool| tool.identifier).collect();
    assert_eq!(tools, writers);
    for tool in TOOLS {
        assert!(
            !tool.programs.is_empty() && !tool.units.is_empty() && !tool.users.is_empty(),
            "{}",
            tool.identifier
        );
    }
    assert!(rules.iter().all(|rule| rule.writer.is_none()), "built-in rules have their writers in the table");
}

/// A crashing process may choose the beginning of a genuine kernel line: its name.
#[test]
fn a_process_name_cannot_forge_an_event() {
    let set = RuleSet::new(builtin::rules().unwrap());
    let tails = [
        "[4242]: segfault at 0 ip 000055d5 sp 00007ffe error 4 in a.out[55d5+1000] likely on CPU 0 (core 0, socket 0)",
        " (4242): drop_caches: 3",
        "[4242] general protection fault ip:55d5 sp:7ffe error:0 in a.out[55d5+1000]",
        " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    ];
    for rule in builtin::rules().unwrap() {
        for example in &rule.spec().examples {
            // TASK_COMM_LEN of include/linux/sched.h: 15 bytes.
            let name: String = example.line.chars().take(15).collect();
            for line in tails.iter().map(|tail| format!("{name}{tail}")) {
                let found = set.find(b"kernel", line.as_bytes()).map(|rule| &rule.origin);
                assert!(found.is_none(), "{line}: {found:?}");
            }
        }
    }
}

/// Recorded lines that say that something works again, and lines of the conditions that are over then, or are not.
#[test]
fn what_works_again_closes_what_failed() {
    let rules = RuleSet::new(builtin::rules().unwrap());
    let found = |(identifier, line): (&str, &str)| {
        rules
            .matched(identifier.as_bytes(), line.as_bytes())
            .unwrap_or_else(|| panic!("{identifier}: {line}"))
            .rule
    };
    let kernel = |line: &'static str| ("kernel", line);
    let multipathd = |line: &'static str| ("multipathd", line);
    let iscsid = |line: &'static str| ("iscsid", line);
    let cases = [
        (multipathd("mpatha: remaining active paths: 2"), multipathd("mpatha: remaining active paths: 0"), true),
        (multipathd("mpatha: remaining active paths: 1"), kernel("device-mapper: multipath: 253:2: Failing path 8:48."), false),
        (kernel("device-mapper: multipath: 253:2: Reinstating path 8:48."), kernel("device-mapper: multipath: 253:2: Failing path 8:48."), true),
        (multipathd("8:32: reinstated"), multipathd("sdc: mark as failed"), true),
        (kernel("nvme nvme0: Successfully reconnected (attempt 1/60)"), kernel("nvme nvme0: starting error recovery"), true),
        (kernel("nvme nvme0: Successfully reconnected (attempt 1/60)"), kernel("nvme nvme0: Reconnecting in 2 seconds..."), true),
        (kernel("nvme nvme0: Successfully reconnected (attempt 1/60)"), kernel("nvme nvme0: failed nvme_keep_alive_end_io error=10"), true),
        (iscsid("connection1:0 is operational after recovery (3 attempts)"), kernel(" connection1:0: detected conn error (1020)"), true),
        (iscsid("connection1:0 is operational after recovery (3 attempts)"), kernel(" session1: session recovery timed out after 120 secs"), true),
        (kernel("ata3.00: configured for UDMA/133"), kernel("ata3.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x0"), false),
        (kernel("md: md0: recovery done."), kernel("md/raid1:md0: Disk failure on sdb1, disabling device."), true),
        (kernel("md: md0: data-check done."), kernel("md/raid1:md0: Disk failure on sdb1, disabling device."), false),
        (kernel("md: md0: resync done."), kernel("md/raid1:md0: Disk failure on sdb1, disabling device."), false),
        (kernel("device-mapper: thin: 253:2: switching pool to write mode"), kernel("device-mapper: thin: 253:2: switching pool to out-of-data-space (error IO) mode"), true),
        (kernel("EXT4-fs (dm-0): mounted filesystem 551145f4-2842-44f4-bfb0-f174144ed904 r/w with ordered data mode. Quota mode: none."), kernel("EXT4-fs (dm-0): Remounting filesystem read-only"), true),
        (kernel("EXT4-fs (dm-0): mounted filesystem 551145f4-2842-44f4-bfb0-f174144ed904 r/w with ordered data mode. Quota mode: none."), kernel("EXT4-fs (dm-0): warning: mounting fs with errors, running e2fsck is recommended"), false),
        (kernel("EXT4-fs (dm-0): re-mounted 551145f4-2842-44f4-bfb0-f174144ed904 r/w."), kernel("EXT4-fs (dm-0): Remounting filesystem read-only"), true),
        (kernel("EXT4-fs (dm-0): re-mounted 551145f4-2842-44f4-bfb0-f174144ed904 ro."), kernel("EXT4-fs (dm-0): Remounting filesystem read-only"), false),
        (kernel("nfs: server 10.0.0.5 OK"), kernel("nfs: server 10.0.0.5 not responding, still trying"), true),
        (("systemd", "Mounted mnt-bad2.mount - /mnt/bad2."), ("systemd", "Timed out waiting for device dev-sda.device - /dev/sda."), true),
    ];
    for (again, failed, expected) in cases {
        let (rule, condition) = (found(again), found(failed));
        let closes = rule.closes.iter().any(|pattern| event_type::matches(pattern, &condition.event_type));
        assert_eq!(closes, expected, "{} closes {}", rule.event_type, condition.event_type);
    }
}

/// A line that is known by its beginning or by words of a kind is as bad as the kernel says, within bounds; other rules know better.
#[test]
fn the_kernel_s_level_counts_where_the_wording_is_unknown() {
    let set = RuleSet::new(builtin::rules().unwrap());
    let severity = |line: &str, level: Severity| {
        let rule = set.find(b"kernel", line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        rule.severity_at(level)
    };
    let catch_all = "libceph: osdc handle_map corrupt msg";
    let by_level = "mpi3mr0: expander page1 read failed";
    for line in [catch_all, by_level] {
        assert_eq!(severity(line, Severity::Info), Severity::Warning, "{line}");
        assert_eq!(severity(line, Severity::Error), Severity::Error, "{line}");
        assert_eq!(severity(line, Severity::Emergency), Severity::Critical, "{line}");
    }
    let known = "XFS (sda1): DAX unsupported by block device. Turning off DAX.";
    assert_eq!(severity(known, Severity::Alert), Severity::Notice);
    // A milder catch-all is milder on purpose.
    let mild = set.rules().find(|rule| rule.catch_all && rule.severity == Some(Severity::Info)).unwrap();
    assert_eq!(mild.severity_at(Severity::Critical), Severity::Info);
}
