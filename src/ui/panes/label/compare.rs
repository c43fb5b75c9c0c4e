//! Two annotators side by side with what differs marked, and the keys that make the one or the other the outcome.

use super::attributes::span_name;
use super::linking::marked_links;
use super::state_word;
use super::text::excerpt;
use crate::desk::Command;
use crate::project::agreement::only_in;
use crate::project::{Annotation, AnnotatorId, DocId, Document, Layer, Project, QuestionId, Schema, SpanId, What};
use crate::ui::Cx;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{self, GAP, palette};
use crate::ui::widgets::choice::Choice;
use crate::ui::widgets::document::{Document as DocumentWidget, DocumentState, MarkedSpan, mark_of};
use crate::ui::widgets::fold::{Side, fold_button};
use crate::ui::widgets::queue_list::state_mark;
use eframe::egui::{self, Align, Frame, Layout, Margin, RichText, ScrollArea, Ui, vec2};
use std::collections::BTreeMap;

/// The state of the view.
#[derive(Default)]
pub(super) struct Compare {
    is_open: bool,
    /// Whom the person chose to see at the left and at the right, instead of the first two who differ.
    chosen: [Option<AnnotatorId>; 2],
    views: [DocumentState; 2],
    shown: Option<DocId>,
    /// Whether comparing was asked for where there is nothing to compare.
    in_vain: bool,
    /// The question whether to settle all documents on which all agree, with their number.
    asks: Option<usize>,
}

/// The names of the two sides.
const SIDES: [&str; 2] = ["A", "B"];

impl Compare {
    /// Whether two annotators can be compared on this document, and the person is there to settle.
    fn pair(&self, cx: &Cx<'_>, document: &Document) -> Option<[AnnotatorId; 2]> {
        if cx.desk.layer() != Layer::Outcome {
            return None;
        }
        let opinions: Vec<(AnnotatorId, &Annotation)> = document.opinions().collect();
        let is_here = |who: &AnnotatorId| opinions.iter().any(|(held, _)| held == who);
        let chosen = self.chosen.map(|who| who.filter(is_here));
        let (first, said) = match chosen[0] {
            Some(who) => *opinions.iter().find(|(held, _)| *held == who)?,
            None => *opinions.iter().find(|(held, _)| Some(*held) != chosen[1])?,
        };
        let others = || opinions.iter().filter(|(who, _)| *who != first);
        let second = match chosen[1].filter(|who| *who != first) {
            Some(who) => who,
            None => others().find(|(_, other)| !other.says_the_same_as(said)).or_else(|| others().next())?.0,
        };
        Some([first, second])
    }

