//! What is suggested for the document: keys and the line that accept or reject it, and the marks that show it.

use super::marking::Marking;
use super::text::{excerpt, polarity_word};
use crate::desk::{Command, Ghost};
use crate::project::{Document, Schema, State};
use crate::ui::Cx;
use crate::ui::icons::focus_ring;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{ROW_HEIGHT, palette};
use crate::ui::widgets::document::{MarkedSpan, mark_of};
use eframe::egui::{Rect, RichText, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

/// Ids of suggested spans in the widget begin here; those of marked spans are small.
const FIRST_ID: u32 = 1 << 31;

/// The place in `ghosts` that an id of the widget stands for.
pub(super) fn place_of(id: u32) -> Option<usize> {
    id.checked_sub(FIRST_ID).map(|at| at as usize)
}

pub(super) fn id_of(place: usize) -> u32 {
    FIRST_ID + place as u32
}

/// The suggestion that is decided next: the one clicked, or the first behind the caret, round the end.
pub(super) fn next(marking: &Marking, ghosts: &[Ghost]) -> Option<usize> {
    let clicked = marking.ghost.and_then(|chosen| ghosts.iter().position(|ghost| (ghost.range, ghost.label) == chosen));
    let behind = || ghosts.iter().position(|ghost| ghost.range.end() > marking.caret);
    clicked.or_else(behind).or((!ghosts.is_empty()).then_some(0))
}

/// Whether there is anything to accept, a class included.
pub(super) fn any(cx: &Cx<'_>, schema: &Schema, document: &Document, ghosts: &[Ghost]) -> bool {
    !ghosts.is_empty() || class_is_open(cx, schema, document)
}

/// Whether a class is suggested and none answered.
fn class_is_open(cx: &Cx<'_>, schema: &Schema, document: &Document) -> bool {
    let unanswered = schema.main_question().is_some_and(|(id, _)| !document.annotation.answers.contains_key(&id));
    unanswered && document.annotation.state == State::Todo && cx.desk.guess(document.id).is_some()
}

pub(super) fn keys(ui: &Ui, cx: &mut Cx<'_>, document: &Document, marking: &mut Marking) {
    let own = marking.text_id();
    let pressed = |action| keys::pressed_in(ui, action, own);
    if pressed(Action::ShowSuggestions) {
        cx.send(Command::SetSuggestions(!cx.desk.suggests()));
    }
    if pressed(Action::ShowPieces) {
        cx.send(Command::ShowPieces(!cx.desk.shows_pieces()));
    }
    if let Some((id, _)) = marking.selected_span(document) {
        if pressed(Action::MarkEverywhere) {
            cx.send(Command::MarkEverywhere { doc: document.id, id });
        }
        if pressed(Action::SuggestEverywhere) {
            cx.send(Command::SuggestEverywhere { doc: document.id, id });
        }
    }
    let Some(schema) = cx.desk.project().map(|project| project.schema().clone()) else { return };
    let ghosts = cx.desk.ghosts(document.id);
    if !any(cx, &schema, document, &ghosts) {
        return;
    }
    if pressed(Action::AcceptAll) {
        cx.send(Command::AcceptAll(document.id));
    } else if pressed(Action::AcceptNext) {
        accept(cx, document, marking, &ghosts);
    } else if pressed(Action::RejectNext) {
        reject(cx, document, marking, &ghosts);
    }
}

/// The next span, or when no more is suggested the class.
fn accept(cx: &mut Cx<'_>, document: &Document, marking: &mut Marking, ghosts: &[Ghost]) {
    let doc = document.id;
    match next(marking, ghosts).map(|at| &ghosts[at]) {
        Some(&Ghost { range, label, .. }) => {
            cx.send(Command::AcceptSpan { doc, range, label });
            marking.pass(range.end());
        }
        None => cx.send(Command::AcceptClass { doc }),
    }
}

fn reject(cx: &mut Cx<'_>, document: &Document, marking: &mut Marking, ghosts: &[Ghost]) {
    if let Some(&Ghost { range, label, .. }) = next(marking, ghosts).map(|at| &ghosts[at]) {
        cx.send(Command::RejectSpan { doc: document.id, range, label });
        marking.pass(range.end());
    }
}

/// The suggestions as the widget shows them.
pub(super) fn marks<'a>(schema: &'a Schema, ghosts: &'a [Ghost]) -> impl Iterator<Item = MarkedSpan<'a>> {
    ghosts.iter().enumerate().filter_map(|(at, ghost)| {
        let label = schema.span_labels.get(usize::from(ghost.label))?;
        Some(MarkedSpan {
            id: id_of(at),
            range: ghost.range,
            label: &label.name,
            hue: label.hue,
            polarity: ghost.polarity,
            dashed: true,
            percent: ghost.probability.map(|probability| (probability * 100.0).round() as u8),
        })
    })
}

/// The line under the text about the next suggestion; `false` when there is none.
pub(super) fn bar_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) -> bool {
    let ghosts = cx.desk.ghosts(document.id);
    let Some((at, ghost)) = next(marking, &ghosts).map(|at| (at, &ghosts[at])) else { return false };
    let Some(label) = schema.span_labels.get(usize::from(ghost.label)) else { return false };
    crate::ui::icons::dot(ui, palette(ui).hue(label.hue));
    ui.label(RichText::new(cx.tf("Suggested: {}", &[&excerpt(ghost.range.of(&document.text))])).strong());
    let percent = ghost.probability.map(|probability| format!(" {:.0} %", probability * 100.0)).unwrap_or_default();
    ui.label(RichText::new(format!("{}{percent}", label.name)).color(palette(ui).weak));
    if let Some(polarity) = ghost.polarity {
        ui.label(RichText::new(mark_of(polarity)).color(palette(ui).polarity(polarity))).on_hover_text(cx.t(polarity_word(polarity)));
    }
    for (name, value) in schema.attribute_words(ghost.label, &ghost.attributes) {
        ui.label(RichText::new(value).color(palette(ui).weak)).on_hover_text(name);
    }
    ui.label(RichText::new(cx.tf("{} of {}", &[&(at + 1), &ghosts.len()])).small().color(palette(ui).weak));
    if ui.button(cx.t("Accept")).on_hover_text(keys::name_of(Action::AcceptNext)).clicked() {
        accept(cx, document, marking, &ghosts);
    }
    if ui.button(cx.t("Reject")).on_hover_text(keys::name_of(Action::RejectNext)).clicked() {
        reject(cx, document, marking, &ghosts);
    }
    if ui.button(cx.t("Accept all, go on")).on_hover_text(keys::name_of(Action::AcceptAll)).clicked() {
        cx.send(Command::AcceptAll(document.id));
    }
    true
}

