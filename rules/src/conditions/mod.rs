//! Kinds of conditions: what can be wrong with a device, what begins it, what ends it, what may cause it.
//!
//! The built-in kinds stand in `rules/conditions.toml`; a configuration may add more. [`spec`] reads the tables, `check` refuses
//! what cannot work, [`Kinds`] answers what an event means for the conditions of its device.

mod check;
pub mod spec;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

pub use check::WITNESSES;
use spec::{ConditionsFile, LayerSpec};
pub use spec::{Data, KindSpec, Layer};
use toml::Spanned;

use super::builtin;
use super::error::RuleError;
use super::spec::{EventOutcome, EventRole};

/// Name and text of the file with the built-in kinds.
const BUILTIN: (&str, &str) = ("rules/conditions.toml", include_str!("../../conditions.toml"));

/// Number of a kind in its [`Kinds`].
pub type KindId = usize;

/// One kind of condition.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name, `device_lost`.
    pub name: Arc<str>,
    /// One sentence about `{dev}`.
    pub title: String,
    /// The same about `{n}` devices.
    pub many: Option<String>,
    /// Where in the stack it is.
    pub layer: Layer,
    /// It closes when nothing was reported for so long, µs.
    pub quiet: Option<u64>,
    /// The event is over at once, the defect stays.
    pub latent: bool,
    /// It closes with the last of its causes.
    pub ends_with_causes: bool,
    /// It is still so when the device is gone.
    pub keeps: bool,
    /// Unknown, not closed, after a reboot.
    pub survives_boot: bool,
    /// It causes nothing.
    pub isolated: bool,
    /// It says less than any other condition of the same device that is as bad.
    pub symptom: bool,
    /// What it means for data.
    pub data: Data,
    /// Several behind one node have a common cause.
    pub siblings: bool,
    /// The kind that it is for what is built on the device.
    pub implies: Option<KindId>,
    /// What can tell whether it still holds, one of [`WITNESSES`].
    pub witness: Option<String>,
    /// As written: types that open, worsen and close it.
    pub opened_by: Vec<String>,
    /// The same.
    pub worsened_by: Vec<String>,
    /// The same.
    pub closed_by: Vec<String>,
    /// Kinds and layers that may cause it, as written.
    pub caused_by: Vec<String>,
    causes: Vec<bool>,
    /// Key and value of details.
    unless: Vec<(String, String)>,
}

impl Kind {
    /// An event with these details does not open it, whatever its type.
    pub fn is_excluded_by<'d>(&self, detail: impl Fn(&str) -> Option<&'d str>) -> bool {
        self.unless.iter().any(|(key, value)| detail(key) == Some(value))
    }
}

/// What an event type does to a condition that it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opens {
    /// The kind.
    pub kind: KindId,
    /// It is a step for the worse of an open one.
    pub worsens: bool,
}

/// All kinds, and what event types mean for them.
#[derive(Debug, Default)]
pub struct Kinds {
    kinds: Vec<Kind>,
    by_name: HashMap<Arc<str>, KindId>,
    opens: HashMap<String, Opens>,
    /// Beginnings of names, the longest first.
    opens_like: Vec<(String, Opens)>,
    details: Vec<(String, String, KindId)>,
    closes: HashMap<String, Vec<KindId>>,
    gone: HashMap<String, Vec<Layer>>,
    roles: HashMap<String, EventRole>,
    successes: Vec<String>,
}

/// A file with kinds: its name, its text, its tables.
pub struct KindSource<'s> {
    /// Name of the file, for messages.
    pub file: &'s str,
    /// Its text.
    pub text: &'s str,
    /// Its kinds.
    pub conditions: &'s BTreeMap<String, Spanned<KindSpec>>,
}

/// Event types that rules make.
type Types = BTreeSet<String>;

impl Kinds {
    /// The built-in ones.
    ///
    /// # Errors
    /// The table is wrong.
    pub fn builtin() -> Result<Arc<Self>, RuleError> {
        static KINDS: OnceLock<Arc<Kinds>> = OnceLock::new();
        if let Some(kinds) = KINDS.get() {
            return Ok(kinds.clone());
        }
        let kinds = Arc::new(Self::with(&[], Types::new())?);
        Ok(KINDS.get_or_init(|| kinds).clone())
    }

