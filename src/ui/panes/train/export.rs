//! Curves as files: a drawing (SVG) and a table (CSV) made from what is drawn, a picture (PNG) of the window. Makes the
//! bytes; the desk writes them.

use super::plot::{Look, Series};
use crate::desk::Command;
use crate::ui::widgets::figures::{even_steps, trimmed};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Color32};
use eframe::icon_data::IconDataExt;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What curves can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFile {
    Png,
    Svg,
    Csv,
    /// A folder.
    TensorBoard,
}

impl RunFile {
    /// `None` for a folder.
    pub fn extension(self) -> Option<&'static str> {
        match self {
            Self::Png => Some("png"),
            Self::Svg => Some("svg"),
            Self::Csv => Some("csv"),
            Self::TensorBoard => None,
        }
    }
}

/// Every point of every plot, a row each.
pub(super) fn csv(plots: &[(String, Vec<Series>)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut table = "plot,series,step,value\n".to_owned();
    for (plot, series) in plots {
        for Series { name, points, .. } in series {
            for [step, value] in points {
                table += &format!("{},{},{step},{value}\n", quoted(plot), quoted(name));
            }
        }
    }
    table
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Room for numbers on the left and for words above and below.
const LEFT: f64 = 56.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 36.0;

/// The plots one below the other.
pub(super) fn svg(plots: &[(String, Vec<Series>)], palette: &theme::Palette) -> String {
    let all = HEIGHT * plots.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{all}\" viewBox=\"0 0 {WIDTH} {all}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        hex(palette.ground)
    );
    for (at, (name, series)) in plots.iter().enumerate() {
        out += &format!("<g transform=\"translate(0 {})\">\n{}</g>\n", HEIGHT * at as f64, svg_plot(name, series, palette));
    }
    out + "</svg>\n"
}

fn svg_plot(name: &str, series: &[Series], palette: &theme::Palette) -> String {
    let points = || series.iter().flat_map(|series| &series.points);
    let bounds = |axis: usize| {
        let (low, high) = points().fold((0.0f64, f64::MIN), |(low, high), point| (low.min(point[axis]), high.max(point[axis])));
        (low, if high > low { high } else { low + 1.0 })
    };
    let (across, up) = (bounds(0), bounds(1));
    let x = |value: f64| LEFT + (value - across.0) / (across.1 - across.0) * (WIDTH - LEFT - 16.0);
    let y = |value: f64| HEIGHT - BOTTOM - (value - up.0) / (up.1 - up.0) * (HEIGHT - TOP - BOTTOM);
    let (text, line) = (hex(palette.text), hex(palette.line));
    let mut out = format!("<text x=\"{LEFT}\" y=\"20\" font-weight=\"bold\" fill=\"{text}\">{}</text>\n", escaped(name));
    let marks = |(low, high): (f64, f64), wanted: f64| {
        let step = even_steps((low, high), wanted)[0];
        let first = (low / step).ceil();
        (0..100).map(move |at| (first + f64::from(at)) * step).take_while(move |mark| *mark <= high + step * 1e-6)
    };
    for mark in marks(up, 5.0) {
        let (at, right) = (y(mark), WIDTH - 16.0);
        _ = writeln!(out, "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"{line}\"/>");
        _ = writeln!(out, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{text}\">{}</text>", LEFT - 6.0, at + 4.0, trimmed(mark));
    }
    for mark in marks(across, 6.0) {
        _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"{text}\">{}</text>",
            x(mark),
            HEIGHT - BOTTOM + 18.0,
            trimmed(mark)
        );
    }
    let mut legend = LEFT;
    for Series { name, color, points, look, .. } in series {
        let color = hex(*color);
        if *look != Look::Dots {
            let path: Vec<String> = points.iter().map(|[step, value]| format!("{:.1},{:.1}", x(*step), y(*value))).collect();
            _ = writeln!(out, "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>", path.join(" "));
        }
        if *look != Look::Line {
            let radius = if *look == Look::Dots { 1.5 } else { 3.5 };
            for [step, value] in points {
                _ = writeln!(out, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\" fill=\"{color}\"/>", x(*step), y(*value));
            }
        }
        _ = writeln!(out, "<rect x=\"{legend:.0}\" y=\"32\" width=\"10\" height=\"10\" fill=\"{color}\"/>");
        _ = writeln!(out, "<text x=\"{:.0}\" y=\"41\" fill=\"{text}\">{}</text>", legend + 14.0, escaped(name));
        // Chinese signs are about twice as wide as Latin ones.
        legend += 30.0 + name.chars().map(|c| if c.is_ascii() { 6.5 } else { 12.5 }).sum::<f64>();
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn hex(color: Color32) -> String {
    let [r, g, b, _] = color.to_array();
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A picture of a part of the window that was asked for.
#[derive(Default)]
pub(super) struct Picture {
    path: Option<PathBuf>,
    /// The whole window, when it was taken.
    taken: Arc<Mutex<Option<Arc<egui::ColorImage>>>>,
}

impl Picture {
    pub(super) fn request(&mut self, ctx: &egui::Context, path: PathBuf) {
        self.path = Some(path);
        let (place, again) = (self.taken.clone(), ctx.clone());
        ctx.request_screenshot(move |image| {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(image);
            again.request_repaint();
        });
    }

    /// Has `part` of the window written once it was taken.
    pub(super) fn take(&mut self, ui: &egui::Ui, cx: &mut Cx<'_>, part: egui::Rect) {
        let Some(image) = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let Some(path) = self.path.take() else { return };
        let points = ui.ctx().pixels_per_point();
        let whole = egui::Rect::from_min_size(egui::Pos2::ZERO, image.size.map(|side| side as f32).into());
        let part = (part.intersect(ui.clip_rect()) * points).intersect(whole);
        if part.is_positive()
            && let Ok(content) = png(&image.region(&part, None))
        {
            cx.send(Command::WriteFile { path, content: Arc::from(content) });
        }
    }
}

/// A picture as the bytes of a PNG file.
///
/// # Errors
/// When the encoder refuses it.
fn png(image: &egui::ColorImage) -> Result<Vec<u8>, String> {
    let rgba = image.pixels.iter().flat_map(|pixel| pixel.to_srgba_unmultiplied()).collect();
    let [width, height] = image.size.map(|side| side as u32);
    egui::IconData { rgba, width, height }.to_png_bytes()
}
