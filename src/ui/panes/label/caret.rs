//! Marking by keys alone: the caret, letters, stepping through spans, polarity, links, edges.

use super::marking::Marking;
use crate::desk::{next_character, next_word_end, previous_character, previous_word_start};
use crate::project::{Document, Polarity, Schema};
use crate::ui::Cx;
use crate::ui::keys::{self, Action};
use eframe::egui::{Event, Key, Modifiers, Ui};

pub(super) fn keys(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    let own = marking.text_id();
    let pressed = |action| keys::pressed_in(ui, action, own);
    if ui.input(|input| !input.modifiers.command) {
        marking.end_pair(document);
    }
    if pressed(Action::Deselect) {
        escape(marking);
    }
    if let Some(label) = keys::mark_pressed(ui, schema) {
        marking.mark(cx, document, label);
    }
    if pressed(Action::SpanNext) {
        marking.step_span(document, true);
    }
    if pressed(Action::SpanPrevious) {
        marking.step_span(document, false);
    }
    if marking.linking.is_some() && pressed(Action::Finish) {
        marking.link(cx, schema, document);
    }
    for (action, polarity) in
        [(Action::Positive, Polarity::Positive), (Action::Negative, Polarity::Negative), (Action::Neutral, Polarity::Neutral)]
    {
        if pressed(action) {
            marking.set_polarity(cx, schema, document, polarity);
        }
    }
    if pressed(Action::Link) {
        marking.start_link(document);
    }
    if pressed(Action::DeleteSpan) {
        marking.remove(cx, document);
    }
    let focused = ui.memory(|memory| memory.focused());
    if (focused.is_none() || focused == own) && !keys::is_blocked(ui) {
        for (key, modifiers) in moves(ui) {
            move_by_key(cx, document, marking, key, modifiers);
        }
        copy(ui, document, marking);
    }
}

/// Lets go of what was begun last: palette, link, then selections.
fn escape(marking: &mut Marking) {
    if marking.palette_at.take().is_some() {
        marking.anchor = None;
    } else if marking.linking.take().is_none() {
        if marking.selection().is_none() && marking.selected.is_none() {
            marking.armed = None;
        }
        marking.deselect();
    }
}

/// Takes the arrows and their like out of the frame's events.
fn moves(ui: &Ui) -> Vec<(Key, Modifiers)> {
    let mut found = Vec::new();
    ui.input_mut(|input| {
        input.events.retain(|event| match event {
            Event::Key { key: key @ (Key::ArrowLeft | Key::ArrowRight | Key::Home | Key::End), pressed: true, modifiers, .. } => {
                found.push((*key, *modifiers));
                false
            }
            _ => true,
        });
    });
    found
}

fn move_by_key(cx: &mut Cx<'_>, document: &Document, marking: &mut Marking, key: Key, held: Modifiers) {
    let text = &*document.text;
    let by_word = held.command || held.ctrl;
    if held.alt {
        let step: fn(&str, usize) -> usize = match (key, by_word) {
            (Key::ArrowLeft, false) => previous_character,
            (Key::ArrowLeft, true) => previous_word_start,
            (Key::ArrowRight, false) => next_character,
            (Key::ArrowRight, true) => next_word_end,
            _ => return,
        };
        return marking.move_edge(cx, document, !held.shift, step);
    }
    let caret = marking.caret;
    let line = || marking.view.line_at(caret).unwrap_or(0..text.len());
    // Without Shift an arrow first leaves the selection at its side.
    let left_of = marking.selection().filter(|_| !held.shift);
    let to = match key {
        Key::ArrowLeft if by_word => previous_word_start(text, caret),
        Key::ArrowRight if by_word => next_word_end(text, caret),
        Key::ArrowLeft => left_of.map_or_else(|| previous_character(text, caret), |bytes| bytes.start),
        Key::ArrowRight => left_of.map_or_else(|| next_character(text, caret), |bytes| bytes.end),
        Key::Home if by_word => 0,
        Key::End if by_word => text.len(),
        Key::Home => line().start,
        _ => line_end(text, line()),
    };
    marking.move_caret(to, held.shift);
}

/// The last place that still belongs to the line: a wrapped line ends before the character that starts the next.
fn line_end(text: &str, line: std::ops::Range<usize>) -> usize {
    let is_wrapped = text.get(line.end..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('\n'));
    if is_wrapped && line.end > line.start { previous_character(text, line.end) } else { line.end }
}

/// Ctrl+C takes the selection, or the text of the selected span.
fn copy(ui: &Ui, document: &Document, marking: &Marking) {
    let asked = ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Copy)));
    if !asked {
        return;
    }
    let bytes = marking.selection().or_else(|| marking.selected_span(document).map(|(_, span)| span.range.bytes()));
    if let Some(copied) = bytes.and_then(|bytes| document.text.get(bytes)) {
        ui.ctx().copy_text(copied.to_owned());
    }
}
