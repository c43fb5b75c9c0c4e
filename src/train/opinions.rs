//! What the heads over spans are shown of a batch, and what of it is right: polarity of spans, links between them.

use super::LinkAnswer;
use super::attributes::SpanValue;
use super::example::Roles;
use super::task::{Item, Targets, Task};
use crate::nn::{OpinionSizes, PairBatch, RaggedBatch, SpanBatch, SpanEdge};
use crate::project::{Polarity, TextRange};
use crate::text::{Reading, spans_of_tags, tag_count, units_under, viterbi};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Polarities in the order of the network's answers.
pub(super) const POLARITIES: [Polarity; 3] = [Polarity::Negative, Polarity::Neutral, Polarity::Positive];

/// Place of a polarity in [`POLARITIES`].
pub(super) fn place_of(polarity: Polarity) -> u16 {
    match polarity {
        Polarity::Negative => 0,
        Polarity::Neutral => 1,
        Polarity::Positive => 2,
    }
}

/// A marked span that was read. Unlike tags, these may overlap.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Place among the example's spans.
    pub at: usize,
    pub units: Range<usize>,
    pub label: u16,
    pub polarity: Option<Polarity>,
    pub attributes: Vec<SpanValue>,
}

/// What a document teaches the heads over spans.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    pub spans: Vec<Mark>,
    /// Places in `spans`; `None` where nobody linked.
    pub links: Option<BTreeSet<(usize, usize)>>,
}

impl Marks {
    /// The spans of an example that were read to their end, with their links.
    pub fn of(item: &super::Example, reading: &Reading, labels: usize) -> Self {
        let known = |range: TextRange, label: u16| {
            let whole = reading.pieces.cut_at.is_none_or(|cut| range.end() <= cut);
            let units = units_under(&reading.units, range);
            (whole && !units.is_empty() && usize::from(label) < labels).then_some(units)
        };
        let mut marks = Self::default();
        for (at, (range, label)) in item.spans.iter().flatten().enumerate() {
            if let Some(units) = known(*range, *label) {
                let polarity = item.polarities.get(at).copied().flatten();
                let attributes = item.attributes.get(at).cloned().unwrap_or_default();
                marks.spans.push(Mark { at, units, label: *label, polarity, attributes });
            }
        }
        let place = |at: u32| marks.spans.iter().position(|mark| mark.at == at as usize);
        let pairs = item.links.as_ref().map(|links| links.iter().filter_map(|(from, to)| Some((place(*from)?, place(*to)?))).collect());
        marks.links = pairs;
        marks
    }

    /// Spans that share a unit with another.
    pub fn overlapping(&self) -> usize {
        let touches = |a: &Mark, b: &Mark| a.at != b.at && a.units.start < b.units.end && b.units.start < a.units.end;
        self.spans.iter().filter(|mark| self.spans.iter().any(|other| touches(mark, other))).count()
    }

    /// Polarity of a link: that of the span it comes from, else of the other.
    pub fn link_polarity(&self, (from, to): (usize, usize)) -> Option<Polarity> {
        self.spans[from].polarity.or(self.spans[to].polarity)
    }
}

/// What these documents can teach the heads over spans.
pub(super) fn sizes<'i>(items: impl Iterator<Item = &'i Item<'i>>, labels: usize, weights: (f64, f64)) -> OpinionSizes {
    let mut sizes = OpinionSizes { labels, ..OpinionSizes::default() };
    for marks in items.map(|item| &item.marks) {
        sizes.polarity |= weights.0 > 0.0 && marks.spans.iter().any(|mark| mark.polarity.is_some());
        for link in marks.links.iter().flatten().filter(|_| weights.1 > 0.0) {
            sizes.links = true;
            sizes.link_polarity |= weights.0 > 0.0 && marks.link_polarity(*link).is_some();
        }
    }
    sizes.context = sizes.polarity;
    sizes
}

/// Whether any opinion with a polarity, where links are known, is linked to nothing: it is about the whole, or about
/// something that has no words.
pub(super) fn any_implicit(items: &[Item], roles: &Roles) -> bool {
    let has = |item: &Item| !implicit_opinions(&item.example, roles).is_empty();
    items.iter().filter(|item| item.tags.is_some()).any(has)
}

