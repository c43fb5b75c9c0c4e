//! What the model marks: the spans painted in the text, each tagging unit's tags on hover, and the spans as a table.

use super::percent;
use crate::desk::{Answered, Tester};
use crate::predict::UnitTags;
use crate::project::Schema;
use crate::ui::widgets::document::{Document, DocumentState, MarkedSpan};
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
                Some(MarkedSpan { id, range: span.range, label, hue, polarity: None, dashed: false, percent: None })
            })
            .collect();
        let document = Document {
            text: &answered.text,
            spans: &spans,
            links: &[],
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
fn tag_name(names: &[String], tag: usize) -> String {
    let Some(inside) = tag.checked_sub(1) else { return "O".to_owned() };
    let letter = if inside % 2 == 0 { 'B' } else { 'I' };
    names.get(inside / 2).map_or_else(|| tag.to_string(), |name| format!("{letter}-{name}"))
}

fn hue_of(schema: &Schema, label: &str, place: u16) -> u8 {
    schema.span_labels.iter().find(|kind| kind.name == label).map_or((place % 8) as u8, |kind| kind.hue)
}

/// The spans in reading order.
pub(super) fn span_table(ui: &mut egui::Ui, cx: &Cx<'_>, tester: &Tester, answered: &Answered, schema: &Schema) {
    let spans = &answered.prediction.spans;
    if spans.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(14.0);
    ui.label(RichText::new(cx.t("Spans")).strong());
    ui.add_space(2.0);
    let width = ui.available_width() - 160.0;
    egui::Grid::new("test-spans").striped(true).spacing(egui::vec2(12.0, 5.0)).show(ui, |ui| {
        for span in spans {
            let name = tester.span_labels().get(usize::from(span.label)).map_or("", String::as_str);
            ui.label(RichText::new(name).color(palette.hue(hue_of(schema, name, span.label))));
            let words: String = span.range.of(&answered.text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            ui.scope(|ui| {
                ui.set_max_width(width);
                ui.add(egui::Label::new(words).truncate());
            });
            ui.label(percent(span.probability));
            ui.end_row();
        }
    });
}
