//! Curves of the run shown and of those laid over it: loss (every step and smoothed), scores of each evaluation, learning
//! rate and gradient norm, norms of each layer. A click on an evaluation opens what was wrong then.

use super::export::{self, RunFile};
use super::plot::{Look, PlotOf, SMALL_HEIGHT, Series, heading, plot};
use super::progress::epoch;
use super::{TrainPane, group, run_name, short_scores, two_places};
use crate::desk::{Command, Curve, RunView};
use crate::project::{DocId, Filter};
use crate::train::{Evaluation, Scores};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, Place, theme};
use eframe::egui::{self, Color32, RichText, vec2};
use egui_plot::MarkerShape;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How much of the past the smoothed loss keeps at each step.
const SMOOTHING: f64 = 0.9;
const GAP: f32 = 18.0;

/// What of a run is drawn.
#[derive(Default)]
pub(super) struct Chosen {
    /// Learning rate and gradient norm are drawn too.
    rates: bool,
    layers: bool,
    /// Loss by its logarithm.
    log: bool,
    /// Scores that are drawn; empty for the usual ones.
    measures: BTreeSet<Measure>,
    /// What is drawn on the screen now, for files.
    pub(super) drawn: Vec<(String, Vec<Series>)>,
    pub(super) picture: export::Picture,
}

/// A score of an evaluation. Numbers are places of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Measure {
    MacroF1,
    Accuracy,
    Spans,
    Aspects,
    Triplets,
    Class(usize),
    SpanLabel(usize),
    /// A question beside the main one: macro-F1 of its labels, or the correlation of its numbers.
    Question(usize),
}

impl Measure {
    const USUAL: [Self; 6] = [Self::MacroF1, Self::Spans, Self::Aspects, Self::Triplets, Self::Question(0), Self::Question(1)];

    /// Every score that these scores have.
    fn all(scores: &Scores) -> Vec<Self> {
        let named = [Self::MacroF1, Self::Accuracy, Self::Spans, Self::Aspects, Self::Triplets];
        let classes = (0..scores.per_class.len()).map(Self::Class);
        let labels = (0..scores.per_span_label.len()).map(Self::SpanLabel);
        let questions = (0..scores.questions.len()).map(Self::Question);
        named.into_iter().chain(questions).chain(classes).chain(labels).filter(|measure| measure.of(scores).is_some()).collect()
    }

    fn of(self, scores: &Scores) -> Option<f64> {
        match self {
            Self::MacroF1 => scores.macro_f1,
            Self::Accuracy => scores.accuracy,
            Self::Spans => scores.span_f1,
            Self::Aspects => scores.opinions.aspect_polarity_f1,
            Self::Triplets => scores.opinions.triplet_f1,
            Self::Class(at) => scores.per_class.get(at).map(|label| label.f1),
            Self::SpanLabel(at) => scores.per_span_label.get(at).map(|label| label.f1),
            Self::Question(at) => scores.questions.get(at).and_then(crate::train::QuestionScores::selection),
        }
    }

    fn name(self, cx: &Cx<'_>, scores: &Scores) -> String {
        let label = |labels: &[crate::train::LabelScore], at: usize| labels.get(at).map_or(String::new(), |label| label.name.clone());
        match self {
            Self::MacroF1 => cx.t("class, macro-F1").to_owned(),
            Self::Accuracy => cx.t("class, accuracy").to_owned(),
            Self::Spans => cx.t("spans, exact F1").to_owned(),
            Self::Aspects => cx.t("aspects with polarity").to_owned(),
            Self::Triplets => cx.t("triplets").to_owned(),
            Self::Class(at) => label(&scores.per_class, at),
            Self::SpanLabel(at) => label(&scores.per_span_label, at),
            Self::Question(at) => scores.questions.get(at).map_or(String::new(), |question| match question.mae {
                Some(_) => cx.tf("{}, correlation", &[&question.name]),
                None => question.name.clone(),
            }),
        }
    }

    /// Which documents a click on it opens, by the names of [`Evaluation::wrong`].
    fn task(self) -> &'static str {
        match self {
            Self::MacroF1 | Self::Accuracy | Self::Class(_) => "class",
            Self::Spans | Self::SpanLabel(_) => "spans",
            Self::Aspects | Self::Triplets => "links",
            Self::Question(_) => "questions",
        }
    }

    /// Place among the hues, and shape of its marks.
    fn look(self) -> (usize, MarkerShape) {
        match self {
            Self::MacroF1 => (2, MarkerShape::Circle),
            Self::Spans => (5, MarkerShape::Square),
            Self::Aspects => (0, MarkerShape::Up),
            Self::Triplets => (3, MarkerShape::Diamond),
            Self::Accuracy => (6, MarkerShape::Diamond),
            Self::Class(at) => (at + 4, MarkerShape::Circle),
            Self::SpanLabel(at) => (at + 6, MarkerShape::Square),
            Self::Question(at) => ([1, 4, 7][at % 3], MarkerShape::Down),
        }
    }
}

