//! The command palette, made from the table of keys.

use super::keys::{self, Action, Group};
use super::{Cx, theme};
use crate::desk::Command;
use eframe::egui::{self, Id, Key, Role, Sense, TextEdit, Ui, WidgetInfo, vec2};
use std::path::PathBuf;

/// A line of the palette.
#[derive(Clone, Debug)]
struct Line {
    words: String,
    /// Searched too, so that English works in a Chinese window.
    english: String,
    key: String,
    does: Does,
}

#[derive(Clone, Debug)]
enum Does {
    Act(Action),
    Open(PathBuf),
}

/// Every action, found by a few of its letters.
#[derive(Default)]
pub struct PaletteWindow {
    open: bool,
    fresh: bool,
    query: String,
    chosen: usize,
}

impl PaletteWindow {
    pub fn open(&mut self) {
        *self = Self { open: true, fresh: true, ..Self::default() };
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Draws it if it is open; answers what was chosen.
    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) -> Option<Action> {
        if !self.open {
            return None;
        }
        let palette = theme::Palette::of(ctx.global_style().visuals.dark_mode);
        let area = egui::Modal::default_area(Id::unique("palette")).anchor(egui::Align2::CENTER_TOP, vec2(0.0, 72.0));
        let modal = egui::Modal::new(Id::unique("palette")).area(area).backdrop_color(palette.veil());
        let modal = modal.frame(egui::Frame::window(&ctx.global_style()).inner_margin(8));
        let mut run = None;
        let shown = modal.show(ctx, |ui| {
            ui.set_width(560.0);
            ui.set_max_height(480.0);
            run = self.inside_ui(ui, cx);
        });
        let again = ctx.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, Key::K)) && !self.fresh;
        self.fresh = false;
        if shown.should_close() || run.is_some() || again {
            self.open = false;
        }
        match run? {
            Does::Act(action) => Some(action),
            Does::Open(path) => {
                cx.send(Command::OpenProject(path));
                None
            }
        }
    }

    fn inside_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>) -> Option<Does> {
        let down = ui.input_mut(|input| input.count_and_consume_key(egui::Modifiers::NONE, Key::ArrowDown));
        let up = ui.input_mut(|input| input.count_and_consume_key(egui::Modifiers::NONE, Key::ArrowUp));
        let enter = ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Enter));
        let field = TextEdit::singleline(&mut self.query).desired_width(f32::INFINITY).margin(vec2(10.0, 8.0));
        let field = ui.add(field.hint_text(cx.t("Find a command"))).accessible_name(cx.t("Find a command"));
        if self.fresh {
            field.request_focus();
        }
        if field.changed() {
            self.chosen = 0;
        }
        let lines = found(lines(cx), &self.query);
        if lines.is_empty() {
            ui.add_space(4.0);
            ui.weak(cx.t("No command has these letters"));
            return None;
        }
        self.chosen = (self.chosen + down).saturating_sub(up).min(lines.len() - 1);
        let moved = down + up > 0;
        let mut run = enter.then(|| lines[self.chosen].does.clone());
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add_space(8.0);
        egui::ScrollArea::vertical().max_height(392.0).auto_shrink([false, true]).show(ui, |ui| {
            for (at, line) in lines.iter().enumerate() {
                let response = line_ui(ui, line, at == self.chosen);
                if moved && at == self.chosen {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    run = Some(line.does.clone());
                }
            }
        });
        run
    }
}

fn line_ui(ui: &mut Ui, line: &Line, chosen: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &line.words));
    if ui.is_rect_visible(rect) {
        let palette = theme::palette(ui);
        if chosen || response.hovered() || response.has_focus() {
            let fill = if chosen { palette.accent_ground() } else { ui.visuals().widgets.hovered.weak_bg_fill };
            ui.painter().rect(rect, theme::ROUNDING, fill, super::icons::focus_ring(&response, palette), egui::StrokeKind::Inside);
        }
        let font = egui::TextStyle::Body.resolve(ui.style());
        ui.painter().text(rect.left_center() + vec2(10.0, 0.0), egui::Align2::LEFT_CENTER, &line.words, font, palette.text);
        let font = egui::TextStyle::Small.resolve(ui.style());
        ui.painter().text(rect.right_center() - vec2(10.0, 0.0), egui::Align2::RIGHT_CENTER, &line.key, font, palette.weak);
    }
    response
}