    /// Takes the keys of the view. Whether it is what to draw.
    pub fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, document: Option<&Document>) -> bool {
        let Some(document) = document else { return false };
        if self.shown != Some(document.id) {
            self.shown = Some(document.id);
            self.views = Default::default();
            self.in_vain = false;
        }
        let pair = self.pair(cx, document);
        if keys::pressed(ui, Action::Compare) {
            self.is_open = !self.is_open && cx.desk.layer() == Layer::Outcome;
            self.in_vain = pair.is_none() && !self.in_vain;
        }
        let Some(pair) = pair.filter(|_| self.is_open) else { return false };
        for (action, who) in [Action::TakeFirst, Action::TakeSecond].into_iter().zip(pair) {
            if keys::pressed(ui, action) {
                cx.send(Command::Adopt { doc: document.id, from: who });
            }
        }
        true
    }

    /// Above a document that several labelled: what they make of it, and the way to compare.
    pub fn hint_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, document: &Document) {
        let pair = self.pair(cx, document);
        self.in_vain &= pair.is_none();
        if pair.is_none() && !self.in_vain {
            return;
        }
        let bar = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(12, 6));
        egui::Panel::top("opinions").frame(bar).show(ui, |ui| {
            if pair.is_none() {
                ui.horizontal_wrapped(|ui| self.in_vain_ui(ui, cx));
                return;
            }
            ui.horizontal(|ui| {
                ui.label(verdict(ui, cx, document));
                let words = cx.t("Compare");
                if ui.button(words).on_hover_text(keys::name_of(Action::Compare)).clicked() {
                    self.is_open = true;
                }
            });
        });
    }

    /// Why nothing is compared here, and the way to what can be.
    fn in_vain_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if cx.desk.layer() != Layer::Outcome {
            ui.label(cx.t("Answers are compared in the outcome, not while one labels for oneself"));
            if ui.button(cx.t("To the outcome")).clicked() {
                cx.send(Command::WorkIn(Layer::Outcome));
            }
            return;
        }
        ui.label(cx.t("Fewer than two have labelled this document: there is nothing to compare"));
        let several = cx.desk.project().is_some_and(|project| project.annotators().len() > 1);
        if several && ui.button(cx.t("Show those that differ")).clicked() {
            let mut filter = cx.desk.filter().clone();
            filter.add(What::Disputed);
            cx.send(Command::SetFilter(filter));
        }
    }

    /// Draws the view. `folds`: whether the columns at the left and at the right are shown.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: &Document, folds: [&mut bool; 2]) {
        let Some(pair) = self.pair(cx, document) else { return };
        let frame = Frame::new().fill(palette(ui).ground).inner_margin(Margin::symmetric(16, 12));
        egui::CentralPanel::default().frame(frame).show(ui, |ui| {
            self.header_ui(ui, cx, document, folds);
            ui.add_space(GAP * 0.5);
            const BELOW: f32 = 44.0;
            const NARROW: f32 = 520.0;
            let room = vec2(ui.available_width(), (ui.available_height() - BELOW).max(240.0));
            ui.allocate_ui(room, |ui| {
                if room.x < NARROW {
                    // One above the other.
                    for side in 0..2 {
                        self.side_ui(ui, cx, project, document, pair, side, (room.y - GAP) * 0.5);
                    }
                    return;
                }
                ui.spacing_mut().item_spacing.x = 16.0;
                ui.columns(2, |columns| {
                    for (side, column) in columns.iter_mut().enumerate() {
                        self.side_ui(column, cx, project, document, pair, side, room.y);
                    }
                });
            });
            ui.add_space(GAP);
            ui.horizontal_wrapped(|ui| {
                outcome_ui(ui, cx, project, document, pair);
                if ui.button(cx.t("Settle where all agree…")).clicked() {
                    self.asks = Some(cx.desk.agreed());
                }
            });
        });
        self.asking_ui(ui.ctx(), cx);
    }

    fn header_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, folds: [&mut bool; 2]) {
        let [queue, inspector] = folds;
        ui.horizontal_wrapped(|ui| {
            fold_button(ui, Side::Left, queue, cx.t("Show or hide the documents"));
            fold_button(ui, Side::Right, inspector, cx.t("Show or hide the details"));
            for (sign, name, action, by) in [("‹", "Previous document", Action::Previous, -1), ("›", "Next document", Action::Next, 1)]
            {
                let button = ui.add(egui::Button::new(RichText::new(sign).size(18.0)).frame_when_inactive(false));
                let name = cx.t(name);
                if button.accessible_name(name).on_hover_text(format!("{name} ({})", keys::name_of(action))).clicked() {
                    cx.send(Command::Step(by));
                }
            }
            ui.label(verdict(ui, cx, document));
            let edit = ui.button(cx.t("Edit the outcome"));
            if edit.on_hover_text(keys::name_of(Action::Compare)).clicked() {
                self.is_open = false;
            }
        });
    }

    #[expect(clippy::too_many_arguments, reason = "a side is one of a pair on a document of a project")]
    fn side_ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        project: &Project,
        document: &Document,
        pair: [AnnotatorId; 2],
        side: usize,
        height: f32,
    ) {
        let (Some(said), Some(other)) = (document.layers.get(&pair[side]), document.layers.get(&pair[1 - side])) else { return };
        theme::card(ui).inner_margin(12).show(ui, |ui| {
            ui.set_min_size(vec2(ui.available_width(), height - 26.0));
            ui.set_max_height(height - 26.0);
            ui.horizontal(|ui| {
                self.who_ui(ui, cx, project, document, pair, side);
                let at = ui.cursor().left_center() + vec2(8.0, 0.0);
                state_mark(ui, at, &said.state, said.flagged);
                ui.add_space(20.0);
                ui.label(RichText::new(cx.t(state_word(&said.state))).small().color(palette(ui).weak));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let action = [Action::TakeFirst, Action::TakeSecond][side];
                    let button = ui.add(theme::primary_button(ui, cx.tf("Take {}", &[&SIDES[side]])));
                    if button.on_hover_text(keys::name_of(action)).clicked() {
                        cx.send(Command::Adopt { doc: document.id, from: pair[side] });
                    }
                });
            });
            answers_ui(ui, cx, project.schema(), said, other);
            ui.separator();
            let size = cx.desk.settings().text_size;
            let id = ("side", side, document.id.0);
            ScrollArea::vertical().id_salt(id).auto_shrink(false).show(ui, |ui| {
                let name = cx.tf("What {} says", &[&SIDES[side]]);
                text_ui(ui, project.schema(), document, said, &only_in(said, other), size, &name, &mut self.views[side]);
                differences_ui(ui, cx, project.schema(), document, said, other);
            });
        });
    }

    /// Whose answers this side shows; another annotator can be chosen.
    fn who_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, project: &Project, document: &Document, pair: [AnnotatorId; 2], side: usize) {
        let name = |who: AnnotatorId| project.annotators().get(usize::from(who.0)).map_or("", String::as_str);
        let words = format!("{} · {}", SIDES[side], name(pair[side]));
        let others: Vec<AnnotatorId> = document.opinions().map(|(who, _)| who).filter(|who| !pair.contains(who)).collect();
        if others.is_empty() {
            ui.label(RichText::new(words).strong());
            return;
        }
        let combo = egui::ComboBox::from_id_salt(("who", side)).selected_text(&words).show_ui(ui, |ui| {
            for who in others {
                if ui.selectable_label(false, name(who)).clicked() {
                    self.chosen[side] = Some(who);
                }
            }
        });
        combo.response.accessible_name(cx.tf("Annotator {}", &[&SIDES[side]]));
    }

    fn asking_ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let Some(count) = self.asks else { return };
        let mut answer = None;
        let modal = theme::modal(ctx, "settle all").show(ctx, |ui| {
            ui.set_max_width(420.0);
            ui.heading(cx.tf("Settle {} documents on which all agree?", &[&count]));
            let words = cx.t("Of the documents in the list, where two or more said the same. One undo takes it back");
            ui.label(RichText::new(words).color(palette(ui).weak));
            ui.add_space(GAP);
            ui.horizontal(|ui| {
                if ui.add_enabled(count > 0, theme::primary_button(ui, cx.t("Settle"))).clicked() {
                    answer = Some(true);
                }
                if ui.button(cx.t("Cancel")).clicked() {
                    answer = Some(false);
                }
            });
        });
        if answer == Some(true) {
            cx.send(Command::AdoptAgreed);
        }
        if answer.is_some() || modal.should_close() {
            self.asks = None;
        }
    }
}

