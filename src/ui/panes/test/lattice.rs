//! The lattice of tags, on demand: for each unit of the text how likely each tag is, and the path that was taken.

use super::marks::tag_name;
use super::percent;
use crate::desk::{Answered, Tester};
use crate::predict::UnitTags;
use crate::ui::{Cx, theme};
use eframe::egui::{self, Align2, FontId, Rect, RichText, Role, Sense, Stroke, StrokeKind, WidgetInfo, pos2, vec2};

const CELL: egui::Vec2 = vec2(26.0, 20.0);
const NAMES: f32 = 96.0;

/// Less likely than this everywhere, a tag has no row.
const CONSIDERED: f32 = 0.02;

pub(super) fn ui(ui: &mut egui::Ui, cx: &Cx<'_>, tester: &Tester, answered: &Answered) {
    let units = &answered.prediction.units;
    if units.is_empty() {
        return;
    }
    ui.add_space(10.0);
    egui::CollapsingHeader::new(cx.t("Tags, character by character")).id_salt("test-lattice").show_unindented(ui, |ui| {
        let palette = theme::palette(ui);
        let rows = rows(units);
        let words = cx.t("Each column is a character, each row a tag; the darker, the likelier. Framed is what was decided.");
        ui.label(RichText::new(words).color(palette.weak).small());
        ui.add_space(4.0);
        egui::ScrollArea::horizontal().id_salt("test-lattice-scroll").show(ui, |ui| grid(ui, cx, tester.span_labels(), &rows, answered));
    });
}

/// The tags that were considered anywhere, and O.
fn rows(units: &[UnitTags]) -> Vec<usize> {
    let tags = units.first().map_or(0, |unit| unit.probabilities.len());
    let considered = |tag: usize| units.iter().any(|unit| unit.probabilities[tag] >= CONSIDERED || usize::from(unit.tag) == tag);
    (0..tags).filter(|tag| *tag == 0 || considered(*tag)).collect()
}

fn grid(ui: &mut egui::Ui, cx: &Cx<'_>, names: &[String], rows: &[usize], answered: &Answered) {
    let palette = theme::palette(ui);
    let units = &answered.prediction.units;
    let size = vec2(NAMES + CELL.x * units.len() as f32, CELL.y * (rows.len() + 1) as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let spoken = cx.tf("Tags of {} characters", &[&units.len()]);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    let visible = ui.clip_rect().intersect(rect);
    if !visible.is_positive() {
        return;
    }
    let font = FontId::proportional(13.0);
    let painter = ui.painter();
    for (line, tag) in rows.iter().enumerate() {
        let at = pos2(rect.left(), rect.top() + CELL.y * (line as f32 + 1.5));
        painter.text(at, Align2::LEFT_CENTER, tag_name(names, *tag), font.clone(), palette.weak);
    }
    // Only the columns in sight are drawn: a long review has hundreds.
    let column = |x: f32| ((x - rect.left() - NAMES) / CELL.x).max(0.0) as usize;
    let (first, end) = (column(visible.left()), column(visible.right()) + 1);
    for (at, unit) in units.iter().enumerate().take(end).skip(first) {
        let left = rect.left() + NAMES + CELL.x * at as f32;
        let top = pos2(left + CELL.x / 2.0, rect.top() + CELL.y / 2.0);
        painter.text(top, Align2::CENTER_CENTER, unit.range.of(&answered.text), font.clone(), palette.text);
        for (line, tag) in rows.iter().enumerate() {
            let cell = Rect::from_min_size(pos2(left, rect.top() + CELL.y * (line + 1) as f32), CELL).shrink(1.0);
            let share = unit.probabilities[*tag].clamp(0.0, 1.0);
            painter.rect_filled(cell, 2.0, palette.line.gamma_multiply(0.35));
            painter.rect_filled(cell, 2.0, palette.accent.gamma_multiply(share * 0.8));
            if usize::from(unit.tag) == *tag {
                painter.rect_stroke(cell, 2.0, Stroke::new(1.5, palette.text), StrokeKind::Inside);
            }
        }
    }
    let under = response.hover_pos().filter(|at| at.x >= rect.left() + NAMES && at.y >= rect.top() + CELL.y);
    if let Some(at) = under
        && let Some(unit) = units.get(column(at.x))
        && let Some(tag) = rows.get(((at.y - rect.top()) / CELL.y) as usize - 1)
    {
        let words = format!("{}  {}  {}", unit.range.of(&answered.text), tag_name(names, *tag), percent(unit.probabilities[*tag]));
        response.on_hover_text_at_pointer(words);
    }
}
