//! Curves of a run: loss (every step and smoothed), scores of each evaluation, learning rate and gradient norm.

use super::progress::epoch;
use super::{TrainPane, group, two_places};
use crate::desk::{Curve, RunView};
use crate::train::Evaluation;
use crate::ui::widgets::figures::{even_steps, nearer, nearest, trimmed};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Color32, Role, WidgetInfo, vec2};
use egui_plot::{GridInput, GridMark, HoverPosition, Line, LineStyle, MarkerShape, Plot, PlotPoints, Points, VLine, uniform_grid_spacer};

/// How much of the past the smoothed loss keeps at each step.
const SMOOTHING: f64 = 0.9;
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
        // A third of what is in sight, so that the scores below show too.
        let height = (ui.clip_rect().height() * 0.34).clamp(190.0, 480.0);
        let width = (ui.available_width() - gap) / 2.0;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            ui.allocate_ui(vec2(width, height + 24.0), |ui| ui.vertical(|ui| loss(ui, cx, view, height)));
            ui.allocate_ui(vec2(width, height + 24.0), |ui| ui.vertical(|ui| scores(ui, cx, view, height)));
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
                        plot(ui, cx, view, id, &PlotOf { name, height: SMALL_HEIGHT, number }, vec![series]);
                    })
                });
            };
            small(cx.t("Learning rate"), "lr", &view.lr, palette.hues[6], |value| format!("{value:.1e}"));
            small(cx.t("Gradient norm before clipping"), "norm", &view.grad_norm, palette.hues[4], two_places);
        });
    }
}

fn loss(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView, height: f32) {
    let palette = theme::palette(ui);
    let held_out = of_evaluations(view, |evaluation| Some(evaluation.scores.loss));
    let mut series = vec![
        Series {
            name: cx.t("each step").to_owned(),
            color: palette.accent.gamma_multiply(0.35),
            points: view.loss.points().to_vec(),
            look: Look::Dots,
        },
        Series { name: cx.t("smoothed").to_owned(), color: palette.accent, points: view.loss.smoothed(SMOOTHING), look: Look::Line },
    ];
    if !held_out.is_empty() {
        let look = Look::Marked(MarkerShape::Diamond);
        series.push(Series { name: cx.t("held-out").to_owned(), color: palette.hues[4], points: held_out, look });
    }
    heading(ui, cx.t("Loss"), &series);
    plot(ui, cx, view, "loss", &PlotOf { name: cx.t("Loss"), height, number: |value| format!("{value:.3}") }, series);
}

fn scores(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView, height: f32) {
    let palette = theme::palette(ui);
    let class = of_evaluations(view, |evaluation| evaluation.scores.macro_f1);
    let spans = of_evaluations(view, |evaluation| evaluation.scores.span_f1);
    let triplets = of_evaluations(view, |evaluation| evaluation.scores.opinions.triplet_f1);
    let aspects = of_evaluations(view, |evaluation| evaluation.scores.opinions.aspect_polarity_f1);
    let rows = [
        (cx.t("class, macro-F1"), palette.hues[2], class, MarkerShape::Circle),
        (cx.t("spans, exact F1"), palette.hues[5], spans, MarkerShape::Square),
        (cx.t("aspects with polarity"), palette.hues[0], aspects, MarkerShape::Up),
        (cx.t("triplets"), palette.hues[3], triplets, MarkerShape::Diamond),
    ];
    let series = rows.into_iter().filter(|(_, _, points, _)| !points.is_empty());
    let series = series.map(|(name, color, points, shape)| Series { name: name.to_owned(), color, points, look: Look::Marked(shape) });
    let series: Vec<Series> = series.collect();
    heading(ui, cx.t("F1 on held-out reviews"), &series);
    plot(ui, cx, view, "f1", &PlotOf { name: cx.t("F1 on held-out reviews"), height, number: two_places }, series);
}

/// The name of a plot and, below it, what its lines are: nothing covers a curve.
fn heading(ui: &mut egui::Ui, name: &str, series: &[Series]) {
    ui.label(egui::RichText::new(name).strong());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        for Series { name, color, look, .. } in series {
            sample(ui, *color, *look);
            ui.label(egui::RichText::new(name).color(theme::palette(ui).weak).small());
            ui.add_space(5.0);
        }
    });
}

