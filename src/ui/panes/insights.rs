//! Insights: how often what was said. Every bar opens its documents.

mod agreement;
mod aspects;
mod counting;
mod progress;
mod questions;
mod talk;

use crate::desk::Command;
use crate::project::{Annotation, Document, Filter, Layer, Order, Polarity, Project, QuestionId, State, What};
use crate::ui::theme;
use crate::ui::{Cx, Place, icons};
use counting::{Counting, Of};
use eframe::egui::{self, Align2, Color32, RichText, Role, Sense, TextStyle, Ui, WidgetInfo, vec2};
use progress::Progress;
use std::collections::BTreeSet;
use std::path::PathBuf;

pub use aspects::{Aspect, Mention, month, quote};
pub use questions::{Bin, QuestionSummary};

/// The state of the place.
#[derive(Default)]
pub struct InsightsPane {
    /// Of an earlier state of the project while the documents are counted anew.
    counted: Option<(Of, Counted)>,
    counting: Option<Counting>,
    talk: talk::Talk,
}

/// What is shown, gathered once.
struct Counted {
    summary: Summary,
    progress: Progress,
    /// Names of the columns that came with the documents.
    columns: Vec<String>,
}

/// Everything counted, of one revision of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    pub documents: usize,
    /// Per class of the main question.
    pub classes: Vec<usize>,
    pub unanswered: usize,
    /// The other questions, in order.
    pub questions: Vec<QuestionSummary>,
    pub todo: usize,
    pub done: usize,
    pub skipped: usize,
    pub flagged: usize,
    /// Per span label of the schema.
    pub labels: Vec<LabelCount>,
    /// The terms that opinions are about, the most frequent first.
    pub aspects: Vec<Aspect>,
}

/// How often a span label was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelCount {
    pub spans: usize,
    pub documents: usize,
}

impl Summary {
    /// Of the outcome.
    pub fn of(project: &Project) -> Self {
        Self::seen_in(project, Layer::Outcome)
    }

    /// Of what whoever works in `layer` sees.
    pub fn seen_in(project: &Project, layer: Layer) -> Self {
        let mut counting = Counting::new(project, (PathBuf::new(), project.revision(), layer));
        while !counting.go_on(project) {}
        counting.finish(project).0
    }

    fn take_answers(&mut self, doc: &Document, question: Option<QuestionId>) {
        let annotation = &doc.annotation;
        self.documents += 1;
        self.flagged += usize::from(annotation.flagged);
        match annotation.state {
            State::Todo => self.todo += 1,
            State::Done => self.done += 1,
            State::Skipped => self.skipped += 1,
        }
        let class = question.and_then(|question| annotation.class(question));
        match class.and_then(|class| self.classes.get_mut(usize::from(class))) {
            Some(count) => *count += 1,
            None => self.unanswered += 1,
        }
    }

    fn take_spans(&mut self, annotation: &Annotation) {
        let mut seen = BTreeSet::new();
        for span in annotation.spans.values() {
            if let Some(label) = self.labels.get_mut(usize::from(span.label)) {
                label.spans += 1;
                label.documents += usize::from(seen.insert(span.label));
            }
        }
    }
}

/// Shows the documents of a bar.
fn open(cx: &mut Cx<'_>, filter: Filter) {
    cx.send(Command::SetFilter(filter));
    cx.goto(Place::Label);
}