/// A run as it is drawn.
struct Drawn<'a> {
    view: &'a RunView,
    /// What stands before the names of its lines; empty while it is alone.
    prefix: String,
    /// Its hue; `None` for the run shown.
    hue: Option<Color32>,
}

impl TrainPane {
    pub(super) fn curves(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
        let palette = theme::palette(ui);
        let desk = cx.desk;
        let others: Vec<&RunView> = desk.overlaid().filter(|other| other.id != view.id).collect();
        let prefix = |id: &str| if others.is_empty() { String::new() } else { format!("{} · ", run_name(cx, id)) };
        let others = others.iter().enumerate().map(|(at, other)| Drawn {
            view: other,
            prefix: prefix(&other.id),
            hue: Some(palette.hues[[0, 2, 4, 5, 7, 6][at % 6]]),
        });
        // The run shown comes last: it lies on top.
        let runs: Vec<Drawn<'_>> =
            others.collect::<Vec<_>>().into_iter().chain([Drawn { view, prefix: prefix(&view.id), hue: None }]).collect();
        let top = ui.cursor().min;
        let losses = losses(cx, palette, &runs);
        let scores = self.score_series(cx, palette, &runs);
        // A third of what is in sight, so that the scores below show too.
        let height = (ui.clip_rect().height() * 0.34).clamp(190.0, 480.0);
        let width = (ui.available_width() - GAP) / 2.0;
        let mut clicked = None;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            let mut half = |ui: &mut egui::Ui, of: PlotOf<'_>, series: &[Series]| {
                ui.allocate_ui(vec2(width, height + 24.0), |ui| {
                    ui.vertical(|ui| {
                        heading(ui, of.name, series);
                        clicked = plot(ui, cx, &of, series).or(clicked);
                    })
                });
            };
            let usual = || usual(view, height);
            half(
                ui,
                PlotOf { name: cx.t("Loss"), id: "loss", number: |value| format!("{value:.3}"), log: self.curves.log, ..usual() },
                &losses,
            );
            let best = view.best().map(|best| best.step as f64);
            half(ui, PlotOf { name: cx.t("F1 on held-out reviews"), id: "f1", is_share: true, best, ..usual() }, &scores);
        });
        self.curves.drawn = vec![(cx.t("Loss").to_owned(), losses), (cx.t("F1 on held-out reviews").to_owned(), scores)];
        if let Some((task, step)) = clicked {
            open_wrong(cx, view, task, step);
        }
        self.curves.picture.take(ui, cx, egui::Rect::from_min_max(top, egui::pos2(ui.max_rect().right(), ui.cursor().top())));
        self.choices(ui, cx, view);
        self.small_plots(ui, cx, view, width);
        evaluations(ui, cx, view);
    }

    /// What is drawn, and where it can be written.
    fn choices(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
        ui.horizontal_wrapped(|ui| {
            if let Some(last) = view.evaluations.last() {
                ui.menu_button(cx.t("Scores shown"), |ui| self.measures_menu(ui, cx, &last.scores));
            }
            ui.checkbox(&mut self.curves.log, cx.t("Logarithm of the loss"));
            ui.checkbox(&mut self.curves.rates, cx.t("Learning rate and gradient norm"));
            if !view.layers.is_empty() {
                ui.checkbox(&mut self.curves.layers, cx.t("Layers"));
            }
            ui.menu_button(cx.t("Export curves"), |ui| {
                let kinds = [
                    (cx.t("Picture (PNG)…"), RunFile::Png),
                    (cx.t("Drawing (SVG)…"), RunFile::Svg),
                    (cx.t("Table (CSV)…"), RunFile::Csv),
                    (cx.t("TensorBoard…"), RunFile::TensorBoard),
                ];
                for (words, kind) in kinds {
                    if ui.button(words).clicked() {
                        cx.dialogs.open(Wish::RunFile { run: view.id.clone(), kind });
                    }
                }
            });
            if !cx.desk.overlay().is_empty() && ui.button(cx.t("This run alone")).clicked() {
                cx.send(Command::OverlayRuns(Vec::new()));
            }
        });
        if let Some((kind, path)) = cx.dialogs.take_run_file() {
            match kind {
                RunFile::Svg => write(cx, path, export::svg(&self.curves.drawn, theme::palette(ui)).into_bytes()),
                RunFile::Csv => write(cx, path, export::csv(&self.curves.drawn).into_bytes()),
                RunFile::Png => self.curves.picture.request(ui.ctx(), path),
                RunFile::TensorBoard => cx.send(Command::ExportTensorBoard { run: view.id.clone(), folder: path }),
            }
        }
    }

    fn measures_menu(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>, scores: &Scores) {
        if self.curves.measures.is_empty() {
            self.curves.measures = Measure::USUAL.into();
        }
        for measure in Measure::all(scores) {
            let mut on = self.curves.measures.contains(&measure);
            if ui.checkbox(&mut on, measure.name(cx, scores)).changed() {
                if on {
                    self.curves.measures.insert(measure);
                } else {
                    self.curves.measures.remove(&measure);
                }
            }
        }
    }

    fn score_series(&self, cx: &Cx<'_>, palette: &theme::Palette, runs: &[Drawn<'_>]) -> Vec<Series> {
        let usual = Measure::USUAL.into();
        let wanted = if self.curves.measures.is_empty() { &usual } else { &self.curves.measures };
        let mut series = Vec::new();
        for run in runs {
            let Some(last) = run.view.evaluations.last() else { continue };
            for measure in wanted {
                let points = of_evaluations(run.view, |evaluation| measure.of(&evaluation.scores));
                if points.is_empty() {
                    continue;
                }
                let (hue, shape) = measure.look();
                let alone = palette.hues[hue % palette.hues.len()];
                let color = if run.prefix.is_empty() { alone } else { run.hue.unwrap_or(palette.accent) };
                let task = run.hue.is_none().then_some(measure.task());
                let name = format!("{}{}", run.prefix, measure.name(cx, &last.scores));
                series.push(Series { name, color, points, look: Look::Marked(shape), task });
            }
        }
        series
    }

    fn small_plots(&self, ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView, width: f32) {
        let palette = theme::palette(ui);
        if self.curves.rates {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = GAP;
                let mut small = |name: &str, id: &str, curve: &Curve, color: Color32, number: fn(f64) -> String| {
                    ui.allocate_ui(vec2(width, SMALL_HEIGHT + 24.0), |ui| {
                        ui.vertical(|ui| {
                            group(ui, name);
                            let series = [Series::line(name, color, curve.points().to_vec())];
                            plot(ui, cx, &PlotOf { name, id, number, ..usual(view, SMALL_HEIGHT) }, &series);
                        })
                    });
                };
                small(cx.t("Learning rate"), "lr", &view.lr, palette.hues[6], |value| format!("{value:.1e}"));
                small(cx.t("Gradient norm before clipping"), "norm", &view.grad_norm, palette.hues[4], two_places);
            });
        }
        if self.curves.layers && !view.layers.is_empty() {
            layers(ui, cx, view, width);
        }
    }
}

