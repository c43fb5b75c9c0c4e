//! Where one is in the document: caret, selection, selected span, link under way; and what gestures come to.

use crate::desk::{Command, next_character, previous_character, word_at};
use crate::project::{DocId, Document, Number, Polarity, Schema, Span, SpanId, TextRange};
use crate::ui::Cx;
use crate::ui::widgets::document::DocumentState;
use eframe::egui::{Id, Pos2};
use std::ops::Range;

/// A link being made: from the span that was selected to the one chosen so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linking {
    pub from: SpanId,
    pub to: Option<SpanId>,
    /// Chosen by its digit or button.
    pub link_type: Option<u16>,
}

/// Where one is in the document.
#[derive(Default)]
pub(super) struct Marking {
    doc: Option<DocId>,
    pub view: DocumentState,
    pub text_id: Option<Id>,
    /// Byte before which the caret stands.
    pub caret: usize,
    /// The other end of the selection.
    pub anchor: Option<usize>,
    pub selected: Option<SpanId>,
    /// The suggestion that was clicked.
    pub ghost: Option<(TextRange, u16)>,
    pub linking: Option<Linking>,
    /// The attribute of the selected span that digits answer.
    pub choosing: Option<(SpanId, u16)>,
    /// The number that an attribute would get from the drag under way.
    pub dragged: Option<(SpanId, u16, Number)>,
    /// The label that the mouse makes without asking.
    pub armed: Option<u16>,
    /// Where the span palette is open.
    pub palette_at: Option<Pos2>,
    /// The palette is to open where the pointer is.
    pub asks_at_selection: bool,
    /// The place that the selected span would get from the drag under way.
    pub moved: Option<TextRange>,
    /// The opinion last made with Ctrl held: it is selected once Ctrl is let go.
    pub paired: Option<SpanId>,
    /// The caret or the selected span should come into sight.
    pub reveals: bool,
}

impl Marking {
    /// Takes up a document: what was said of another one is forgotten.
    pub fn turn_to(&mut self, document: Option<&Document>) {
        let doc = document.map(|document| document.id);
        if self.doc != doc {
            let armed = self.armed;
            let view = std::mem::take(&mut self.view);
            *self = Self { doc, armed, view, text_id: self.text_id, reveals: true, ..Self::default() };
            self.view.forget_drag();
        }
        let Some(document) = document else { return };
        let is_there = |id: SpanId| document.annotation.spans.contains_key(&id);
        self.selected = self.selected.filter(|id| is_there(*id));
        self.linking = self.linking.filter(|linking| is_there(linking.from) && linking.to.is_none_or(is_there));
    }

    pub fn text_id(&self) -> Option<Id> {
        self.text_id
    }

    /// Bytes of the selection, if it is not empty.
    pub fn selection(&self) -> Option<Range<usize>> {
        let anchor = self.anchor?;
        (anchor != self.caret).then(|| anchor.min(self.caret)..anchor.max(self.caret))
    }

    pub fn deselect(&mut self) {
        self.anchor = None;
        self.selected = None;
        self.linking = None;
        self.palette_at = None;
        self.moved = None;
        self.ghost = None;
    }

    /// Goes on behind a suggestion that was decided.
    pub fn pass(&mut self, end: usize) {
        self.deselect();
        self.caret = end;
    }

    /// Moves the caret, drawing the selection along when `extends`.
    pub fn move_caret(&mut self, to: usize, extends: bool) {
        self.anchor = if extends { self.anchor.or(Some(self.caret)) } else { None };
        self.caret = to;
        self.selected = None;
        self.palette_at = None;
        self.reveals = true;
    }

    pub fn select_bytes(&mut self, bytes: Range<usize>) {
        self.anchor = Some(bytes.start);
        self.caret = bytes.end;
        self.selected = None;
    }

    pub fn select_span(&mut self, document: &Document, id: SpanId) {
        self.anchor = None;
        self.palette_at = None;
        self.selected = Some(id);
        self.reveals = true;
        if let Some(span) = document.annotation.spans.get(&id) {
            self.caret = span.range.end();
        }
    }

    /// With Ctrl let go the pair is complete: its polarity is what is said next.
    pub fn end_pair(&mut self, document: &Document) {
        if let Some(opinion) = self.paired.take() {
            self.select_span(document, opinion);
        }
    }

    pub fn selected_span(&self, document: &Document) -> Option<(SpanId, Span)> {
        let id = self.selected?;
        Some((id, *document.annotation.spans.get(&id)?))
    }