/// Whether all agree.
fn verdict(ui: &Ui, cx: &Cx<'_>, document: &Document) -> RichText {
    let count = document.opinions().count();
    if document.is_disputed() {
        RichText::new(cx.tf("≠  {} annotators differ", &[&count])).color(palette(ui).warning)
    } else {
        RichText::new(cx.tf("=  {} annotators agree", &[&count])).color(palette(ui).success)
    }
}

/// The class given to each question; where the other side gave another one, it is said.
fn answers_ui(ui: &mut Ui, cx: &Cx<'_>, schema: &Schema, said: &Annotation, other: &Annotation) {
    for (at, question) in (0u16..).zip(&schema.questions) {
        let id = QuestionId(at);
        if !said.answers.contains_key(&id) && !other.answers.contains_key(&id) {
            continue;
        }
        ui.horizontal(|ui| {
            ui.label(RichText::new(&question.name).color(palette(ui).weak));
            match (said.class(id).and_then(|class| question.classes.get(usize::from(class))), said.answers.get(&id)) {
                (Some(class), _) => {
                    Choice { name: &class.name, key: "", hue: Some(class.hue), chosen: true, is_radio: true, percent: None }.show(ui);
                }
                (None, Some(answer)) => {
                    ui.add(egui::Label::new(question.words(answer)).wrap());
                }
                (None, None) => {
                    ui.label(cx.t("no answer"));
                }
            }
            if said.answers.get(&id) != other.answers.get(&id) {
                ui.label(RichText::new("≠").strong().color(palette(ui).warning)).on_hover_text(cx.t("The other side says something else"));
            }
        });
    }
}

