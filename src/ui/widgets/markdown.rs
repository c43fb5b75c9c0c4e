//! A page of Markdown as guidelines need it: headings, lists, quotes, rules, code, bold, italic and code inside a line.
//! Everything else is shown as it is written. Takes text; opens nothing and follows no link.

use crate::ui::theme::{GAP, palette};
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{self, FontId, Label, Margin, RichText, TextStyle, Ui, vec2};

/// Draws the page over the available width.
pub fn markdown_ui(ui: &mut Ui, source: &str) {
    ui.spacing_mut().item_spacing.y = GAP * 0.5;
    let mut paragraph = String::new();
    let mut code: Option<String> = None;
    for line in source.lines() {
        if line.trim_start().starts_with("```") {
            flush(ui, &mut paragraph);
            match code.take() {
                Some(lines) => code_block(ui, &lines),
                None => code = Some(String::new()),
            }
            continue;
        }
        if let Some(lines) = &mut code {
            lines.push_str(line);
            lines.push('\n');
            continue;
        }
        match Block::of(line) {
            Block::Text(words) => join(&mut paragraph, words),
            block => {
                flush(ui, &mut paragraph);
                block.show(ui);
            }
        }
    }
    flush(ui, &mut paragraph);
    if let Some(lines) = code {
        code_block(ui, &lines);
    }
}

/// A line and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block<'a> {
    Blank,
    /// Level from 1 and words.
    Heading(usize, &'a str),
    /// Depth from 0, the mark, and words.
    Item(usize, &'a str, &'a str),
    Quote(&'a str),
    Rule,
    Text(&'a str),
}

impl<'a> Block<'a> {
    fn of(line: &'a str) -> Self {
        let words = line.trim();
        let depth = line.chars().take_while(|c| *c == ' ').count() / 2;
        let level = words.chars().take_while(|c| *c == '#').count();
        let number = words.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        if words.is_empty() {
            Self::Blank
        } else if (1..=6).contains(&level) && words[level..].starts_with([' ', '\u{3000}']) {
            Self::Heading(level, words[level..].trim())
        } else if words.len() >= 3 && ["-", "*", "_"].iter().any(|mark| words.replace(mark, "").trim().is_empty()) {
            Self::Rule
        } else if let Some(rest) = ["- ", "* ", "+ "].iter().find_map(|mark| words.strip_prefix(mark)) {
            Self::Item(depth, "•", rest.trim())
        } else if number > 0 && words[number..].starts_with(". ") {
            Self::Item(depth, &words[..=number], words[number + 2..].trim())
        } else if let Some(rest) = words.strip_prefix('>') {
            Self::Quote(rest.trim())
        } else {
            Self::Text(words)
        }
    }

    fn show(self, ui: &mut Ui) {
        let colours = palette(ui);
        match self {
            Self::Blank => ui.add_space(GAP * 0.5),
            Self::Heading(level, words) => {
                ui.add_space(GAP * 0.5);
                let size = [20.0, 17.0, 15.0][level.min(3) - 1];
                ui.add(Label::new(RichText::new(words).size(size).strong()).wrap());
            }
            Self::Item(depth, mark, words) => {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    ui.add_space(4.0 + 16.0 * depth.min(6) as f32);
                    ui.label(mark);
                    ui.vertical(|ui| ui.add(Label::new(line_of(ui, words)).wrap()));
                });
            }
            Self::Quote(words) => {
                let frame = egui::Frame::new().inner_margin(Margin { left: 12, right: 0, top: 2, bottom: 2 });
                let shown = frame.show(ui, |ui| ui.add(Label::new(RichText::new(words).color(colours.weak)).wrap()));
                let bar = shown.response.rect;
                ui.painter().rect_filled(egui::Rect::from_min_size(bar.min, vec2(3.0, bar.height())), 1.0, colours.line);
            }
            Self::Rule => {
                ui.separator();
            }
            Self::Text(words) => {
                ui.add(Label::new(line_of(ui, words)).wrap());
            }
        }
    }
}

/// Lines of a paragraph flow together; between Chinese ones no space is due.
fn join(paragraph: &mut String, words: &str) {
    let is_wide = |c: char| c > '\u{2e7f}';
    let needs_space = match (paragraph.chars().next_back(), words.chars().next()) {
        (Some(last), Some(next)) => !(is_wide(last) && is_wide(next)),
        _ => false,
    };
    if needs_space {
        paragraph.push(' ');
    }
    paragraph.push_str(words);
}

fn flush(ui: &mut Ui, paragraph: &mut String) {
    if !paragraph.is_empty() {
        Block::Text(paragraph).show(ui);
        paragraph.clear();
    }
}

fn code_block(ui: &mut Ui, lines: &str) {
    let frame = egui::Frame::new().fill(ui.visuals().code_bg_color).corner_radius(4.0).inner_margin(8);
    frame.show(ui, |ui| ui.add(Label::new(RichText::new(lines.trim_end()).monospace()).wrap()));
}

/// A line with **bold**, *italic* and `code`. A mark without its partner stands for itself.
fn line_of(ui: &Ui, words: &str) -> LayoutJob {
    let colours = palette(ui);
    let body = TextStyle::Body.resolve(ui.style());
    let plain = TextFormat { font_id: body.clone(), color: colours.text, ..TextFormat::default() };
    let mut job = LayoutJob::default();
    for (style, part) in parts(words) {
        let format = match style {
            Style::Plain => plain.clone(),
            // The shipped fonts have one weight: bold is the accent's colour, as everywhere in the window.
            Style::Bold => TextFormat { color: colours.accent, ..plain.clone() },
            Style::Italic => TextFormat { italics: true, ..plain.clone() },
            Style::Code => {
                TextFormat { font_id: FontId::monospace(body.size - 1.0), background: ui.visuals().code_bg_color, ..plain.clone() }
            }
        };
        job.append(part, 0.0, format);
    }
    job
}

/// How a part of a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    Italic,
    Code,
}

/// The parts of a line and how they are written.
pub fn parts(words: &str) -> Vec<(Style, &str)> {
    const MARKS: [(&str, Style); 3] = [("**", Style::Bold), ("`", Style::Code), ("*", Style::Italic)];
    let mut parts = Vec::new();
    let (mut rest, mut plain) = (words, 0);
    while plain < rest.len() {
        let here = &rest[plain..];
        let found = MARKS.iter().find_map(|(mark, style)| {
            let inside = here.strip_prefix(mark)?;
            let end = inside.find(mark).filter(|end| *end > 0 && inside[..*end].trim() == &inside[..*end])?;
            Some((*style, &inside[..end], &inside[end + mark.len()..]))
        });
        match found {
            Some((style, inside, after)) => {
                parts.push((Style::Plain, &rest[..plain]));
                parts.push((style, inside));
                (rest, plain) = (after, 0);
            }
            None => plain += here.chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push((Style::Plain, rest));
    parts.retain(|(_, part)| !part.is_empty());
    parts
}