impl InsightsPane {
    /// Counts a piece of the documents unless what is held is still true.
    fn count(&mut self, ui: &Ui, cx: &Cx<'_>, project: &Project, of: Of) {
        if self.counted.as_ref().is_some_and(|(held, _)| *held == of) {
            self.counting = None;
            return;
        }
        let under_way = self.counting.take().filter(|counting| counting.of == of);
        let mut counting = under_way.unwrap_or_else(|| Counting::new(project, of.clone()));
        if !counting.go_on(project) {
            self.counting = Some(counting);
            return ui.ctx().request_repaint();
        }
        let (summary, columns) = counting.finish(project);
        let progress = cx.desk.history().map(|history| Progress::of(project, history, of.2)).unwrap_or_default();
        self.talk.forget();
        self.counted = Some((of, Counted { summary, progress, columns }));
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let (Some(project), Some(path)) = (cx.desk.project(), cx.desk.path()) else { return };
        self.count(ui, cx, project, (path.to_owned(), project.revision(), cx.desk.layer()));
        if !project.annotators().is_empty() && !cx.desk.is_agreement_fresh() {
            cx.send(Command::MeasureAgreement);
        }
        let Self { counted, counting, talk } = self;
        let Some((_, Counted { summary, progress, columns })) = counted.as_ref().filter(|((of, ..), _)| of == path) else {
            let share = counting.as_ref().map_or(0.0, |counting| counting.share(project));
            return counting_ui(ui, cx, share);
        };
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            egui::Frame::new().inner_margin(24).show(ui, |ui| {
                ui.heading(cx.t("Insights"));
                if summary.documents == 0 {
                    ui.weak(cx.t("There are no documents yet: import some in Data"));
                    return;
                }
                ui.label(RichText::new(cx.t("Click a bar to see its documents")).color(theme::palette(ui).weak));
                ui.add_space(8.0);
                let two = ui.available_width() >= 880.0;
                let left = |ui: &mut Ui, cx: &mut Cx<'_>| counts_ui(ui, cx, summary);
                let mut right = |ui: &mut Ui, cx: &mut Cx<'_>| {
                    progress::progress_ui(ui, cx, project, summary, progress);
                    if !project.annotators().is_empty() {
                        agreement::agreement_ui(ui, cx, project);
                    }
                    talk.ui(ui, cx, project, summary, columns);
                };
                if two {
                    ui.spacing_mut().item_spacing.x = 16.0;
                    ui.columns(2, |columns| {
                        if let [one, other] = columns {
                            left(one, cx);
                            right(other, cx);
                        }
                    });
                } else {
                    left(ui, cx);
                    ui.add_space(theme::GAP);
                    right(ui, cx);
                }
            });
        });
    }
}

fn counting_ui(ui: &mut Ui, cx: &Cx<'_>, share: f32) {
    egui::Frame::new().inner_margin(24).show(ui, |ui| {
        ui.heading(cx.t("Insights"));
        let percent = (share * 100.0).round();
        ui.label(RichText::new(cx.tf("Counting the documents: {} %", &[&percent])).color(theme::palette(ui).weak));
    });
}

fn card(ui: &mut Ui, title: &str, contents: impl FnOnce(&mut Ui)) {
    theme::card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(title).strong());
        ui.add_space(4.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        contents(ui);
    });
    ui.add_space(theme::GAP);
}

