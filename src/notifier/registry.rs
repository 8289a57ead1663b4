//! The types of notifiers.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::Serialize;
use toml::de::{DeValue, Error, ValueDeserializer};
use toml::Spanned;

use super::Notifier;

/// Every type of notifier: a line each.
pub const KINDS: &[NotifierKind] =
    &[kind::<super::exec::Exec>("exec"), kind::<super::stdout::Stdout>("stdout")];

/// A type of notifier.
#[derive(Clone, Copy, Debug)]
pub struct NotifierKind {
    /// Its name: `type` in the configuration.
    pub name: &'static str,
    /// Reads its settings.
    pub read: fn(Spanned<DeValue<'_>>) -> Result<NotifierSettings, Error>,
}

/// A notifier, and its settings as TOML: they are the same when the text is.
pub type NotifierSettings = (Arc<dyn Notifier>, String);

/// The type of this name.
pub fn find(name: &str) -> Option<&'static NotifierKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// All names, for messages.
pub fn names() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(" or ")
}

const fn kind<N: Notifier + DeserializeOwned + Serialize + 'static>(name: &'static str) -> NotifierKind {
    NotifierKind { name, read: read::<N> }
}

fn read<N: Notifier + DeserializeOwned + Serialize + 'static>(
    table: Spanned<DeValue<'_>>,
) -> Result<NotifierSettings, Error> {
    let notifier = N::deserialize(ValueDeserializer::from(table))?;
    let text = toml::to_string(&notifier).unwrap_or_default();
    Ok((Arc::new(notifier), text))
}
