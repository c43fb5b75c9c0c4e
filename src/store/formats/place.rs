//! From parsed rows to drafts: offsets become places, names of spans become ids, and everything is counted.

use super::Kind;
use super::loss::{Fate, Loss, Losses, SpanReport};
use super::offsets::{self, Placed, Ruler, Unit};
use super::raw::{Parsed, Place, RawDoc, RawLink, RawSpan};
use crate::project::TextRange;
use crate::store::StoreError;
use crate::store::import::{Draft, DraftAnnotation, DraftAnswer, DraftSpan, DraftValue, Intake, RowIssue};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

/// A row that can come in, with what is lost on the way.
pub(super) struct Ready {
    pub draft: Draft,
    kept: usize,
    losses: Losses,
}

/// Understands all rows of a file. `said` is what a person says that its offsets count.
pub(super) fn drafts(mut parsed: Parsed, kind: Kind, said: Option<Unit>) -> (Vec<Ready>, SpanReport, Losses) {
    let mut report = SpanReport { joined_rows: parsed.joined, ..SpanReport::default() };
    if kind.repeats_texts() {
        report.joined_rows += join(&mut parsed);
    }
    if said.is_some() {
        parsed.docs.iter_mut().for_each(|doc| doc.unit = said);
    }
    let (unit, doubt) = offsets::choose(&parsed, kind);
    let has_offsets = parsed.docs.iter().flat_map(|doc| &doc.spans).any(|span| matches!(span.place, Place::Offsets(..)));
    if has_offsets {
        let stated = parsed.docs.iter().find_map(|doc| doc.unit).filter(|_| parsed.docs.iter().all(|doc| doc.unit.is_some()));
        report.unit = Some(stated.unwrap_or(unit).name());
        report.unit_doubt = doubt;
    }
    numbers_or_names(&mut parsed.docs);
    let several = ask_for_several(&mut parsed.docs);
    let questions: BTreeSet<&String> = voices(&parsed.docs).flat_map(|said| said.answers.keys()).collect();
    let one_question = questions.len() == 1 && !several;
    let ready = parsed.docs.into_iter().map(|doc| ready(doc, unit, one_question)).collect();
    (ready, report, parsed.losses)
}

/// What is said of documents: the outcome of each, and what each of its annotators said.
fn voices(docs: &[RawDoc]) -> impl Iterator<Item = &RawDoc> {
    docs.iter().flat_map(|doc| std::iter::once(doc).chain(doc.layers.iter().map(|(_, own)| own)))
}

fn change_voices(docs: &mut [RawDoc], mut change: impl FnMut(&mut RawDoc)) {
    for doc in docs {
        change(doc);
        doc.layers.iter_mut().for_each(|(_, own)| change(own));
    }
}

/// An attribute whose values are not all numbers has names for values.
fn numbers_or_names(docs: &mut [RawDoc]) {
    let is_name = |value: &DraftValue| matches!(value, DraftValue::Name(_));
    let key = |span: &RawSpan, name: &String| (span.label.clone(), name.clone());
    let spans = voices(docs).flat_map(|said| &said.spans);
    let named: BTreeSet<(String, String)> =
        spans.flat_map(|span| span.attributes.iter().filter(|(_, value)| is_name(value)).map(|(name, _)| key(span, name))).collect();
    if named.is_empty() {
        return;
    }
    let each = |span: &mut RawSpan| {
        let label = span.label.clone();
        for (name, value) in &mut span.attributes {
            if let DraftValue::Number(number) = value
                && named.contains(&(label.clone(), name.clone()))
            {
                *value = DraftValue::Name(number.to_string());
            }
        }
    };
    change_voices(docs, |said| said.spans.iter_mut().for_each(each));
}

/// Where one document has several classes, or one annotator gave it several, they all may: classes without a question
/// answer the question "labels" then, and a question that has several somewhere takes several everywhere. Whether there is
/// any such question.
fn ask_for_several(docs: &mut [RawDoc]) -> bool {
    const LABELS: &str = "labels";
    if voices(docs).any(|said| said.classes.len() > 1) {
        change_voices(docs, |said| {
            let classes = std::mem::take(&mut said.classes);
            if !classes.is_empty() {
                said.answers.insert(LABELS.to_owned(), DraftAnswer::Classes(classes));
            }
        });
    }
    let takes_several = |answer: &DraftAnswer| matches!(answer, DraftAnswer::Classes(_));
    let several: BTreeSet<String> =
        voices(docs).flat_map(|said| &said.answers).filter(|(_, answer)| takes_several(answer)).map(|(name, _)| name.clone()).collect();
    change_voices(docs, |said| {
        for (_, answer) in said.answers.iter_mut().filter(|(name, _)| several.contains(*name)) {
            if let DraftAnswer::Class(class) = answer {
                *answer = DraftAnswer::Classes(vec![std::mem::take(class)]);
            }
        }
    });
    !several.is_empty()
}