/// All that can be done now.
fn lines(cx: &Cx<'_>) -> Vec<Line> {
    let project = cx.desk.project();
    let mut lines: Vec<Line> = Vec::new();
    for row in keys::TABLE.iter().filter(|row| project.is_some() || row.group == Group::Program) {
        if row.action == Action::Palette {
            continue;
        }
        if let Some(part) = part_of(cx, row.action) {
            let words = super::i18n::fill(cx.t(row.words), &[&part]);
            let english = super::i18n::fill(row.words, &[&part]);
            let key = class_key(cx, row.action).unwrap_or_else(|| row.key_name());
            lines.push(Line { words, english, key, does: Does::Act(row.action) });
        }
    }
    let labels = project.map_or(&[][..], |project| &project.schema().span_labels).iter().zip(0u16..);
    for (label, at) in labels {
        let key = label.key.to_ascii_uppercase().to_string();
        let english = format!("Mark the selection as {}", label.name);
        lines.push(Line { words: cx.tf("Mark the selection as {}", &[&label.name]), english, key, does: Does::Act(Action::Mark(at)) });
    }
    for path in cx.desk.settings().recent.iter().filter(|path| cx.desk.path() != Some(path.as_path())) {
        let name = super::bars::file_name(path);
        let english = format!("Open {name}");
        lines.push(Line { words: cx.tf("Open {}", &[&name]), english, key: String::new(), does: Does::Open(path.clone()) });
    }
    lines
}

/// The key of a class, which its project decides; `None` for other actions.
pub(super) fn class_key(cx: &Cx<'_>, action: Action) -> Option<String> {
    let Action::Class(class) = action else { return None };
    let schema = cx.desk.project()?.schema();
    Some(keys::class_key(schema, schema.main_question()?.0, u16::from(class)))
}

/// What stands at the `{}` of an action's words; `None` for a class the schema does not have.
pub(super) fn part_of(cx: &Cx<'_>, action: Action) -> Option<String> {
    let Action::Class(class) = action else { return Some(String::new()) };
    let question = cx.desk.project()?.schema().main_question()?.1;
    question.classes.get(usize::from(class)).map(|class| class.name.clone())
}

/// Lines that have the letters of the query in its order, the best first.
fn found(lines: Vec<Line>, query: &str) -> Vec<Line> {
    if query.trim().is_empty() {
        return lines;
    }
    let score = |line: &Line| fuzzy(&line.words, query).max(fuzzy(&line.english, query));
    let mut scored: Vec<(i32, Line)> = lines.into_iter().filter_map(|line| Some((score(&line)?, line))).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, line)| line).collect()
}

/// How well `text` has the letters of `query` in order: more for neighbours and for beginnings of words.
/// `None` if it lacks one.
pub fn fuzzy(text: &str, query: &str) -> Option<i32> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut at, mut score, mut last) = (0, 0, None);
    for wanted in query.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase) {
        // A beginning of a word further on is better than a letter in the middle of the next one.
        // Chinese has no spaces: each of its characters may begin a word.
        let starts = |at: &usize| *at == 0 || !text[at - 1].is_alphanumeric() || !text[*at].is_ascii();
        let next = (at..text.len()).find(|at| text[*at] == wanted)?;
        let found = match last {
            Some(last) if next == last + 1 => next,
            _ => (at..text.len()).find(|at| text[*at] == wanted && starts(at)).unwrap_or(next),
        };
        score += 1 + 4 * i32::from(last.is_some_and(|last| found == last + 1)) + 6 * i32::from(starts(&found));
        last = Some(found);
        at = found + 1;
    }
    Some(score * 100 - text.len() as i32)
}
