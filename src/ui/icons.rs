//! Icons drawn by the painter: sharp at every size, in any colour, and never a box for want of a font.

use eframe::egui::{self, Color32, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Label,
    Train,
    Test,
    Insights,
    Data,
    Undo,
    Redo,
    Search,
    Close,
    Check,
    Sun,
    Moon,
    /// Half light, half dark.
    Auto,
    Down,
    Up,
    /// A bin.
    Delete,
    Warning,
    Info,
}

/// Draws the icon into the middle square of `rect`.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let side = rect.width().min(rect.height());
    let square = Rect::from_center_size(rect.center(), vec2(side, side));
    let at = |x: f32, y: f32| square.lerp_inside(vec2(x, y));
    let stroke = Stroke::new((side / 12.0).max(1.25), color);
    let line = |points: &[(f32, f32)]| Shape::line(points.iter().map(|(x, y)| at(*x, *y)).collect(), stroke);
    let bar = |x: f32, top: f32| Shape::line(vec![at(x, 0.88), at(x, top)], Stroke::new(side * 0.15, color));
    let ring = |x: f32, y: f32, radius: f32| Shape::circle_stroke(at(x, y), side * radius, stroke);
    let dot = |x: f32, y: f32, radius: f32| Shape::circle_filled(at(x, y), side * radius, color);
    let shapes = match icon {
        Icon::Label => {
            vec![line(&[(0.10, 0.14), (0.52, 0.14), (0.92, 0.54), (0.56, 0.90), (0.10, 0.48), (0.10, 0.14)]), dot(0.30, 0.33, 0.07)]
        }
        Icon::Train => vec![line(&[(0.10, 0.08), (0.10, 0.90), (0.94, 0.90)]), line(&curve(&[0.22, 0.36, 0.50, 0.64, 0.78, 0.90]))],
        Icon::Test => vec![
            line(&[(0.08, 0.14), (0.92, 0.14), (0.92, 0.68), (0.48, 0.68), (0.28, 0.90), (0.28, 0.68), (0.08, 0.68), (0.08, 0.14)]),
            line(&[(0.28, 0.41), (0.72, 0.41)]),
        ],
        Icon::Insights => vec![bar(0.20, 0.52), bar(0.50, 0.14), bar(0.80, 0.36)],
        Icon::Data => vec![
            line(&[(0.10, 0.12), (0.90, 0.12), (0.90, 0.88), (0.10, 0.88), (0.10, 0.12)]),
            line(&[(0.10, 0.37), (0.90, 0.37)]),
            line(&[(0.10, 0.62), (0.90, 0.62)]),
            line(&[(0.40, 0.12), (0.40, 0.88)]),
        ],
        Icon::Undo => turn(false).into_iter().map(|points| line(&points)).collect(),
        Icon::Redo => turn(true).into_iter().map(|points| line(&points)).collect(),
        Icon::Search => vec![ring(0.42, 0.42, 0.28), line(&[(0.63, 0.63), (0.90, 0.90)])],
        Icon::Close => vec![line(&[(0.20, 0.20), (0.80, 0.80)]), line(&[(0.80, 0.20), (0.20, 0.80)])],
        Icon::Check => vec![line(&[(0.14, 0.54), (0.40, 0.80), (0.88, 0.22)])],
        Icon::Sun => {
            let ray = |turn: u8| {
                let (y, x) = (f32::from(turn) * std::f32::consts::FRAC_PI_4).sin_cos();
                line(&[(0.5 + 0.34 * x, 0.5 + 0.34 * y), (0.5 + 0.46 * x, 0.5 + 0.46 * y)])
            };
            (0..8).map(ray).chain([ring(0.5, 0.5, 0.20)]).collect()
        }
        Icon::Moon => vec![line(&moon())],
        Icon::Auto => vec![ring(0.5, 0.5, 0.36), Shape::convex_polygon(half_disc().map(|(x, y)| at(x, y)).collect(), color, Stroke::NONE)],
        Icon::Down => vec![line(&[(0.22, 0.38), (0.50, 0.66), (0.78, 0.38)])],
        Icon::Up => vec![line(&[(0.22, 0.62), (0.50, 0.34), (0.78, 0.62)])],
        Icon::Delete => vec![
            line(&[(0.14, 0.24), (0.86, 0.24)]),
            line(&[(0.38, 0.24), (0.38, 0.10), (0.62, 0.10), (0.62, 0.24)]),
            line(&[(0.24, 0.24), (0.28, 0.90), (0.72, 0.90), (0.76, 0.24)]),
            line(&[(0.42, 0.42), (0.42, 0.74)]),
            line(&[(0.58, 0.42), (0.58, 0.74)]),
        ],
        Icon::Warning => vec![
            line(&[(0.50, 0.12), (0.94, 0.88), (0.06, 0.88), (0.50, 0.12)]),
            line(&[(0.50, 0.40), (0.50, 0.62)]),
            dot(0.50, 0.75, 0.05),
        ],
        Icon::Info => vec![ring(0.5, 0.5, 0.40), line(&[(0.50, 0.46), (0.50, 0.72)]), dot(0.50, 0.30, 0.05)],
    };
    painter.extend(shapes);
}

