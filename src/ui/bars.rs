//! The frame around a place: rail, top bar, status bar, messages.

use super::icons::{self, Icon};
use super::keys::{self, Action};
use super::notices;
use super::pace::PaceLine;
use super::theme::{self, Palette};
use super::{Cx, Place};
use crate::desk::{Command, Importing, Level, Phase};
use crate::project::{Layer, starved};
use eframe::egui::{self, Align, Layout, Margin, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use std::path::{Path, PathBuf};

/// What the bars remember between frames.
#[derive(Default)]
pub struct Bars {
    /// The notice up to which all were put away.
    dismissed: u64,
    /// The newest notice and when it was first drawn, in seconds of egui's clock.
    shown: (u64, f64),
    list_open: bool,
    pace: PaceLine,
}

fn bar_frame(palette: &Palette, margin: Margin) -> egui::Frame {
    egui::Frame::new().fill(palette.panel).inner_margin(margin)
}

impl Bars {
    /// The rail of places.
    pub fn rail_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, current: Place) {
        let frame = bar_frame(theme::palette(ui), Margin { left: 8, right: 8, top: 8, bottom: 8 });
        egui::Panel::left("rail").exact_size(80.0).resizable(false).frame(frame).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for (place, icon, action) in [
                (Place::Label, Icon::Label, Action::GoLabel),
                (Place::Train, Icon::Train, Action::GoTrain),
                (Place::Test, Icon::Test, Action::GoTest),
                (Place::Insights, Icon::Insights, Action::GoInsights),
                (Place::Data, Icon::Data, Action::GoData),
            ] {
                let word = cx.t(place.word());
                if place_button(ui, icon, word, place == current).on_hover_text(keys::name_of(action)).clicked() {
                    cx.goto(place);
                }
            }
        });
    }

    /// The bar at the top; answers what was clicked.
    pub fn top_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> Option<Action> {
        let frame = bar_frame(theme::palette(ui), Margin::symmetric(12, 8));
        let panel = egui::Panel::top("top bar").exact_size(44.0).resizable(false).frame(frame);
        panel.show(ui, |ui| ui.horizontal_centered(|ui| top_row(ui, cx)).inner).inner
    }

    /// The bar at the bottom; answers what was clicked.
    pub fn status_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> Option<Action> {
        let frame = bar_frame(theme::palette(ui), Margin::symmetric(12, 4));
        let panel = egui::Panel::bottom("status bar").exact_size(36.0).resizable(false).frame(frame);
        panel.show(ui, |ui| {
            ui.horizontal_centered(|ui| {
                self.position_ui(ui, cx);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    training_ui(ui, cx);
                    import_ui(ui, cx);
                    opening_ui(ui, cx);
                    ui.add_space(8.0);
                    self.newest_notice_ui(ui, cx);
                });
            });
        });
        None
    }

    /// "12 of 480 · 36 done", then how often each class was given.
    fn position_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let Some(project) = cx.desk.project() else { return };
        let tally = project.tally(cx.desk.layer());
        let all = project.tally(Layer::Outcome).documents;
        let queue = cx.desk.queue();
        let place = if queue.is_empty() { 0 } else { cx.desk.position() + 1 };
        let mut words = cx.tf("{} of {} · {} done", &[&place, &queue.len(), &tally.done]);
        if !cx.desk.filter().is_empty() {
            words += &cx.tf(" · filtered from {}", &[&all]);
        }
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.label(words);
        self.pace.ui(ui, cx);
        ui.add_space(8.0);
        let Some((id, question)) = project.schema().main_question() else { return };
        let palette = theme::palette(ui);
        let counts: Vec<usize> = (0u16..).take(question.classes.len()).map(|class| tally.class(id, class)).collect();
        let rare = starved(&counts);
        for (at, (class, count)) in question.classes.iter().zip(&counts).enumerate().take(5) {
            ui.add_space(4.0);
            ui.spacing_mut().item_spacing.x = 4.0;
            icons::dot(ui, palette.hue(class.hue));
            let words = RichText::new(format!("{} {count}", class.name)).small();
            if rare.contains(&at) {
                icons::inline(ui, Icon::Warning, palette.warning);
                ui.label(words.color(palette.warning)).on_hover_text(starved_words(cx, &class.name, *count));
            } else {
                ui.label(words.color(palette.weak));
            }
        }
    }

    /// The newest message, until it is put away; one that only informs goes by itself.
    fn newest_notice_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        const STAYS: f64 = 8.0;
        let number = cx.desk.notified();
        let Some(notice) = cx.desk.notices().last() else { return };
        let now = ui.input(|input| input.time);
        if self.shown.0 != number {
            self.shown = (number, now);
        }
        let rest = self.shown.1 + STAYS - now;
        if number <= self.dismissed || (notice.level() != Level::Error && rest <= 0.0) {
            if ui.add(egui::Button::new(cx.t("Messages")).frame(false)).clicked() {
                self.list_open = !self.list_open;
            }
            return;
        }
        if notice.level() != Level::Error {
            ui.ctx().request_repaint_after_secs(rest as f32 + 0.05);
        }
        let palette = theme::palette(ui);
        if icons::icon_button(ui, Icon::Close, cx.t("Put this message away"), true).clicked() {
            self.dismissed = number;
        }
        let (icon, color) = notices::look(notice.level(), palette);
        let words = notices::words(cx, notice);
        ui.with_layout(Layout::right_to_left(Align::Center).with_main_align(Align::Max), |ui| {
            let text = RichText::new(&words).color(if notice.level() == Level::Error { palette.error } else { palette.text });
            let label = ui.add(egui::Label::new(text).truncate().sense(Sense::click()));
            icons::inline(ui, icon, color);
            if label.on_hover_text(&words).clicked() {
                self.list_open = !self.list_open;
            }
        });
    }

    /// The list of messages, newest first.
    pub fn notices_ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        if !self.list_open {
            return;
        }
        let mut open = true;
        let window = egui::Window::new(cx.t("Messages")).id(egui::Id::unique("messages")).open(&mut open).collapsible(false);
        let window = window.default_size([460.0, 280.0]).anchor(egui::Align2::RIGHT_BOTTOM, vec2(-12.0, -44.0));
        window.show(ctx, |ui| {
            let palette = theme::palette(ui);
            let list: Vec<_> = cx.desk.notices().map(|notice| (notice.level(), notices::words(cx, notice))).collect();
            if list.is_empty() {
                ui.weak(cx.t("No messages"));
                return;
            }
            egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for (level, words) in list.iter().rev() {
                    ui.horizontal_top(|ui| {
                        let (icon, color) = notices::look(*level, palette);
                        icons::inline(ui, icon, color);
                        ui.add(egui::Label::new(words).wrap().selectable(true));
                    });
                }
            });
            if ui.button(cx.t("Put all away")).clicked() {
                list.iter().for_each(|_| cx.send(Command::DismissNotice));
                self.list_open = false;
            }
        });
        self.list_open &= open;
    }
}

