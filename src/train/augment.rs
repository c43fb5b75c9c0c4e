//! More to learn from where there is little: documents whose aspects are changed for others, and pieces that are not shown.

use super::attributes::SpanValue;
use super::example::{Example, Roles};
use crate::project::{Polarity, TextRange};
use crate::text::is_cjk;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::collections::BTreeMap;

/// What may take each other's place: terms of a label, a polarity and a way of writing (with or without spaces), of which the
/// same is said beside that, such as their category.
type Slot = (u16, Option<Polarity>, bool, Vec<SpanValue>);

/// Terms that documents mark, by what they may take the place of.
pub(super) struct Terms(BTreeMap<Slot, Vec<String>>);

impl Terms {
    /// Of the aspects; where no label is one, of all spans.
    pub fn of<'e>(examples: impl IntoIterator<Item = &'e Example>, roles: &Roles) -> Self {
        let mut terms: BTreeMap<Slot, Vec<String>> = BTreeMap::new();
        for example in examples {
            for (at, (range, label)) in example.spans.iter().flatten().enumerate() {
                if roles.aspects.is_empty() || roles.aspects.contains(label) {
                    let own = range.of(&example.text);
                    terms.entry(slot(example, at, *label, own)).or_default().push(own.to_owned());
                }
            }
        }
        for list in terms.values_mut() {
            list.sort();
            list.dedup();
        }
        Self(terms)
    }

    /// The document with at least one term changed for another; `None` where there is no other, or spans overlap.
    pub fn swapped(&self, example: &Example, rng: &mut impl Rng) -> Option<Example> {
        let spans = example.spans.as_ref()?;
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by_key(|at| spans[*at].0.start());
        if order.windows(2).any(|pair| spans[pair[0]].0.end() > spans[pair[1]].0.start()) {
            return None;
        }
        let others = |at: usize| {
            let (range, label) = spans[at];
            let own = range.of(&example.text);
            let list = self.0.get(&slot(example, at, label, own)).map_or(&[][..], Vec::as_slice);
            list.iter().filter(|term| *term != own).collect::<Vec<_>>()
        };
        let possible: Vec<usize> = order.iter().copied().filter(|at| !others(*at).is_empty()).collect();
        let surely = *possible.choose(rng)?;
        let (mut text, mut done) = (String::new(), 0);
        let mut places = vec![0..0; spans.len()];
        for at in order {
            let range = spans[at].0;
            text.push_str(&example.text[done..range.start()]);
            let start = text.len();
            let swap = at == surely || rng.random::<bool>();
            match others(at).choose(rng).filter(|_| swap) {
                Some(other) => text.push_str(other),
                None => text.push_str(range.of(&example.text)),
            }
            places[at] = start..text.len();
            done = range.end();
        }
        text.push_str(&example.text[done..]);
        let moved = spans.iter().zip(places).map(|((_, label), bytes)| Some((TextRange::new(&text, bytes)?, *label)));
        let spans = moved.collect::<Option<Vec<_>>>()?;
        Some(Example { text: text.into(), spans: Some(spans), ..example.clone() })
    }
}

fn slot(example: &Example, at: usize, label: u16, term: &str) -> Slot {
    let attributes = example.attributes.get(at).cloned().unwrap_or_default();
    (label, example.polarities.get(at).copied().flatten(), term.contains(is_cjk), attributes)
}

/// Puts `hidden` in place of a share of the pieces, never of the special ones.
pub(super) fn drop_words(ids: &mut [u32], is_special: impl Fn(usize) -> bool, hidden: u32, share: f64, rng: &mut impl Rng) {
    for (at, id) in ids.iter_mut().enumerate() {
        if rng.random::<f64>() < share && !is_special(at) {
            *id = hidden;
        }
    }
}
