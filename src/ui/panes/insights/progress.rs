//! Time and progress: the pace of the last sessions, what is left, how the answers grow, which label is starved.

use super::{Summary, card};
use crate::project::{Growth, History, Layer, Pace, Project, Session, starved};
use crate::ui::pace::hours_words;
use crate::ui::widgets::figures::date_time;
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, Ui};
use egui_plot::{Line, Plot, PlotPoints};

/// What is drawn, of one revision of a project.
#[derive(Default)]
pub(super) struct Progress {
    pub pace: Pace,
    pub growth: Growth,
}

impl Progress {
    pub fn of(project: &Project, history: &History, layer: Layer) -> Self {
        Self { pace: Pace::of(project, history, layer), growth: Growth::of(project, history, layer) }
    }
}

pub(super) fn progress_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, summary: &Summary, progress: &Progress) {
    let title = cx.t("Time and progress").to_owned();
    card(ui, &title, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        pace_ui(ui, cx, &progress.pace);
        starved_ui(ui, cx, project, summary);
        growth_ui(ui, cx, project, &progress.growth);
    });
}

fn pace_ui(ui: &mut Ui, cx: &Cx<'_>, pace: &Pace) {
    let weak = theme::palette(ui).weak;
    match (pace.per_hour, pace.hours_left) {
        (Some(rate), Some(hours)) if pace.left > 0 => {
            ui.label(cx.tf("{} documents an hour in the last sessions", &[&format!("{rate:.0}")]));
            ui.label(cx.tf("{} are left: about {}", &[&pace.left, &hours_words(cx, hours)]));
        }
        (Some(rate), _) => {
            ui.label(cx.tf("{} documents an hour in the last sessions", &[&format!("{rate:.0}")]));
            ui.label(cx.t("Nothing is left to do"));
        }
        _ => {
            let words = cx.t("After a few documents the pace and the time for the rest stand here");
            ui.add(egui::Label::new(RichText::new(words).color(weak)).wrap());
        }
    }
    const SHOWN: usize = 3;
    for Session { start_ms, end_ms, documents } in pace.sessions.iter().rev().filter(|session| session.documents > 0).take(SHOWN) {
        let minutes = ((end_ms - start_ms) as f64 / 60_000.0).ceil().max(1.0) as u64;
        let words = cx.tf("{}: {} documents in {} min", &[&date_time(*start_ms), documents, &minutes]);
        ui.label(RichText::new(words).small().color(weak));
    }
}

/// A gentle word where a label is too rare to be learned.
fn starved_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, summary: &Summary) {
    let schema = project.schema();
    let classes = schema.main_question().map_or(&[][..], |(_, question)| &question.classes);
    let spans: Vec<usize> = summary.labels.iter().map(|label| label.spans).collect();
    let rare_classes = starved(&summary.classes).into_iter().filter_map(|at| Some((&classes.get(at)?.name, summary.classes[at])));
    let rare_spans = starved(&spans).into_iter().filter_map(|at| Some((&schema.span_labels.get(at)?.name, spans[at])));
    for (name, count) in rare_classes.chain(rare_spans) {
        let words = crate::ui::bars::starved_words(cx, name, count);
        ui.add(egui::Label::new(RichText::new(words).color(theme::palette(ui).warning)).wrap());
    }
}

fn growth_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, growth: &Growth) {
    let Some((_, question)) = project.schema().main_question().filter(|_| growth.points.len() > 2) else { return };
    let palette = theme::palette(ui);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(RichText::new(cx.t("Answers as they grew")).small().color(palette.weak));
        for class in &question.classes {
            crate::ui::icons::dot(ui, palette.hue(class.hue));
            ui.label(RichText::new(&class.name).small());
        }
    });
    let plot = Plot::new("growth").height(150.0).allow_drag(false).allow_zoom(false).allow_scroll(false);
    let plot = plot.show_grid([false, true]).show_x(false).x_axis_formatter(|_, _| String::new()).include_y(0.0);
    plot.show(ui, |plot| {
        for (at, class) in question.classes.iter().enumerate() {
            let points: PlotPoints<'_> =
                growth.points.iter().enumerate().map(|(x, counts)| [x as f64, counts.get(at).copied().unwrap_or(0) as f64]).collect();
            plot.line(Line::new(class.name.clone(), points).color(palette.hue(class.hue)).width(1.5));
        }
    });
}
