//! The values of a rule, from the table of a file or from a packed record.

use toml::Spanned;

use super::packed::{PackedReader, PackedWriter};
use super::spec::RuleSpec;

/// What a rule consists of, apart from its regexes and examples. The keys are those of [`RuleSpec`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values<'t> {
    /// See [`RuleSpec::catch_all`].
    pub catch_all: bool,
    /// See [`RuleSpec::by_level`].
    pub by_level: bool,
    /// See [`RuleSpec::starts_with`].
    pub starts_with: Option<&'t str>,
    /// See [`RuleSpec::sub_system`].
    pub sub_system: Option<&'t str>,
    /// See [`RuleSpec::event_type`].
    pub event_type: Option<&'t str>,
    /// See [`RuleSpec::severity`].
    pub severity: Option<&'t str>,
    /// See [`RuleSpec::storage_severity`].
    pub storage_severity: Option<&'t str>,
    /// See [`RuleSpec::identifier`].
    pub identifier: Option<&'t str>,
    /// See [`RuleSpec::user`].
    pub user: Option<&'t str>,
    /// See [`RuleSpec::device`].
    pub device: Option<&'t str>,
    /// See [`RuleSpec::group`].
    pub group: Option<&'t str>,
    /// See [`RuleSpec::part`].
    pub part: Option<&'t str>,
    /// See [`RuleSpec::clears`].
    pub closes: Vec<&'t str>,
    /// See [`RuleSpec::programs`].
    pub programs: Vec<&'t str>,
    /// See [`RuleSpec::units`].
    pub units: Vec<&'t str>,
    /// See [`RuleSpec::follows`].
    pub follows: Vec<&'t str>,
}

impl<'t> Values<'t> {
    /// Those of a table.
    pub fn of(spec: &'t RuleSpec) -> Self {
        let word = |word: &'t Option<Spanned<String>>| word.as_ref().map(|word| word.get_ref().as_str());
        let list = |texts: &'t [String]| texts.iter().map(String::as_str).collect();
        Values {
            catch_all: spec.catch_all,
            by_level: spec.by_level,
            starts_with: spec.starts_with.as_deref(),
            sub_system: spec.sub_system.as_deref(),
            event_type: spec.event_type.as_deref(),
            severity: word(&spec.severity),
            storage_severity: word(&spec.storage_severity),
            identifier: spec.identifier.as_deref(),
            user: word(&spec.user),
            device: word(&spec.device),
            group: spec.group.as_deref(),
            part: spec.part.as_deref(),
            closes: list(&spec.clears),
            programs: list(&spec.programs),
            units: list(&spec.units),
            follows: list(&spec.follows),
        }
    }

    /// The table without its regexes and examples, and without the locations of the values.
    pub fn spec(&self, regex: &str) -> RuleSpec {
        let placed = |text: &str| Spanned::new(0..0, text.to_owned());
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        RuleSpec {
            catch_all: self.catch_all,
            by_level: self.by_level,
            starts_with: owned(self.starts_with),
            sub_system: owned(self.sub_system),
            event_type: owned(self.event_type),
            severity: self.severity.map(placed),
            storage_severity: self.storage_severity.map(placed),
            identifier: owned(self.identifier),
            user: self.user.map(placed),
            device: self.device.map(placed),
            group: owned(self.group),
            part: owned(self.part),
            clears: list(&self.closes),
            programs: list(&self.programs),
            units: list(&self.units),
            follows: list(&self.follows),
            ..RuleSpec::of(placed(regex))
        }
    }

    /// In the order in which [`Values::read`] reads them.
    pub(crate) fn write(&self, to: &mut PackedWriter) {
        to.number(usize::from(self.catch_all));
        to.number(usize::from(self.by_level));
        for text in [
            self.starts_with,
            self.sub_system,
            self.event_type,
            self.severity,
            self.storage_severity,
            self.identifier,
            self.user,
            self.device,
            self.group,
            self.part,
        ] {
            to.option(text);
        }
        for list in [&self.closes, &self.programs, &self.units, &self.follows] {
            to.list(list.iter().copied());
        }
    }

    /// Reads what [`Values::write`] wrote; `None` if it is damaged.
    pub(crate) fn read(from: &mut PackedReader<'t>) -> Option<Self> {
        Some(Values {
            catch_all: from.number()? > 0,
            by_level: from.number()? > 0,
            starts_with: from.option()?,
            sub_system: from.option()?,
            event_type: from.option()?,
            severity: from.option()?,
            storage_severity: from.option()?,
            identifier: from.option()?,
            user: from.option()?,
            device: from.option()?,
            group: from.option()?,
            part: from.option()?,
            closes: from.list()?,
            programs: from.list()?,
            units: from.list()?,
            follows: from.list()?,
        })
    }
}
