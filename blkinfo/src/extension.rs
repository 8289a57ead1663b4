//! Facts by name; a device has a handful of them.

use std::borrow::Cow;
use std::fmt;

/// Facts by name, each name once, in the order of the names. It takes a fifth of the memory of a tree, which has room for
/// eleven facts at once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Extension(Box<[Pair]>);

/// The names that this crate gives are not copied.
type Pair = (Cow<'static, str>, Box<str>);

impl Extension {
    /// The facts that are known.
    pub(crate) fn of<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Self {
        let known = facts.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?.into())));
        Self::sorted(known.collect())
    }

    /// Adds a fact that is known.
    pub(crate) fn add(&mut self, name: &'static str, value: Option<String>) {
        let Some(value) = value else { return };
        let mut all = std::mem::take(&mut self.0).into_vec();
        all.push((Cow::Borrowed(name), value.into()));
        *self = Self::sorted(all);
    }

    /// Of facts with the same name the last one counts.
    fn sorted(mut facts: Vec<Pair>) -> Self {
        facts.reverse();
        facts.sort_by(|(a, _), (b, _)| a.cmp(b));
        facts.dedup_by(|(a, _), (b, _)| a == b);
        Self(facts.into_boxed_slice())
    }

    /// The fact of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Names and facts, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a fact, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.extend([(name.into(), value.into())]);
    }
}

impl Extend<(String, String)> for Extension {
    fn extend<I: IntoIterator<Item = (String, String)>>(&mut self, facts: I) {
        let mut all = std::mem::take(&mut self.0).into_vec();
        all.extend(facts.into_iter().map(|(name, value)| (Cow::Owned(name), value.into())));
        *self = Self::sorted(all);
    }
}

impl FromIterator<(String, String)> for Extension {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(facts: I) -> Self {
        let mut all = Self::default();
        all.extend(facts);
        all
    }
}

impl IntoIterator for Extension {
    type Item = (String, String);
    type IntoIter = std::iter::Map<std::vec::IntoIter<Pair>, fn(Pair) -> (String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter().map(|(name, value)| (name.into_owned(), value.into()))
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Extension {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Extension {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let facts = <std::collections::BTreeMap<String, String>>::deserialize(deserializer)?;
        Ok(facts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_sorted_and_the_last_of_a_name_counts() {
        let mut facts =
            Extension::of([("b", Some("1".to_owned())), ("c", None), ("a", Some("2".to_owned()))]);
        assert_eq!(facts.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "1")]);
        facts.insert("b", "3");
        facts.extend([("0".to_owned(), "4".to_owned()), ("0".to_owned(), "5".to_owned())]);
        assert_eq!(facts.iter().collect::<Vec<_>>(), [("0", "5"), ("a", "2"), ("b", "3")]);
        assert_eq!(
            (facts.get("b"), facts.get("c"), facts.len(), facts.is_empty()),
            (Some("3"), None, 3, false)
        );
        assert_eq!(facts.clone().into_iter().collect::<Extension>(), facts);
        assert_eq!(format!("{facts:?}"), r#"{"0": "5", "a": "2", "b": "3"}"#);
    }
}
