//! Curves of a run: loss (every step and smoothed), scores of each evaluation, learning rate and gradient norm.

use super::progress::epoch;
use super::{TrainPane, group, two_places};
use crate::desk::{Curve, RunView};
use crate::train::Evaluation;
use crate::ui::{Cx, theme};
use eframe::egui::{self, Color32, Role, WidgetInfo, vec2};
use egui_plot::{Corner, GridMark, HoverPosition, Legend, Line, LineStyle, MarkerShape, Plot, PlotPoints, Points, VLine};

/// How much of the past the smoothed loss keeps at each step.
const SMOOTHING: f64 = 0.9;
const HEIGHT: f32 = 230.0;
const SMALL_HEIGHT: f32 = 120.0;

/// What is drawn in one plot.
struct Series {
    name: String,
    color: Color32,
    points: Vec<[f64; 2]>,
    look: Look,
}

#[derive(Clone, Copy, PartialEq)]
enum Look {
    Line,
    /// Unconnected and pale: the raw values behind a smoothed line.
    Dots,
    /// A line with a mark at each value.
    Marked(MarkerShape),
}

impl TrainPane {
    pub(super) fn curves(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView) {
        let gap = 18.0;
        let width = (ui.available_width() - gap) / 2.0;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            ui.allocate_ui(vec2(width, HEIGHT + 24.0), |ui| ui.vertical(|ui| loss(ui, cx, view)));
            ui.allocate_ui(vec2(width, HEIGHT + 24.0), |ui| ui.vertical(|ui| scores(ui, cx, view)));
        });
        ui.checkbox(&mut self.show_rates, cx.t("Learning rate and gradient norm"));
        if !self.show_rates {
            return;
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            let palette = theme::palette(ui);
            let mut small = |name: &str, id: &str, curve: &Curve, color: Color32, number: fn(f64) -> String| {
                ui.allocate_ui(vec2(width, SMALL_HEIGHT + 24.0), |ui| {
                    ui.vertical(|ui| {
                        group(ui, name);
                        let series = Series { name: name.to_owned(), color, points: curve.points().to_vec(), look: Look::Line };
                        plot(ui, cx, view, id, &PlotOf { name, height: SMALL_HEIGHT, legend: None, number }, vec![series]);
                    })
                });
            };
            small(cx.t("Learning rate"), "lr", &view.lr, palette.hues[6], |value| format!("{value:.1e}"));
            small(cx.t("Gradient norm before clipping"), "norm", &view.grad_norm, palette.hues[4], two_places);
        });
    }
}

fn loss(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView) {
    let palette = theme::palette(ui);
    group(ui, cx.t("Loss"));
    let held_out = of_evaluations(view, |evaluation| Some(evaluation.scores.loss));
    let mut series = vec![
        Series { name: cx.t("each step").to_owned(), color: palette.accent.gamma_multiply(0.35), points: view.loss.points().to_vec(), look: Look::Dots },
        Series { name: cx.t("smoothed").to_owned(), color: palette.accent, points: view.loss.smoothed(SMOOTHING), look: Look::Line },
    ];
    if !held_out.is_empty() {
        let look = Look::Marked(MarkerShape::Diamond);
        series.push(Series { name: cx.t("held-out").to_owned(), color: palette.hues[4], points: held_out, look });
    }
    plot(ui, cx, view, "loss", &PlotOf { name: cx.t("Loss"), height: HEIGHT, legend: Some(Corner::RightTop), number: |value| format!("{value:.3}") }, series);
}

fn scores(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView) {
    let palette = theme::palette(ui);
    group(ui, cx.t("F1 on held-out reviews"));
    let class = of_evaluations(view, |evaluation| evaluation.scores.macro_f1);
    let spans = of_evaluations(view, |evaluation| evaluation.scores.span_f1);
    let rows = [
        (cx.t("class, macro-F1"), palette.hues[2], class, MarkerShape::Circle),
        (cx.t("spans, exact F1"), palette.hues[5], spans, MarkerShape::Square),
    ];
    let series = rows.into_iter().filter(|(_, _, points, _)| !points.is_empty());
    let series = series.map(|(name, color, points, shape)| Series { name: name.to_owned(), color, points, look: Look::Marked(shape) });
    plot(
        ui,
        cx,
        view,
        "f1",
        &PlotOf { name: cx.t("F1 on held-out reviews"), height: HEIGHT, legend: Some(Corner::RightBottom), number: two_places },
        series.collect(),
    );
}

