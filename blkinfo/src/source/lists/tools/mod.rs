//! What tools print about devices, and who printed it.
//!
//! A text is recognised by its first lines, which only that tool prints; a command that is named beside it (by the name that
//! sosreport gives a file, by a heading in supportconfig, by the prompt before it) is asked first. Each tool takes lines of
//! its own form only, so that what stands between them does no harm.

mod blkid;
mod dmsetup;
mod links;
mod lsblk;
mod lsblk_tree;
mod lsscsi;
mod lvs;
mod md;
mod mounts;
mod multipath;
mod nvme;
mod smartctl;
mod udev;

use super::devices::Devices;

/// Lines by which a text is recognised.
const FIRST: usize = 12;

/// One tool.
struct Tool {
    /// Words of its command, one of which is in it.
    commands: &'static [&'static str],
    /// Only the tool begins a line so.
    prints: fn(&str) -> bool,
    /// Takes what it printed; the command may name the device.
    take: fn(&mut Devices, &str, &str),
}

const TOOLS: [Tool; 13] = [
    Tool { commands: &["lsblk"], prints: lsblk::prints, take: lsblk::take },
    Tool { commands: &["lsblk"], prints: lsblk_tree::prints, take: lsblk_tree::take },
    Tool { commands: &["udevadm", "export-db", "udev-db"], prints: udev::prints, take: udev::take },
    Tool { commands: &["multipath", "multipathd"], prints: multipath::prints, take: multipath::take },
    Tool { commands: &["lsscsi"], prints: lsscsi::prints, take: lsscsi::take },
    Tool { commands: &["dmsetup"], prints: dmsetup::prints, take: dmsetup::take },
    Tool { commands: &["ls"], prints: links::prints, take: links::take },
    Tool { commands: &["blkid"], prints: blkid::prints, take: blkid::take },
    Tool { commands: &["lvs"], prints: lvs::prints, take: lvs::take },
    Tool { commands: &["nvme"], prints: nvme::prints, take: nvme::take },
    Tool { commands: &["mdstat", "mdadm"], prints: md::prints, take: md::take },
    Tool { commands: &["smartctl"], prints: smartctl::prints, take: smartctl::take },
    Tool {
        commands: &["mount", "mounts", "mountinfo", "mtab", "findmnt", "df"],
        prints: mounts::prints,
        take: mounts::take,
    },
];

/// A text begins as some tool's output does.
pub fn is_list(text: &str) -> bool {
    let json = || text.trim_start().starts_with('{') && (lsblk::is_json(text) || nvme::is_json(text));
    json() || sections(text).any(|section| by_lines(section.text).is_some())
}

/// A command's name is one of a tool that lists devices.
pub fn is_command(command: &str) -> bool {
    TOOLS.iter().any(|tool| tool.is_named(command))
}

/// Takes in what tools printed. `command`: what the text's name says of where it comes from.
pub fn take(devices: &mut Devices, command: &str, text: &str) {
    for Section { line, command: heading, text } in sections(text) {
        devices.begin(line);
        let command = if heading.is_empty() { command } else { heading };
        let named =
            || TOOLS.iter().find(|tool| tool.is_named(command) && tool.prints_first(text, usize::MAX));
        if let Some(tool) = by_lines(text).or_else(named) {
            (tool.take)(devices, command, text);
        }
    }
}

/// The tool by what it prints first.
fn by_lines(text: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.prints_first(text, FIRST))
}

impl Tool {
    fn is_named(&self, command: &str) -> bool {
        let words = || command.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        self.commands.iter().any(|name| words().any(|word| word == *name))
    }

    fn prints_first(&self, text: &str, lines: usize) -> bool {
        text.lines().filter(|line| !line.trim().is_empty()).take(lines).any(self.prints)
    }
}

/// The parts of a text that several commands printed, each with its command: supportconfig heads them with `#==[ Command ]`
/// and `# /sbin/multipath -ll`; a terminal has a prompt.
fn sections(text: &str) -> impl Iterator<Item = Section<'_>> {
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
struct Section<'t> {
    /// The number of its first line, from 1.
    line: usize,
    /// Empty where no heading names it.
    command: &'t str,
    text: &'t str,
}

/// The command that a line names, if it is a heading.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim();
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
    let program = command.split_whitespace().next()?;
    // The kernel's own lists are shown by their names.
    let program = if program == "cat" { command } else { program };
    is_command(program).then_some(command)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod testing {
    use super::super::Lists;
    use crate::{BlockInfo, Tree};

    /// The machine of which texts, each with its command, tell.
    pub fn tree(texts: &[(&str, &str)]) -> Tree {
        let mut lists = Lists::default();
        texts.iter().for_each(|(command, text)| drop(lists.take(command, text)));
        lists.settle();
        lists.tree()
    }

    /// What texts, each with its command, say of a device.
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
        assert_eq!(commands, ["", "/sbin/multipath -ll", "/sbin/dmsetup ls --tree", "lsscsi"]);
        assert!(is_list(text));
        let volume = testing::block(&[("mpio.txt", text)], "dm-1").unwrap();
        assert_eq!(volume.owners_paths(), ["/dev/mapper/mpatha", "/dev/sda"]);
        assert_eq!(testing::block(&[("", text)], "sdz").unwrap().address.as_deref(), Some("2:0:0:9"));
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