/// The switch in the bar above the text.
pub(super) fn switch_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let on = cx.desk.suggests();
    let hint = format!("{} ({})", cx.t("Show or hide suggestions"), keys::name_of(Action::ShowSuggestions));
    let (rect, response) = ui.allocate_exact_size(vec2(ROW_HEIGHT, ROW_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, on, cx.t("Suggestions")));
    let colours = palette(ui);
    if on || response.hovered() || response.has_focus() {
        let fill = if on { colours.accent_ground() } else { ui.visuals().widgets.hovered.weak_bg_fill };
        ui.painter().rect(rect, 4.0, fill, focus_ring(&response, colours), StrokeKind::Inside);
    }
    // A dashed mark, as suggestions are drawn.
    let mark = Rect::from_center_size(rect.center(), vec2(16.0, 11.0));
    let corners = [mark.left_top(), mark.right_top(), mark.right_bottom(), mark.left_bottom(), mark.left_top()];
    let ink = if on { colours.accent } else { colours.weak };
    ui.painter().extend(Shape::dashed_line(&corners, Stroke::new(1.4, ink), 3.0, 2.0));
    if response.on_hover_text(hint).clicked() {
        cx.send(Command::SetSuggestions(!on));
    }
}

/// For the selected span: its other places in this document, and all documents.
pub(super) fn repeats_ui(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, (id, span): (crate::project::SpanId, crate::project::Span)) {
    let count = document.unmarked_repeats(&span).len();
    let mark = cx.tf("Mark {} more", &[&count]);
    if count > 0 && ui.button(mark).on_hover_text(keys::name_of(Action::MarkEverywhere)).clicked() {
        cx.send(Command::MarkEverywhere { doc: document.id, id });
    }
    let hint = format!("{} ({})", cx.t("Mark the same words in all documents of the list…"), keys::name_of(Action::MarkInQueue));
    if ui.button(cx.t("Mark in the list…")).on_hover_text(hint).clicked() {
        keys::wish(ui.ctx(), Action::MarkInQueue);
    }
    let hint = format!("{} ({})", cx.t("Suggest these words in all documents"), keys::name_of(Action::SuggestEverywhere));
    if ui.button(cx.t("Suggest everywhere")).on_hover_text(hint).clicked() {
        cx.send(Command::SuggestEverywhere { doc: document.id, id });
    }
}
