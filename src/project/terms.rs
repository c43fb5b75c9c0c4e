//! Terms that mean the same: spelling variants are told by rule, other names by people, kept with the schema.

use super::Schema;
use std::collections::BTreeMap;

/// Groups of terms that people made: the name of its group by term. A term that names itself stands alone.
pub type TermGroups = BTreeMap<String, String>;

/// A marked term without regard to case and surrounding space.
pub fn term_of(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What the spellings of a term have in common: no punctuation, space or combining accent, half-width letters, English
/// plurals as singulars.
pub fn spelling(term: &str) -> String {
    let half = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    };
    let lower: String = term.chars().map(half).flat_map(char::to_lowercase).collect();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let key: String = words.map(singular).collect();
    if key.is_empty() { lower } else { key }
}

/// The first steps of Harman's S stemmer (1991, section 3), for words of small Latin letters.
fn singular(word: &str) -> String {
    let is_plain = word.len() > 3 && word.bytes().all(|c| c.is_ascii_lowercase());
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    if is_plain && word.ends_with("ies") && !ends(&["eies", "aies"]) {
        return format!("{}y", &word[..word.len() - 3]);
    }
    if is_plain && ends(&["shes", "ches", "sses", "xes"]) {
        return word[..word.len() - 2].to_owned();
    }
    if is_plain && word.ends_with('s') && !ends(&["us", "ss", "is"]) {
        return word[..word.len() - 1].to_owned();
    }
    word.to_owned()
}

/// The name of each term's group, for terms with how often they occur: the one people gave it, else the most frequent of
/// its spellings (of two equally frequent ones the first by letters).
pub fn group_names(counts: &BTreeMap<String, usize>, groups: &TermGroups) -> BTreeMap<String, String> {
    let mut by_spelling: BTreeMap<String, Vec<(&String, usize)>> = BTreeMap::new();
    for (term, count) in counts.iter().filter(|(term, _)| !groups.contains_key(*term)) {
        by_spelling.entry(spelling(term)).or_default().push((term, *count));
    }
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for members in by_spelling.values() {
        let best = members.iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)));
        for (term, _) in members {
            names.insert((*term).clone(), best.map_or_else(|| (*term).clone(), |(best, _)| (*best).clone()));
        }
    }
    for term in counts.keys() {
        if let Some(name) = groups.get(term) {
            names.insert(term.clone(), name.clone());
        }
    }
    names
}

impl Schema {
    /// Puts terms into a group of this name; without a name they go back to where their spelling puts them.
    pub(super) fn group_terms(&mut self, terms: &[String], name: &str) {
        let name = name.trim();
        for term in terms {
            if name.is_empty() {
                self.term_groups.remove(term);
            } else {
                self.term_groups.insert(term.clone(), name.to_owned());
            }
        }
    }
}