fn ready(mut doc: RawDoc, unit: Unit, one_question: bool) -> Ready {
    let mut layers = BTreeMap::new();
    let (mut of_layers, mut of_people) = (Losses::default(), 0);
    for (name, own) in std::mem::take(&mut doc.layers) {
        let Ready { draft, kept, losses } = ready(RawDoc { text: doc.text.clone(), row: doc.row, ..own }, unit, one_question);
        of_people += kept;
        let mut said = draft.annotation.unwrap_or_default();
        said.answers.extend(draft.label.map(|label| ("label".to_owned(), DraftAnswer::Class(label))));
        let of_one = |loss: Loss| Loss { what: format!("of the answers of one annotator: {}", loss.what), ..loss };
        of_layers.join(Losses(losses.0.into_iter().map(of_one).collect()));
        layers.insert(name, said);
    }
    let mut ready = ready_alone(doc, unit, one_question);
    ready.kept += of_people;
    ready.losses.join(of_layers);
    ready.draft.annotation.get_or_insert_default().layers = layers;
    ready
}

fn ready_alone(doc: RawDoc, unit: Unit, one_question: bool) -> Ready {
    let RawDoc { row, text, classes, answers, meta, spans, links, state, unit: stated, split, .. } = doc;
    let label = classes.into_iter().next();
    let ruler = Ruler::new(&text);
    let unit = stated.unwrap_or(unit);
    let (mut placed, mut losses, mut kept) = (Vec::new(), Losses::default(), 0);
    let (mut ids, mut attributes) = (HashMap::new(), BTreeMap::new());
    for span in spans {
        let row = span.row.unwrap_or(row);
        let range = match offsets::put(&text, &ruler, unit, &span) {
            Placed::Kept(range) => {
                kept += 1;
                range
            }
            Placed::Clipped(range, what) => {
                losses.add(Fate::Clipped, format!("a span {what}"), row, format!("{} {}", where_it_is(&span.place), span.label));
                range
            }
            Placed::Dropped(why) => {
                losses.drop_span(why, row, format!("{} {}", where_it_is(&span.place), span.label));
                continue;
            }
        };
        let id = placed.len() as u32;
        ids.entry(span.key).or_insert(id);
        if !span.attributes.is_empty() {
            attributes.insert(id, span.attributes);
        }
        if range.of(&text).trim().len() < range.of(&text).len() {
            losses.note(
                "a span begins or ends with white space; it came in as it is",
                row,
                format!("{:?} {}", range.of(&text), span.label),
            );
        }
        placed.push(DraftSpan { id, range, label: span.label, polarity: span.polarity });
    }
    note_overlaps(&placed, &text, row, &mut losses);
    let (mut joined, mut seen, mut link_types) = (Vec::new(), HashSet::new(), BTreeMap::new());
    for RawLink { from, to, name } in links {
        match (ids.get(&from), ids.get(&to)) {
            (Some(from), Some(to)) if from != to => {
                let is_new = seen.insert((*from, *to));
                match name {
                    Some(name) if is_new => drop(link_types.insert((*from, *to), name)),
                    Some(name) if link_types.get(&(*from, *to)) != Some(&name) => {
                        losses.note("a second link between two spans was left out", row, name);
                    }
                    _ => {}
                }
                joined.extend(is_new.then_some((*from, *to)));
            }
            (Some(_), Some(_)) => losses.note("a link joins a span to itself and was left out", row, ""),
            _ => losses.note("a link was left out with a span that it joins", row, format!("{from} to {to}")),
        }
    }
    let annotation = DraftAnnotation {
        answers,
        spans: placed,
        links: joined,
        attributes,
        link_types,
        state,
        foreign: true,
        one_question,
        ..DraftAnnotation::default()
    };
    Ready { draft: Draft { row, text, label, meta, split, annotation: Some(annotation), project: None }, kept, losses }
}

