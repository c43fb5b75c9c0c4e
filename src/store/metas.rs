//! Metadata from the JSON of its column, fast: a large project has a million of them. Knows no SQL.

use crate::project::{Meta, MetaPool};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::HashMap;

/// Makes metadata of its JSON. Rows whose columns hold few different words share it and are not read twice.
#[derive(Default)]
pub(super) struct MetaReader {
    pool: MetaPool,
    held: HashMap<String, Meta>,
    asked: usize,
    met: usize,
}

impl MetaReader {
    /// So many are kept; and where after so many rows not even half were met again, none are looked for any more.
    const MOST: usize = 4_096;

    /// # Errors
    /// JSON that is no object of words.
    pub fn read(&mut self, json: &str) -> serde_json::Result<Meta> {
        if json == "{}" {
            return Ok(Meta::default());
        }
        let looks = self.asked < Self::MOST || self.met * 2 > self.asked;
        if looks {
            self.asked += 1;
            if let Some(held) = self.held.get(json) {
                self.met += 1;
                return Ok(held.clone());
            }
        }
        let Words(words) = serde_json::from_str(json)?;
        let meta = self.pool.meta(words);
        if looks && self.held.len() < Self::MOST {
            self.held.insert(json.to_owned(), meta.clone());
        }
        Ok(meta)
    }
}

/// Names and values of metadata, in place where they hold nothing escaped.
struct Words<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        /// A word that borrows from the row if it can.
        #[derive(Deserialize)]
        struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Words<'de>;

            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("names with words")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut words = Vec::with_capacity(4);
                while let Some((Word(name), Word(value))) = map.next_entry()? {
                    words.push((name, value));
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
