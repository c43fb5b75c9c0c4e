//! How far the annotators agree. Every number opens the documents in which they do not.

use super::{card, open};
use crate::project::agreement::{Agreement, Detail, DetailAgreement, PairOnQuestion, QuestionAgreement, SpanAgreement};
use crate::project::{AnnotatorId, DocId, Filter, Kind, LabelId, Project};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Grid, RichText, ScrollArea, Ui};
use std::sync::Arc;

/// Draws the table; only a hint where nothing can be compared.
pub(super) fn agreement_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
    let title = cx.t("Agreement between annotators").to_owned();
    card(ui, &title, |ui| {
        if !cx.desk.is_agreement_fresh() {
            ui.label(RichText::new(cx.t("Being measured…")).color(theme::palette(ui).weak));
        }
        // Of a moment ago while it is measured anew: the table does not jump.
        let desk = cx.desk;
        let Some(agreement) = desk.agreement() else { return };
        if agreement.documents == 0 {
            let words = cx.t("No document was labelled by two annotators yet");
            ui.add(egui::Label::new(RichText::new(words).color(theme::palette(ui).weak)).wrap());
            return;
        }
        ui.horizontal_wrapped(|ui| {
            ui.label(
                cx.tf("{} documents labelled by two or more, {} with a difference", &[&agreement.documents, &agreement.disputed.len()]),
            );
            if ui.add_enabled(!agreement.disputed.is_empty(), egui::Button::new(cx.t("Open the differences"))).clicked() {
                open(cx, Filter { only: Some(agreement.disputed.clone()), ..Filter::default() });
            }
        });
        ui.add_space(4.0);
        ScrollArea::horizontal().show(ui, |ui| {
            for asked in &agreement.questions {
                question_ui(ui, cx, project, asked, agreement.annotators.len());
                ui.add_space(theme::GAP);
            }
            spans_ui(ui, cx, project, agreement);
            details_ui(ui, cx, project, &agreement.details);
        });
        let words = cx.t("Click a number to see the documents that differ. κ, α and γ: 1 is full agreement, 0 what chance would give");
        // A card fills its column, and would stretch the words of a label too.
        ui.vertical(|ui| ui.add(egui::Label::new(RichText::new(words).small().color(theme::palette(ui).weak)).wrap()));
    });
}

fn question_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, asked: &QuestionAgreement, annotators: usize) {
    let Some(question) = project.schema().question(asked.question) else { return };
    let name = |who: AnnotatorId| project.annotators().get(usize::from(who.0)).cloned().unwrap_or_default();
    let is_number = matches!(question.kind, Kind::Number(_));
    let alpha = match question.kind {
        Kind::Several => cx.t("Krippendorff's alpha by MASI"),
        Kind::Number(_) => cx.t("Krippendorff's alpha for intervals"),
        _ => cx.t("Krippendorff's alpha"),
    };
    Grid::new(("agreement", asked.question.0)).spacing([18.0, 4.0]).show(ui, |ui| {
        let second = if is_number { cx.t("mean difference") } else { "κ" };
        heads(ui, &[&question.name, cx.t("documents"), cx.t("raw"), second, "α"]);
        let pair_row = |ui: &mut Ui, cx: &mut Cx<'_>, pair: &PairOnQuestion| {
            let who = format!("{} – {}", name(pair.who[0]), name(pair.who[1]));
            ui.label(&who);
            ui.label(pair.documents.to_string());
            figure(ui, cx, &format!("{who}, {}", cx.t("raw agreement")), pair.raw, &pair.differing);
            match question.kind {
                Kind::One => figure(ui, cx, &format!("{who}, {}", cx.t("Cohen's kappa")), pair.cohen, &pair.differing),
                Kind::Number(_) => figure(ui, cx, &format!("{who}, {}", cx.t("mean difference")), pair.difference, &pair.differing),
                _ => empty(ui),
            }
            if question.kind == Kind::One {
                empty(ui);
            } else {
                figure(ui, cx, &format!("{who}, {alpha}"), pair.alpha, &pair.differing);
            }
            ui.end_row();
        };
        for pair in asked.pairs.iter().filter(|pair| pair.documents > 0) {
            pair_row(ui, cx, pair);
        }
        for held in &asked.classes {
            let label = LabelId::Class(asked.question, held.class);
            let name = project.schema().name(label).unwrap_or_default();
            ui.horizontal(|ui| {
                let hue = question.classes.get(usize::from(held.class)).map_or(0, |class| class.hue);
                crate::ui::icons::dot(ui, theme::palette(ui).hue(hue));
                ui.label(name);
            });
            ui.label(cx.tf("{} times", &[&held.given]));
            figure(ui, cx, &format!("{name}, {}", cx.t("raw agreement")), held.raw, &held.differing);
            let kappa = if annotators > 2 { cx.t("Fleiss' kappa") } else { cx.t("Cohen's kappa") };
            figure(ui, cx, &format!("{name}, {kappa}"), held.kappa, &held.differing);
            figure(ui, cx, &format!("{name}, {}", cx.t("Krippendorff's alpha")), held.alpha, &held.differing);
            ui.end_row();
        }
        ui.label(RichText::new(cx.t("all")).strong());
        ui.label(asked.documents.to_string());
        figure(ui, cx, &format!("{}, {}", question.name, cx.t("raw agreement")), asked.raw, &asked.differing);
        match question.kind {
            Kind::Number(_) => {
                figure(ui, cx, &format!("{}, {}", question.name, cx.t("mean difference")), asked.difference, &asked.differing);
            }
            Kind::Several => empty(ui),
            _ => {
                let fleiss = asked.fleiss.filter(|_| annotators > 2);
                figure(ui, cx, &format!("{}, {}", question.name, cx.t("Fleiss' kappa")), fleiss, &asked.differing);
            }
        }
        figure(ui, cx, &format!("{}, {alpha}", question.name), asked.alpha, &asked.differing);
        ui.end_row();
    });
}

