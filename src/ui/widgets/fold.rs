//! A button that folds a side column away and back: a frame with the column drawn in it.

use crate::ui::theme::{ROW_HEIGHT, palette};
use eframe::egui::{Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

/// Which column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Flips `is_open` when clicked. `name` is what a screen reader and the tooltip say.
pub fn fold_button(ui: &mut Ui, side: Side, is_open: &mut bool, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ROW_HEIGHT, ROW_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, *is_open, name));
    if response.clicked() {
        *is_open = !*is_open;
    }
    let colours = palette(ui);
    if response.hovered() || response.has_focus() {
        let ring = if response.has_focus() { Stroke::new(2.0, colours.accent) } else { Stroke::NONE };
        ui.painter().rect(rect, 4.0, ui.visuals().widgets.hovered.weak_bg_fill, ring, StrokeKind::Inside);
    }
    let frame = Rect::from_center_size(rect.center(), vec2(16.0, 13.0));
    ui.painter().rect_stroke(frame, 2.0, Stroke::new(1.3, colours.text), StrokeKind::Inside);
    let mut column = frame.shrink(1.3);
    match side {
        Side::Left => column.max.x = column.min.x + 4.0,
        Side::Right => column.min.x = column.max.x - 4.0,
    }
    let fill = if *is_open { colours.text } else { colours.text.gamma_multiply(0.25) };
    ui.painter().rect_filled(column, 0.0, fill);
    response.on_hover_text(name)
}
