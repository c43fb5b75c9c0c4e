//! Horizontal bars with a name and a figure: probabilities, counts.

use crate::ui::theme;
use eframe::egui::{self, Align2, Color32, Rect, Role, Sense, TextStyle, WidgetInfo, pos2, vec2};

/// One bar.
pub struct Bar<'a> {
    pub name: &'a str,
    /// Length, 0 to 1.
    pub share: f32,
    /// What stands at its end: "0.87", "34".
    pub figure: &'a str,
    pub hue: Color32,
    /// The one that matters: set in strong text, its bar in full colour.
    pub strong: bool,
}

/// Width of the figures.
const FIGURE: f32 = 44.0;

/// Draws a bar over the whole width; names take `name_width`.
pub fn bar(ui: &mut egui::Ui, name_width: f32, bar: &Bar<'_>) -> egui::Response {
    let palette = theme::palette(ui);
    let height = ui.text_style_height(&TextStyle::Body) + 6.0;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}: {}", bar.name, bar.figure)));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let text = if bar.strong { palette.text } else { palette.weak };
    let font = TextStyle::Body.resolve(ui.style());
    let name_rect = Rect::from_min_max(rect.min, pos2(rect.left() + name_width - 8.0, rect.bottom()));
    let mut job = egui::text::LayoutJob::simple_singleline(bar.name.to_owned(), font.clone(), text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(name_rect.width());
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let is_cut = galley.elided;
    ui.painter().galley(pos2(name_rect.left(), rect.center().y - galley.size().y / 2.0), galley, text);
    let track =
        Rect::from_min_max(pos2(name_rect.right() + 8.0, rect.center().y - 5.0), pos2(rect.right() - FIGURE, rect.center().y + 5.0));
    if track.width() > 0.0 {
        ui.painter().rect_filled(track, 3.0, palette.line.gamma_multiply(0.6));
        let share = if bar.share.is_finite() { bar.share.clamp(0.0, 1.0) } else { 0.0 };
        // A share above nothing is seen.
        let length = if share > 0.0 { (track.width() * share).max(2.0) } else { 0.0 };
        let hue = if bar.strong { bar.hue } else { bar.hue.gamma_multiply(0.55) };
        ui.painter().rect_filled(Rect::from_min_size(track.min, vec2(length, track.height())), 3.0, hue);
    }
    ui.painter().text(pos2(rect.right(), rect.center().y), Align2::RIGHT_CENTER, bar.figure, font, text);
    if is_cut { response.on_hover_text(bar.name) } else { response }
}