fn place_button(ui: &mut Ui, icon: Icon, word: &str, selected: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, word));
    if ui.is_rect_visible(rect) {
        let palette = theme::palette(ui);
        let (ground, color) = match (selected, response.hovered()) {
            (true, _) => (palette.accent_ground(), palette.accent),
            (false, true) => (ui.visuals().widgets.hovered.weak_bg_fill, palette.text),
            (false, false) => (palette.panel, palette.weak),
        };
        let ring = icons::focus_ring(&response, palette);
        ui.painter().rect(rect, theme::ROUNDING, ground, ring, egui::StrokeKind::Inside);
        icons::paint(ui.painter(), egui::Rect::from_center_size(rect.center() - vec2(0.0, 9.0), vec2(20.0, 20.0)), icon, color);
        let font = egui::TextStyle::Small.resolve(ui.style());
        ui.painter().text(rect.center() + vec2(0.0, 16.0), egui::Align2::CENTER_CENTER, word, font, color);
    }
    response
}

fn top_row(ui: &mut Ui, cx: &mut Cx<'_>) -> Option<Action> {
    let mut asked = None;
    project_menu(ui, cx, &mut asked);
    who_button(ui, cx, &mut asked);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let theme = cx.desk.settings().theme;
        let (icon, words) = match theme {
            crate::desk::Theme::System => (Icon::Auto, "Theme: as the system"),
            crate::desk::Theme::Light => (Icon::Sun, "Theme: light"),
            crate::desk::Theme::Dark => (Icon::Moon, "Theme: dark"),
        };
        if icons::icon_button(ui, icon, cx.t(words), true).clicked() {
            asked = Some(Action::Theme);
        }
        let other = match super::app::other_language(cx.language()) {
            crate::desk::Language::English => "English",
            crate::desk::Language::Chinese => "中文",
        };
        if ui.add(egui::Button::new(other).frame_when_inactive(false)).clicked() {
            asked = Some(Action::Language);
        }
        if cx.desk.project().is_some() {
            ui.add_space(4.0);
            history_buttons(ui, cx, &mut asked);
        }
        ui.add_space(4.0);
        if palette_button(ui, cx).clicked() {
            asked = Some(Action::Palette);
        }
    });
    asked
}