/// A cell for what is not measured here.
fn empty(ui: &mut Ui) {
    ui.label("");
}

/// Polarity and attributes of spans that two or more marked alike.
fn details_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, details: &[DetailAgreement]) {
    if details.is_empty() {
        return;
    }
    ui.add_space(theme::GAP);
    let schema = project.schema();
    Grid::new("agreement on what is said of spans").spacing([18.0, 4.0]).show(ui, |ui| {
        heads(ui, &[cx.t("Spans marked alike"), cx.t("number"), cx.t("raw"), cx.t("mean difference"), "α"]);
        for held in details {
            let label = schema.name(LabelId::Span(held.label)).unwrap_or_default();
            let what = match held.what {
                Detail::Polarity => cx.t("Polarity"),
                Detail::Attribute(at) => schema.attributes(held.label).get(usize::from(at)).map_or("", |asked| asked.name.as_str()),
            };
            let name = format!("{label} · {what}");
            ui.horizontal(|ui| {
                let hue = schema.span_labels.get(usize::from(held.label)).map_or(0, |label| label.hue);
                crate::ui::icons::dot(ui, theme::palette(ui).hue(hue));
                ui.label(&name);
            });
            ui.label(held.spans.to_string());
            figure(ui, cx, &format!("{name}, {}", cx.t("raw agreement")), held.raw, &held.differing);
            match held.difference {
                Some(_) => figure(ui, cx, &format!("{name}, {}", cx.t("mean difference")), held.difference, &held.differing),
                None => empty(ui),
            }
            figure(ui, cx, &format!("{name}, {}", cx.t("Krippendorff's alpha")), held.alpha, &held.differing);
            ui.end_row();
        }
    });
}

fn spans_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, agreement: &Agreement) {
    let Some(all) = &agreement.all_labels else { return };
    let annotators = agreement.annotators.len();
    let gamma_words = cx.t("gamma of Mathet et al.");
    Grid::new("agreement on spans").spacing([18.0, 4.0]).show(ui, |ui| {
        heads(ui, &[cx.t("Spans"), cx.t("number"), cx.t("F1 exact"), cx.t("F1 overlapping"), "αu", "γ"]);
        let row = |ui: &mut Ui, cx: &mut Cx<'_>, spans: &SpanAgreement| {
            let label = spans.label.and_then(|label| project.schema().span_labels.get(usize::from(label)));
            let name = label.map_or(cx.t("all"), |label| label.name.as_str());
            ui.horizontal(|ui| {
                if let Some(label) = label {
                    crate::ui::icons::dot(ui, theme::palette(ui).hue(label.hue));
                }
                ui.label(if label.is_none() { RichText::new(name).strong() } else { RichText::new(name) });
            });
            ui.label(spans.spans.to_string());
            figure(ui, cx, &format!("{name}, {}", cx.t("F1 of equal spans")), spans.exact_f1, &spans.differing);
            figure(ui, cx, &format!("{name}, {}", cx.t("F1 of overlapping spans")), spans.overlap_f1, &spans.differing);
            figure(ui, cx, &format!("{name}, {}", cx.t("Krippendorff's alpha for unitizing")), spans.alpha, &spans.differing);
            let gamma = match spans.gamma {
                Some(_) if annotators > 2 && !spans.gamma_of_all => format!("{}, {}", gamma_words, cx.t("the mean of pairs")),
                Some(gamma) if !gamma.exact => format!("{}, {}", gamma_words, cx.t("alignments may be better than found")),
                _ => gamma_words.to_owned(),
            };
            figure(ui, cx, &format!("{name}, {gamma}"), spans.gamma.map(|gamma| gamma.value), &spans.differing);
            ui.end_row();
        };
        for spans in agreement.labels.iter().chain([all]) {
            row(ui, cx, spans);
        }
    });
}

fn heads(ui: &mut Ui, words: &[&str]) {
    let weak = theme::palette(ui).weak;
    for (at, words) in words.iter().enumerate() {
        let text = RichText::new(*words);
        ui.horizontal(|ui| {
            // Above the words of buttons, not above their edges.
            ui.add_space(if at > 1 { ui.spacing().button_padding.x } else { 0.0 });
            ui.label(if at == 0 { text.strong() } else { text.small().color(weak) });
        });
    }
    ui.end_row();
}

/// A number to click; `what` is its whole name.
fn figure(ui: &mut Ui, cx: &mut Cx<'_>, what: &str, value: Option<f64>, documents: &Arc<[DocId]>) {
    let Some(value) = value else {
        let dash = ui.horizontal(|ui| {
            ui.add_space(ui.spacing().button_padding.x);
            ui.label("–")
        });
        dash.inner.on_hover_text(cx.t("Not defined here: too little to compare, or only one answer was ever given"));
        return;
    };
    let words = RichText::new(format!("{value:.2}")).color(theme::palette(ui).accent);
    let button = egui::Button::new(words).frame_when_inactive(false);
    let button = ui.add_enabled(!documents.is_empty(), button).accessible_name(format!("{what}: {value:.2}"));
    let hint = cx.tf("{}. Click to see {} documents", &[&what, &documents.len()]);
    if button.on_hover_text(hint).clicked() {
        open(cx, Filter { only: Some(documents.clone()), ..Filter::default() });
    }
}
