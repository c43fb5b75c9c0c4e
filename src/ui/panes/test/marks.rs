//! What the model marks: spans and their links painted in the text, each tagging unit's tags on hover, and both as tables.

use super::{percent, why};
use crate::desk::{Answered, Tester};
use crate::predict::{Asked, PredictedSpan, PredictedTriplet, UnitTags, most_likely};
use crate::project::{Polarity, Schema};
use crate::ui::widgets::document::{Document, DocumentState, MarkedLink, MarkedSpan, mark_of};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText};

/// The painted text.
#[derive(Default)]
pub(super) struct Marks {
    document: DocumentState,
}

impl Marks {
    pub(super) fn ui(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>, tester: &Tester, answered: &Answered) {
        let Some(project) = cx.desk.project() else { return };
        let names = tester.span_labels();
        let spans: Vec<MarkedSpan<'_>> = (0u32..)
            .zip(&answered.prediction.spans)
            .filter_map(|(id, span)| {
                let label = names.get(usize::from(span.label))?;
                let hue = hue_of(project.schema(), label, span.label);
                let polarity = shown_polarity(project.schema(), label, span.polarity).map(|(polarity, _)| polarity);
                Some(MarkedSpan { id, range: span.range, label, hue, polarity, dashed: false, percent: None })
            })
            .collect();
        let link = |triplet: &PredictedTriplet| Some(MarkedLink::new(triplet.opinion as u32, triplet.aspect? as u32));
        let links: Vec<MarkedLink<'_>> = answered.prediction.triplets.iter().filter_map(link).collect();
        let document = Document {
            text: &answered.text,
            spans: &spans,
            links: &links,
            size: cx.desk.settings().text_size,
            selected: None,
            candidate: None,
            caret: None,
            selection: None,
            editable: false,
            reveal: None,
            name: cx.t("The text with the spans the model marks"),
        };
        let shown = document.show(ui, &mut self.document);
        let Some(at) = shown.response.hover_pos() else { return };
        let Some(byte) = self.document.byte_under(at - shown.response.rect.min) else { return };
        let units = &answered.prediction.units;
        if let Some(unit) = units.iter().find(|unit| unit.range.bytes().contains(&byte)) {
            shown.response.on_hover_ui_at_pointer(|ui| tags(ui, names, unit, unit.range.of(&answered.text)));
        }
    }
}

/// The likeliest tags of a unit, the chosen one in strong text.
fn tags(ui: &mut egui::Ui, names: &[String], unit: &UnitTags, text: &str) {
    const SHOWN: usize = 4;
    let palette = theme::palette(ui);
    ui.spacing_mut().interact_size.y = 0.0;
    ui.label(RichText::new(text).strong());
    let mut order: Vec<usize> = (0..unit.probabilities.len()).collect();
    order.sort_by(|a, b| unit.probabilities[*b].total_cmp(&unit.probabilities[*a]));
    egui::Grid::new("tags").spacing(egui::vec2(12.0, 2.0)).show(ui, |ui| {
        for at in order.into_iter().take(SHOWN) {
            let (name, figure) = (tag_name(names, at), percent(unit.probabilities[at]));
            // The chosen one need not be the likeliest: tags must make whole spans together.
            let chosen = at == usize::from(unit.tag);
            for words in [name, figure] {
                ui.label(if chosen {
                    RichText::new(words).color(palette.accent).strong()
                } else {
                    RichText::new(words).color(palette.weak)
                });
            }
            ui.end_row();
        }
    });
}

/// "O", "B-aspect", "I-aspect".
pub(super) fn tag_name(names: &[String], tag: usize) -> String {
    let Some(inside) = tag.checked_sub(1) else { return "O".to_owned() };
    let letter = if inside % 2 == 0 { 'B' } else { 'I' };
    names.get(inside / 2).map_or_else(|| tag.to_string(), |name| format!("{letter}-{name}"))
}

