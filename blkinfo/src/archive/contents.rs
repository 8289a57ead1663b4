//! The machines that an archive or directory contains, and the lists of each.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::members::{self, ArchiveFormat, MAX_NESTED};
use super::unpack::Stream;
use crate::error::Error;
use crate::source::lists::{self, Lists};
use crate::tree::Tree;

/// Longest list that is read.
const MAX_LIST_BYTES: u64 = 64 << 20;
/// Longest note that is read.
const MAX_NOTE_BYTES: u64 = 1 << 20;
/// Directories within directories.
const MAX_DEPTH: usize = 12;
/// Machines in one input.
const MAX_MACHINES: usize = 1024;
/// Problems that are kept.
const MAX_PROBLEMS: usize = 256;
/// Directories at the top of a machine's files, which separate one machine from the next.
const TOPS: [&str; 4] = ["sos_commands", "proc", "etc", "var"];

/// What an archive or directory holds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Contents {
    /// Its path.
    pub path: PathBuf,
    /// The machines, sorted by [`Machine::root`]: the input itself comes first.
    pub machines: Vec<Machine>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl Contents {
    /// The machine with that host name or directory in the archive; without a name, the only one with known devices.
    ///
    /// # Errors
    /// [`Error::NoLists`] when no device is known, [`Error::Machine`] when there are several machines, or none is called so.
    pub fn machine(&self, host: Option<&str>) -> Result<&Machine, Error> {
        let known: Vec<&Machine> = self.machines.iter().filter(|machine| machine.has_devices()).collect();
        if known.is_empty() {
            let problem = self.problems.first().map(ToString::to_string);
            return Err(Error::NoLists { path: self.path.clone(), problem });
        }
        let wanted = known.iter().filter(|machine| host.is_none_or(|host| machine.is_called(host)));
        match wanted.collect::<Vec<_>>().as_slice() {
            [machine] => Ok(machine),
            _ => Err(Error::Machine {
                path: self.path.clone(),
                host: host.map(str::to_owned),
                machines: known.iter().map(|machine| machine.name()).collect(),
            }),
        }
    }
}

/// A file, or a line of it, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, for a member of an archive `ARCHIVE/MEMBER`.
    pub file: String,
    /// The line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| format!(", line {line}")).unwrap_or_default();
        write!(f, "{}{line}: {}", self.file, self.problem)
    }
}

/// What is known of one machine.
#[derive(Debug, Default)]
pub struct Machine {
    /// The directory or archive with all its files; within an archive `ARCHIVE/DIRECTORY`.
    pub root: String,
    /// Its host name; empty if no file contains it.
    pub hostname: String,
    /// The files that [`read`] was asked for, by the name that was given to them.
    pub notes: BTreeMap<&'static str, String>,
    lists: Lists,
}

impl Machine {
    /// Some list names its devices.
    pub fn has_devices(&self) -> bool {
        !self.lists.is_empty()
    }

    /// Its devices.
    pub fn tree(&self) -> Tree {
        self.lists.tree()
    }

    /// Devices to which lists give several identities, so that none counts.
    pub fn contradictions(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.lists.contradictions()
    }

    /// Its host name, otherwise the directory with all its files.
    pub fn name(&self) -> String {
        if self.hostname.is_empty() { &self.root } else { &self.hostname }.clone()
    }

    /// Does the name mean this machine?
    fn is_called(&self, name: &str) -> bool {
        let directory =
            self.root.strip_suffix(name).is_some_and(|above| above.is_empty() || above.ends_with('/'));
        directory || !self.hostname.is_empty() && self.hostname == name
    }
}