/// Places of the opinions with a polarity that are linked to nothing, in a document whose links are known.
pub(super) fn implicit_opinions(example: &super::Example, roles: &Roles) -> Vec<(u32, Polarity)> {
    let (Some(links), Some(spans)) = (&example.links, &example.spans) else { return Vec::new() };
    let opinion = |(at, (_, label)): (u32, &(TextRange, u16))| {
        let polarity = example.polarities.get(at as usize).copied().flatten()?;
        let alone = roles.opinions.contains(label) && !links.iter().any(|(from, to)| *from == at || *to == at);
        alone.then_some((at, polarity))
    };
    (0u32..).zip(spans).filter_map(opinion).collect()
}

/// The edges of a span of units, for the network.
pub(super) fn edges(first_row: usize, reading: &Reading, units: &Range<usize>) -> [SpanEdge; 2] {
    let edge = |unit: usize| SpanEdge { piece: first_row as u32 + reading.units[unit].piece, offset: reading.units[unit].offset };
    [edge(units.start), edge(units.end - 1)]
}

/// What a part of a batch teaches, known before the network has seen it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OpinionWeights {
    /// Spans whose polarity is known.
    pub polarity: f64,
    /// Marked spans of documents whose links are known: what a link's loss is measured by, because the number of
    /// pairs depends on what the network proposes.
    pub links: f64,
    /// Links whose polarity is known.
    pub link_polarity: f64,
    /// Known values of attributes.
    pub values: f64,
}

impl OpinionWeights {
    pub fn of(items: &[&Item], sizes: OpinionSizes) -> Self {
        let mut weights = Self::default();
        for marks in items.iter().map(|item| &item.marks) {
            if sizes.polarity {
                weights.polarity += marks.spans.iter().filter(|mark| mark.polarity.is_some()).count() as f64;
            }
            if sizes.values > 0 {
                weights.values += marks.spans.iter().map(|mark| mark.attributes.len()).sum::<usize>() as f64;
            }
            if let Some(links) = marks.links.as_ref().filter(|_| sizes.links) {
                weights.links += marks.spans.len() as f64;
                let known = links.iter().filter(|link| marks.link_polarity(**link).is_some()).count();
                weights.link_polarity += if sizes.link_polarity { known as f64 } else { 0.0 };
            }
        }
        weights
    }
}

impl std::ops::AddAssign for OpinionWeights {
    fn add_assign(&mut self, other: Self) {
        self.polarity += other.polarity;
        self.links += other.links;
        self.link_polarity += other.link_polarity;
        self.values += other.values;
    }
}

/// Spans and pairs of a part of a batch with their targets.
#[derive(Default)]
pub(super) struct Lesson {
    pub spans: SpanBatch,
    pub pairs: PairBatch,
    /// One row a span.
    pub polarity: Targets,
    /// Of each attribute, one row a span.
    pub values: Vec<Targets>,
    /// One row a pair: 0 apart, 1 together.
    pub links: Targets,
    /// One row a pair.
    pub link_polarity: Targets,
}

