//! A list of documents of any length: only the rows in sight are made and drawn.

use crate::project::State;
use crate::ui::theme::{ROUNDING, palette};
use eframe::egui::{
    self, Color32, FontId, Id, Pos2, Rect, Role, ScrollArea, Sense, Shape, Stroke, TextStyle, Ui, WidgetInfo, epaint::text::LayoutJob,
    pos2, vec2,
};

/// What a row shows.
pub struct QueueRow<'a> {
    /// Names the row among all rows.
    pub id: u32,
    pub text: &'a str,
    pub state: State,
    pub flagged: bool,
    /// Name and hue of the class.
    pub class: Option<(&'a str, u8)>,
    pub guess: Option<RowGuess<'a>>,
    /// For a screen reader: "done, flagged".
    pub state_name: String,
}

/// The class a model finds likeliest.
#[derive(Clone, Copy, Debug)]
pub struct RowGuess<'a> {
    pub name: &'a str,
    pub hue: u8,
    pub percent: u8,
    /// Whether the document was answered so; `None` for one without an answer.
    pub agrees: Option<bool>,
}

/// Height of a row in points.
pub const ROW: f32 = 32.0;

/// Draws rows `0..count`, made by `row` where they are in sight; answers with the one clicked.
/// `reveal` is scrolled to.
pub fn queue_list<'a>(
    ui: &mut Ui,
    count: usize,
    current: Option<usize>,
    reveal: Option<usize>,
    row: impl Fn(usize) -> Option<QueueRow<'a>>,
) -> Option<usize> {
    let mut clicked = None;
    ScrollArea::vertical().auto_shrink(false).animated(false).show_viewport(ui, |ui, sight| {
        ui.set_height(ROW * count as f32);
        let (left, top, width) = (ui.max_rect().left(), ui.max_rect().top(), ui.available_width());
        let place = |at: usize| Rect::from_min_size(pos2(left, top + ROW * at as f32), vec2(width, ROW));
        if let Some(at) = reveal {
            ui.scroll_to_rect(place(at).expand2(vec2(0.0, ROW)), None);
        }
        let first = (sight.min.y / ROW).floor().max(0.0) as usize;
        let last = ((sight.max.y / ROW).ceil().max(0.0) as usize + 1).min(count);
        for at in first..last {
            let Some(shown) = row(at) else { continue };
            if row_ui(ui, place(at), &shown, current == Some(at)) {
                clicked = Some(at);
            }
        }
    });
    clicked
}

fn row_ui(ui: &mut Ui, rect: Rect, row: &QueueRow<'_>, is_current: bool) -> bool {
    let colours = palette(ui);
    let response = ui.interact(rect, Id::unique(("queue row", row.id)), Sense::click());
    let text = first_words(row.text);
    let said = row.guess.filter(|guess| guess.agrees != Some(true)).map(|guess| format!("{} {}%", guess.name, guess.percent));
    let name = match &said {
        Some(said) => format!("{text} · {} · {said}", row.state_name),
        None => format!("{text} · {}", row.state_name),
    };
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, is_current, &name));
    let inside = rect.shrink2(vec2(2.0, 1.0));
    if is_current {
        ui.painter().rect_filled(inside, f32::from(ROUNDING), colours.accent_ground());
        let bar = Rect::from_min_size(inside.left_top() + vec2(0.0, 5.0), vec2(3.0, inside.height() - 10.0));
        ui.painter().rect_filled(bar, 2.0, colours.accent);
    } else if response.hovered() {
        ui.painter().rect_filled(inside, f32::from(ROUNDING), ui.visuals().widgets.hovered.weak_bg_fill);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(inside, f32::from(ROUNDING), Stroke::new(2.0, colours.accent), egui::StrokeKind::Inside);
    }
    state_mark(ui, pos2(rect.left() + 16.0, rect.center().y), &row.state, row.flagged);
    let mut right = inside.right() - 8.0;
    if let Some((name, hue)) = row.class {
        right = class_chip(ui, pos2(right, rect.center().y), name, colours.hue(hue)) - 6.0;
    }
    if let (Some(guess), Some(said)) = (row.guess, said) {
        right = guess_text(ui, pos2(right, rect.center().y), &guess, said) - 6.0;
    }
    let left = rect.left() + 30.0;
    let mut job = LayoutJob::simple_singleline(text, TextStyle::Body.resolve(ui.style()), Color32::PLACEHOLDER);
    job.wrap = egui::epaint::text::TextWrapping::truncate_at_width((right - left).max(10.0));
    let galley = ui.painter().layout_job(job);
    let ink = if row.state == State::Todo || is_current { colours.text } else { colours.weak };
    ui.painter().galley(pos2(left, rect.center().y - galley.size().y * 0.5), galley, ink);
    response.clicked()
}

