//! What tools print about devices, and who printed it.
//!
//! A text is recognised by its first lines, which only that tool prints; a command that is named beside it (by the name that
//! sosreport gives a file, by a heading in supportconfig, by the prompt before it) is asked first. Each tool takes lines of
//! its own form only, so that what stands between them does no harm.

mod attributes;
mod blkid;
mod dmsetup;
mod iscsi;
mod links;
mod lsblk;
mod lsblk_tree;
mod lsscsi;
mod lvm_report;
mod lvs;
mod md;
mod mounts;
mod multipath;
mod nvme;
mod nvme_subsys;
mod partitions;
mod smartctl;
mod udev;

use super::devices::ListedDevices;
use super::log_line;

/// Lines by which a text is recognised.
const FIRST: usize = 12;

/// One tool.
struct Tool {
    /// Words of its command, one of which is in it.
    commands: &'static [&'static str],
    /// Only the tool begins a line so.
    prints: fn(&str) -> bool,
    /// Takes what it printed; the command may name the device.
    take: fn(&mut ListedDevices, &str, &str),
}

const TOOLS: [Tool; 18] = [
    Tool { commands: &["lsblk"], prints: lsblk::prints, take: lsblk::take },
    Tool { commands: &["lsblk"], prints: lsblk_tree::prints, take: lsblk_tree::take },
    Tool { commands: &["udevadm"], prints: attributes::prints, take: attributes::take },
    Tool { commands: &["udevadm", "export-db", "udev-db"], prints: udev::prints, take: udev::take },
    Tool { commands: &["multipath", "multipathd"], prints: multipath::prints, take: multipath::take },
    Tool { commands: &["lsscsi"], prints: lsscsi::prints, take: lsscsi::take },
    Tool { commands: &["dmsetup"], prints: dmsetup::prints, take: dmsetup::take },
    Tool { commands: &["ls"], prints: links::prints, take: links::take },
    Tool { commands: &["blkid"], prints: blkid::prints, take: blkid::take },
    Tool { commands: &["lvm", "fullreport", "lvs"], prints: lvm_report::prints, take: lvm_report::take },
    Tool { commands: &["lvs"], prints: lvs::prints, take: lvs::take },
    Tool { commands: &["iscsiadm"], prints: iscsi::prints, take: iscsi::take },
    Tool { commands: &["partitions"], prints: partitions::prints, take: partitions::take },
    Tool { commands: &["scsi"], prints: partitions::prints_scsi, take: partitions::take_scsi },
    Tool { commands: &["nvme"], prints: nvme::prints, take: nvme::take },
    Tool { commands: &["mdstat", "mdadm"], prints: md::prints, take: md::take },
    Tool { commands: &["smartctl"], prints: smartctl::prints, take: smartctl::take },
    Tool {
        commands: &["mount", "mounts", "mountinfo", "mtab", "findmnt", "df", "swaps", "swapon"],
        prints: mounts::prints,
        take: mounts::take,
    },
];

/// Some part of a text is what a tool printed: one that stands under its command, or one that begins as some tool's output does and
/// has no line of a log in it, which may quote a tool.
pub fn is_list(text: &str) -> bool {
    let json = || text.trim_start().starts_with('{') && (lsblk::is_json(text) || nvme::is_json(text));
    json() || text.contains(SUPPORTCONFIG) || sections(text).any(|section| tool_of(&section, "").is_some())
}

/// A command's name is one of a tool that lists devices.
pub fn is_command(command: &str) -> bool {
    TOOLS.iter().any(|tool| tool.is_named(command))
}

/// Reads the output of tools. `command`: the file name, which may name the command.
pub fn take(devices: &mut ListedDevices, command: &str, text: &str) {
    for section in sections(text) {
        devices.begin(section.line);
        if let Some(tool) = tool_of(&section, command) {
            let command = if section.command.is_empty() { command } else { section.command };
            (tool.take)(devices, command, section.text);
        }
    }
}

/// The tool that printed a part of a text. `command`: that of the text as a whole.
fn tool_of(section: &Section<'_>, command: &str) -> Option<&'static Tool> {
    let command = if section.command.is_empty() { command } else { section.command };
    let named =
        TOOLS.iter().find(|tool| tool.is_named(command) && tool.prints_first(section.text, usize::MAX));
    let is_log = || !is_command(command) && log_line::is_in(section.text);
    named.or_else(|| by_lines(section.text).filter(|_| !is_log()))
}

/// The tool by what it prints first.
fn by_lines(text: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.prints_first(text, FIRST))
}

impl Tool {
    fn is_named(&self, command: &str) -> bool {
        // Of a command with arguments, the program; sosreport joins them in the name of a file.
        let program = command.split([' ', '\t']).next().unwrap_or_default();
        let words = || program.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        self.commands.iter().any(|name| words().any(|word| word == *name))
    }

    fn prints_first(&self, text: &str, lines: usize) -> bool {
        text.lines().filter(|line| !line.trim().is_empty()).take(lines).any(self.prints)
    }
}

/// What begins the heading of each part of a file of supportconfig.
pub const SUPPORTCONFIG: &str = "#==[ ";

