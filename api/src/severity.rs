//! Severities: their order, their names, the levels of syslog.

use std::fmt;
use std::str::FromStr;

use crate::Severity;

impl Default for Severity {
    /// Routine.
    fn default() -> Self {
        Severity::Info
    }
}

impl Severity {
    /// All severities, most severe first.
    pub const ALL: [Severity; 8] = [
        Severity::Emergency,
        Severity::Alert,
        Severity::Critical,
        Severity::Error,
        Severity::Warning,
        Severity::Notice,
        Severity::Info,
        Severity::Debug,
    ];

    /// The syslog level, 0 (Emergency) to 7 (Debug).
    pub fn level(self) -> u8 {
        self as u8
    }

    /// The severity of a syslog level; `None` above 7.
    pub fn from_level(level: u8) -> Option<Self> {
        Self::ALL.get(usize::from(level)).copied()
    }

    /// The name as used in events.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Emergency => "Emergency",
            Severity::Alert => "Alert",
            Severity::Critical => "Critical",
            Severity::Error => "Error",
            Severity::Warning => "Warning",
            Severity::Notice => "Notice",
            Severity::Info => "Info",
            Severity::Debug => "Debug",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A string that is not a severity.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not a severity: use Emergency, Alert, Critical, Error, Warning, Notice, Info or Debug")]
pub struct UnknownSeverity(pub String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    /// Upper or lower case, and the short names of syslog(3).
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s.to_ascii_lowercase().as_str() {
            "emergency" | "emerg" => Severity::Emergency,
            "alert" => Severity::Alert,
            "critical" | "crit" => Severity::Critical,
            "error" | "err" => Severity::Error,
            "warning" | "warn" => Severity::Warning,
            "notice" => Severity::Notice,
            "info" => Severity::Info,
            "debug" => Severity::Debug,
            _ => return Err(UnknownSeverity(s.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ordered_and_parsed() {
        assert!(Severity::Emergency < Severity::Debug);
        for severity in Severity::ALL {
            assert_eq!(severity.name().parse::<Severity>().unwrap(), severity);
            assert_eq!(Severity::from_level(severity.level()), Some(severity));
        }
        assert_eq!("ERR".parse::<Severity>().unwrap(), Severity::Error);
        assert!("bad".parse::<Severity>().unwrap_err().to_string().contains("Warning"));
    }
}