    /// Makes a span of the selection, or of the word at the caret; gives the selected span another label.
    pub fn mark(&mut self, cx: &mut Cx<'_>, document: &Document, label: u16) {
        let text = &*document.text;
        if self.selection().is_none()
            && let Some((id, span)) = self.selected_span(document)
        {
            if span.label != label {
                cx.send(Command::ChangeSpan { doc: document.id, id, range: span.range, label });
            }
            return;
        }
        let range = match self.selection() {
            Some(bytes) => TextRange::new(text, bytes).and_then(|range| range.trimmed(text)),
            None => word_near(text, self.caret),
        };
        if let Some(range) = range {
            self.add(cx, document, range, label);
        }
    }

    /// Makes a span and selects it; one that is there already is only selected.
    pub fn add(&mut self, cx: &mut Cx<'_>, document: &Document, range: TextRange, label: u16) -> SpanId {
        let id = span_at(document, range, label).unwrap_or_else(|| {
            cx.send(Command::AddSpan { doc: document.id, range, label });
            document.annotation.free_span_id()
        });
        self.deselect();
        self.selected = Some(id);
        self.caret = range.end();
        id
    }

    /// A selection drawn with Ctrl: the aspect first, then every opinion of it, linked as it is made.
    pub fn mark_pair(&mut self, cx: &mut Cx<'_>, schema: &Schema, document: &Document, range: TextRange) {
        let Some((aspect, opinion)) = pair_labels(schema) else { return };
        let head = self.selected_span(document).filter(|(_, span)| span.label == aspect).map(|(id, _)| id);
        let Some(head) = head else {
            self.add(cx, document, range, aspect);
            return;
        };
        let doc = document.id;
        let held = span_at(document, range, opinion);
        match held {
            None => cx.send(Command::AddLinkedSpan { doc, range, label: opinion, to: head }),
            Some(from) if document.annotation.links.iter().any(|link| link.from == from && link.to == head) => {}
            Some(from) => cx.send(Command::ToggleLink { doc, from, to: head }),
        }
        self.deselect();
        self.selected = Some(head); // so that another opinion can follow
        self.paired = Some(held.unwrap_or_else(|| document.annotation.free_span_id()));
        self.caret = range.end();
    }

    /// Starts a link at the selected span, with the likeliest partner already chosen.
    pub fn start_link(&mut self, document: &Document) {
        let Some((from, span)) = self.selected_span(document) else { return };
        // Another kind of span comes first, then what is nearest.
        let far = |other: &Span| {
            let (start, end) = (other.range.start().max(span.range.start()), other.range.end().min(span.range.end()));
            (other.label == span.label, start.saturating_sub(end))
        };
        let others = document.annotation.spans.iter().filter(|(id, _)| **id != from);
        let to = others.min_by_key(|(_, other)| far(other)).map(|(id, _)| *id);
        self.linking = Some(Linking { from, to, link_type: None });
        self.choosing = None;
    }

    /// Steps to the next span (or the one before) in reading order, round the ends.
    pub fn step_span(&mut self, document: &Document, forward: bool) {
        let from = self.linking.map(|linking| linking.from);
        let spans = document.annotation.spans_in_order();
        let spans: Vec<_> = spans.into_iter().filter(|(id, _)| Some(*id) != from).collect();
        if spans.is_empty() {
            return;
        }
        let held = self.linking.map_or(self.selected, |linking| linking.to);
        let at = held.and_then(|id| spans.iter().position(|(other, _)| *other == id));
        let next = match (at, forward) {
            (Some(at), true) => (at + 1) % spans.len(),
            (Some(at), false) => (at + spans.len() - 1) % spans.len(),
            (None, true) => spans.iter().position(|(_, span)| span.range.start() >= self.caret).unwrap_or(0),
            (None, false) => spans.iter().rposition(|(_, span)| span.range.end() <= self.caret).unwrap_or(spans.len() - 1),
        };
        let id = spans[next].0;
        match &mut self.linking {
            Some(linking) => linking.to = Some(id),
            None => self.select_span(document, id),
        }
        self.reveals = true;
    }

    /// Sets the polarity of the selected span, or of the only opinion linked to it. The same again takes it away.
    pub fn set_polarity(&mut self, cx: &mut Cx<'_>, schema: &Schema, document: &Document, to: Polarity) {
        let Some((id, span)) = self.selected_span(document).and_then(|(id, _)| bearer(schema, document, id)) else { return };
        let to = (span.polarity != Some(to)).then_some(to);
        cx.send(Command::SetPolarity { doc: document.id, id, to });
    }

