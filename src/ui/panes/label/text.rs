//! The middle: span labels above the text, the text itself with what the mouse does to it, the selected span below.

use super::attributes::span_name;
use super::linking::{linking_ui, marked_links};
use super::marking::{Marking, bearer, pair_labels, snapped, to_character, word_near};
use super::{suggested, suspected};
use crate::desk::Command;
use crate::project::{Document, LabelId, Polarity, Schema, SpanId, SpanLabel, TextRange};
use crate::ui::Cx;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{GAP, ROW_HEIGHT, palette};
use crate::ui::widgets::choice::Choice;
use crate::ui::widgets::document::{Document as DocumentWidget, Gesture, MarkedSpan, mark_of};
use crate::ui::widgets::fold::{Side, fold_button};
use eframe::egui::{self, Align, Area, EventFilter, Frame, Id, Layout, Margin, Order, RichText, ScrollArea, Ui, vec2};
use std::collections::BTreeMap;

/// The widest column of text that reads well, in text sizes.
const WIDEST: f32 = 46.0;

/// Room at either side of the text in a pane of this width.
pub(super) fn side(room: f32, size: f32) -> f32 {
    ((room - size * WIDEST) * 0.5).max(12.0)
}

/// Span labels to arm, and the folds of the side columns.
pub(super) fn toolbar(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking, folds: [&mut bool; 2]) {
    let [queue, inspector] = folds;
    ui.horizontal_top(|ui| {
        fold_button(ui, Side::Left, queue, cx.t("Show or hide the documents"));
        // Many labels take several lines; the buttons at the right keep their place.
        const BUTTONS: f32 = 4.0 * ROW_HEIGHT + 4.0 * GAP;
        let room = (ui.available_width() - BUTTONS).max(120.0);
        let lines = Layout::left_to_right(Align::Min).with_main_wrap(true);
        ui.allocate_ui_with_layout(vec2(room, ROW_HEIGHT), lines, |ui| labels_ui(ui, cx, schema, document, marking));
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            fold_button(ui, Side::Right, inspector, cx.t("Show or hide the details"));
            suggested::switch_ui(ui, cx);
            for (sign, name, action, by) in [("›", "Next document", Action::Next, 1), ("‹", "Previous document", Action::Previous, -1)]
            {
                let step = egui::Button::new(RichText::new(sign).size(18.0)).frame_when_inactive(false);
                let button = ui.add_sized(vec2(ROW_HEIGHT, ROW_HEIGHT), step);
                let name = cx.t(name);
                if button.accessible_name(name).on_hover_text(format!("{name} ({})", keys::name_of(action))).clicked() {
                    cx.send(Command::Step(by));
                }
            }
        });
    });
}

/// A button for each span label: arms it, or marks what is selected.
fn labels_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    for (label, at) in schema.span_labels.iter().zip(0u16..) {
        let is_armed = marking.armed == Some(at);
        let button = label_button(label, is_armed).show(ui);
        let mut hint = match key_word(label.key) {
            "" => cx.tf("Mark with the mouse as {} without asking", &[&label.name]),
            key => cx.tf("Mark with the mouse as {} without asking. The key {} marks the selection", &[&label.name, &key]),
        };
        let help = schema.help(LabelId::Span(at));
        if !help.is_empty() {
            hint = format!("{help}\n{hint}");
        }
        let button = button.on_hover_text(hint);
        if button.clicked() {
            // With something selected the button marks it, as the letter does.
            if marking.selection().is_some() || marking.selected.is_some() {
                marking.mark(cx, document, at);
            } else {
                marking.armed = (!is_armed).then_some(at);
            }
        }
    }
}

fn label_button(label: &SpanLabel, chosen: bool) -> Choice<'_> {
    let key = key_word(label.key);
    Choice { name: &label.name, key, hue: Some(label.hue), chosen, is_radio: false, percent: None }
}

/// A letter as it is written on its key.
pub(super) fn key_word(key: char) -> &'static str {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let at = LETTERS.find(key.to_ascii_uppercase());
    at.map_or("", |at| &LETTERS[at..=at])
}