fn write(cx: &mut Cx<'_>, path: std::path::PathBuf, content: Vec<u8>) {
    cx.send(Command::WriteFile { path, content: Arc::from(content) });
}

/// A plot of this run as most are.
fn usual<'a>(view: &RunView, height: f32) -> PlotOf<'a> {
    PlotOf {
        name: "",
        id: "",
        height,
        number: two_places,
        log: false,
        is_share: false,
        steps_total: view.started.as_ref().map(|started| started.steps_total),
        steps_per_epoch: steps_per_epoch(view),
        best: None,
    }
}

/// Of the run shown every step, smoothed and held-out; of the others what does not hide it.
fn losses(cx: &Cx<'_>, palette: &theme::Palette, runs: &[Drawn<'_>]) -> Vec<Series> {
    let mut series = Vec::new();
    for Drawn { view, prefix, hue } in runs {
        let named = |name: &str| format!("{prefix}{name}");
        let color = hue.unwrap_or(palette.accent);
        if hue.is_none() {
            let points = view.loss.points().to_vec();
            series.push(Series { name: named(cx.t("each step")), color: color.gamma_multiply(0.35), points, look: Look::Dots, task: None });
        }
        series.push(Series::line(named(cx.t("smoothed")), color, view.loss.smoothed(SMOOTHING)));
        let points = of_evaluations(view, |evaluation| Some(evaluation.scores.loss));
        if !points.is_empty() {
            let color = if prefix.is_empty() { palette.hues[4] } else { color };
            let task = hue.is_none().then_some("class");
            series.push(Series { name: named(cx.t("held-out")), color, points, look: Look::Marked(MarkerShape::Diamond), task });
        }
    }
    series
}

