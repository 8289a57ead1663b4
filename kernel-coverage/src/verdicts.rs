//! What people decided about formats: `verdicts.toml`.

use std::path::Path;

use anyhow::Context;
use peripety_api::Severity;
use regex::Regex;
use serde_derive::Deserialize;

use crate::judge::Judged;

/// Why a format needs no rule.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is printed while a driver starts, or a device is set up; there is no data to lose yet.
    SetUp,
    /// A program or another part of the kernel made a wrong request.
    Misuse,
    /// It explains another line, which has a rule.
    Detail,
    /// No machine in use has the hardware, or the code is only built for development boards.
    DeadHardware,
    /// A driver logs its routine at a level that is too high.
    Routine,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Reason; 5] =
        [Reason::SetUp, Reason::Misuse, Reason::Detail, Reason::DeadHardware, Reason::Routine];

    /// As it stands in the file.
    pub fn name(self) -> &'static str {
        match self {
            Reason::SetUp => "set-up",
            Reason::Misuse => "misuse",
            Reason::Detail => "detail",
            Reason::DeadHardware => "dead-hardware",
            Reason::Routine => "routine",
        }
    }
}

/// Which formats a verdict is about: all conditions hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    files: Vec<String>,
    functions: Option<String>,
    formats: Vec<String>,
    unless: Vec<String>,
    events: Vec<String>,
    reason: Option<Reason>,
    event: Option<String>,
    severity: Option<String>,
    why: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    left_out: Vec<Table>,
    wanted: Vec<Table>,
    severity: Vec<Table>,
}

/// Which formats a verdict is about.
#[derive(Debug)]
struct Scope {
    files: Vec<String>,
    functions: Option<Regex>,
    formats: Vec<Regex>,
    unless: Vec<Regex>,
    events: Vec<String>,
}

/// An event that a format has to make.
#[derive(Debug)]
pub struct Wanted {
    scope: Scope,
    /// Its type; another one is right, too, if there is none here.
    pub event_type: Option<String>,
    /// The least severity.
    pub severity: Severity,
}

/// All verdicts.
#[derive(Debug)]
pub struct Verdicts {
    left_out: Vec<(Scope, Reason)>,
    wanted: Vec<Wanted>,
    severities: Vec<Scope>,
}

impl Scope {
    fn new(table: &Table) -> anyhow::Result<Self> {
        let regex = |pattern: &String| {
            // A pattern is searched for anywhere, in upper and lower case alike.
            Regex::new(&format!("(?i){pattern}")).with_context(|| format!("the pattern {pattern:?} is wrong"))
        };
        Ok(Scope {
            files: table.files.clone(),
            functions: table.functions.as_ref().map(regex).transpose()?,
            formats: table.formats.iter().map(regex).collect::<Result<_, _>>()?,
            unless: table.unless.iter().map(regex).collect::<Result<_, _>>()?,
            events: table.events.clone(),
        })
    }

    fn fits(&self, judged: &Judged) -> bool {
        let format = &judged.format;
        let any =
            |files: &Vec<String>| files.is_empty() || files.iter().any(|file| format.file.starts_with(file));
        any(&self.files)
            && self.functions.as_ref().is_none_or(|functions| functions.is_match(&format.function))
            && (self.events.is_empty()
                || judged.event.as_ref().is_some_and(|event| self.events.contains(&event.event_type)))
            && (self.formats.is_empty() || self.formats.iter().any(|pattern| pattern.is_match(&format.text)))
            && !self.unless.iter().any(|pattern| pattern.is_match(&format.text))
    }
}

impl Verdicts {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Verdicts::parse(&text).with_context(|| format!("{}: correct it", path.display()))
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        let left_out = |table: &Table| {
            let reason =
                table.reason.with_context(|| format!("a table [[left_out]] has no reason: {table:?}"))?;
            Ok((Scope::new(table)?, reason))
        };
        let wanted = |table: &Table| {
            let severity = table.severity.as_deref();
            let severity =
                severity.with_context(|| format!("a table [[wanted]] has no severity: {table:?}"))?;
            Ok(Wanted {
                scope: Scope::new(table)?,
                event_type: table.event.clone(),
                severity: severity.parse()?,
            })
        };
        let severity = |table: &Table| {
            table
                .why
                .as_ref()
                .with_context(|| format!("a table [[severity]] does not say why: {table:?}"))?;
            Scope::new(table)
        };
        Ok(Verdicts {
            left_out: file.left_out.iter().map(left_out).collect::<anyhow::Result<_>>()?,
            wanted: file.wanted.iter().map(wanted).collect::<anyhow::Result<_>>()?,
            severities: file.severity.iter().map(severity).collect::<anyhow::Result<_>>()?,
        })
    }

    /// Why a format needs no rule. What is wanted is never left out.
    pub fn left_out(&self, judged: &Judged) -> Option<Reason> {
        if self.wanted(judged).is_some() {
            return None;
        }
        self.left_out.iter().find(|(scope, _)| scope.fits(judged)).map(|(_, reason)| *reason)
    }

    /// The event that a format has to make.
    pub fn wanted(&self, judged: &Judged) -> Option<&Wanted> {
        self.wanted.iter().find(|wanted| wanted.scope.fits(judged))
    }

    /// Severity and level may contradict each other.
    pub fn allows(&self, judged: &Judged) -> bool {
        self.severities.iter().any(|scope| scope.fits(judged))
    }
}