/// The project's name, whether it is saved, and what can be done with files.
fn project_menu(ui: &mut Ui, cx: &mut Cx<'_>, asked: &mut Option<Action>) {
    let palette = theme::palette(ui);
    let Some(path) = cx.desk.path() else {
        ui.label(RichText::new("Gloss").strong().size(16.0));
        return;
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let whole = path.display().to_string();
    let menu = egui::containers::menu::MenuButton::from_button(egui::Button::new(RichText::new(name).strong()).frame_when_inactive(false));
    let (response, _) = menu.ui(ui, |ui| {
        ui.set_min_width(240.0);
        ui.label(RichText::new(&whole).small().color(palette.weak));
        ui.separator();
        for action in [
            Action::NewProject,
            Action::OpenProject,
            Action::Import,
            Action::ExportDocuments,
            Action::Who,
            Action::MergeProject,
            Action::Journal,
            Action::Guidelines,
            Action::CloseProject,
        ] {
            let Some(row) = keys::row_of(action) else { continue };
            if ui.add(egui::Button::new(cx.t(row.words)).shortcut_text(row.key_name()).frame_when_inactive(false)).clicked() {
                *asked = Some(action);
            }
        }
        recent_menu(ui, cx);
    });
    response.on_hover_text(whole);
    if cx.desk.is_saving() {
        ui.label(RichText::new(cx.t("Saving…")).small().color(palette.weak))
            .on_hover_text(cx.t("A large change is being written; one can go on meanwhile"));
    } else if cx.desk.is_unsaved() {
        icons::inline(ui, Icon::Warning, palette.warning);
        ui.label(RichText::new(cx.t("Not saved yet")).small().color(palette.warning))
            .on_hover_text(cx.t("The disk refused the last change; it is tried again"));
    } else {
        icons::inline(ui, Icon::Check, palette.success);
        ui.label(RichText::new(cx.t("Saved")).small().color(palette.weak)).on_hover_text(cx.t("Every change is in the file at once"));
    }
}

/// Whose answers are shown, where several label.
fn who_button(ui: &mut Ui, cx: &Cx<'_>, asked: &mut Option<Action>) {
    if cx.desk.project().is_none_or(|project| project.annotators().is_empty()) {
        return;
    }
    let name = super::who::layer_name(cx);
    let hint = cx.tf("Answers of {}: click to change who labels", &[&name]);
    let button = ui.add(egui::Button::new(RichText::new(&name).color(theme::palette(ui).accent)).frame_when_inactive(false));
    if button.accessible_name(&hint).on_hover_text(format!("{hint} ({})", keys::name_of(Action::Who))).clicked() {
        *asked = Some(Action::Who);
    }
}

fn recent_menu(ui: &mut Ui, cx: &mut Cx<'_>) {
    let others = |path: &&PathBuf| cx.desk.path() != Some(path.as_path());
    let recent: Vec<PathBuf> = cx.desk.settings().recent.iter().filter(others).take(6).cloned().collect();
    if recent.is_empty() {
        return;
    }
    ui.separator();
    for path in recent {
        if ui.add(egui::Button::new(file_name(&path)).frame_when_inactive(false)).on_hover_text(path.display().to_string()).clicked() {
            cx.send(Command::OpenProject(path));
        }
    }
}

/// The last part of a path, to be read.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn history_buttons(ui: &mut Ui, cx: &Cx<'_>, asked: &mut Option<Action>) {
    let Some(history) = cx.desk.history() else { return };
    let named = |action: Action, words: String| format!("{words} ({})", keys::name_of(action));
    // Right to left: redo first.
    let (redo, can_redo) = match history.next_redo() {
        Some(step) => (cx.tf("Redo: {}", &[&step.name]), true),
        None => (cx.t("Nothing to redo").to_owned(), false),
    };
    if icons::icon_button(ui, Icon::Redo, &named(Action::Redo, redo), can_redo).clicked() {
        *asked = Some(Action::Redo);
    }
    let (undo, can_undo) = match history.next_undo() {
        Some(step) => (cx.tf("Undo: {}", &[&step.name]), true),
        None => (cx.t("Nothing to undo").to_owned(), false),
    };
    if icons::icon_button(ui, Icon::Undo, &named(Action::Undo, undo), can_undo).clicked() {
        *asked = Some(Action::Undo);
    }
}