/// One figure of every evaluation, where it has one.
fn of_evaluations(view: &RunView, figure: impl Fn(&Evaluation) -> Option<f64>) -> Vec<[f64; 2]> {
    let points = view.evaluations.iter().filter_map(|evaluation| Some([evaluation.step as f64, figure(evaluation)?]));
    points.filter(|[_, y]| y.is_finite()).collect()
}

struct PlotOf<'a> {
    name: &'a str,
    height: f32,
    legend: Option<Corner>,
    number: fn(f64) -> String,
}

fn plot(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView, id: &str, of: &PlotOf<'_>, series: Vec<Series>) {
    let palette = theme::palette(ui);
    let steps_per_epoch = steps_per_epoch(view);
    let step_word = cx.t("step");
    let number = of.number;
    let hover = |position: &HoverPosition<'_>| match position {
        HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
            let at = cx.tf("step {}", &[&format!("{:.0}", position.x)]);
            let at = match steps_per_epoch {
                Some(steps) => format!("{at}, {}", cx.tf("epoch {}", &[&epoch(position.x / steps)])),
                None => at,
            };
            Some(format!("{plot_name} {}\n{at}", number(position.y)))
        }
        _ => None,
    };
    let described = describe(of, &series);
    let is_f1 = id == "f1";
    let mut plot = Plot::new(("train", id))
        .height(of.height)
        .width(ui.available_width())
        .x_axis_label(step_word)
        .label_formatter(hover)
        .y_axis_formatter(move |mark: GridMark, _: &_| if id_is_small(mark.step_size) { format!("{:.0e}", mark.value) } else { trimmed(mark.value) })
        .allow_scroll(false)
        .allow_zoom(false)
        .show_background(false)
        .grid_color(palette.line)
        .include_x(0.0)
        .set_margin_fraction(vec2(0.02, 0.06));
    if let Some(started) = &view.started {
        plot = plot.include_x(started.steps_total as f64);
    }
    if is_f1 {
        plot = plot.include_y(0.0).include_y(1.0);
    }
    if let Some(corner) = of.legend {
        plot = plot.legend(Legend::default().position(corner).background_alpha(0.7).follow_insertion_order(true));
    }
    let best = view.best().map(|best| best.step as f64);
    let shown = plot.show(ui, |plot| {
        if let (true, Some(best)) = (is_f1, best) {
            plot.vline(VLine::new("", best).color(palette.weak).width(1.0).style(LineStyle::dashed_dense()).allow_hover(false));
        }
        for series in series {
            let Series { name, color, points, look } = series;
            match look {
                Look::Line => plot.line(Line::new(name, PlotPoints::from(points)).color(color).width(2.0)),
                Look::Dots => plot.points(Points::new(name, PlotPoints::from(points)).color(color).radius(1.6)),
                Look::Marked(shape) => {
                    plot.line(Line::new(name.clone(), PlotPoints::from(points.clone())).color(color).width(1.5).allow_hover(false));
                    plot.points(Points::new(name, PlotPoints::from(points)).color(color).shape(shape).radius(4.0));
                }
            }
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &described));
}

fn id_is_small(step: f64) -> bool {
    step < 1e-3
}

/// A number of an axis without needless places.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn steps_per_epoch(view: &RunView) -> Option<f64> {
    let last = view.last_step.as_ref()?;
    (last.epoch > 0.0).then(|| last.step as f64 / last.epoch)
}

/// For a screen reader: the newest value of each series.
fn describe(of: &PlotOf<'_>, series: &[Series]) -> String {
    let newest = series.iter().filter_map(|series| Some(format!("{} {}", series.name, (of.number)(series.points.last()?[1]))));
    std::iter::once(of.name.to_owned()).chain(newest).collect::<Vec<_>>().join(", ")
}
