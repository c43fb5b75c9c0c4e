//! Spans to BIO tags over units and back, and the decoding that keeps tags well formed.
//!
//! Tags are numbers: 0 is O, `1 + 2·label` begins a span of that label, `2 + 2·label` goes on with it.

use super::Unit;
use crate::project::TextRange;
use std::cmp::Reverse;
use std::ops::Range;

/// Number of tags for so many labels.
pub fn tag_count(labels: usize) -> usize {
    1 + 2 * labels
}

/// What tags of these labels are called: O, and B- and I- with each label.
pub fn tag_names(labels: &[String]) -> Vec<String> {
    let of = |label: &String| [format!("B-{label}"), format!("I-{label}")];
    std::iter::once("O".to_owned()).chain(labels.iter().flat_map(of)).collect()
}

fn begin(label: u16) -> u16 {
    1 + 2 * label
}

/// The label of a tag and whether it begins a span; `None` for O.
fn label_of(tag: u16) -> Option<(u16, bool)> {
    (tag > 0).then(|| ((tag - 1) / 2, tag % 2 == 1))
}

/// Spans that the tags say not at all, or not exactly. Each span is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Left out, because a longer (or an earlier, equally long) one overlaps.
    pub overlapping: usize,
    /// Beyond the length limit, wholly or in part; the part that was read is tagged.
    pub beyond: usize,
    /// Tagged with other edges, because they lie on white space or inside a character.
    pub reshaped: usize,
    /// Left out, because nothing but white space is in it.
    pub blank: usize,
}

impl std::ops::AddAssign for LeftOut {
    fn add_assign(&mut self, other: Self) {
        self.overlapping += other.overlapping;
        self.beyond += other.beyond;
        self.reshaped += other.reshaped;
        self.blank += other.blank;
    }
}

/// A tag for each unit, and what they don't say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BioTags {
    pub tags: Vec<u16>,
    pub left_out: LeftOut,
}

/// The tags of marked spans. `cut_at` is where the text was cut, as in [`super::Pieces`].
pub fn tags_of_spans(units: &[Unit], spans: &[(TextRange, u16)], cut_at: Option<usize>) -> BioTags {
    let mut out = BioTags { tags: vec![0; units.len()], left_out: LeftOut::default() };
    let mut taken = vec![false; units.len()];
    let mut order: Vec<(TextRange, u16)> = spans.to_vec();
    order.sort_by_key(|(range, label)| (Reverse(range.bytes().len()), range.start(), *label));
    for (range, label) in order {
        let inside = units_under(units, range);
        let beyond = cut_at.is_some_and(|cut| range.end() > cut);
        if inside.is_empty() {
            if beyond {
                out.left_out.beyond += 1
            } else {
                out.left_out.blank += 1
            }
            continue;
        }
        if taken[inside.clone()].contains(&true) {
            out.left_out.overlapping += 1;
            continue;
        }
        let exact = units[inside.start].range.start() == range.start() && units[inside.end - 1].range.end() == range.end();
        if beyond {
            out.left_out.beyond += 1;
        } else if !exact {
            out.left_out.reshaped += 1;
        }
        taken[inside.clone()].fill(true);
        out.tags[inside.clone()].fill(begin(label) + 1);
        out.tags[inside.start] = begin(label);
    }
    out
}

/// Indices of the units that overlap a range. Units are in order and don't overlap each other.
pub fn units_under(units: &[Unit], range: TextRange) -> Range<usize> {
    let first = units.partition_point(|unit| unit.range.end() <= range.start());
    let end = units.partition_point(|unit| unit.range.start() < range.end());
    first..end.max(first)
}

/// The spans that tags say, as ranges of unit indices with their label. A tag that goes on with a span where there is
/// none begins one.
pub fn spans_of_tags(tags: &[u16]) -> Vec<(Range<usize>, u16)> {
    let mut spans: Vec<(Range<usize>, u16)> = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        let Some((label, begins)) = label_of(*tag) else { continue };
        match spans.last_mut() {
            Some((units, last)) if !begins && units.end == at && *last == label => units.end = at + 1,
            _ => spans.push((at..at + 1, label)),
        }
    }
    spans
}

/// A decoded span over the original text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecodedSpan {
    pub range: TextRange,
    pub label: u16,
    /// The smallest probability among its units' tags: a span is as sure as its least sure character.
    /// (A product would make long English words look doubtful.)
    pub probability: f32,
}

