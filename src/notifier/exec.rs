//! `exec`: runs a program for every event. docs/notifiers.md describes its environment.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::program::{Outcome, Program};
use super::{Inbox, Item, Notifier, RunFuture, SettingsError};
use crate::bus::Published;
use crate::event::StorageEvent;
use peripety_api::sanitize::visible;

/// Default time limit of a program, in seconds.
const DEFAULT_TIMEOUT: u64 = 30;
/// The most that can be set.
const MAX_TIMEOUT: u64 = 3600;
/// Longest value of a variable of the environment, bytes. execve(2) takes 128 KiB.
const MAX_VALUE: usize = 4096;
/// Exit status of a program that will never accept this event (sysexits.h: EX_DATAERR).
const REFUSED: i32 = 65;

/// The settings.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// Absolute path of the program.
    #[serde(deserialize_with = "program")]
    program: PathBuf,
    /// Its arguments, as they are.
    #[serde(default, deserialize_with = "arguments")]
    arguments: Vec<String>,
    /// Time limit.
    #[serde(default = "default_timeout", deserialize_with = "timeout")]
    timeout_seconds: u64,
}

fn default_timeout() -> u64 {
    DEFAULT_TIMEOUT
}

fn fault<E: Error>(message: String, remedy: &str) -> E {
    E::custom(SettingsError { message, remedy: remedy.to_owned() })
}

fn program<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = String::deserialize(deserializer)?;
    match path.starts_with('/') && !path.contains('\0') {
        true => Ok(path.into()),
        false => Err(fault(
            format!("{path:?} is not an absolute path"),
            "write the full path of the program: no shell is used, and PATH is not searched",
        )),
    }
}

fn arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let arguments = Vec::<String>::deserialize(deserializer)?;
    match arguments.iter().find(|argument| argument.contains('\0')) {
        None => Ok(arguments),
        Some(argument) => Err(fault(
            format!("the argument {argument:?} contains a NUL"),
            "take the NUL out: no program can be given one",
        )),
    }
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        seconds @ 1..=MAX_TIMEOUT => Ok(seconds),
        seconds => Err(fault(
            format!("timeout_seconds is {seconds}"),
            &format!("write a number from 1 to {MAX_TIMEOUT}"),
        )),
    }
}

impl Notifier for Exec {
    fn check(&self) -> Vec<SettingsError> {
        let path = self.program.display();
        let fault =
            |message: String, remedy: &str| vec![SettingsError { message, remedy: remedy.to_owned() }];
        match std::fs::metadata(&self.program) {
            Err(e) => fault(format!("cannot use the program {path}: {e}"), "install it, or correct its path"),
            Ok(meta) if !meta.is_file() => {
                fault(format!("the program {path} is not a file"), "correct its path")
            }
            Ok(meta) if meta.permissions().mode() & 0o111 == 0 => {
                fault(format!("the program {path} is not executable"), &format!("chmod +x {path}"))
            }
            Ok(_) => Vec::new(),
        }
    }

    fn run<'a>(&'a self, inbox: &'a mut Inbox) -> RunFuture<'a> {
        Box::pin(self.deliver_all(inbox))
    }
}

/// Why an attempt failed.
enum AttemptError {
    /// It may work later.
    Later(String),
    /// It never will.
    Never(String),
}

