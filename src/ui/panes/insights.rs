//! Insights: how often what was said. Every bar opens its documents.

mod agreement;
mod progress;
mod questions;

use crate::desk::Command;
use crate::project::agreement::Agreement;
use crate::project::{Annotation, DocId, Document, Filter, Layer, Link, Polarity, Project, QuestionId, Span, SpanId, State, What};
use crate::ui::theme::{self, Palette};
use crate::ui::{Cx, Place, icons};
use eframe::egui::{self, Align2, Color32, RichText, Role, Sense, TextStyle, Ui, WidgetInfo, vec2};
use progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

pub use questions::{Bin, QuestionSummary};

/// The state of the place.
#[derive(Default)]
pub struct InsightsPane {
    counted: Option<(PathBuf, u64, Layer, Counted)>,
}

/// What is shown, gathered once.
struct Counted {
    summary: Summary,
    agreement: Agreement,
    progress: Progress,
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

/// A term and what was said about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aspect {
    pub term: String,
    pub count: usize,
    pub positive: usize,
    pub negative: usize,
    pub neutral: usize,
    pub documents: Vec<DocId>,
}

impl Aspect {
    /// From -1, only bad, to 1, only good.
    pub fn net(&self) -> f32 {
        let judged = self.positive + self.negative + self.neutral;
        if judged == 0 { 0.0 } else { (self.positive as f32 - self.negative as f32) / judged as f32 }
    }
}

impl Summary {
    /// Of the outcome.
    pub fn of(project: &Project) -> Self {
        Self::seen_in(project, Layer::Outcome)
    }

    /// Of what whoever works in `layer` sees.
    pub fn seen_in(project: &Project, layer: Layer) -> Self {
        let schema = project.schema();
        let question = schema.main_question();
        let mut summary = Self {
            classes: vec![0; question.map_or(0, |(_, question)| question.classes.len())],
            questions: QuestionSummary::all(project),
            labels: vec![LabelCount::default(); schema.span_labels.len()],
            ..Self::default()
        };
        let aspect_label = schema.span_label("aspect").or_else(|| schema.span_label("方面"));
        let mut aspects: BTreeMap<String, Aspect> = BTreeMap::new();
        for doc in project.documents() {
            let doc = doc.seen_in(layer);
            summary.take_answers(&doc, question.map(|(id, _)| id));
            summary.take_spans(&doc.annotation);
            take_aspects(&mut aspects, &doc, aspect_label);
        }
        summary.aspects = aspects.into_values().collect();
        summary.aspects.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.term.cmp(&b.term)));
        summary
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