/// Overlapping spans come in as they are, but many formats and models know none.
fn note_overlaps(placed: &[DraftSpan], text: &str, row: usize, losses: &mut Losses) {
    let mut by_start: Vec<&DraftSpan> = placed.iter().collect();
    by_start.sort_by_key(|span| (span.range.start(), std::cmp::Reverse(span.range.end())));
    let mut end = 0;
    for span in by_start {
        if span.range.start() < end {
            losses.note("a span overlaps another; both came in", row, format!("{:?} {}", span.range.of(text), span.label));
        }
        end = end.max(span.range.end());
    }
}

fn where_it_is(place: &Place) -> String {
    match place {
        Place::Offsets(start, end) => format!("{start} to {end}"),
        Place::Bytes(bytes) => format!("bytes {} to {}", bytes.start, bytes.end),
        Place::Words => "somewhere".to_owned(),
    }
}

/// Joins rows of equal text: some formats repeat a sentence for each of its aspects. How many were joined.
fn join(parsed: &mut Parsed) -> usize {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut docs: Vec<RawDoc> = Vec::new();
    let before = parsed.docs.len();
    for doc in std::mem::take(&mut parsed.docs) {
        let Some(at) = first.get(&doc.text) else {
            first.insert(doc.text.clone(), docs.len());
            docs.push(doc);
            continue;
        };
        let into = &mut docs[*at];
        for mut span in doc.spans {
            match into.spans.iter_mut().find(|other| other.place == span.place && other.label == span.label) {
                Some(same) => {
                    if same.polarity.is_some() && span.polarity.is_some() && same.polarity != span.polarity {
                        parsed.losses.note("an aspect has two polarities; the first was kept", doc.row, &doc.text);
                    }
                    same.polarity = same.polarity.or(span.polarity);
                    parsed.losses.add(Fate::Noted, "a span stands in several rows of its text; it came over once", doc.row, &doc.text);
                }
                None => {
                    span.key = format!("span {}", into.spans.len());
                    into.spans.push(span);
                }
            }
        }
    }
    parsed.docs = docs;
    before - parsed.docs.len()
}

/// Hands all rows of a file in. `done` is the share of the work that was done before.
pub(super) fn take(parsed: Parsed, kind: Kind, intake: &mut Intake, done: f32) -> Result<ControlFlow<()>, StoreError> {
    let mut parsed = parsed;
    for _ in 0..parsed.blank {
        intake.blank();
    }
    for (row, reason) in std::mem::take(&mut parsed.bad) {
        intake.skip(row, reason);
    }
    intake.report.joined += parsed.joined;
    let repeated = parsed.repeated;
    let (all, mut report, mut losses) = drafts(parsed, kind, intake.options.unit);
    intake.joined(report.joined_rows + repeated);
    let total = all.len() as f32;
    for (at, Ready { draft, kept, losses: own }) in all.into_iter().enumerate() {
        if intake.tick(done + (1.0 - done) * at as f32 / total).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let (row, said) = (draft.row, draft.annotation.clone().unwrap_or_default());
        let example = draft.text.clone();
        if intake.take(draft)? {
            report.kept += kept;
            losses.join(own);
            said.answers.values().filter_map(DraftAnswer::class).for_each(|class| intake.count_label(class));
        } else {
            let clipped = own.count(Fate::Clipped);
            let gone = Losses(own.0.into_iter().filter(|loss| loss.fate == Fate::Dropped).collect());
            losses.join(gone);
            for _ in 0..kept + clipped {
                losses.drop_span("belongs to a row that stayed outside (its text is there already, or it was skipped)", row, &example);
            }
        }
    }
    report.clipped = losses.count(Fate::Clipped);
    report.dropped = losses.count(Fate::Dropped);
    report.losses = losses.0;
    let issue = |loss: &super::Loss| RowIssue { row: loss.row, reason: loss.reason(), skipped: false };
    intake.report.issues.extend(report.losses.iter().map(issue));
    intake.report.spans = Some(report);
    Ok(ControlFlow::Continue(()))
}

/// A span as a cell of a preview: "aspect: 屏幕".
pub(super) fn cell(draft: &Draft) -> String {
    let said = draft.annotation.as_ref();
    let spans = said.map(|said| said.spans.as_slice()).unwrap_or_default();
    let words = |range: TextRange| range.of(&draft.text).to_owned();
    spans.iter().map(|span| format!("{}: {}", span.label, words(span.range))).collect::<Vec<_>>().join("; ")
}