    pub fn remove(&mut self, cx: &mut Cx<'_>, document: &Document) {
        if let Some(id) = self.selected.take() {
            cx.send(Command::RemoveSpan { doc: document.id, id });
        }
    }

    /// Moves an edge of the selected span by a character (or a word), past what would be trimmed away again.
    pub fn move_edge(&mut self, cx: &mut Cx<'_>, document: &Document, end: bool, step: impl Fn(&str, usize) -> usize) {
        let Some((id, span)) = self.selected_span(document) else { return };
        let text = &*document.text;
        let mut edge = if end { span.range.end() } else { span.range.start() };
        loop {
            let next = step(text, edge);
            if next == edge {
                return;
            }
            edge = next;
            let bytes = if end { span.range.start()..edge } else { edge..span.range.end() };
            let Some(range) = TextRange::new(text, bytes).and_then(|range| range.trimmed(text)) else { return };
            if range != span.range {
                cx.send(Command::ChangeSpan { doc: document.id, id, range, label: span.label });
                self.reveals = true;
                return;
            }
        }
    }
}

/// The label of aspects and the label of opinions: the first that carries no polarity, and the first that does.
pub(super) fn pair_labels(schema: &Schema) -> Option<(u16, u16)> {
    let first = |polarity: bool| schema.span_labels.iter().position(|label| label.polarity == polarity).map(|at| at as u16);
    Some((first(false)?, first(true)?))
}

fn has_polarity(schema: &Schema, span: &Span) -> bool {
    schema.span_labels.get(usize::from(span.label)).is_some_and(|label| label.polarity)
}

/// The span itself if its label carries a polarity, else the only linked one whose label does.
pub(super) fn bearer(schema: &Schema, document: &Document, id: SpanId) -> Option<(SpanId, Span)> {
    let annotation = &document.annotation;
    let span = *annotation.spans.get(&id)?;
    if has_polarity(schema, &span) {
        return Some((id, span));
    }
    let others = annotation.links.iter().filter_map(|link| (link.to == id).then_some(link.from).or((link.from == id).then_some(link.to)));
    let mut bearers =
        others.filter_map(|other| Some((other, *annotation.spans.get(&other)?))).filter(|(_, span)| has_polarity(schema, span));
    let only = bearers.next()?;
    bearers.next().is_none().then_some(only)
}

/// A link goes from the opinion to the aspect, whichever was chosen first.
pub(super) fn oriented(schema: &Schema, document: &Document, a: SpanId, b: SpanId) -> (SpanId, SpanId) {
    let is_opinion = |id: SpanId| document.annotation.spans.get(&id).is_some_and(|span| has_polarity(schema, span));
    if is_opinion(b) && !is_opinion(a) { (b, a) } else { (a, b) }
}

/// The word at the caret, or the one just before it.
pub(super) fn word_near(text: &str, caret: usize) -> Option<TextRange> {
    let word = word_at(text, caret).or_else(|| word_at(text, previous_character(text, caret)));
    word.and_then(|range| range.trimmed(text))
}

/// The place that a drag from one boundary to another means: whole words, or with `by_character` just the characters.
pub(super) fn snapped(text: &str, from: usize, to: usize, by_character: bool) -> Option<TextRange> {
    let (start, end) = (to_character(text, from.min(to)), to_character(text, from.max(to)));
    if start >= end {
        return None;
    }
    let (mut first, mut last) = (start, end);
    if !by_character {
        first = word_at(text, start).filter(|word| word.end() > start).map_or(start, |word| word.start().min(start));
        last = word_at(text, previous_character(text, end)).map_or(end, |word| word.end().max(end));
    }
    TextRange::new(text, first..last)?.trimmed(text)
}

/// The nearest boundary of a whole character at or after `byte`: emoji are never cut.
pub(super) fn to_character(text: &str, byte: usize) -> usize {
    if byte == 0 || byte >= text.len() {
        return byte.min(text.len());
    }
    next_character(text, previous_character(text, byte)).max(byte)
}

/// The span with just this range and label.
fn span_at(document: &Document, range: TextRange, label: u16) -> Option<SpanId> {
    document.annotation.spans.iter().find(|(_, span)| span.range == range && span.label == label).map(|(id, _)| *id)
}