/// A loss that falls.
fn curve(xs: &[f32]) -> Vec<(f32, f32)> {
    xs.iter().map(|x| (*x, 0.76 - 0.56 * (-4.0 * (x - 0.22)).exp())).map(|(x, y)| (x, 0.96 - y)).map(|(x, y)| (x, 1.0 - y)).collect()
}

/// An arrow that turns back, or forth when mirrored.
fn turn(mirrored: bool) -> [Vec<(f32, f32)>; 2] {
    let side = |(x, y): (f32, f32)| if mirrored { (1.0 - x, y) } else { (x, y) };
    let arc = (0..=12u8).map(|step| {
        let (y, x) = (-std::f32::consts::FRAC_PI_2 + f32::from(step) / 12.0 * std::f32::consts::PI).sin_cos();
        (0.60 + 0.24 * x, 0.58 + 0.24 * y)
    });
    let path = std::iter::once((0.14, 0.34)).chain(arc).chain([(0.36, 0.82)]);
    let head = [(0.34, 0.12), (0.12, 0.34), (0.34, 0.56)];
    [path.map(side).collect(), head.into_iter().map(side).collect()]
}

/// A disc of radius 0.38 around (0.46, 0.54) less one of radius 0.30 around (0.64, 0.36): the angles are those at which
/// the two circles meet.
fn moon() -> Vec<(f32, f32)> {
    let arc = |center: (f32, f32), radius: f32, from: f32, to: f32| {
        (0..=20u8).map(move |step| {
            let (y, x) = (from + (to - from) * f32::from(step) / 20.0).sin_cos();
            (center.0 + radius * x, center.1 + radius * y)
        })
    };
    arc((0.46, 0.54), 0.38, 0.121, 4.591).chain(arc((0.64, 0.36), 0.30, 3.859, 0.854)).collect()
}

fn half_disc() -> impl Iterator<Item = (f32, f32)> {
    (0..=16u8).map(|step| {
        let (y, x) = (std::f32::consts::FRAC_PI_2 + f32::from(step) / 16.0 * std::f32::consts::PI).sin_cos();
        (0.5 + 0.36 * x, 0.5 + 0.36 * y)
    })
}

/// A button that is only an icon; `name` is what a screen reader and the tooltip say.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str, enabled: bool) -> Response {
    let side = super::theme::ROW_HEIGHT;
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), if enabled { Sense::click() } else { Sense::hover() });
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    if ui.is_rect_visible(rect) {
        let visuals = ui.style().interact(&response);
        let palette = super::theme::palette(ui);
        if enabled && (response.hovered() || response.has_focus()) {
            ui.painter().rect(rect, visuals.corner_radius, visuals.weak_bg_fill, focus_ring(&response, palette), egui::StrokeKind::Inside);
        }
        let color = if enabled { palette.text } else { palette.line.lerp_to_gamma(palette.weak, 0.4) };
        paint(ui.painter(), rect.shrink(6.0), icon, color);
    }
    response.on_hover_text(name)
}

/// The ring of the focus, or nothing.
pub fn focus_ring(response: &Response, palette: &super::theme::Palette) -> Stroke {
    if response.has_focus() { Stroke::new(2.0, palette.accent) } else { Stroke::NONE }
}

/// An icon as part of a line; says nothing to a screen reader.
pub fn inline(ui: &mut Ui, icon: Icon, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
    paint(ui.painter(), rect, icon, color);
}

/// The middle of a dot that stands for a class, drawn beside its name.
pub fn dot(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 14.0), Sense::hover());
    let center: Pos2 = pos2(rect.center().x, rect.center().y);
    ui.painter().circle_filled(center, 4.0, color);
}