/// Spans that opinions point to, and spans of the label "aspect"; judged by the polarity of what is linked to them.
fn take_aspects(aspects: &mut BTreeMap<String, Aspect>, doc: &Document, aspect_label: Option<u16>) {
    let spans = &doc.annotation.spans;
    // Links of other types join parts of one thing, or what the schema says: they judge nothing.
    let links: Vec<&Link> = doc.annotation.main_links().collect();
    let is_aspect = |id: &SpanId, span: &Span| Some(span.label) == aspect_label || links.iter().any(|link| link.to == *id);
    for (id, span) in spans.iter().filter(|(id, span)| is_aspect(id, span)) {
        let term = span.range.of(&doc.text).trim().to_lowercase();
        let aspect = aspects.entry(term.clone()).or_insert_with(|| Aspect { term, ..Aspect::default() });
        aspect.count += 1;
        if aspect.documents.last() != Some(&doc.id) {
            aspect.documents.push(doc.id);
        }
        let other = |link: &Link| match (link.from == *id, link.to == *id) {
            (true, _) => spans.get(&link.to),
            (_, true) => spans.get(&link.from),
            _ => None,
        };
        let said = links.iter().copied().filter_map(other).filter_map(|span| span.polarity).chain(span.polarity);
        for polarity in said {
            match polarity {
                Polarity::Positive => aspect.positive += 1,
                Polarity::Negative => aspect.negative += 1,
                Polarity::Neutral => aspect.neutral += 1,
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
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let (Some(project), Some(path)) = (cx.desk.project(), cx.desk.path()) else { return };
        let layer = cx.desk.layer();
        let fresh = self.counted.as_ref().is_some_and(|(of, at, held, _)| of == path && *at == project.revision() && *held == layer);
        if !fresh {
            let history = cx.desk.history();
            let counted = Counted {
                summary: Summary::seen_in(project, layer),
                agreement: Agreement::of(project),
                progress: history.map(|history| Progress::of(project, history, layer)).unwrap_or_default(),
            };
            self.counted = Some((path.to_owned(), project.revision(), layer, counted));
        }
        let Some((.., Counted { summary, agreement, progress })) = &self.counted else { return };
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
                let right = |ui: &mut Ui, cx: &mut Cx<'_>| {
                    progress::progress_ui(ui, cx, project, summary, progress);
                    if !project.annotators().is_empty() {
                        agreement::agreement_ui(ui, cx, project, agreement);
                    }
                    aspects_ui(ui, cx, summary);
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

fn aspects_ui(ui: &mut Ui, cx: &mut Cx<'_>, summary: &Summary) {
    const SHOWN: usize = 20;
    let title = cx.t("What is talked about").to_owned();
    card(ui, &title, |ui| {
        if summary.aspects.is_empty() {
            ui.weak(cx.t("Mark aspects and link opinions to them to see which terms are praised and which are not"));
            return;
        }
        let most = summary.aspects.iter().map(|aspect| aspect.count).max().unwrap_or(1);
        for aspect in summary.aspects.iter().take(SHOWN) {
            if aspect_bar(ui, cx, aspect, most) {
                let only: Arc<[DocId]> = aspect.documents.as_slice().into();
                open(cx, Filter { only: Some(only), ..Filter::default() });
            }
        }
        if summary.aspects.len() > SHOWN {
            ui.weak(cx.tf("and {} more terms", &[&(summary.aspects.len() - SHOWN)]));
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

/// A term: a bar as long as it is frequent, parted by what was said about it.
fn aspect_bar(ui: &mut Ui, cx: &Cx<'_>, aspect: &Aspect, most: usize) -> bool {
    let palette: &Palette = theme::palette(ui);
    let said = [(Polarity::Positive, aspect.positive), (Polarity::Neutral, aspect.neutral), (Polarity::Negative, aspect.negative)];
    let marks: Vec<String> = said.iter().filter(|(_, n)| *n > 0).map(|(polarity, n)| format!("{}{n}", sign(*polarity))).collect();
    let value = format!("{}  {}", aspect.count, marks.join(" "));
    let (response, middle) = bar_row(ui, &aspect.term, &value);
    if let Some(middle) = middle {
        let length = aspect.count as f32 / most.max(1) as f32;
        fill(ui, middle, length, palette.line);
        let judged: usize = said.iter().map(|(_, n)| n).sum();
        let mut left = middle.left();
        for (polarity, n) in said {
            let width = middle.width() * length * n as f32 / judged.max(1) as f32;
            let part = egui::Rect::from_min_size(egui::pos2(left, middle.top()), vec2(width, middle.height()));
            ui.painter().rect_filled(part, 2, palette.polarity(polarity));
            left += width;
        }
        let font = TextStyle::Small.resolve(ui.style());
        ui.painter().text(middle.right_center() + vec2(108.0, 0.0), Align2::RIGHT_CENTER, value, font, palette.weak);
    }
    let net = format!("{:+.2}", aspect.net());
    let words = cx.tf("{}: {} times in {} documents, net polarity {}", &[&aspect.term, &aspect.count, &aspect.documents.len(), &net]);
    response.on_hover_text(words).clicked()
}

fn sign(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "+",
        Polarity::Neutral => "○",
        Polarity::Negative => "−",
    }
}
