//! A button that stands for one answer: a dot of its hue, its name, and the key that does the same.

use crate::ui::theme::{ROUNDING, ROW_HEIGHT, palette};
use eframe::egui::{self, FontId, Response, Role, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2};

/// What the button shows.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    pub name: &'a str,
    /// The key as written; empty for none.
    pub key: &'a str,
    /// Index of a theme hue; `None` for the interface's accent.
    pub hue: Option<u8>,
    pub chosen: bool,
    /// One of several of which one holds, rather than a switch of its own.
    pub is_radio: bool,
    /// How likely a model finds it.
    pub percent: Option<u8>,
}

impl Choice<'_> {
    /// Draws the button.
    pub fn show(self, ui: &mut Ui) -> Response {
        const PAD: f32 = 9.0;
        const DOT: f32 = 16.0;
        let colours = palette(ui);
        let hue = self.hue.map_or(colours.accent, |hue| colours.hue(hue));
        let ink = if self.chosen { colours.on_accent } else { colours.text };
        let faint = if self.chosen { colours.on_accent } else { colours.weak };
        let name = ui.painter().layout_no_wrap(self.name.to_owned(), TextStyle::Button.resolve(ui.style()), ink);
        let key = ui.painter().layout_no_wrap(self.key.to_owned(), FontId::proportional(11.0), faint);
        let said = self.percent.map(|percent| format!("{percent}%")).unwrap_or_default();
        let said = ui.painter().layout_no_wrap(said, FontId::proportional(11.0), faint);
        let room = if self.percent.is_some() { 6.0 + said.size().x } else { 0.0 };
        let dot = if self.hue.is_some() { DOT } else { 0.0 };
        let cap = if self.key.is_empty() { 0.0 } else { 8.0 + key.size().x.max(8.0) + 8.0 };
        let (rect, response) = ui.allocate_exact_size(vec2(2.0 * PAD + dot + name.size().x + room + cap, ROW_HEIGHT), Sense::click());
        let role = if self.is_radio { Role::RadioButton } else { Role::Button };
        response.widget_info(|| WidgetInfo::selected(role, ui.is_enabled(), self.chosen, self.name));
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let visuals = ui.style().interact(&response);
        let fill = if self.chosen { hue } else { visuals.weak_bg_fill };
        let edge = if response.has_focus() {
            Stroke::new(2.0, colours.accent)
        } else if self.chosen {
            Stroke::new(1.0, hue)
        } else {
            visuals.bg_stroke
        };
        ui.painter().rect(rect, f32::from(ROUNDING), fill, edge, StrokeKind::Inside);
        let mut x = rect.left() + PAD;
        if self.hue.is_some() {
            let centre = pos2(x + 5.0, rect.center().y);
            ui.painter().circle_filled(centre, 5.0, if self.chosen { colours.on_accent } else { hue });
            x += DOT;
        }
        ui.painter().galley(pos2(x, rect.center().y - name.size().y * 0.5), name.clone(), ink);
        if self.percent.is_some() {
            let at = pos2(x + name.size().x + 6.0, rect.center().y - said.size().y * 0.5);
            ui.painter().galley(at, said, faint);
        }
        if !self.key.is_empty() {
            let width = key.size().x.max(8.0) + 8.0;
            let cap = egui::Rect::from_center_size(pos2(rect.right() - PAD - width * 0.5 + 3.0, rect.center().y), vec2(width, 17.0));
            ui.painter().rect_stroke(cap, 3.0, Stroke::new(1.0, faint.gamma_multiply(0.7)), StrokeKind::Inside);
            ui.painter().galley(cap.center() - key.size() * 0.5, key, faint);
        }
        response
    }
}