/// The spans that tags say, in the text. `probabilities[unit * tags + tag]`, rows summing to 1.
pub fn decode_spans(text: &str, units: &[Unit], tags: &[u16], probabilities: &[f32]) -> Vec<DecodedSpan> {
    let width = probabilities.len().checked_div(units.len()).unwrap_or(0);
    let spans = spans_of_tags(tags).into_iter().filter_map(|(inside, label)| {
        let bytes = units.get(inside.start)?.range.start()..units.get(inside.end - 1)?.range.end();
        let certain = |unit: usize| probabilities.get(unit * width + usize::from(tags[unit])).copied().unwrap_or(0.0);
        let probability = inside.map(certain).fold(1.0, f32::min);
        Some(DecodedSpan { range: TextRange::new(text, bytes)?, label, probability })
    });
    spans.collect()
}

/// Whether each unit goes on with the word of the unit before it, in scripts that set spaces between words (Latin, Greek,
/// Cyrillic): people mark such words whole.
pub fn word_joins(text: &str, units: &[Unit]) -> Vec<bool> {
    let is_letter = |unit: &Unit| {
        let first = unit.range.of(text).chars().next();
        first.is_some_and(|c| c.is_alphabetic() && (c < '\u{530}' || ('\u{1e00}'..'\u{2000}').contains(&c)))
    };
    let joins = |before: &Unit, unit: &Unit| before.range.end() == unit.range.start() && is_letter(before) && is_letter(unit);
    (0..units.len()).map(|at| at > 0 && joins(&units[at - 1], &units[at])).collect()
}

/// Whether `tag` may follow `before` (`None`: the beginning of the text): I-x stands only after B-x or I-x. Where the unit
/// is `joined` to the one before it, no span begins or ends there.
pub fn may_follow(before: Option<u16>, tag: u16, joined: bool) -> bool {
    match (label_of(tag), before) {
        (Some((_, false)), before) => before.is_some_and(|before| before == tag || before + 1 == tag),
        (_, Some(before)) if joined => before == 0 && tag == 0,
        _ => true,
    }
}

/// [`may_follow`] as a table `[tags + 1, tags]`, its last row the beginning of a text.
pub fn moves(tags: usize, joined: bool) -> Vec<bool> {
    let befores = (0..tags as u16).map(Some).chain([None]);
    befores.flat_map(|before| (0..tags as u16).map(move |tag| may_follow(before, tag, joined))).collect()
}

/// The most probable well-formed tags ([`may_follow`]). `log_probs[unit * tags + tag]`; where there are `transitions`,
/// `[tags + 1, tags]` with the beginning of a text last, they count too. Units that `joined` ([`word_joins`]) lacks are
/// not joined. A value that is not a number counts as impossible.
pub fn viterbi(log_probs: &[f32], tags: usize, joined: &[bool], transitions: &[f32]) -> Vec<u16> {
    if tags == 0 || log_probs.len() < tags {
        return Vec::new();
    }
    let tables = [moves(tags, false), moves(tags, true)];
    let units = log_probs.len() / tags;
    let mut from: Vec<u16> = vec![0; units * tags];
    let mut score = vec![f32::NEG_INFINITY; tags];
    for unit in 0..units {
        let row = &log_probs[unit * tags..(unit + 1) * tags];
        let possible = &tables[usize::from(unit > 0 && joined.get(unit).is_some_and(|joined| *joined))];
        let step = |before: usize, tag: usize| {
            let at = before * tags + tag;
            if possible[at] { transitions.get(at).copied().unwrap_or(0.0) } else { f32::NEG_INFINITY }
        };
        let mut next = vec![f32::NEG_INFINITY; tags];
        for (tag, value) in next.iter_mut().enumerate() {
            let (mut before, mut so_far) = (0, f32::NEG_INFINITY);
            if unit == 0 {
                so_far = step(tags, tag);
            } else {
                for (other, score) in score.iter().enumerate() {
                    let through = score + step(other, tag);
                    if through > so_far {
                        (before, so_far) = (other, through);
                    }
                }
            }
            from[unit * tags + tag] = before as u16;
            let own = if row[tag].is_nan() { f32::NEG_INFINITY } else { row[tag] };
            *value = so_far + own;
        }
        score = next;
    }
    let mut path = vec![0; units];
    let mut tag = best_of(&score).0;
    for unit in (0..units).rev() {
        path[unit] = tag as u16;
        tag = usize::from(from[unit * tags + tag]);
    }
    path
}

/// Tag scores `[units, tags]`, each unit's times its weight: what a chain of tags reads, so that a word of many letters
/// counts as much as one Chinese character.
pub fn weighted(scores: &[f32], tags: usize, units: &[Unit]) -> Vec<f32> {
    let rows = scores.chunks_exact(tags.max(1)).zip(units);
    rows.flat_map(|(row, unit)| row.iter().map(|score| score * unit.weight)).collect()
}

/// The first of the largest.
fn best_of(scores: &[f32]) -> (usize, f32) {
    let start = (0, scores.first().copied().unwrap_or(f32::NEG_INFINITY));
    scores.iter().copied().enumerate().fold(start, |best, each| if each.1 > best.1 { each } else { best })
}