/// A state by shape and colour: ring to do, disc with a check done, disc with a bar skipped; a small flag beside it.
pub fn state_mark(ui: &Ui, at: Pos2, state: &State, flagged: bool) {
    let colours = palette(ui);
    let paint = ui.painter();
    match state {
        State::Todo => {
            paint.circle_stroke(at, 5.0, Stroke::new(1.5, colours.weak));
        }
        State::Done => {
            paint.circle_filled(at, 6.0, colours.success);
            let tick = vec![at + vec2(-3.0, 0.2), at + vec2(-0.8, 2.4), at + vec2(3.0, -2.2)];
            paint.add(Shape::line(tick, Stroke::new(1.6, colours.on_accent)));
        }
        State::Skipped => {
            paint.circle_filled(at, 6.0, colours.weak);
            paint.line_segment([at + vec2(-3.0, 0.0), at + vec2(3.0, 0.0)], Stroke::new(1.8, colours.on_accent));
        }
    }
    if flagged {
        flag(ui, at + vec2(7.0, -5.0));
    }
}

/// A small flag with its foot at `at`.
pub fn flag(ui: &Ui, at: Pos2) {
    let colour = palette(ui).warning;
    ui.painter().line_segment([at + vec2(0.0, 5.0), at + vec2(0.0, -5.0)], Stroke::new(1.3, colour));
    let cloth = vec![at + vec2(0.0, -5.0), at + vec2(6.0, -2.5), at];
    ui.painter().add(Shape::convex_polygon(cloth, colour, Stroke::NONE));
}

/// A chip whose right edge stands at `right`; answers with its left edge.
fn class_chip(ui: &Ui, right: Pos2, name: &str, hue: Color32) -> f32 {
    const WIDEST: f32 = 84.0;
    let mut job = LayoutJob::simple_singleline(name.to_owned(), FontId::proportional(11.5), Color32::PLACEHOLDER);
    job.wrap = egui::epaint::text::TextWrapping::truncate_at_width(WIDEST);
    let galley = ui.painter().layout_job(job);
    let size = galley.size() + vec2(12.0, 4.0);
    let rect = Rect::from_min_size(pos2(right.x - size.x, right.y - size.y * 0.5), size);
    ui.painter().rect_filled(rect, size.y * 0.5, hue.gamma_multiply(0.18));
    ui.painter().galley(rect.min + vec2(6.0, 2.0), galley, hue);
    rect.left()
}

/// What the model says, its right edge at `right`: in an outline where nothing was answered, with a sign where something
/// else was. Answers with its left edge.
fn guess_text(ui: &Ui, right: Pos2, guess: &RowGuess<'_>, said: String) -> f32 {
    const WIDEST: f32 = 96.0;
    let colours = palette(ui);
    let differs = guess.agrees == Some(false);
    let (words, ink) = if differs { (format!("≠ {said}"), colours.warning) } else { (said, colours.hue(guess.hue)) };
    let mut job = LayoutJob::simple_singleline(words, FontId::proportional(11.5), ink);
    job.wrap = egui::epaint::text::TextWrapping::truncate_at_width(WIDEST);
    let galley = ui.painter().layout_job(job);
    let size = galley.size() + vec2(12.0, 4.0);
    let rect = Rect::from_min_size(pos2(right.x - size.x, right.y - size.y * 0.5), size);
    if !differs {
        let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom(), rect.left_top()];
        ui.painter().extend(Shape::dashed_line(&corners, Stroke::new(1.0, ink), 3.0, 2.0));
    }
    ui.painter().galley(rect.min + vec2(6.0, 2.0), galley, ink);
    rect.left()
}

/// The beginning of a text on one line.
pub fn first_words(text: &str) -> String {
    const SHOWN: usize = 90;
    let mut words = String::with_capacity(SHOWN * 2);
    for c in text.trim_start().chars().take(SHOWN) {
        match c {
            c if c.is_whitespace() || c.is_control() => {
                if !words.ends_with(' ') {
                    words.push(' ');
                }
            }
            c => words.push(c),
        }
    }
    words
}