/// Looks like a search field and opens the palette.
fn palette_button(ui: &mut Ui, cx: &Cx<'_>) -> egui::Response {
    let palette = theme::palette(ui);
    let words = cx.t("Find a command");
    let (rect, response) = ui.allocate_exact_size(vec2(260.0, theme::ROW_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words));
    if ui.is_rect_visible(rect) {
        let visuals = ui.style().interact(&response);
        let edge = if response.has_focus() { visuals.bg_stroke } else { Stroke::new(1.0, palette.line) };
        let fill = if response.hovered() { visuals.weak_bg_fill } else { palette.field() };
        ui.painter().rect(rect, visuals.corner_radius, fill, edge, egui::StrokeKind::Inside);
        let icon = egui::Rect::from_center_size(rect.left_center() + vec2(16.0, 0.0), vec2(14.0, 14.0));
        icons::paint(ui.painter(), icon, Icon::Search, palette.weak);
        let font = egui::TextStyle::Body.resolve(ui.style());
        ui.painter().text(rect.left_center() + vec2(30.0, 0.0), egui::Align2::LEFT_CENTER, words, font, palette.weak);
        let font = egui::TextStyle::Small.resolve(ui.style());
        ui.painter().text(
            rect.right_center() - vec2(10.0, 0.0),
            egui::Align2::RIGHT_CENTER,
            keys::name_of(Action::Palette),
            font,
            palette.weak,
        );
    }
    response
}

/// A run going on: share, time left, and how to end it.
fn training_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(run) = cx.desk.run_view().filter(|_| cx.desk.is_training()) else { return };
    let (share, left, phase) = (run.progress(), run.seconds_left(), run.phase.clone());
    ui.menu_button(cx.t("Stop…"), |ui| {
        if ui.button(cx.t("Stop and keep the best")).clicked() {
            cx.send(Command::StopTraining);
        }
        if ui.button(cx.t("Cancel the run")).clicked() {
            cx.send(Command::CancelTraining);
        }
    });
    let words = match (&phase, left) {
        (Phase::Loading, _) => cx.t("Reading the encoder").to_owned(),
        (Phase::Paused, _) => cx.t("Training is paused").to_owned(),
        (Phase::Stopping, _) => cx.t("Training is stopping").to_owned(),
        (_, Some(seconds)) => cx.tf("Training · {} left", &[&duration(cx, seconds)]),
        (_, None) => cx.t("Training").to_owned(),
    };
    progress(ui, share, &words);
    ui.label(words);
}

/// An import going on.
fn import_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Importing::Running { share, rows, .. } = cx.desk.importing() else { return };
    let words = if *rows == 0 { cx.t("Importing").to_owned() } else { cx.tf("Importing · {} rows", &[rows]) };
    let share = *share;
    if ui.button(cx.t("Cancel the import")).clicked() {
        cx.send(Command::DismissImport);
    }
    progress(ui, share, &words);
    ui.label(words);
}

/// A large project on its way.
fn opening_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(path) = cx.desk.opening() else { return };
    let words = cx.tf("Opening {}…", &[&file_name(path)]);
    if ui.button(cx.t("Do not open it")).clicked() {
        cx.send(Command::CancelOpening);
    }
    ui.label(words);
}

/// A gentle word about a label that is too rare to be learned.
pub(super) fn starved_words(cx: &Cx<'_>, name: &str, count: usize) -> String {
    cx.tf("{} was given only {} times: search for more of it, or a model will hardly learn it", &[&name, &count])
}

/// A slim bar with a name for screen readers.
pub(super) fn progress(ui: &mut Ui, share: f32, name: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(120.0, 6.0), Sense::hover());
    response.widget_info(|| WidgetInfo { value: Some(f64::from(share)), ..WidgetInfo::labeled(Role::ProgressIndicator, true, name) });
    let palette = theme::palette(ui);
    ui.painter().rect_filled(rect, 3, palette.line);
    let done = egui::Rect::from_min_size(rect.min, vec2(rect.width() * share.clamp(0.0, 1.0), rect.height()));
    ui.painter().rect_filled(done, 3, palette.accent);
}

/// "40 s" or "12 min".
pub(super) fn duration(cx: &Cx<'_>, seconds: f64) -> String {
    if seconds < 90.0 { cx.tf("{} s", &[&(seconds.ceil() as u64)]) } else { cx.tf("{} min", &[&((seconds / 60.0).round() as u64)]) }
}