/// One line about the selected span (or the link under way), with everything that can be done to it.
pub(super) fn span_bar(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    // In a low window what is only a hint leaves its line to the text.
    const LOW: f32 = 520.0;
    let is_low = ui.ctx().content_rect().height() < LOW;
    if is_low && marking.linking.is_none() && marking.selected.is_none() && cx.desk.ghosts(document.id).is_empty() {
        return;
    }
    // In a narrow column it takes two lines rather than push what stands below out of sight.
    ui.horizontal_wrapped(|ui| {
        ui.set_min_height(crate::ui::theme::ROW_HEIGHT);
        match (marking.linking, marking.selected_span(document)) {
            (Some(linking), _) => linking_ui(ui, cx, schema, document, marking, linking),
            (None, Some((id, span))) => {
                let Some(label) = schema.span_labels.get(usize::from(span.label)) else { return };
                crate::ui::icons::dot(ui, palette(ui).hue(label.hue));
                ui.label(RichText::new(excerpt(span.range.of(&document.text))).strong());
                ui.label(RichText::new(&label.name).color(palette(ui).weak));
                if let Some((bearer, held)) = bearer(schema, document, id) {
                    if bearer != id {
                        ui.label(RichText::new(excerpt(held.range.of(&document.text))).color(palette(ui).weak));
                    }
                    polarity_buttons(ui, cx, document, bearer, held.polarity);
                }
                if !schema.attributes(span.label).is_empty() {
                    let words = ui.button(cx.t("Attributes…")).on_hover_text(keys::name_of(Action::Attributes));
                    if words.clicked() {
                        let is_open = marking.choosing.is_some_and(|(held, _)| held == id);
                        marking.choosing = (!is_open).then_some((id, 0));
                    }
                }
                if ui.button(cx.t("Link")).on_hover_text(keys::name_of(Action::Link)).clicked() {
                    marking.start_link(document);
                }
                if ui.button(cx.t("Remove")).on_hover_text(keys::name_of(Action::DeleteSpan)).clicked() {
                    marking.remove(cx, document);
                }
                suggested::repeats_ui(ui, cx, document, (id, span));
            }
            (None, None) if suggested::bar_ui(ui, cx, schema, document, marking) => {}
            (None, None) => {
                let hint = match marking.armed.and_then(|at| schema.span_labels.get(usize::from(at))) {
                    Some(label) => cx.tf("Drag or double-click to mark as {}", &[&label.name]),
                    None => cx.t("Drag or double-click a word to mark it, or press a label's letter at the caret").to_owned(),
                };
                ui.add(egui::Label::new(RichText::new(hint).color(palette(ui).weak)).truncate());
            }
        }
    });
}

/// ＋ － ○ for one span; the one that holds is filled, and a second click takes it away.
pub(super) fn polarity_buttons(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, id: SpanId, held: Option<Polarity>) {
    ui.push_id(id.0, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding.x = 6.0;
        for polarity in [Polarity::Positive, Polarity::Negative, Polarity::Neutral] {
            let is_held = held == Some(polarity);
            let colours = palette(ui);
            let (fill, ink) =
                if is_held { (colours.polarity(polarity), colours.on_accent) } else { (colours.raised, colours.polarity(polarity)) };
            let button = egui::Button::new(RichText::new(mark_of(polarity)).color(ink)).fill(fill).min_size(vec2(28.0, 24.0));
            let name = cx.t(polarity_word(polarity));
            if ui.add(button).accessible_name(name).on_hover_text(name).clicked() {
                cx.send(Command::SetPolarity { doc: document.id, id, to: (!is_held).then_some(polarity) });
            }
        }
    });
}

pub(super) fn polarity_word(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "Positive",
        Polarity::Negative => "Negative",
        Polarity::Neutral => "Neutral",
    }
}

