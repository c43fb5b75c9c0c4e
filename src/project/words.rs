//! A list of words that are to be suggested as spans, and where they stand in a text.

use super::{Schema, TextRange};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A word that is suggested wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordRule {
    /// As in the search: without regard to case; what stands after a `/` at the beginning is a pattern.
    pub pattern: String,
    /// Place of the span label.
    pub label: u16,
}

/// The most rules a project holds: they stand in its schema, which is written at each change.
pub const MOST_WORDS: usize = 5000;

/// Limit of a compiled pattern in bytes, which keeps `a{9999}{9999}` from eating the memory.
const SIZE_LIMIT: usize = 1 << 24;

impl WordRule {
    /// Just these words, also where they begin with the sign of a pattern.
    pub fn plain(words: &str, label: u16) -> Self {
        let pattern = if words.trim().starts_with('/') { format!("/{}", regex::escape(words.trim())) } else { words.to_owned() };
        Self { pattern, label }
    }

    /// Why the pattern can't be used.
    pub fn problem(&self) -> Option<String> {
        let source = self.source()?;
        compiled(&source).err().map(|error| super::filter::reason_of(&error))
    }

    /// The pattern as a regular expression; `None` for an empty one. A plain word of letters does not match inside a longer
    /// one: "art" is not in "party". Chinese words have no borders and match anywhere.
    fn source(&self) -> Option<String> {
        let pattern = self.pattern.trim();
        if let Some(pattern) = pattern.strip_prefix('/') {
            return (!pattern.is_empty()).then(|| format!("(?:{pattern})"));
        }
        let border = |c: Option<char>| if c.is_some_and(|c| c.is_ascii_alphanumeric()) { "\\b" } else { "" };
        let (first, last) = (pattern.chars().next(), pattern.chars().next_back());
        first.map(|_| format!("{}{}{}", ascii(border(first)), regex::escape(pattern), ascii(border(last))))
    }
}

/// A border between ASCII letters and anything else, so that "wifi很快" has the word "wifi".
fn ascii(border: &str) -> String {
    if border.is_empty() { String::new() } else { format!("(?-u:{border})") }
}

fn compiled(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source).case_insensitive(true).size_limit(SIZE_LIMIT).build()
}

/// Rules, ready to search with.
pub struct WordMatcher {
    by_label: Vec<(u16, Regex)>,
}

impl WordMatcher {
    /// The rules of a schema.
    pub fn of(schema: &Schema) -> Self {
        Self::of_rules(&schema.words)
    }

    /// Compiles the rules; those that can't be are left out.
    pub fn of_rules(rules: &[WordRule]) -> Self {
        let mut sources: BTreeMap<u16, Vec<(usize, String)>> = BTreeMap::new();
        for rule in rules {
            sources.entry(rule.label).or_default().extend(rule.source().map(|source| (rule.pattern.chars().count(), source)));
        }
        let mut by_label = Vec::new();
        for (label, mut sources) in sources {
            // The longest first: "充电宝" before "充电".
            sources.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
            let all = sources.iter().map(|(_, source)| source.as_str()).collect::<Vec<_>>().join("|");
            match compiled(&all) {
                Ok(regex) => by_label.push((label, regex)),
                Err(_) => by_label.extend(sources.iter().filter_map(|(_, source)| Some((label, compiled(source).ok()?)))),
            }
        }
        Self { by_label }
    }

    /// Where the words stand, each with its label; those of one label do not overlap (unless a list had to be parted).
    pub fn find(&self, text: &str) -> Vec<(TextRange, u16)> {
        let found = self.by_label.iter().flat_map(|(label, regex)| {
            regex.find_iter(text).filter_map(move |found| Some((TextRange::new(text, found.range())?.trimmed(text)?, *label)))
        });
        found.collect()
    }
}