/// The parts of a text that several commands printed, each with its command: supportconfig heads them with `#==[ Command ]`
/// and `# /sbin/multipath -ll`, pvereport with `# lsblk`; a terminal has a prompt.
pub fn sections(text: &str) -> impl Iterator<Item = Section<'_>> {
    let mut rest = Some(Section { line: 1, command: "", text });
    std::iter::from_fn(move || {
        let section = rest.take()?;
        let mut at = 0;
        for (line, number) in section.text.split_inclusive('\n').zip(section.line..) {
            if let Some(command) = heading(line) {
                let behind = section.text.get(at + line.len()..).unwrap_or_default();
                rest = Some(Section { line: number + 1, command, text: behind });
                return Some(Section { text: section.text.get(..at).unwrap_or_default(), ..section });
            }
            at += line.len();
        }
        Some(section)
    })
}

/// What one command printed.
pub struct Section<'t> {
    /// The number of its first line, from 1.
    pub line: usize,
    /// Empty where no heading names it.
    pub command: &'t str,
    /// Its output.
    pub text: &'t str,
}

/// The command that a line names, if it is a heading; empty where it heads something else.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim_end();
    if line.starts_with(SUPPORTCONFIG) {
        return Some("");
    }
    // A crash report of apport.
    if line == "UdevDb:" {
        return Some("udevadm info --export-db");
    }
    let command = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        // [root@host ~]# multipath -ll
        Some((prompt, rest)) if prompt.contains('@') => rest.trim_start_matches(['#', '$']),
        _ => line.strip_prefix("# ").or_else(|| line.strip_prefix("$ ")).or_else(|| {
            // root@host:~# multipath -ll
            let (prompt, rest) = line.split_once("# ").or_else(|| line.split_once("$ "))?;
            (prompt.contains('@') && !prompt.contains(' ')).then_some(rest)
        })?,
    };
    let command = command.trim().trim_start_matches("sudo ");
    // The kernel's own lists are shown by their names.
    Some(command.strip_prefix("cat ").or(command.strip_prefix("/bin/cat ")).unwrap_or(command))
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::Lists;
    use crate::{BlockInfo, Tree};

    /// The machine that texts, each with its command, describe.
    pub fn tree(texts: &[(&str, &str)]) -> Tree {
        let mut lists = Lists::default();
        texts.iter().for_each(|(command, text)| drop(lists.take(command, text)));
        lists.settle();
        lists.tree()
    }

    /// A device that texts, each with its command, describe.
    pub fn block(texts: &[(&str, &str)], kname: &str) -> Option<BlockInfo> {
        tree(texts).list_all().unwrap().into_iter().find(|block| block.kdev == kname)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_commands_in_one_text() {
        let text = "#==[ Command ]======================================#\n# /sbin/multipath -ll\n\
            mpatha (36001405abea000100000000000000000) dm-0 LIO-ORG,FILEIO\nsize=100M\n`- 3:0:0:0 sda 8:0 active ready running\n\n\
            #==[ Command ]======================================#\n# /sbin/dmsetup ls --tree\nvg-lv (253:1)\n `-mpatha (253:0)\n    `- (8:0)\n\
            [root@host ~]# lsscsi\n[2:0:0:9]    disk    LIO-ORG  FILEIO           4.0   /dev/sdz \n";
        let commands: Vec<&str> = sections(text).map(|section| section.command).collect();
        assert_eq!(commands, ["", "", "/sbin/multipath -ll", "", "/sbin/dmsetup ls --tree", "lsscsi"]);
        assert!(is_list(text));
        let volume = testing::block(&[("mpio.txt", text)], "dm-1").unwrap();
        assert_eq!(volume.owners_paths(), ["/dev/mapper/mpatha", "/dev/sda"]);
        assert_eq!(testing::block(&[("", text)], "sdz").unwrap().address.as_deref(), Some("2:0:0:9"));
    }

    #[test]
    fn a_list_is_found_wherever_it_stands() {
        let map = "mpatha (36001405abea000100000000000000000) dm-6 LIO-ORG,FILEIO\n`- 3:0:0:0 sda 8:0 active ready running\n";
        let log = "May 06 08:00:05 host1 multipathd[812]: path checkers start up\n";
        let warning = "Aug 30 05:09:18 | 65:16: cannot find block device\n";
        for text in [
            // supportconfig: a log before the list, and warnings of the tool itself.
            format!("#==[ Command ]===#\n# /usr/bin/systemctl status multipathd.service\n{log}\n#==[ Command ]===#\n# /sbin/multipath -ll\n{warning}{map}"),
            format!("# /sbin/multipath -ll\n{}{map}", warning.repeat(40)),
            // pvereport: everything in one file.
            format!("==== info about storage ====\n\n# multipath -ll\n{map}\n# dmesg\n{log}"),
            format!("{log}root@host:~# multipath -ll\n{map}"),
            format!("{warning}{map}"),
        ] {
            assert!(is_list(&text), "{text}");
            assert_eq!(testing::block(&[("x.txt", &text)], "dm-6").unwrap().slaves, ["sda"], "{text}");
        }
        assert!(
            !is_list(&format!("{map}{log}"))
                && testing::block(&[("x.txt", &format!("{map}{log}"))], "dm-6").is_none()
        );
    }

    #[test]
    fn logs_and_texts_are_no_lists() {
        for text in [
            "Nov 24 12:00:00 host multipathd[1]: mpatha (3600) dm-0 IBM,2145\n",
            "[    1.000000] sd 2:0:0:1: [sdb] Attached SCSI disk\n",
            "To see the devices, call lsblk or multipath -ll.\n",
            "NAME=value\nOTHER=value\n",
            "a: b\n",
            "",
        ] {
            assert!(!is_list(text), "{text}");
        }
    }
}
