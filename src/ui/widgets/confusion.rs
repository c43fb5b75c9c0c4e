//! A confusion matrix: gold in rows, predicted in columns, cells shaded by their share of the row.

use crate::ui::theme;
use eframe::egui::{self, Align2, Color32, Rect, Role, Sense, Stroke, StrokeKind, TextStyle, WidgetInfo, pos2, vec2};

/// What is drawn, with the words for it.
pub struct Confusion<'a> {
    pub names: &'a [String],
    /// `counts[gold][predicted]`
    pub counts: &'a [Vec<u32>],
    /// Heading of the rows.
    pub gold: &'a str,
    /// Heading of the columns.
    pub predicted: &'a str,
    /// Whether cells can be clicked.
    pub active: bool,
    /// What a cell says of itself: `(gold, predicted, count)`.
    pub describe: &'a dyn Fn(&str, &str, u32) -> String,
}

const CELL: egui::Vec2 = vec2(64.0, 34.0);
const NAME: f32 = 84.0;
const GAP: f32 = 2.0;

impl Confusion<'_> {
    /// Draws it and returns the cell clicked, `(gold, predicted)`.
    pub fn show(&self, ui: &mut egui::Ui) -> Option<(u16, u16)> {
        let side = self.names.len();
        let font = TextStyle::Body.resolve(ui.style());
        let small = TextStyle::Small.resolve(ui.style());
        let line = ui.text_style_height(&TextStyle::Body) + 4.0;
        let size = vec2(NAME + side as f32 * CELL.x, 2.0 * line + side as f32 * CELL.y);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let palette = theme::palette(ui);
        let cells = pos2(rect.left() + NAME, rect.top() + 2.0 * line);
        ui.painter().text(pos2(cells.x, rect.top()), Align2::LEFT_TOP, self.predicted, small.clone(), palette.weak);
        ui.painter().text(pos2(rect.left(), cells.y - line), Align2::LEFT_TOP, self.gold, small, palette.weak);
        for (at, name) in self.names.iter().enumerate() {
            let column = Rect::from_min_size(pos2(cells.x + at as f32 * CELL.x, cells.y - line), vec2(CELL.x, line));
            short_text(ui, column, name, &font, egui::Align::Center);
            let row = Rect::from_min_size(pos2(rect.left(), cells.y + at as f32 * CELL.y), vec2(NAME - 8.0, CELL.y));
            short_text(ui, row, name, &font, egui::Align::Min);
        }
        let mut clicked = None;
        for (gold, row) in self.counts.iter().enumerate().take(side) {
            let total: u32 = row.iter().sum();
            for (predicted, count) in row.iter().enumerate().take(side) {
                let place =
                    Rect::from_min_size(pos2(cells.x + predicted as f32 * CELL.x, cells.y + gold as f32 * CELL.y), CELL).shrink(GAP / 2.0);
                let share = if total == 0 { 0.0 } else { *count as f32 / total as f32 };
                if self.cell(ui, place, (gold, predicted), *count, share) {
                    clicked = Some((gold as u16, predicted as u16));
                }
            }
        }
        clicked
    }

    /// Whether the cell was clicked.
    fn cell(&self, ui: &mut egui::Ui, place: Rect, (gold, predicted): (usize, usize), count: u32, share: f32) -> bool {
        let palette = theme::palette(ui);
        let opens = self.active && count > 0;
        let sense = if opens { Sense::click() } else { Sense::hover() };
        let response = ui.interact(place, ui.scope_id().with(("cell", gold, predicted)), sense);
        let words = (self.describe)(&self.names[gold], &self.names[predicted], count);
        response.widget_info(|| WidgetInfo::labeled(if opens { Role::Button } else { Role::Label }, true, &words));
        // Right answers and mistakes differ in hue as well as in place.
        let hue = if gold == predicted { palette.accent } else { palette.warning };
        let fill = if count == 0 { palette.raised } else { palette.raised.lerp_to_gamma(hue, 0.12 + 0.78 * share) };
        ui.painter().rect_filled(place, 3.0, fill);
        let edge = if response.has_focus() || (opens && response.hovered()) {
            Stroke::new(2.0, palette.text)
        } else {
            Stroke::new(1.0, palette.line)
        };
        ui.painter().rect_stroke(place, 3.0, edge, StrokeKind::Inside);
        let ink = if count == 0 { palette.weak } else { readable_on(fill, palette) };
        let font = TextStyle::Body.resolve(ui.style());
        ui.painter().text(place.center(), Align2::CENTER_CENTER, count, font, ink);
        let response = if opens { response.on_hover_cursor(egui::CursorIcon::PointingHand) } else { response };
        response.on_hover_text(words).clicked()
    }
}

/// The theme's text colour that stands out more on `fill`.
fn readable_on(fill: Color32, palette: &theme::Palette) -> Color32 {
    let far = |a: Color32| (luminance(a) - luminance(fill)).abs();
    if far(palette.text) >= far(palette.on_accent) { palette.text } else { palette.on_accent }
}

fn luminance(color: Color32) -> f32 {
    0.299 * f32::from(color.r()) + 0.587 * f32::from(color.g()) + 0.114 * f32::from(color.b())
}

/// Text in one line, cut with an ellipsis; the whole on hover.
fn short_text(ui: &mut egui::Ui, place: Rect, text: &str, font: &egui::FontId, align: egui::Align) {
    let color = theme::palette(ui).text;
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font.clone(), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(place.width() - 4.0);
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let left = if align == egui::Align::Center { place.center().x - galley.size().x / 2.0 } else { place.left() };
    let is_cut = galley.elided;
    ui.painter().galley(pos2(left, place.center().y - galley.size().y / 2.0), galley, color);
    if is_cut {
        ui.interact(place, ui.scope_id().with(("name", text, align == egui::Align::Center)), Sense::hover()).on_hover_text(text);
    }
}