#[expect(clippy::too_many_arguments, reason = "what is drawn, and how")]
fn text_ui(
    ui: &mut Ui,
    schema: &Schema,
    document: &Document,
    said: &Annotation,
    alone: &[SpanId],
    size: f32,
    name: &str,
    view: &mut DocumentState,
) {
    let names: BTreeMap<SpanId, String> =
        said.attributes.keys().filter_map(|id| Some((*id, span_name(schema, said, *id, said.spans.get(id)?)))).collect();
    let mark = |(id, span): (&SpanId, &crate::project::Span)| {
        let label = schema.span_labels.get(usize::from(span.label))?;
        let dashed = alone.contains(id);
        let name = names.get(id).unwrap_or(&label.name);
        Some(MarkedSpan { id: id.0, range: span.range, label: name, hue: label.hue, polarity: span.polarity, dashed, percent: None })
    };
    let spans: Vec<MarkedSpan<'_>> = said.spans.iter().filter_map(mark).collect();
    let links = marked_links(schema, said);
    let widget = DocumentWidget {
        text: &document.text,
        spans: &spans,
        links: &links,
        size,
        selected: None,
        candidate: None,
        caret: None,
        selection: None,
        editable: false,
        reveal: None,
        name,
    };
    widget.show(ui, view);
}

/// The spans that this side alone has, and whether the links differ.
fn differences_ui(ui: &mut Ui, cx: &Cx<'_>, schema: &Schema, document: &Document, said: &Annotation, other: &Annotation) {
    let alone = only_in(said, other);
    let same_links = said.says_the_same_as(other) || !alone.is_empty() || !only_in(other, said).is_empty() || said.answers != other.answers;
    if alone.is_empty() && same_links {
        return;
    }
    ui.add_space(GAP);
    ui.label(RichText::new(cx.t("Only here (dashed in the text)")).small().color(palette(ui).weak));
    for (id, span) in alone.iter().filter_map(|id| Some((*id, said.spans.get(id)?))) {
        let Some(label) = schema.span_labels.get(usize::from(span.label)) else { continue };
        ui.horizontal(|ui| {
            crate::ui::icons::dot(ui, palette(ui).hue(label.hue));
            let mark = span.polarity.map_or("", mark_of);
            ui.label(format!("{} · {} {mark}", excerpt(span.range.of(&document.text)), span_name(schema, said, id, span)));
        });
    }
    if !same_links {
        ui.label(RichText::new(cx.t("The links differ")).color(palette(ui).warning));
    }
}

/// What is settled so far, on the line at hand.
fn outcome_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, document: &Document, pair: [AnnotatorId; 2]) {
    let outcome = &document.annotation;
    let same_as = |who: &AnnotatorId| document.layers.get(who).is_some_and(|said| said.says_the_same_as(outcome));
    ui.label(RichText::new(cx.t("Outcome")).strong());
    let at = ui.cursor().left_center() + vec2(8.0, 0.0);
    state_mark(ui, at, &outcome.state, outcome.flagged);
    ui.add_space(20.0);
    let words = match pair.iter().position(same_as) {
        _ if outcome.is_blank() => cx.t("not settled yet").to_owned(),
        Some(_) if pair.iter().all(same_as) => cx.t("as both say").to_owned(),
        Some(side) => cx.tf("as {} says", &[&SIDES[side]]),
        None => cx.t("something else").to_owned(),
    };
    ui.label(words);
    let question = project.schema().main_question();
    let class = question.and_then(|(id, question)| question.classes.get(usize::from(outcome.class(id)?)));
    if let Some(class) = class {
        crate::ui::icons::dot(ui, palette(ui).hue(class.hue));
        ui.label(&class.name);
    }
    if !outcome.spans.is_empty() {
        ui.label(RichText::new(cx.tf("{} spans", &[&outcome.spans.len()])).color(palette(ui).weak));
    }
}