fn hue_of(schema: &Schema, label: &str, place: u16) -> u8 {
    schema.span_labels.iter().find(|kind| kind.name == label).map_or((place % 8) as u8, |kind| kind.hue)
}

/// A polarity where spans of this label carry one in the project: the model answers it of every span.
fn shown_polarity(schema: &Schema, label: &str, shares: Option<[f32; 3]>) -> Option<(Polarity, f32)> {
    let carries = schema.span_labels.iter().find(|kind| kind.name == label).is_none_or(|kind| kind.polarity);
    shares.filter(|_| carries).map(most_likely)
}

/// The name of a polarity, with its mark and in words.
pub(super) fn polarity_words(cx: &Cx<'_>, polarity: Polarity) -> String {
    let name = match polarity {
        Polarity::Positive => cx.t("Positive"),
        Polarity::Negative => cx.t("Negative"),
        Polarity::Neutral => cx.t("Neutral"),
    };
    format!("{} {name}", mark_of(polarity))
}

/// How sure the model is of each polarity.
fn shares_on_hover(response: egui::Response, cx: &Cx<'_>, shares: [f32; 3]) {
    let row = |(polarity, share)| format!("{}  {}", polarity_words(cx, polarity), percent(share));
    let words: Vec<String> = [Polarity::Negative, Polarity::Neutral, Polarity::Positive].into_iter().zip(shares).map(row).collect();
    response.on_hover_text(words.join("\n"));
}

/// One line of words, cut to what fits.
fn one_line(ui: &mut egui::Ui, width: f32, words: &str) {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    ui.scope(|ui| {
        ui.set_max_width(width);
        ui.add(egui::Label::new(words).truncate());
    });
}

/// What is said about what: aspect, opinion, polarity and how sure the model is of all of it.
pub(super) fn triplet_table(ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester, answered: &Answered) {
    let prediction = &answered.prediction;
    if prediction.triplets.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(14.0);
    ui.label(RichText::new(cx.t("What is said about what")).strong());
    ui.add_space(2.0);
    let width = (ui.available_width() - if tester.attributes().is_empty() { 150.0 } else { 290.0 }) * 0.5;
    egui::Grid::new("test-triplets").striped(true).spacing(egui::vec2(10.0, 5.0)).show(ui, |ui| {
        for (at, triplet) in prediction.triplets.iter().enumerate() {
            let Some(opinion) = prediction.spans.get(triplet.opinion) else { continue };
            match triplet.aspect.and_then(|aspect| prediction.spans.get(aspect)) {
                Some(aspect) => one_line(ui, width, aspect.range.of(&answered.text)),
                None => {
                    let words = RichText::new(cx.t("(no aspect)")).color(palette.weak);
                    ui.label(words).on_hover_text(cx.t("The opinion is about the whole, or about something that has no words here"));
                }
            }
            one_line(ui, width, opinion.range.of(&answered.text));
            match triplet.polarity {
                Some(shares) => {
                    let polarity = most_likely(shares).0;
                    let words = RichText::new(polarity_words(cx, polarity)).color(palette.polarity(polarity));
                    shares_on_hover(ui.label(words), cx, shares);
                }
                None => drop(ui.label("")),
            }
            let sure = RichText::new(percent(triplet.probability)).color(palette.weak);
            let help = cx.t("That both spans are there, belong together and have this polarity");
            match triplet.aspect.and_then(|aspect| prediction.spans.get(aspect)) {
                Some(aspect) => {
                    let name = format!("{} → {}", opinion.range.of(&answered.text), aspect.range.of(&answered.text));
                    why::figure(ui, cx, sure, Asked::Link(at), &name).on_hover_text(help)
                }
                None => ui.label(sure).on_hover_text(cx.t("That the opinion is there, belongs to no aspect and has this polarity")),
            };
            if let Some(bearer) = prediction.spans.get(triplet.aspect.unwrap_or(triplet.opinion)) {
                ui.horizontal(|ui| attributes(ui, tester, bearer));
            }
            ui.end_row();
        }
    });
}

