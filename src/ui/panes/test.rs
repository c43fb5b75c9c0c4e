//! Test: try a model on a text. It answers as one types.

mod lattice;
mod marks;
mod questions;
mod turns;
mod why;

use crate::desk::{Answered, Command, Tester};
use crate::predict::{Asked, Stored};
use crate::project::Schema;
use crate::ui::widgets::bars::{Bar, bar};
use crate::ui::{Cx, Place, theme};
use eframe::egui::{self, RichText};

/// The state of the place.
#[derive(Default)]
pub struct TestPane {
    text: String,
    /// The text was put in: before that, what was asked last is taken over.
    started: bool,
    marks: marks::Marks,
}

const SIDE_WIDTH: f32 = 360.0;

impl TestPane {
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        if cx.desk.project().is_none() {
            ui.centered_and_justified(|ui| ui.weak(cx.t("Open a project to try its models")));
            return;
        }
        let desk = cx.desk;
        let tester = desk.tester();
        if tester.run().is_none() {
            return no_model(ui, cx);
        }
        if !std::mem::replace(&mut self.started, true) {
            tester.asked().clone_into(&mut self.text);
        }
        let palette = theme::palette(ui);
        let side = egui::Frame::NONE.fill(palette.panel).inner_margin(egui::Margin::symmetric(16, 12));
        egui::Panel::right("test-answer").exact_size(SIDE_WIDTH).resizable(false).frame(side).show(ui, |ui| {
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| self.answer(ui, cx, tester));
        });
        let ground = egui::Frame::NONE.fill(palette.ground).inner_margin(egui::Margin::symmetric(20, 12));
        egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| {
            self.question(ui, cx);
            ui.add_space(12.0);
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| self.marked(ui, cx, tester));
        });
    }

    /// The text to be judged.
    fn question(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            ui.heading(cx.t("Try a text"));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let has_text = !self.text.trim().is_empty();
                let add = ui.add_enabled(has_text, egui::Button::new(cx.t("Add to project")));
                if add.on_hover_text(cx.t("Keep this text as a new document to label")).clicked() {
                    cx.send(Command::AddDocument(self.text.clone()));
                }
                if ui.add_enabled(has_text, egui::Button::new(cx.t("Clear"))).clicked() {
                    self.ask(cx, String::new());
                }
                let current = cx.desk.current().and_then(|doc| cx.desk.project()?.document(doc));
                let take = ui.add_enabled(current.is_some(), egui::Button::new(cx.t("Use the current document")));
                if take.on_hover_text(cx.t("Take the text that is open in Label")).clicked()
                    && let Some(document) = current
                {
                    self.ask(cx, turns::text_of(cx, document));
                }
            });
        });
        turns::switch_ui(ui, cx);
        ui.add_space(6.0);
        let size = cx.desk.settings().text_size;
        let rows = 6;
        let hint = cx.t("Type or paste a review; the model answers as you type");
        let height = size * 1.5 * rows as f32;
        egui::ScrollArea::vertical().id_salt("test-text").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            let edit = egui::TextEdit::multiline(&mut self.text)
                .hint_text(hint)
                .font(egui::FontId::proportional(size))
                .desired_rows(rows)
                .desired_width(f32::INFINITY)
                .margin(egui::Margin::same(10));
            let response = ui.add(edit).accessible_name(cx.t("Text to try"));
            if response.changed() {
                cx.send(Command::Predict(self.text.clone()));
            }
        });
    }

    fn ask(&mut self, cx: &mut Cx<'_>, text: String) {
        self.text = text;
        cx.send(Command::Predict(self.text.clone()));
    }

    /// The text with what the model marks in it.
    fn marked(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester) {
        let palette = theme::palette(ui);
        let Some(answered) = self.current_answer(tester) else { return };
        let prediction = &answered.prediction;
        let teaches_spans = !tester.span_labels().is_empty();
        let words = match (teaches_spans, prediction.spans.len()) {
            (false, _) => cx.t("This model marks no spans: it was trained on classes alone").to_owned(),
            (true, 0) => cx.t("The model marks nothing in this text; hover over it to see how sure it is").to_owned(),
            (true, count) => cx.tf("Spans marked: {}; hover over the text to see how sure the model is", &[&count]),
        };
        ui.label(RichText::new(words).color(palette.weak).small());
        if let Some(at) = prediction.cut_at {
            let unread = answered.text.get(at..).map_or(0, |rest| rest.chars().count());
            let words = cx.tf("The text is longer than this model reads: its last {} characters were left out", &[&unread]);
            ui.label(RichText::new(words).color(palette.warning));
        }
        ui.add_space(6.0);
        turns::line_ui(ui, cx, tester, answered);
        self.marks.ui(ui, cx, tester, answered);
        why::ui(ui, cx, tester, answered);
        lattice::ui(ui, cx, tester, answered);
    }

    /// Everything the model says in figures.
    fn answer(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester) {
        let palette = theme::palette(ui);
        model_choice(ui, cx, tester);
        ui.add_space(10.0);
        if let Some(error) = tester.error() {
            ui.label(RichText::new(cx.said(error)).color(palette.error));
            return;
        }
        if !tester.is_ready() {
            ui.label(RichText::new(cx.t("Loading the model…")).color(palette.weak));
            return;
        }
        let Some(answered) = self.current_answer(tester) else {
            ui.label(RichText::new(cx.t("Type a text on the left")).color(palette.weak));
            return;
        };
        let desk = cx.desk;
        let Some(schema) = desk.project().map(|project| project.schema()) else { return };
        classes(ui, cx, tester, answered, schema);
        questions::ui(ui, cx, tester, answered, schema);
        marks::triplet_table(ui, cx, tester, answered);
        marks::span_table(ui, cx, tester, answered, schema);
        marks::considered(ui, cx, tester, answered, schema);
        ui.add_space(12.0);
        ui.label(RichText::new(cx.tf("answered in {} ms", &[&format!("{:.0}", answered.took_ms)])).color(palette.weak).small());
    }

    /// The newest answer, unless the text is gone.
    fn current_answer<'a>(&self, tester: &'a Tester) -> Option<&'a Answered> {
        tester.answered().filter(|_| tester.is_ready() && !self.text.trim().is_empty())
    }
}