/// Reads the machines of an archive, a directory, or a single file with a list. `note` is called with the name of every file, and of every
/// program whose output is in a file of supportconfig: those for which it returns a name are kept as text, up to 1 MiB of a file
/// ([`Machine::notes`]).
///
/// # Errors
/// [`Error::Source`] when the path cannot be read.
pub fn read(path: &Path, note: &dyn Fn(&str) -> Option<&'static str>) -> Result<Contents, Error> {
    let failed = |source| Error::Source { path: path.to_path_buf(), source };
    let about = fs::metadata(path).map_err(failed)?;
    let base = path.display().to_string();
    let mut reading = ContentsReader {
        note,
        base: base.clone(),
        found: BTreeMap::new(),
        beside: Vec::new(),
        problems: Vec::new(),
    };
    reading.machine(&base);
    if about.is_dir() {
        fs::read_dir(path).map_err(failed)?;
        reading.directory(path, 0);
    } else if about.is_file() {
        reading.file(path, File::open(path).map_err(failed)?);
    } else {
        let kind = io::Error::new(io::ErrorKind::InvalidInput, "neither a file nor a directory");
        return Err(failed(kind));
    }
    Ok(reading.end(path))
}

/// Finds machines, by the directory or archive with all their files.
struct ContentsReader<'r> {
    note: &'r dyn Fn(&str) -> Option<&'static str>,
    base: String,
    found: BTreeMap<String, Machine>,
    /// Files outside of the directories of [`TOPS`], by the directory that contains them.
    beside: Vec<(String, Beside)>,
    problems: Vec<Problem>,
}

/// A fact about the machine whose directory contains the file.
enum Beside {
    Hostname(String),
    Note(&'static str, String),
}

impl Machine {
    fn take(&mut self, beside: Beside) {
        match beside {
            Beside::Hostname(hostname) => self.hostname = hostname,
            Beside::Note(note, text) => drop(self.notes.insert(note, text)),
        }
    }
}

/// What a file is read for.
enum Role {
    List,
    Hostname,
    Note(&'static str),
}

impl ContentsReader<'_> {
    fn machine(&mut self, root: &str) -> Option<&mut Machine> {
        if !self.found.contains_key(root) {
            let fits = self.found.len() < MAX_MACHINES;
            fits.then(|| {
                let machine = Machine { root: root.to_owned(), ..Machine::default() };
                self.found.insert(root.to_owned(), machine)
            })?;
        }
        self.found.get_mut(root)
    }

    fn problem(&mut self, file: &str, line: Option<usize>, problem: impl fmt::Display) {
        if self.problems.len() < MAX_PROBLEMS {
            let problem = problem.to_string();
            self.problems.push(Problem { file: file.to_owned(), line, problem });
        }
    }

    fn directory(&mut self, path: &Path, depth: usize) {
        let mut paths: Vec<_> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Ok(about) = fs::symlink_metadata(&path) else { continue };
            let name = path.display().to_string();
            if about.is_dir() && depth < MAX_DEPTH {
                self.directory(&path, depth + 1);
            } else if about.is_file() {
                match File::open(&path) {
                    Ok(file) => self.stream(&name, &file, Some(&file), 0),
                    Err(e) => self.problem(&name, None, e),
                }
            }
        }
    }

    /// A file by itself: an archive, or a list.
    fn file(&mut self, path: &Path, file: File) {
        let name = path.display().to_string();
        self.stream(&name, &file, Some(&file), 0);
    }

    fn members(
        &mut self,
        name: &str,
        format: ArchiveFormat,
        stream: Stream<'_>,
        file: Option<&File>,
        depth: usize,
    ) {
        let read = members::members(format, stream, file, &mut |member, input| {
            self.stream(&format!("{name}/{}", member.name), input, None, depth + 1);
            true
        });
        if let Err(e) = read {
            self.problem(name, None, e);
        }
    }

    fn stream(&mut self, name: &str, input: impl Read, file: Option<&File>, depth: usize) {
        let stream = match Stream::open(input) {
            Ok(stream) => stream,
            Err(e) => return self.problem(name, None, e),
        };
        match ArchiveFormat::of(&stream.begin) {
            Some(format) if depth < MAX_NESTED => self.members(name, format, stream, file, depth),
            Some(_) => {
                self.problem(name, None, "archives nested too deeply; unpack it, and name the directory")
            }
            None => {
                if let Some(kind) = self.kind(name, &stream.begin) {
                    self.take(name, kind, stream.whole());
                }
            }
        }
    }