/// The document itself.
pub(super) fn text_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    let size = cx.desk.settings().text_size;
    let ghosts = cx.desk.ghosts(document.id);
    let names = span_names(schema, document);
    let mut spans = marked_spans(schema, document, marking, &names);
    spans.extend(suggested::marks(schema, &ghosts));
    spans.extend(suspected::drawn(cx, schema, document));
    let offers = suggested::any(cx, schema, document, &ghosts) || suspected::any(cx, document);
    let next_ghost = suggested::next(marking, &ghosts).filter(|_| marking.selected.is_none() && marking.selection().is_none());
    let links = marked_links(schema, &document.annotation);
    let reveal = std::mem::take(&mut marking.reveals).then(|| revealed(document, marking));
    let name = cx.t("The document's text");
    let area = ScrollArea::vertical().id_salt(("text", document.id.0)).auto_shrink(false).animated(false);
    let output = area.show(ui, |ui| {
        let room = ui.available_width();
        let side = side(room, size);
        let mut rect = ui.available_rect_before_wrap();
        rect.min.x += side;
        rect.max.x -= side;
        let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(rect).id_salt(("document", document.id.0)));
        inner.add_space(10.0);
        let widget = DocumentWidget {
            text: &document.text,
            spans: &spans,
            links: &links,
            size,
            selected: marking.selected.map(|id| id.0),
            candidate: match marking.linking {
                Some(linking) => linking.to.map(|id| id.0),
                None => next_ghost.map(suggested::id_of),
            },
            caret: marking.selected.is_none().then_some(marking.caret),
            selection: marking.selection(),
            editable: true,
            reveal,
            name,
        };
        marking.view.dimmed_from = cx.desk.pieces(document.id).and_then(|pieces| pieces.cut_at);
        let output = widget.show(&mut inner, &mut marking.view);
        ui.advance_cursor_after_rect(inner.min_rect());
        ui.add_space(24.0);
        output
    });
    let output = output.inner;
    let id = output.response.id;
    marking.text_id = Some(id);
    // Tab decides suggestions while there are any; then it goes from field to field again.
    if offers && ui.memory(|memory| memory.focused().is_none()) && !keys::is_blocked(ui) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let filter = EventFilter { tab: offers, horizontal_arrows: true, vertical_arrows: true, escape: true };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    if let Some(gesture) = output.gesture {
        match gesture {
            Gesture::Click { span: Some(span), .. } if suggested::place_of(span).is_some() => {
                let chosen = suggested::place_of(span).and_then(|at| ghosts.get(at));
                marking.deselect();
                marking.ghost = chosen.map(|ghost| (ghost.range, ghost.label));
            }
            other => take_gesture(cx, schema, document, marking, other),
        }
    }
    span_palette(ui, cx, schema, document, marking);
}

/// Where to look: at the selected span or the caret.
fn revealed(document: &Document, marking: &Marking) -> usize {
    let candidate = marking.linking.and_then(|linking| linking.to);
    let span = candidate.or(marking.selected).and_then(|id| document.annotation.spans.get(&id));
    span.map_or(marking.caret, |span| span.range.start())
}

/// The names of spans of which more is said than their label.
pub(super) fn span_names(schema: &Schema, document: &Document) -> BTreeMap<SpanId, String> {
    let said = &document.annotation;
    let name = |id: &SpanId| Some((*id, span_name(schema, said, *id, said.spans.get(id)?)));
    said.attributes.keys().filter_map(name).collect()
}

fn marked_spans<'a>(
    schema: &'a Schema,
    document: &Document,
    marking: &Marking,
    names: &'a BTreeMap<SpanId, String>,
) -> Vec<MarkedSpan<'a>> {
    let spans = document.annotation.spans.iter().filter_map(|(id, span)| {
        let label = schema.span_labels.get(usize::from(span.label))?;
        let moved = marking.moved.filter(|_| marking.selected == Some(*id));
        Some(MarkedSpan {
            id: id.0,
            range: moved.unwrap_or(span.range),
            label: names.get(id).unwrap_or(&label.name),
            hue: label.hue,
            polarity: span.polarity,
            dashed: false,
            percent: None,
        })
    });
    spans.collect()
}