impl Lesson {
    /// All marked spans, and where links are known those that the tags propose and nobody marked: pairs with them are
    /// no links. `tag_logits` are those of the documents with tags, unit after unit.
    pub fn of(items: &[&Item], texts: &RaggedBatch, tag_logits: &[f32], task: &Task) -> Self {
        let mut lesson = Self::default();
        lesson.values.resize_with(task.attributes.len(), Targets::default);
        let (width, roles) = (tag_count(task.labels.len()), task.roles);
        // Of each span: its document and, if it was marked, its place there.
        let mut origin: Vec<(usize, Option<usize>)> = Vec::new();
        let mut first_unit = 0;
        for (text, item) in items.iter().enumerate() {
            let units = if item.tags.is_some() { item.reading.units.len() } else { 0 };
            let own = tag_logits.get(first_unit * width..(first_unit + units) * width).unwrap_or_default();
            first_unit += units;
            let rows = texts.range(text);
            let mut push = |units: &Range<usize>, label: u16, mark: Option<usize>| {
                lesson.spans.push(text, rows.clone(), edges(rows.start, &item.reading, units), label);
                origin.push((text, mark));
            };
            for (at, mark) in item.marks.spans.iter().enumerate() {
                push(&mark.units, mark.label, Some(at));
                lesson.polarity.push(mark.polarity.map_or(0, place_of), if mark.polarity.is_some() { 1.0 } else { 0.0 });
                push_values(&mut lesson.values, &mark.attributes);
            }
            if item.marks.links.is_none() {
                continue;
            }
            for (units, label) in proposals(own, width, &item.marks.spans) {
                push(&units, label, None);
                lesson.polarity.push(0, 0.0);
                push_values(&mut lesson.values, &[]);
            }
        }
        let links_known = |span: usize| items[origin[span].0].marks.links.is_some();
        lesson.pairs = lesson.spans.pairs(&roles.opinions, &roles.aspects, links_known);
        for (from, to) in lesson.pairs.from.iter().zip(&lesson.pairs.to) {
            let ((text, from), (_, to)) = (origin[*from as usize], origin[*to as usize]);
            let marks = &items[text].marks;
            let link = from.zip(to).filter(|link| marks.links.as_ref().is_some_and(|links| links.contains(link)));
            lesson.links.push(u16::from(link.is_some()), 1.0);
            let polarity = link.and_then(|link| marks.link_polarity(link));
            lesson.link_polarity.push(polarity.map_or(0, place_of), if polarity.is_some() { 1.0 } else { 0.0 });
        }
        lesson
    }
}

/// A row of each attribute: of one that nothing is said of it teaches nothing.
fn push_values(values: &mut [Targets], said: &[SpanValue]) {
    for (targets, at) in values.iter_mut().zip(0u16..) {
        let value = said.iter().find(|(attribute, _)| *attribute == at);
        targets.push(value.map_or(0, |(_, value)| *value), if value.is_some() { 1.0 } else { 0.0 });
    }
}

/// The surest spans that the tags propose and nobody marked, no more than are marked and two. At first the tags mark
/// nearly everything, and pairs of all of that would drown what else is to be learnt.
fn proposals(logits: &[f32], width: usize, marks: &[Mark]) -> Vec<(Range<usize>, u16)> {
    let tags = viterbi(logits, width, &[], &[]);
    let mut found = spans_of_tags(&tags);
    found.retain(|(units, label)| !marks.iter().any(|mark| mark.units == *units && mark.label == *label));
    let lead = |unit: usize| {
        let row = &logits[unit * width..(unit + 1) * width];
        row[usize::from(tags[unit])] - row[0]
    };
    // By how far their least sure unit stands before no span at all.
    found.sort_by_key(|(units, _)| {
        let least = units.clone().map(lead).fold(f32::INFINITY, f32::min);
        (std::cmp::Reverse((least * 1e3) as i64), units.start)
    });
    found.truncate(marks.len() + 2);
    found
}

/// The gold links of an example with their polarity, and with `implicit` the opinions that are linked to nothing, for the
/// record.
pub(super) fn gold_links(example: &super::Example, roles: &Roles, implicit: bool) -> Option<Vec<LinkAnswer>> {
    let polarity = |at: u32| example.polarities.get(at as usize).copied().flatten();
    let links: BTreeMap<(u32, u32), Option<Polarity>> =
        example.links.as_ref()?.iter().map(|(from, to)| ((*from, *to), polarity(*from).or(polarity(*to)))).collect();
    let linked = links.into_iter().map(|((from, to), polarity)| LinkAnswer { from, to: Some(to), polarity, probability: 1.0 });
    let alone = if implicit { implicit_opinions(example, roles) } else { Vec::new() };
    let alone = alone.into_iter().map(|(from, polarity)| LinkAnswer { from, to: None, polarity: Some(polarity), probability: 1.0 });
    Some(linked.chain(alone).collect())
}