impl Exec {
    async fn deliver_all(&self, inbox: &mut Inbox) -> Result<(), String> {
        while let Some(item) = inbox.next().await {
            match item {
                Item::Lost(_) => inbox.delivered().await,
                Item::Event(event) => {
                    if !self.deliver(&event, inbox).await {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs the program until it accepts the event. Returns false if the notifier must stop.
    async fn deliver(&self, event: &Published, inbox: &mut Inbox) -> bool {
        for attempt in 1.. {
            match self.attempt(event, attempt, inbox).await {
                Ok(()) => {
                    inbox.delivered().await;
                    break;
                }
                Err(AttemptError::Never(why)) => {
                    inbox.refused(&why).await;
                    break;
                }
                Err(AttemptError::Later(why)) => {
                    if !inbox.failed(&why, attempt).await {
                        return false;
                    }
                }
            }
        }
        true
    }

    async fn attempt(&self, event: &Published, attempt: u32, inbox: &Inbox) -> Result<(), AttemptError> {
        let path = self.program.display();
        let limit = Duration::from_secs(self.timeout_seconds);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(environment(&event.event, inbox.name(), attempt));
        let failed = |e| AttemptError::Later(format!("cannot run {path}: {e}"));
        let mut starting = std::pin::pin!(Program::start(command));
        let program = match tokio::time::timeout(limit, &mut starting).await {
            Ok(started) => started,
            Err(_) => {
                inbox.report(&format!(
                    "{path} is not started after {} s: the file system that it lies on hangs",
                    limit.as_secs()
                ));
                // A second one would hang as well.
                starting.await
            }
        };
        let mut input = event.json().to_vec();
        input.push(b'\n');
        let (outcome, said) = program.map_err(failed)?.finish(&input, limit).await.map_err(failed)?;
        let said = if said.is_empty() { String::new() } else { format!("; it printed: {said}") };
        match outcome {
            Outcome::Ended(status) if status.success() => Ok(()),
            Outcome::Ended(status) if status.code() == Some(REFUSED) => {
                Err(AttemptError::Never(format!("{path} refused an event ({status}){said}")))
            }
            Outcome::Ended(status) => Err(AttemptError::Later(format!("{path} failed ({status}){said}"))),
            Outcome::TimedOut => Err(AttemptError::Later(format!(
                "{path} did not end within {} s and was killed{said}",
                limit.as_secs()
            ))),
        }
    }
}

/// The environment of the program. Texts of logs and devices are made visible and bounded: the standard input has them as
/// they are.
fn environment(event: &StorageEvent, name: &str, attempt: u32) -> Vec<(&'static str, OsString)> {
    let text = |text: &str| Some(OsString::from(value(text)));
    let optional = |text: &Option<String>| text.as_deref().map(|text| OsString::from(value(text)));
    let variables = [
        ("PATH", text("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")),
        ("LANG", text("C.UTF-8")),
        ("PERIPETY_NOTIFIER", text(name)),
        ("PERIPETY_ITEM", text("event")),
        ("PERIPETY_ATTEMPT", text(&attempt.to_string())),
        ("PERIPETY_EVENT_ID", text(&event.event_id)),
        ("PERIPETY_EVENT_TYPE", text(&event.event_type)),
        ("PERIPETY_SEVERITY", text(event.severity.name())),
        ("PERIPETY_PRIORITY", text(&event.severity.level().to_string())),
        ("PERIPETY_SUB_SYSTEM", text(&event.sub_system)),
        ("PERIPETY_TIMESTAMP", text(&event.timestamp.to_string())),
        ("PERIPETY_HOSTNAME", text(&event.hostname)),
        ("PERIPETY_DEV_WWID", optional(&event.dev_wwid)),
        ("PERIPETY_DEV_PATH", optional(&event.dev_path)),
        ("PERIPETY_KDEV", optional(&event.kdev)),
        ("PERIPETY_MOUNT_POINT", optional(&event.extension.get("mount_point").cloned())),
        ("PERIPETY_MSG", text(&event.msg)),
        ("PERIPETY_REPEAT_COUNT", text(&event.repeat_count.to_string())),
        ("PERIPETY_ROOT_CAUSE_EVENT_ID", optional(&event.root_cause_event_id)),
    ];
    variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A text as the value of a variable: without control characters, and not too long.
fn value(text: &str) -> String {
    const CUT: &str = "…";
    let mut text = visible(text).into_owned();
    if text.len() > MAX_VALUE {
        let end = (0..=MAX_VALUE - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_visible_and_bounded() {
        assert_eq!(value("a\0b\r\nc\u{202e}d"), "a\\x00b\\r\\nc\\u{202e}d");
        for text in ["ä".repeat(40_000), "\n".repeat(MAX_VALUE), "x".repeat(MAX_VALUE + 1)] {
            let value = value(&text);
            assert!(value.len() <= MAX_VALUE && value.len() > MAX_VALUE - 8 && value.ends_with('…'));
        }
        assert_eq!(value(&"x".repeat(MAX_VALUE)).len(), MAX_VALUE);
    }

    #[test]
    fn settings_are_checked() {
        let read = |text: &str| toml::from_str::<Exec>(text).map_err(|e| e.message().to_owned());
        let exec = read("program = \"/bin/true\"").unwrap();
        assert_eq!((exec.timeout_seconds, exec.arguments.len()), (DEFAULT_TIMEOUT, 0));
        assert!(exec.check().is_empty());
        for text in [
            "program = \"true\"",
            "program = \"/bin/\\u0000true\"",
            "program = \"/bin/true\"\ntimeout_seconds = 0",
            "program = \"/bin/true\"\ntimeout_seconds = 3601",
            "program = \"/bin/true\"\narguments = [\"a\\u0000\"]",
        ] {
            assert!(read(text).unwrap_err().contains("; "), "{text}");
        }
        for path in ["/nonexistent", "/", "/etc/passwd"] {
            let exec = read(&format!("program = \"{path}\"")).unwrap();
            assert!(exec.check().iter().any(|fault| fault.message.contains(path)), "{path}");
        }
    }
}