fn counts_ui(ui: &mut Ui, cx: &mut Cx<'_>, summary: &Summary) {
    let Some(schema) = cx.desk.project().map(|project| project.schema().clone()) else { return };
    let palette = theme::palette(ui);
    let all = summary.documents;
    if let Some((id, question)) = schema.main_question().filter(|(_, question)| !question.classes.is_empty()) {
        let title = cx.t("Answers").to_owned();
        card(ui, &title, |ui| {
            let filter = |class| Filter::of(What::Class(id, class));
            for ((class, count), at) in question.classes.iter().zip(&summary.classes).zip(0u16..) {
                if bar(ui, &class.name, palette.hue(class.hue), *count, all) {
                    open(cx, filter(Some(at)));
                }
            }
            if bar(ui, cx.t("not answered"), palette.line, summary.unanswered, all) {
                open(cx, filter(None));
            }
            if cx.desk.looked_at().is_some() {
                ui.add_space(4.0);
                let hint = cx.t("Answers that the model finds unlikely, those first that it had not learnt from");
                if ui.horizontal(|ui| ui.button(cx.t("Suspected label errors"))).inner.on_hover_text(hint).clicked() {
                    cx.send(Command::SetOrder(Order::SuspectedErrors));
                    open(cx, Filter::of(What::Suspected));
                }
            }
        });
    }
    questions::ui(ui, cx, &summary.questions, all);
    let title = cx.t("State of the work").to_owned();
    card(ui, &title, |ui| {
        let of = |state| Filter::of(What::State(state));
        for (words, color, count, filter) in [
            ("to do", palette.weak, summary.todo, of(State::Todo)),
            ("done", palette.success, summary.done, of(State::Done)),
            ("skipped", palette.hues[1], summary.skipped, of(State::Skipped)),
            ("flagged", palette.warning, summary.flagged, Filter::of(What::Flagged)),
        ] {
            if bar(ui, cx.t(words), color, count, all) {
                open(cx, filter);
            }
        }
    });
    if schema.span_labels.is_empty() {
        return;
    }
    let title = cx.t("Spans").to_owned();
    card(ui, &title, |ui| {
        let most = summary.labels.iter().map(|label| label.spans).sum();
        for ((label, count), at) in schema.span_labels.iter().zip(&summary.labels).zip(0u16..) {
            let hint = cx.tf("{} in {} documents", &[&label.name, &count.documents]);
            if bar_with(ui, &label.name, &hint, palette.hue(label.hue), count.spans, most) {
                open(cx, Filter::of(What::Span(at)));
            }
        }
    });
}

/// The ground of a row to click; its middle part is what a bar may fill.
fn bar_row(ui: &mut Ui, name: &str, value: &str) -> (egui::Response, Option<egui::Rect>) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name}: {value}")));
    if !ui.is_rect_visible(rect) {
        return (response, None);
    }
    let palette = theme::palette(ui);
    if response.hovered() || response.has_focus() {
        let fill = ui.visuals().widgets.hovered.weak_bg_fill;
        let ring = icons::focus_ring(&response, palette);
        ui.painter().rect(rect, theme::ROUNDING, fill, ring, egui::StrokeKind::Inside);
    }
    let font = TextStyle::Body.resolve(ui.style());
    let names = (rect.width() * 0.36).min(220.0);
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), font, palette.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(names - 16.0);
    let galley = ui.painter().layout_job(job);
    let at = rect.left_center() + vec2(6.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.text);
    let middle = egui::Rect::from_min_max(rect.min + vec2(names, 8.0), rect.max - vec2(116.0, 8.0));
    (response, Some(middle))
}

/// A named bar with its number and share; answers whether it was clicked.
fn bar(ui: &mut Ui, name: &str, color: Color32, count: usize, of: usize) -> bool {
    bar_with(ui, name, name, color, count, of)
}

/// The same with more to say while the pointer is over it.
fn bar_with(ui: &mut Ui, name: &str, hint: &str, color: Color32, count: usize, of: usize) -> bool {
    let share = if of == 0 { 0.0 } else { count as f32 / of as f32 };
    let value = format!("{count} · {:.0} %", share * 100.0);
    let (response, middle) = bar_row(ui, name, &value);
    if let Some(middle) = middle {
        fill(ui, middle, share, color);
        let palette = theme::palette(ui);
        let font = TextStyle::Small.resolve(ui.style());
        ui.painter().text(middle.right_center() + vec2(108.0, 0.0), Align2::RIGHT_CENTER, value, font, palette.weak);
    }
    response.on_hover_text(hint).clicked()
}

fn fill(ui: &Ui, rect: egui::Rect, share: f32, color: Color32) {
    let palette = theme::palette(ui);
    ui.painter().rect_filled(rect, 3, palette.panel);
    if share > 0.0 {
        let width = (rect.width() * share.min(1.0)).max(2.0);
        ui.painter().rect_filled(egui::Rect::from_min_size(rect.min, vec2(width, rect.height())), 3, color);
    }
}

fn sign(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "+",
        Polarity::Neutral => "○",
        Polarity::Negative => "−",
    }
}
