//! The example program `blk` under strace(1).

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// Calls of all threads that name a file, and ioctl; where open directories lie; bytes in hexadecimal; the other calls at full
/// speed.
const STRACE: [&str; 6] = ["-f", "-y", "--seccomp-bpf", "-xx", "-e", "trace=%file,ioctl"];

/// A call that names a file, or an ioctl, as strace showed it.
pub struct Call {
    pub name: String,
    pub path: Option<String>,
    pub line: String,
}

impl Call {
    /// `1234 openat(AT_FDCWD, "\x2f…", O_RDONLY) = 3`, or with an open directory `openat(3<\x2f…>, "\x64…", O_RDONLY)`. Lines about signals and exits are no calls; of a call in two lines
    /// the first one has the path.
    pub fn parse(line: &str) -> Option<Self> {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let (name, arguments) = call.split_once('(')?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        let path = arguments.split('"').nth(1).map(from_hex);
        let within = |name: String| match directory(arguments) {
            Some(directory) if !name.is_empty() => {
                Path::new(&directory).join(name).to_string_lossy().into_owned()
            }
            _ => name,
        };
        Some(Self { name: name.to_owned(), path: path.map(within), line: line.to_owned() })
    }

    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }
}

/// The open directory with which the arguments of a call begin.
fn directory(arguments: &str) -> Option<String> {
    let (number, rest) = arguments.split_once('<')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| rest.split_once('>').map(|(path, _)| from_hex(path)))?
}

/// With `-xx`, strace writes every byte as `\xNN`.
fn from_hex(text: &str) -> String {
    let bytes = text.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap());
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// The example program beside this test's own.
fn blk() -> PathBuf {
    let own = env::current_exe().unwrap();
    let program = own.parent().and_then(Path::parent).unwrap().join("examples/blk");
    assert!(
        program.exists(),
        "{} is missing: run \"cargo build -p peripety-blkinfo --example blk\" first",
        program.display()
    );
    program
}

/// Runs `blk` under strace: what it answered, and its calls.
pub fn traced(scratch: &Path, arguments: &[&str]) -> (Output, Vec<Call>) {
    let trace = scratch.join("trace");
    let output = Command::new("strace")
        .args(STRACE)
        .arg("-o")
        .args([&trace, &blk()])
        .args(arguments)
        .output()
        .unwrap();
    let calls = String::from_utf8_lossy(&fs::read(&trace).unwrap()).lines().filter_map(Call::parse).collect();
    (output, calls)
}

/// Why strace cannot be used here.
pub fn obstacle() -> Option<String> {
    match Command::new("strace").args(STRACE).args(["-o", "/dev/null", "true"]).output() {
        Err(error) => Some(format!("strace cannot be run: {error}")),
        Ok(output) if !output.status.success() => {
            let text = String::from_utf8_lossy(&output.stderr);
            Some(format!("strace does not work: {}", text.lines().next().unwrap_or_default()))
        }
        Ok(_) => None,
    }
}
