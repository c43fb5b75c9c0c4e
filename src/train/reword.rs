//! New wordings of documents: words changed for synonyms, left out, or in another place (Wei and Zou 2019). Marked places
//! stay as they are.

use super::{Example, TrainConfig};
use crate::project::TextRange;
use crate::text::{normalised_word, words};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::collections::BTreeMap;

/// What may be done to a document's words.
pub struct Rewording {
    /// Of each word, by its normalised form, the others of its lines.
    synonyms: BTreeMap<String, Vec<String>>,
    synonym_share: f64,
    deletion: f64,
    swap: f64,
}

impl Rewording {
    /// `synonyms`: words that may stand for each other, a list each.
    pub fn new(synonyms: &[Vec<String>], config: &TrainConfig) -> Self {
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for list in synonyms {
            for word in list {
                let others = list.iter().filter(|other| *other != word).cloned();
                of.entry(normalised_word(word).into_owned()).or_default().extend(others);
            }
        }
        Self { synonyms: of, synonym_share: config.synonym_share, deletion: config.word_deletion, swap: config.word_swap }
    }

    /// The document in other words; `None` where nothing came to be changed.
    pub fn reworded(&self, example: &Example, rng: &mut impl Rng) -> Option<Example> {
        let text = &*example.text;
        let free = free_words(example);
        let mut now: Vec<&str> = free.iter().map(|word| word.of(text)).collect();
        for (place, word) in free.iter().zip(&mut now) {
            let proposed = example.proposed.iter().find(|(range, _)| range == place);
            if let Some(other) = proposed.and_then(|(_, others)| others.choose(rng)) {
                *word = other;
            } else if let Some(others) = self.synonyms.get(&*normalised_word(word))
                && rng.random::<f64>() < self.synonym_share
                && let Some(other) = others.choose(rng)
            {
                *word = other;
            }
        }
        if now.len() > 1 {
            for _ in 0..rounded(self.swap * now.len() as f64 / 2.0, rng) {
                let (a, b) = (rng.random_range(0..now.len()), rng.random_range(0..now.len()));
                now.swap(a, b);
            }
        }
        let mut left = now.iter().filter(|word| !word.is_empty()).count() + example.spans.iter().flatten().count();
        for word in &mut now {
            // Something must be left to read.
            if left > 1 && rng.random::<f64>() < self.deletion {
                *word = "";
                left -= 1;
            }
        }
        let changed = free.iter().zip(&now).any(|(word, now)| word.of(text) != *now);
        if changed { rebuilt(example, &free, &now) } else { None }
    }
}

/// The words that lie in no span.
pub(super) fn free_words(example: &Example) -> Vec<TextRange> {
    let marked = |word: &TextRange| {
        let within = |range: &TextRange| word.start() < range.end() && range.start() < word.end();
        example.spans.iter().flatten().any(|(range, _)| within(range))
    };
    words(&example.text).into_iter().filter(|word| !marked(word)).collect()
}

/// The whole part, and one more by as much chance as the rest is large.
fn rounded(count: f64, rng: &mut impl Rng) -> usize {
    count as usize + usize::from(rng.random::<f64>() < count.fract())
}

/// The document with other words in these places, in order, none of which lies in a span.
fn rebuilt(example: &Example, places: &[TextRange], words: &[&str]) -> Option<Example> {
    let (mut text, mut done) = (String::new(), 0);
    let mut shifts: Vec<(usize, isize)> = Vec::with_capacity(places.len());
    for (place, word) in places.iter().zip(words) {
        text.push_str(&example.text[done..place.start()]);
        text.push_str(word);
        done = place.end();
        shifts.push((done, text.len() as isize - done as isize));
    }
    text.push_str(&example.text[done..]);
    let moved = |at: usize| {
        let before = shifts.partition_point(|(end, _)| *end <= at);
        at.saturating_add_signed(before.checked_sub(1).map_or(0, |last| shifts[last].1))
    };
    let spans = example.spans.as_ref().map(|spans| {
        let span = |(range, label): &(TextRange, u16)| Some((TextRange::new(&text, moved(range.start())..moved(range.end()))?, *label));
        spans.iter().map(span).collect::<Option<Vec<_>>>()
    });
    let spans = match spans {
        Some(spans) => Some(spans?),
        None => None,
    };
    Some(Example { text: text.into(), spans, ..example.clone() })
}