    /// The built-in ones and those of other files, which come first where they name the same event type. `types`: those that
    /// the rules of these files make.
    ///
    /// # Errors
    /// The first kind that cannot work, or that is ambiguous.
    pub fn with(own: &[KindSource<'_>], mut types: BTreeSet<String>) -> Result<Self, RuleError> {
        let file: ConditionsFile =
            toml::from_str(BUILTIN.1).map_err(|e| builtin::toml_error(BUILTIN.0, BUILTIN.1, &e))?;
        let shipped = KindSource { file: BUILTIN.0, text: BUILTIN.1, conditions: &file.conditions };
        let sources: Vec<&KindSource<'_>> = own.iter().chain([&shipped]).collect();
        let mut kinds = Kinds::default();
        for (name, text) in builtin::event_types()? {
            kinds.roles.extend(text.role.map(|role| (name.clone(), role)));
            types.insert(name.clone());
            kinds.successes.extend((text.outcome == Some(EventOutcome::Success)).then_some(name));
        }
        for source in sources.iter().rev() {
            source.conditions.iter().try_for_each(|(name, spec)| kinds.declare(source, name, spec))?;
        }
        for source in &sources {
            source.conditions.iter().try_for_each(|(name, spec)| {
                check::types(source, spec.get_ref(), &types)?;
                kinds.connect(source, name, spec.get_ref())
            })?;
        }
        kinds.opens_like.sort_by_key(|(begin, _)| std::cmp::Reverse(begin.len()));
        for (layer, LayerSpec { gone_by }) in file.layers {
            for name in gone_by {
                kinds.gone.entry(name.into_inner()).or_default().push(layer);
            }
        }
        Ok(kinds)
    }

    fn declare(
        &mut self,
        source: &KindSource<'_>,
        name: &str,
        spec: &Spanned<KindSpec>,
    ) -> Result<(), RuleError> {
        check::kind(source, name, spec, self.by_name.contains_key(name))?;
        let spec = spec.get_ref();
        let texts = |all: &[Spanned<String>]| all.iter().map(|text| text.get_ref().clone()).collect();
        let name: Arc<str> = name.into();
        self.by_name.insert(name.clone(), self.kinds.len());
        self.kinds.push(Kind {
            name,
            title: spec.title.get_ref().clone(),
            many: spec.many.as_ref().map(|many| many.get_ref().clone()),
            layer: spec.layer,
            quiet: spec.quiet.as_ref().and_then(|quiet| check::duration(quiet.get_ref())),
            latent: spec.latent,
            ends_with_causes: spec.ends_with_causes,
            keeps: spec.keeps,
            survives_boot: spec.survives_boot,
            isolated: spec.isolated,
            symptom: spec.symptom,
            data: spec.data,
            siblings: spec.siblings,
            implies: None,
            witness: spec.witness.as_ref().map(|witness| witness.get_ref().clone()),
            opened_by: texts(&spec.opened_by),
            worsened_by: texts(&spec.worsened_by),
            closed_by: texts(&spec.closed_by),
            caused_by: texts(&spec.caused_by),
            causes: Vec::new(),
            unless: spec.unless.iter().map(|text| check::detail(source, text)).collect::<Result<_, _>>()?,
        });
        Ok(())
    }

    /// Enters a kind under the event types and the other kinds that it names.
    fn connect(&mut self, source: &KindSource<'_>, name: &str, spec: &KindSpec) -> Result<(), RuleError> {
        let Some(id) = self.by_name.get(name).copied() else { return Ok(()) };
        let opening = spec.opened_by.iter().map(|name| (name, false));
        for (pattern, worsens) in opening.chain(spec.worsened_by.iter().map(|name| (name, true))) {
            let before = self.open_by(pattern.get_ref(), Opens { kind: id, worsens });
            // A configuration may take an event type from a built-in kind, which is entered later.
            let other = before.and_then(|before| self.kinds.get(before.kind));
            let other = other.filter(|other| source.conditions.contains_key(other.name.as_ref()));
            check::only_kind(source, pattern, other)?;
        }
        for detail in &spec.details {
            let (key, value) = check::detail(source, detail)?;
            self.details.push((key, value, id));
        }
        for closer in &spec.closed_by {
            self.closes.entry(closer.get_ref().clone()).or_default().push(id);
        }
        let mut causes = vec![false; self.kinds.len()];
        for cause in &spec.caused_by {
            check::cause(source, cause, &self.by_name)?;
            for (may_cause, kind) in causes.iter_mut().zip(&self.kinds) {
                let of_layer =
                    cause.get_ref().strip_prefix('@').is_some_and(|layer| kind.layer.name() == layer);
                *may_cause |= of_layer && !kind.isolated || kind.name.as_ref() == cause.get_ref();
            }
        }
        let implies = match &spec.implies {
            Some(implied) => Some(check::implied(source, implied, &self.by_name)?),
            None => None,
        };
        if let Some(kind) = self.kinds.get_mut(id) {
            (kind.causes, kind.implies) = (causes, implies);
        }
        Ok(())
    }

    /// Enters the kind for a name or a beginning of names, unless there is one: that is returned.
    fn open_by(&mut self, pattern: &str, opens: Opens) -> Option<Opens> {
        let known = match pattern.strip_suffix('*') {
            Some(begin) => self.opens_like.iter().find(|(other, _)| other == begin).map(|(_, opens)| *opens),
            None => self.opens.get(pattern).copied(),
        };
        match (known, pattern.strip_suffix('*')) {
            (Some(_), _) => {}
            (None, Some(begin)) => self.opens_like.push((begin.to_owned(), opens)),
            (None, None) => drop(self.opens.insert(pattern.to_owned(), opens)),
        }
        known
    }

    /// A kind by its number.
    pub fn get(&self, id: KindId) -> Option<&Kind> {
        self.kinds.get(id)
    }

    /// A kind by its name.
    pub fn named(&self, name: &str) -> Option<(KindId, &Kind)> {
        let id = *self.by_name.get(name)?;
        Some((id, self.kinds.get(id)?))
    }

    /// All kinds, the built-in ones first.
    pub fn all(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }

    /// The kind that a problem of this event type opens; where it has none, the one for unknown trouble.
    pub fn opened_by(&self, event_type: &str) -> Option<Opens> {
        let like = || self.opens_like.iter().find(|(begin, _)| event_type.starts_with(begin.as_str()));
        let known = self.opens.get(event_type).copied().or_else(|| like().map(|(_, opens)| *opens));
        known.or_else(|| match self.roles.contains_key(event_type) {
            true => None,
            false => self.by_name.get(UNKNOWN).map(|kind| Opens { kind: *kind, worsens: false }),
        })
    }

    /// An event type has a kind of its own, without the one for unknown trouble.
    pub fn knows(&self, event_type: &str) -> bool {
        self.opens.contains_key(event_type)
            || self.opens_like.iter().any(|(begin, _)| event_type.starts_with(begin.as_str()))
    }

    /// Kinds that a problem is of because of what is known of it.
    pub fn by_details<'k>(
        &'k self,
        detail: impl Fn(&str) -> Option<&'k str> + 'k,
    ) -> impl Iterator<Item = KindId> + 'k {
        let fits = move |(key, value, _): &&(String, String, KindId)| detail(key) == Some(value);
        self.details.iter().filter(fits).map(|(_, _, kind)| *kind)
    }

    /// The kinds that an event type closes.
    pub fn closed_by(&self, event_type: &str) -> &[KindId] {
        self.closes.get(event_type).map(Vec::as_slice).unwrap_or_default()
    }

    /// The layers whose conditions are over when this happens to their device.
    pub fn gone_by(&self, event_type: &str) -> &[Layer] {
        self.gone.get(event_type).map(Vec::as_slice).unwrap_or_default()
    }

    /// What part an event type has in a story.
    pub fn role(&self, event_type: &str) -> Option<EventRole> {
        self.roles.get(event_type).copied()
    }

    /// The event says that something went well.
    pub fn is_success(&self, event_type: &str) -> bool {
        self.successes.iter().any(|name| name == event_type)
    }

    /// A condition of the one kind may be the cause of one of the other, on a device below.
    pub fn may_cause(&self, cause: KindId, effect: KindId) -> bool {
        self.kinds.get(effect).and_then(|kind| kind.causes.get(cause)).copied().unwrap_or(false)
    }
}

/// The kind of problems that no other kind is opened by.
const UNKNOWN: &str = "trouble";

#[cfg(test)]
mod tests;