fn no_model(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let palette = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.3);
        ui.heading(cx.t("No model yet"));
        ui.add_space(6.0);
        let why = if cx.desk.is_training() {
            cx.t("A run is going on: its model answers here when it has finished")
        } else {
            cx.t("Train a model first; then type a review and see what it says")
        };
        ui.label(RichText::new(why).color(palette.weak));
        ui.add_space(10.0);
        if ui.button(cx.t("Go to Train")).clicked() {
            cx.goto(Place::Train);
        }
    });
}

/// Which run's model answers.
fn model_choice(ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester) {
    let name = |id: &str| super::train::run_name(cx, id);
    let run = tester.run().map(&name).unwrap_or_default();
    let newest = cx.t("newest");
    let selected = if tester.is_pinned() { run } else { format!("{run} ({newest})") };
    let mut wish = None;
    ui.horizontal(|ui| {
        let label = ui.label(cx.t("Model"));
        let menu = egui::ComboBox::from_id_salt("test-run").selected_text(selected).width(ui.available_width() - 8.0);
        let shown = menu.show_ui(ui, |ui| {
            if ui.selectable_label(!tester.is_pinned(), cx.t("Always the newest run")).clicked() {
                wish = Some(None);
            }
            for run in cx.desk.runs().iter().rev() {
                let Some(report) = &run.report else { continue };
                let words = format!("{}  {}", name(&run.id), super::train::short_scores(cx, &report.scores));
                if ui.selectable_label(tester.is_pinned() && tester.run() == Some(run.id.as_str()), words).clicked() {
                    wish = Some(Some(run.id.clone()));
                }
            }
        });
        shown.response.labelled_by(label.id);
    });
    if let Some(run) = wish {
        cx.send(Command::UseRun(run));
    }
    precision_choice(ui, cx, tester);
}

/// How the model's weights are held, and what eight bits cost on held-out reviews.
fn precision_choice(ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester) {
    let chosen = cx.desk.settings().precision;
    let words = |cx: &Cx<'_>, stored: Stored| match stored {
        Stored::Float32 => cx.t("Exact (float32)"),
        Stored::BFloat16 => cx.t("Half (bfloat16)"),
        Stored::Int8 => cx.t("Eight bits (int8)"),
    };
    let mut wish = chosen;
    ui.horizontal(|ui| {
        let label = ui.label(cx.t("Arithmetic"));
        let menu = egui::ComboBox::from_id_salt("test-precision").selected_text(words(cx, chosen)).width(ui.available_width() - 8.0);
        let shown = menu.show_ui(ui, |ui| {
            for stored in Stored::ALL {
                let response = ui.selectable_label(stored == chosen, words(cx, stored));
                let clicked = response.clicked();
                if !stored.is_native() {
                    response.on_hover_text(cx.t("This processor has no instruction for it: slower here than exact"));
                }
                if clicked {
                    wish = stored;
                }
            }
        });
        shown.response.labelled_by(label.id);
    });
    if wish != chosen {
        cx.send(Command::SetPrecision(wish));
    }
    let run = cx.desk.runs().iter().find(|run| tester.run() == Some(run.id.as_str()));
    let report = run.and_then(|run| run.report.as_ref());
    if chosen == Stored::Int8
        && let Some(report) = report
    {
        let palette = theme::palette(ui);
        let said = match report.eight_bits {
            Some(eight) => cx.tf("Of {} held-out reviews eight bits answer {} otherwise", &[&report.examples, &eight.changed]),
            None => cx.t("What eight bits cost this run was not measured").to_owned(),
        };
        ui.label(RichText::new(said).color(palette.weak).small());
    }
}

fn classes(ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester, answered: &Answered, schema: &Schema) {
    let palette = theme::palette(ui);
    let Some((best, probability)) = answered.prediction.best_class() else {
        if tester.span_labels().is_empty() {
            return;
        }
        ui.label(RichText::new(cx.t("This model answers no class: it was trained on spans alone")).color(palette.weak));
        return;
    };
    let classes = tester.classes();
    let hue = |name: &str, at: usize| {
        let known = schema.main_question().and_then(|(_, question)| question.classes.iter().find(|class| class.name == name));
        palette.hue(known.map_or(at as u8, |class| class.hue))
    };
    if let Some(name) = classes.get(usize::from(best)) {
        ui.horizontal(|ui| {
            ui.label(RichText::new(name).size(24.0).strong().color(hue(name, usize::from(best))));
            let figure = RichText::new(percent(probability)).size(18.0).color(palette.weak);
            why::figure(ui, cx, figure, Asked::Class(best), name);
        });
        ui.add_space(4.0);
    }
    for (at, (name, probability)) in classes.iter().zip(&answered.prediction.probabilities).enumerate() {
        let strong = at == usize::from(best);
        bar(ui, 110.0, &Bar { name, share: *probability, figure: &percent(*probability), hue: hue(name, at), strong });
    }
}

/// "87 %", and never a false certainty.
fn percent(probability: f32) -> String {
    match probability * 100.0 {
        share if share > 99.5 && probability < 1.0 => "> 99 %".to_owned(),
        share if share < 0.5 && share > 0.0 => "< 1 %".to_owned(),
        share => format!("{share:.0} %"),
    }
}