    fn kind(&self, name: &str, begin: &[u8]) -> Option<Role> {
        let file = file_name(name);
        let stem = file.strip_suffix(".txt").unwrap_or(file);
        if stem.eq_ignore_ascii_case("hostname") {
            return Some(Role::Hostname);
        }
        let note = (self.note)(name).map(Role::Note);
        note.or_else(|| lists::is_list(file, begin).then_some(Role::List))
    }

    fn take(&mut self, name: &str, kind: Role, input: impl Read) {
        let most = if matches!(kind, Role::List) { MAX_LIST_BYTES } else { MAX_NOTE_BYTES };
        let mut bytes = Vec::new();
        let read = input.take(most + 1).read_to_end(&mut bytes);
        if let Err(e) = read {
            self.problem(name, None, e);
        }
        if bytes.len() as u64 > most {
            bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            self.problem(name, None, format_args!("longer than {} MiB; the rest is not read", most >> 20));
        }
        let text = String::from_utf8_lossy(&bytes);
        let (base, note) = (self.base.clone(), self.note);
        let Some(machine) = self.machine(root(&base, name)) else {
            return self.problem(
                name,
                None,
                format_args!("more than {MAX_MACHINES} machines; this one is left out"),
            );
        };
        match kind {
            Role::List => {
                let problems = machine.lists.take(file_name(name), &text);
                for (program, output) in lists::programs(&text) {
                    match note(program) {
                        _ if program == "hostname" => machine.take(Beside::Hostname(first_line(output))),
                        Some(note) => machine.take(Beside::Note(note, output.to_owned())),
                        None => {}
                    }
                }
                problems.into_iter().for_each(|(line, problem)| self.problem(name, Some(line), problem));
            }
            Role::Hostname => self.beside(name, Beside::Hostname(first_line(&text))),
            Role::Note(note) => self.beside(name, Beside::Note(note, text.into_owned())),
        }
    }

    /// A file outside of the directories of [`TOPS`] belongs to the machine whose directory contains it, if there is one.
    fn beside(&mut self, name: &str, beside: Beside) {
        let base = self.base.clone();
        let place = root(&base, name);
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        if place != base || directory == base {
            if let Some(machine) = self.machine(place) {
                machine.take(beside);
            }
        } else if self.beside.len() < MAX_MACHINES {
            self.beside.push((directory.to_owned(), beside));
        }
    }

    fn end(mut self, path: &Path) -> Contents {
        for (directory, beside) in std::mem::take(&mut self.beside) {
            let place = if self.found.contains_key(&directory) { directory } else { self.base.clone() };
            if let Some(machine) = self.machine(&place) {
                machine.take(beside);
            }
        }
        let mut machines: Vec<Machine> = std::mem::take(&mut self.found).into_values().collect();
        for machine in &mut machines {
            machine.lists.settle();
            if machine.lists.is_full() {
                let root = machine.root.clone();
                self.problem(&root, None, "its lists have more data than is kept; the last data are omitted");
            }
        }
        Contents { path: path.to_path_buf(), machines, problems: self.problems }
    }
}

fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().to_owned()
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The directory or archive with all files of the machine that a file belongs to.
fn root<'n>(base: &'n str, name: &'n str) -> &'n str {
    let inside = name.get(base.len()..).unwrap_or_default();
    let mut at = base.len();
    for part in inside.split_inclusive('/') {
        if TOPS.contains(&part.trim_end_matches('/')) && part.ends_with('/') {
            return name.get(..at).unwrap_or(base).trim_end_matches('/');
        }
        at += part.len();
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_its_place() {
        for (base, name, place) in [
            ("case", "case/sos-a/sos_commands/block/lsblk", "case/sos-a"),
            ("case", "case/proc/mounts", "case"),
            ("case", "case/lists/lsblk.txt", "case"),
            ("/var/x", "/var/x/lsblk", "/var/x"),
            ("a.zip/b.tar", "a.zip/b.tar/sos/proc/uptime", "a.zip/b.tar/sos"),
        ] {
            assert_eq!(root(base, name), place, "{name}");
        }
    }
}
