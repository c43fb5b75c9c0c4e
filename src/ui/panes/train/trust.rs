//! How far a run's probabilities can be trusted: for each tenth of sureness the share of right answers, as a diagram and
//! as a table.

use super::group;
use super::scores::right;
use crate::train::{Abstention, Reliability, Report, abstentions};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Color32, RichText, Role, WidgetInfo};
use egui_plot::{Line, LineStyle, MarkerShape, Plot, PlotPoints, Points};

fn name(cx: &Cx<'_>, of: &str) -> String {
    match of {
        "polarity" => cx.t("Polarity").to_owned(),
        "attributes" => cx.t("Attributes").to_owned(),
        "triplets" => cx.t("Triplets").to_owned(),
        "spans" => cx.t("Spans").to_owned(),
        "class" => cx.t("Classes").to_owned(),
        other => other.to_owned(),
    }
}

fn hue(palette: &theme::Palette, at: usize) -> (Color32, MarkerShape) {
    let shapes = [MarkerShape::Square, MarkerShape::Circle, MarkerShape::Diamond, MarkerShape::Up, MarkerShape::Cross];
    (palette.hues[[5, 2, 3, 0, 6][at % 5]], shapes[at % 5])
}

const SIDE: f32 = 190.0;

/// Reliability diagram (Niculescu-Mizil and Caruana 2005, section 3): on the line, answers are right as often as the model says.
fn diagram(ui: &mut egui::Ui, cx: &Cx<'_>, kinds: &[Reliability]) {
    let palette = theme::palette(ui);
    let described: Vec<String> = kinds.iter().map(|kind| format!("{} {:.1} %", name(cx, &kind.of), kind.error * 100.0)).collect();
    let plot = Plot::new("reliability-diagram")
        .width(SIDE + 40.0)
        .height(SIDE)
        .include_x(0.0)
        .include_x(1.0)
        .include_y(0.0)
        .include_y(1.0)
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .show_background(false)
        .grid_color(palette.line.gamma_multiply(0.7))
        .x_axis_label(cx.t("it says"))
        .y_axis_label(cx.t("is right"));
    let shown = plot.show(ui, |plot| {
        let ideal = PlotPoints::from(vec![[0.0, 0.0], [1.0, 1.0]]);
        plot.line(Line::new("", ideal).color(palette.weak).style(LineStyle::dashed_dense()).allow_hover(false));
        for (at, kind) in kinds.iter().enumerate() {
            let points: Vec<[f64; 2]> = kind.bins.iter().map(|bin| [bin.said, bin.right]).collect();
            let (color, shape) = hue(palette, at);
            plot.line(Line::new(name(cx, &kind.of), PlotPoints::from(points.clone())).color(color).width(1.5).allow_hover(false));
            plot.points(Points::new(name(cx, &kind.of), PlotPoints::from(points)).color(color).shape(shape).radius(4.0));
        }
    });
    let words = format!("{}, {}: {}", cx.t("How far it can be trusted"), cx.t("mean error"), described.join(", "));
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(5.0, 2.0);
        for (at, kind) in kinds.iter().enumerate() {
            crate::ui::icons::dot(ui, hue(palette, at).0);
            let words = RichText::new(name(cx, &kind.of)).color(palette.weak).small();
            ui.add(egui::Label::new(words).extend());
            ui.add_space(5.0);
        }
    });
}

/// What comes of answering only where the model is sure: how many reviews are answered, how many of them wrongly.
pub(super) fn abstaining(ui: &mut egui::Ui, cx: &Cx<'_>, report: &Report) {
    const COVERAGES: [f64; 6] = [1.0, 0.95, 0.9, 0.8, 0.7, 0.5];
    let rows = abstentions(&report.held_out, &COVERAGES);
    if rows.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    group(ui, cx.t("Answering only when sure"));
    egui::Grid::new("abstentions").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        let heads = [
            (cx.t("sure of"), cx.t("The least probability of a class that is answered; less sure reviews are left to a person")),
            (cx.t("answered"), cx.t("Share of the held-out reviews that are answered then")),
            (cx.t("wrong"), cx.t("Share of these answers that is wrong")),
        ];
        for (name, help) in heads {
            right(ui, |ui| ui.label(RichText::new(name).color(palette.weak).small()).on_hover_text(help));
        }
        ui.end_row();
        for Abstention { threshold, coverage, risk } in rows {
            right(ui, |ui| ui.label(percent(f64::from(threshold))));
            right(ui, |ui| ui.label(percent(coverage)));
            right(ui, |ui| ui.strong(format!("{:.1} %", risk * 100.0)));
            ui.end_row();
        }
    });
}

/// For each tenth of sureness: how often such answers were right.
pub(super) fn reliability(ui: &mut egui::Ui, cx: &Cx<'_>, kinds: &[Reliability]) {
    let palette = theme::palette(ui);
    group(ui, cx.t("How far it can be trusted"));
    diagram(ui, cx, kinds);
    egui::Grid::new("reliability").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        ui.label(RichText::new(cx.t("it says")).color(palette.weak).small());
        for kind in kinds {
            right(ui, |ui| ui.label(RichText::new(name(cx, &kind.of)).color(palette.weak).small()));
        }
        ui.end_row();
        for tenth in (0..10usize).rev() {
            let within = |said: f64| (said * 10.0) as usize == tenth || (tenth == 9 && said >= 1.0);
            let bins: Vec<_> = kinds.iter().map(|kind| kind.bins.iter().find(|bin| within(bin.said))).collect();
            if bins.iter().all(Option::is_none) {
                continue;
            }
            ui.label(format!("{}–{} %", tenth * 10, tenth * 10 + 10));
            for bin in bins {
                let Some(bin) = bin else {
                    ui.label("");
                    continue;
                };
                let help = cx.tf("Of {} answers this sure, {} % are right", &[&bin.count, &format!("{:.0}", bin.right * 100.0)]);
                right(ui, |ui| ui.label(format!("{:.0} %", bin.right * 100.0)).on_hover_text(help));
            }
            ui.end_row();
        }
        ui.label(RichText::new(cx.t("mean error")).color(palette.weak).small());
        for kind in kinds {
            let help = cx.tf("Before calibration on the dev reviews: {} %", &[&format!("{:.1}", kind.error_before * 100.0)]);
            right(ui, |ui| ui.strong(format!("{:.1} %", kind.error * 100.0)).on_hover_text(help));
        }
        ui.end_row();
    });
}