/// Norms of each layer, from the bottom (pale) to the heads (strong).
fn layers(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView, width: f32) {
    let palette = theme::palette(ui);
    let Some(first) = view.layers.first() else { return };
    let count = first.layers.len().max(2) as f32 - 1.0;
    let of = |norm: fn(&crate::train::LayerNorms) -> f64| -> Vec<Series> {
        let line = |(at, layer): (usize, &crate::train::LayerNorms)| {
            let color = palette.hues[6].lerp_to_gamma(palette.hues[0], at as f32 / count);
            let points = view.layers.iter().filter_map(|stats| Some([stats.step as f64, norm(stats.layers.get(at)?)]));
            Series::line(layer.name.clone(), color, points.collect())
        };
        first.layers.iter().enumerate().map(line).collect()
    };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        let norms = [
            (cx.t("Gradient norm of each layer"), "layer-gradients", of(|layer| layer.gradient)),
            (cx.t("Weight norm of each layer"), "layer-weights", of(|layer| layer.weight)),
        ];
        for (name, id, series) in norms {
            ui.allocate_ui(vec2(width, SMALL_HEIGHT + 100.0), |ui| {
                ui.vertical(|ui| {
                    heading(ui, name, &series);
                    let number = |value: f64| format!("{value:.2e}");
                    plot(ui, cx, &PlotOf { name, id, number, log: true, ..usual(view, SMALL_HEIGHT + 60.0) }, &series);
                })
            });
        }
    });
}

/// Every evaluation in words: what the curves show, for the keyboard.
fn evaluations(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
    if view.evaluations.is_empty() {
        return;
    }
    let heading = RichText::new(cx.tf("Evaluations ({})", &[&view.evaluations.len()]));
    egui::CollapsingHeader::new(heading).id_salt("train-evaluations").show(ui, |ui| {
        let mut chosen = None;
        egui::Grid::new("evaluations").striped(true).spacing(vec2(14.0, 4.0)).show(ui, |ui| {
            for evaluation in &view.evaluations {
                ui.label(cx.tf("epoch {}", &[&epoch(evaluation.epoch)]));
                ui.label(cx.tf("loss {}", &[&two_places(evaluation.scores.loss)]));
                let scores = RichText::new(short_scores(cx, &evaluation.scores));
                ui.label(if evaluation.is_best { scores.strong() } else { scores });
                for (task, docs) in &evaluation.wrong {
                    let words = cx.tf("{} wrong: {}", &[&task_name(cx, task), &docs.len()]);
                    let button = egui::Button::new(words).frame_when_inactive(false);
                    if ui.add(button).on_hover_text(cx.t("Click to open them")).clicked() {
                        chosen = Some(docs);
                    }
                }
                ui.end_row();
            }
        });
        if let Some(docs) = chosen {
            open(cx, docs);
        }
    });
}

fn task_name(cx: &Cx<'_>, task: &str) -> String {
    match task {
        "class" => cx.t("Classes").to_owned(),
        "spans" => cx.t("Spans").to_owned(),
        "links" => cx.t("Links").to_owned(),
        "questions" => cx.t("Other questions").to_owned(),
        other => other.to_owned(),
    }
}

/// Opens the documents that were wrong at the evaluation after `step`: in `task`, or in any where it has none.
fn open_wrong(cx: &mut Cx<'_>, view: &RunView, task: &str, step: f64) {
    let Some(evaluation) = view.evaluations.iter().find(|evaluation| evaluation.step as f64 == step) else { return };
    match evaluation.wrong.get(task) {
        Some(docs) => open(cx, docs),
        None => {
            let docs: BTreeSet<u32> = evaluation.wrong.values().flatten().copied().collect();
            if !docs.is_empty() {
                open(cx, &docs.into_iter().collect::<Vec<_>>());
            }
        }
    }
}

/// Shows these documents in the place where documents are labelled.
pub(super) fn open(cx: &mut Cx<'_>, docs: &[u32]) {
    let only: Arc<[DocId]> = docs.iter().copied().map(DocId).collect();
    cx.send(Command::SetFilter(Filter { only: Some(only), ..Filter::default() }));
    cx.goto(Place::Label);
}

/// One figure of every evaluation, where it has one.
fn of_evaluations(view: &RunView, figure: impl Fn(&Evaluation) -> Option<f64>) -> Vec<[f64; 2]> {
    let points = view.evaluations.iter().filter_map(|evaluation| Some([evaluation.step as f64, figure(evaluation)?]));
    points.filter(|[_, y]| y.is_finite()).collect()
}

fn steps_per_epoch(view: &RunView) -> Option<f64> {
    let last = view.last_step.as_ref()?;
    (last.epoch > 0.0).then(|| last.step as f64 / last.epoch)
}
