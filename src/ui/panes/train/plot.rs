//! One plot of a run: lines, dots and marks over steps, what they are called, and what lies under the pointer. Knows no
//! run: it draws the series it is given.

use super::progress::epoch;
use crate::ui::widgets::figures::{even_steps, nearer, nearest, trimmed};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Color32, Role, WidgetInfo, vec2};
use egui_plot::{
    GridInput, GridMark, HoverPosition, Line, LineStyle, MarkerShape, Plot, PlotPoint, PlotPoints, PlotTransform, Points, VLine,
    uniform_grid_spacer,
};

/// Plots of less than this height have few lines and no words at their axes.
pub(super) const SMALL_HEIGHT: f32 = 120.0;

/// What is drawn in one plot.
#[derive(Clone)]
pub(super) struct Series {
    pub name: String,
    pub color: Color32,
    pub points: Vec<[f64; 2]>,
    pub look: Look,
    /// A click on one of its points opens the documents answered wrongly in this task.
    pub task: Option<&'static str>,
}

impl Series {
    pub fn line(name: impl Into<String>, color: Color32, points: Vec<[f64; 2]>) -> Self {
        Self { name: name.into(), color, points, look: Look::Line, task: None }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Look {
    Line,
    /// Unconnected and pale: the raw values behind a smoothed line.
    Dots,
    /// A line with a mark at each value.
    Marked(MarkerShape),
}

/// How a plot is drawn.
pub(super) struct PlotOf<'a> {
    pub name: &'a str,
    /// Tells it from other plots.
    pub id: &'a str,
    pub height: f32,
    /// A value as text.
    pub number: fn(f64) -> String,
    /// Values are drawn by their logarithm.
    pub log: bool,
    /// The axis reaches from 0 to 1.
    pub is_share: bool,
    pub steps_total: Option<usize>,
    pub steps_per_epoch: Option<f64>,
    /// A step that is pointed out.
    pub best: Option<f64>,
}

/// The name of a plot and, below it, what its lines are: nothing covers a curve.
pub(super) fn heading(ui: &mut egui::Ui, name: &str, series: &[Series]) {
    /// More names than this are scrolled: the curves of twenty runs want room as well.
    const IN_SIGHT: usize = 12;
    ui.label(egui::RichText::new(name).strong());
    if series.len() > IN_SIGHT {
        egui::ScrollArea::vertical().id_salt(("legend", name)).max_height(64.0).show(ui, |ui| legend(ui, series));
    } else {
        legend(ui, series);
    }
}

fn legend(ui: &mut egui::Ui, series: &[Series]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(5.0, 2.0);
        ui.spacing_mut().interact_size.y = 16.0;
        for Series { name, color, look, .. } in series {
            sample(ui, *color, *look);
            let words = egui::RichText::new(name).color(theme::palette(ui).weak).small();
            // A name goes to the next line as a whole.
            ui.add(egui::Label::new(words).extend());
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

/// Draws it. Returns the task and the step of a point that was clicked.
pub(super) fn plot(ui: &mut egui::Ui, cx: &Cx<'_>, of: &PlotOf<'_>, series: &[Series]) -> Option<(&'static str, f64)> {
    let drawn: Vec<Series> = series.iter().map(|series| scaled(series, of.log)).collect();
    let described = describe(of, series);
    let best = of.best;
    let shown = frame(ui, cx, of, series).show(ui, |plot| {
        if let Some(best) = best {
            let color = theme::Palette::of(plot.ctx().global_style().visuals.dark_mode).weak;
            plot.vline(VLine::new("", best).color(color).width(1.0).style(LineStyle::dashed_dense()).allow_hover(false));
        }
        for Series { name, color, points, look, .. } in drawn {
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
    let pointer = shown.response.hover_pos()?;
    let target = under(series, of.log, &shown.transform, pointer)?;
    let response = shown.response.on_hover_cursor(egui::CursorIcon::PointingHand);
    response.clicked().then_some(target)
}

/// The axes, and what the pointer is told.
fn frame<'a>(ui: &egui::Ui, cx: &'a Cx<'_>, of: &PlotOf<'_>, series: &[Series]) -> Plot<'a> {
    let palette = theme::palette(ui);
    let (number, log, steps_per_epoch) = (of.number, of.log, of.steps_per_epoch);
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
    // Labels need about 80 points each.
    let lines_across = f64::from(ui.available_width() / 110.0).max(1.0);
    let is_small = of.height <= SMALL_HEIGHT;
    let y_label = move |mark: GridMark, _: &_| match (log, mark.step_size < 1e-3 && mark.value != 0.0) {
        (true, _) => trimmed(10f64.powf(mark.value)),
        (false, true) => format!("{:.0e}", mark.value),
        (false, false) => trimmed(mark.value),
    };
    let mut plot = Plot::new(("train", of.id))
        .height(of.height)
        .width(ui.available_width())
        .label_formatter(hover)
        .y_grid_spacer(uniform_grid_spacer(move |input: GridInput| even_steps(input.bounds, if is_small { 3.0 } else { 5.0 })))
        .x_grid_spacer(uniform_grid_spacer(move |input: GridInput| even_steps(input.bounds, lines_across)))
        .grid_spacing(8.0..=36.0)
        .cursor_color(palette.weak.gamma_multiply(0.5))
        .y_axis_min_width(38.0)
        .y_axis_formatter(y_label)
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .show_background(false)
        .grid_color(palette.line.gamma_multiply(0.7))
        .include_x(0.0)
        .set_margin_fraction(vec2(0.02, 0.06));
    if let Some(steps) = of.steps_total {
        plot = plot.include_x(steps as f64);
    }
    if !is_small {
        plot = plot.x_axis_label(cx.t("step"));
    }
    // With one point at most an axis would reach below zero, where no loss is.
    if of.is_share || series.iter().all(|series| series.points.len() < 2) {
        plot = plot.include_y(0.0).include_y(1.0);
    }
    plot
}

/// Values that have no logarithm are left out.
fn scaled(series: &Series, log: bool) -> Series {
    if !log {
        return series.clone();
    }
    let points = series.points.iter().filter(|[_, y]| *y > 0.0).map(|[x, y]| [*x, y.log10()]);
    Series { points: points.collect(), ..series.clone() }
}

/// The nearest point with a task, if the pointer is close to it.
fn under(series: &[Series], log: bool, transform: &PlotTransform, pointer: egui::Pos2) -> Option<(&'static str, f64)> {
    const CLOSE: f32 = 14.0;
    let places = series.iter().filter_map(|series| Some((series.task?, &series.points))).flat_map(|(task, points)| {
        points.iter().map(move |[x, y]| {
            let y = if log { y.log10() } else { *y };
            (task, *x, transform.position_from_point(&PlotPoint::new(*x, y)).distance(pointer))
        })
    });
    let nearest = places.min_by(|a, b| a.2.total_cmp(&b.2))?;
    (nearest.2 <= CLOSE).then_some((nearest.0, nearest.1))
}

/// For a screen reader: the newest value of each series.
fn describe(of: &PlotOf<'_>, series: &[Series]) -> String {
    let newest = series.iter().filter_map(|series| Some(format!("{} {}", series.name, (of.number)(series.points.last()?[1]))));
    std::iter::once(of.name.to_owned()).chain(newest).collect::<Vec<_>>().join(", ")
}