fn take_gesture(cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking, gesture: Gesture) {
    let text = &*document.text;
    match gesture {
        Gesture::Click { span: Some(id), .. } if marking.linking.is_some_and(|linking| linking.from != SpanId(id)) => {
            if let Some(linking) = &mut marking.linking {
                linking.to = Some(SpanId(id));
            }
            marking.link(cx, schema, document);
        }
        Gesture::Click { byte, modifiers, .. } if modifiers.shift => {
            marking.move_caret(to_character(text, byte), true);
        }
        Gesture::Click { span: Some(id), .. } => {
            marking.deselect();
            marking.select_span(document, SpanId(id));
            marking.reveals = false;
        }
        Gesture::Click { byte, .. } => {
            marking.deselect();
            marking.move_caret(to_character(text, byte), false);
            marking.reveals = false;
        }
        Gesture::DoubleClick { byte } => {
            let Some(word) = word_near(text, byte).filter(|word| word.end() > byte) else { return };
            marking.deselect();
            match marking.armed {
                Some(label) => {
                    marking.add(cx, document, word, label);
                }
                None => {
                    marking.select_bytes(word.bytes());
                    marking.asks_at_selection = true;
                }
            }
        }
        Gesture::Selecting { from, to, modifiers } => {
            if let Some(range) = snapped(text, from, to, modifiers.alt) {
                let keeps = modifiers.command.then_some(marking.selected).flatten();
                marking.select_bytes(range.bytes());
                marking.selected = keeps;
            } else {
                marking.anchor = None;
            }
            marking.palette_at = None;
        }
        Gesture::Selected { from, to, modifiers, at } => {
            let Some(range) = snapped(text, from, to, modifiers.alt) else {
                marking.anchor = None;
                return;
            };
            if modifiers.command && pair_labels(schema).is_some() {
                marking.mark_pair(cx, schema, document, range);
            } else if let Some(label) = marking.armed {
                marking.add(cx, document, range, label);
            } else {
                marking.select_bytes(range.bytes());
                marking.palette_at = Some(at);
            }
        }
        Gesture::MovingEdge { id, end, to, modifiers } => marking.moved = edge_moved(document, SpanId(id), end, to, modifiers.alt),
        Gesture::MovedEdge { id, end, to, modifiers } => {
            marking.moved = None;
            let id = SpanId(id);
            let Some(range) = edge_moved(document, id, end, to, modifiers.alt) else { return };
            let Some(span) = document.annotation.spans.get(&id).filter(|span| span.range != range) else { return };
            cx.send(Command::ChangeSpan { doc: document.id, id, range, label: span.label });
        }
    }
}

/// The range that a span has when its edge is dragged to `to`: whole words unless `by_character`.
fn edge_moved(document: &Document, id: SpanId, end: bool, to: usize, by_character: bool) -> Option<TextRange> {
    let text = &*document.text;
    let span = document.annotation.spans.get(&id)?;
    let (start, stop) = if end { (span.range.start(), to) } else { (to, span.range.end()) };
    if start >= stop {
        return None;
    }
    let moved = snapped(text, start, stop, by_character)?;
    // The edge that is held stays, even where it cuts a word.
    let bytes = if end { span.range.start()..moved.end() } else { moved.start()..span.range.end() };
    TextRange::new(text, bytes)?.trimmed(text)
}

/// The labels to choose from, at the pointer, after a selection was drawn.
fn span_palette(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    if std::mem::take(&mut marking.asks_at_selection) {
        marking.palette_at = ui.input(|input| input.pointer.latest_pos());
    }
    let (Some(at), Some(_)) = (marking.palette_at, marking.selection()) else { return };
    let mut chosen = None;
    let area =
        Area::new(Id::unique("span palette")).order(Order::Foreground).fixed_pos(at + vec2(-20.0, 14.0)).constrain_to(ui.clip_rect());
    area.show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(Margin::same(6)).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = GAP * 0.5;
                for (label, at) in schema.span_labels.iter().zip(0u16..) {
                    ui.push_id(at, |ui| {
                        let name = cx.tf("Mark as {}", &[&label.name]);
                        if label_button(label, false).show(ui).accessible_name(name).clicked() {
                            chosen = Some(at);
                        }
                    });
                }
            });
        });
    });
    if let Some(label) = chosen {
        marking.mark(cx, document, label);
    }
}

/// Characters of a span's text that lists show.
pub(super) const EXCERPT: usize = 24;

/// The beginning of a span's text on one line.
pub(super) fn excerpt(text: &str) -> String {
    shortened(text, EXCERPT)
}

/// At most so many characters of a text, on one line.
pub(super) fn shortened(text: &str, shown: usize) -> String {
    let mut words: String = text.chars().take(shown).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(shown).is_some() {
        words.push('…');
    }
    words
}
