//! The columns that came with a document and are neither text nor label. A project of a million documents has millions
//! of them, most of them the same few words: a [`MetaPool`] keeps each of those once.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Names and values, in order of the names. Documents may share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta(Arc<[(Arc<str>, Arc<str>)]>);

impl Meta {
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(held, _)| (**held).cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(mut fields: Vec<(Arc<str>, Arc<str>)>) -> Self {
        // Of two with one name the later one holds, as in a map.
        fields.reverse();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields.dedup_by(|(later, _), (first, _)| later == first);
        Self(fields.into())
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(N, V)> for Meta {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self::of(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, String>::deserialize(deserializer).map(Self::from_iter)
    }
}

/// Makes metadata whose frequent words are shared.
#[derive(Debug, Default)]
pub struct MetaPool(HashSet<Arc<str>>);

impl MetaPool {
    /// Beyond so many different words most are ids and dates, which do not come back.
    const MOST: usize = 4_096;

    pub fn meta<N: AsRef<str>, V: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = (N, V)>) -> Meta {
        Meta::of(fields.into_iter().map(|(name, value)| (self.word(name.as_ref()), self.word(value.as_ref()))).collect())
    }

    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(held) = self.0.get(word) {
            return held.clone();
        }
        let new: Arc<str> = Arc::from(word);
        if self.0.len() < Self::MOST {
            self.0.insert(new.clone());
        }
        new
    }
}