/// What is said of a span beside its polarity, as "FOOD 93 %"; on hover the name of what was asked and the likeliest values.
fn attributes(ui: &mut egui::Ui, tester: &Tester, span: &PredictedSpan) {
    const SHOWN: usize = 5;
    for said in &span.attributes {
        let Some(asked) = tester.attributes().get(usize::from(said.attribute)) else { continue };
        let (value, share) = said.best();
        let name = asked.values.get(usize::from(value)).map_or("", String::as_str);
        let mut order: Vec<usize> = (0..said.shares.len().min(asked.values.len())).collect();
        order.sort_by(|a, b| said.shares[*b].total_cmp(&said.shares[*a]));
        let rows = order.into_iter().take(SHOWN).map(|at| format!("{}  {}", asked.values[at], percent(said.shares[at])));
        let hint = std::iter::once(asked.name.clone()).chain(rows).collect::<Vec<_>>().join("\n");
        ui.label(RichText::new(format!("{name} {}", percent(share))).color(theme::palette(ui).weak)).on_hover_text(hint);
    }
}

/// The spans in reading order.
pub(super) fn span_table(ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester, answered: &Answered, schema: &Schema) {
    let spans = &answered.prediction.spans;
    if spans.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(14.0);
    ui.label(RichText::new(cx.t("Spans")).strong());
    ui.add_space(2.0);
    let width = ui.available_width() - if tester.attributes().is_empty() { 220.0 } else { 360.0 };
    egui::Grid::new("test-spans").striped(true).spacing(egui::vec2(12.0, 5.0)).show(ui, |ui| {
        for (at, span) in spans.iter().enumerate() {
            let words = span.range.of(&answered.text);
            let name = tester.span_labels().get(usize::from(span.label)).map_or("", String::as_str);
            ui.label(RichText::new(name).color(palette.hue(hue_of(schema, name, span.label))));
            one_line(ui, width, words);
            why::figure(ui, cx, RichText::new(percent(span.probability)), Asked::Span(at), &format!("{name} {words}"));
            if let (Some((polarity, sure)), Some(shares)) = (shown_polarity(schema, name, span.polarity), span.polarity) {
                let figure = RichText::new(format!("{} {}", mark_of(polarity), percent(sure))).color(palette.polarity(polarity));
                let name = format!("{words} {}", polarity_words(cx, polarity));
                let response = why::figure(ui, cx, figure, Asked::Polarity(at), &name);
                shares_on_hover(response, cx, shares);
            } else if !tester.attributes().is_empty() {
                ui.label("");
            }
            ui.horizontal(|ui| attributes(ui, tester, span));
            ui.end_row();
        }
    });
}

/// On demand: places that the model thought about marking and did not.
pub(super) fn considered(ui: &mut egui::Ui, cx: &Cx<'_>, tester: &Tester, answered: &Answered, schema: &Schema) {
    const SHOWN: usize = 12;
    let considered = answered.prediction.considered();
    if considered.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(10.0);
    let title = cx.tf("What else it considered ({})", &[&considered.len()]);
    egui::CollapsingHeader::new(title).id_salt("test-considered").show_unindented(ui, |ui| {
        let width = ui.available_width() - 160.0;
        egui::Grid::new("considered").striped(true).spacing(egui::vec2(12.0, 5.0)).show(ui, |ui| {
            for each in considered.iter().take(SHOWN) {
                let name = tester.span_labels().get(usize::from(each.label)).map_or("", String::as_str);
                ui.label(RichText::new(name).color(palette.hue(hue_of(schema, name, each.label))));
                one_line(ui, width, answered.text.get(each.bytes.clone()).unwrap_or_default());
                ui.label(percent(each.probability)).on_hover_text(cx.t("How likely its least likely character belongs to such a span"));
                ui.end_row();
            }
        });
    });
}