/// A piece of a curve, as the plot draws it.
fn sample(ui: &mut egui::Ui, color: Color32, look: Look) {
    let (rect, _) = ui.allocate_exact_size(vec2(16.0, 12.0), egui::Sense::hover());
    let (painter, middle) = (ui.painter(), rect.center());
    if look != Look::Dots {
        painter.hline(rect.x_range(), middle.y, egui::Stroke::new(2.0, color));
    }
    match look {
        Look::Line => {}
        Look::Dots => [-5.0, 0.0, 5.0].iter().for_each(|x| _ = painter.circle_filled(middle + vec2(*x, x * 0.4), 1.6, color)),
        Look::Marked(MarkerShape::Square) => _ = painter.rect_filled(egui::Rect::from_center_size(middle, vec2(7.0, 7.0)), 0.0, color),
        Look::Marked(MarkerShape::Diamond) => {
            let corners = [vec2(0.0, -4.5), vec2(4.5, 0.0), vec2(0.0, 4.5), vec2(-4.5, 0.0)].map(|corner| middle + corner);
            painter.add(egui::Shape::convex_polygon(corners.into(), color, egui::Stroke::NONE));
        }
        Look::Marked(_) => _ = painter.circle_filled(middle, 3.5, color),
    }
}

/// One figure of every evaluation, where it has one.
fn of_evaluations(view: &RunView, figure: impl Fn(&Evaluation) -> Option<f64>) -> Vec<[f64; 2]> {
    let points = view.evaluations.iter().filter_map(|evaluation| Some([evaluation.step as f64, figure(evaluation)?]));
    points.filter(|[_, y]| y.is_finite()).collect()
}

struct PlotOf<'a> {
    name: &'a str,
    height: f32,
    number: fn(f64) -> String,
}

fn plot(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView, id: &str, of: &PlotOf<'_>, series: Vec<Series>) {
    let palette = theme::palette(ui);
    let steps_per_epoch = steps_per_epoch(view);
    let step_word = cx.t("step");
    let number = of.number;
    let values: Vec<(String, Vec<[f64; 2]>)> = series.iter().map(|series| (series.name.clone(), series.points.clone())).collect();
    let hover = move |position: &HoverPosition<'_>| {
        let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) = position;
        let step = values.iter().filter_map(|(_, points)| nearest(points, position.x)).min_by(|a, b| nearer(a, b, position.x))?[0];
        let at = cx.tf("step {}", &[&format!("{step:.0}")]);
        let at = match steps_per_epoch {
            Some(steps) => format!("{at}, {}", cx.tf("epoch {}", &[&epoch(step / steps)])),
            None => at,
        };
        let lines = values.iter().filter_map(|(name, points)| Some(format!("{name} {}", number(nearest(points, position.x)?[1]))));
        Some(std::iter::once(at).chain(lines).collect::<Vec<_>>().join("\n"))
    };
    let described = describe(of, &series);
    let is_f1 = id == "f1";
    // Labels need about 80 points each.
    let lines_across = f64::from(ui.available_width() / 110.0).max(1.0);
    let is_small_plot = of.height <= SMALL_HEIGHT;
    let mut plot = Plot::new(("train", id))
        .height(of.height)
        .width(ui.available_width())
        .label_formatter(hover)
        .y_grid_spacer(uniform_grid_spacer(move |input: GridInput| even_steps(input.bounds, if is_small_plot { 3.0 } else { 5.0 })))
        .x_grid_spacer(uniform_grid_spacer(move |input: GridInput| even_steps(input.bounds, lines_across)))
        .grid_spacing(8.0..=36.0)
        .cursor_color(palette.weak.gamma_multiply(0.5))
        .y_axis_min_width(38.0)
        .y_axis_formatter(
            move |mark: GridMark, _: &_| {
                if mark.step_size < 1e-3 && mark.value != 0.0 { format!("{:.0e}", mark.value) } else { trimmed(mark.value) }
            },
        )
        .allow_scroll(false)
        .allow_zoom(false)
        .show_background(false)
        .grid_color(palette.line.gamma_multiply(0.7))
        .include_x(0.0)
        .set_margin_fraction(vec2(0.02, 0.06));
    if let Some(started) = &view.started {
        plot = plot.include_x(started.steps_total as f64);
    }
    if !is_small_plot {
        plot = plot.x_axis_label(step_word);
    }
    if is_f1 {
        plot = plot.include_y(0.0).include_y(1.0);
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

fn steps_per_epoch(view: &RunView) -> Option<f64> {
    let last = view.last_step.as_ref()?;
    (last.epoch > 0.0).then(|| last.step as f64 / last.epoch)
}

/// For a screen reader: the newest value of each series.
fn describe(of: &PlotOf<'_>, series: &[Series]) -> String {
    let newest = series.iter().filter_map(|series| Some(format!("{} {}", series.name, (of.number)(series.points.last()?[1]))));
    std::iter::once(of.name.to_owned()).chain(newest).collect::<Vec<_>>().join(", ")
}
