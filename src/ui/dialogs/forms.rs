//! Windows of ours above the places: a path to type, a project to make.

use super::{Wish, home, title};
use crate::desk::Language;
use crate::project::NewQuestion;
use crate::ui::i18n::Template;
use crate::ui::panes::train::RunFile;
use crate::ui::{i18n, theme};
use eframe::egui::{self, Id, Key, TextEdit, Ui};
use std::path::{Path, PathBuf};

pub(super) enum Form {
    Path { wish: Wish, text: String, fresh: bool },
    NewProject(NewProject),
}

/// What a new project asks.
pub(super) struct NewProject {
    path: String,
    /// Separated by commas.
    classes: String,
    spans: String,
    /// Whose further questions are asked too.
    template: Option<Template>,
    fresh: bool,
}

pub(super) enum Reply {
    None,
    Cancel,
    Browse(Wish),
    Path(Wish, PathBuf),
    NewProject { path: PathBuf, classes: Vec<String>, spans: Vec<String>, questions: Vec<NewQuestion> },
}

/// Whether the system's own dialog can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Browsing {
    Never,
    Possible,
    /// It is open now.
    Now,
}

impl Form {
    pub(super) fn new_project(path: &Path, language: Language) -> Self {
        let (classes, _) = Template::Sentiment3.lists(language);
        let (_, spans) = Template::Aspects.lists(language);
        Self::NewProject(NewProject { path: path.display().to_string(), classes, spans, template: None, fresh: true })
    }
}

impl NewProject {
    pub(super) fn set_path(&mut self, path: &Path) {
        self.path = path.display().to_string();
    }

    /// What is wrong, as a sentence for [`i18n`].
    fn problem(&self) -> Option<&'static str> {
        let (classes, spans) = (names(&self.classes), names(&self.spans));
        if self.path.trim().is_empty() {
            return Some("Say where the project should be kept");
        }
        if classes.len() == 1 {
            return Some("One class leaves nothing to choose: give two or more, or none");
        }
        if classes.is_empty() && spans.is_empty() && self.template.is_none() {
            return Some("Give classes, span labels, or both");
        }
        let twice = |names: &[String]| names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
        (twice(&classes) || twice(&spans)).then_some("Each name can be given only once")
    }
}

/// Names between commas, half or full width.
fn names(text: &str) -> Vec<String> {
    text.split([',', '，', '、', ';', '；', '\n']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A typed path: quotes around it and `~` are understood.
fn path_of(text: &str) -> PathBuf {
    let text = text.trim().trim_matches(['"', '\'']);
    match text.strip_prefix("~/") {
        Some(rest) => home().join(rest),
        None => PathBuf::from(text),
    }
}

pub(super) fn ui(form: &mut Form, ctx: &egui::Context, language: Language, browsing: Browsing) -> Reply {
    let mut reply = Reply::None;
    let modal = theme::modal(ctx, "question");
    let shown = modal.show(ctx, |ui| {
        ui.set_width(480.0);
        reply = match form {
            Form::Path { wish, text, fresh } => path_ui(ui, language, wish, text, fresh, browsing),
            Form::NewProject(form) => new_project_ui(ui, language, form, browsing),
        };
    });
    if matches!(reply, Reply::None) && shown.should_close() {
        reply = Reply::Cancel;
    }
    reply
}

fn path_ui(ui: &mut Ui, language: Language, wish: &Wish, text: &mut String, fresh: &mut bool, browsing: Browsing) -> Reply {
    let t = |words| i18n::translate(language, words);
    ui.heading(title(wish, language));
    let name = ui.label(match wish {
        Wish::ExportModel { .. } | Wish::Setting { folder: true, .. } | Wish::RunFile { kind: RunFile::TensorBoard, .. } => {
            t("Path of the folder")
        }
        Wish::ExportAs { format, .. } if format.extension().is_none() => t("Path of the folder"),
        _ => t("Path of the file"),
    });
    let (field, browse) = path_row(ui, t("Browse…"), text, browsing, name.id);
    match browsing {
        Browsing::Now => ui.weak(t("The file window of the system is open; the path can also be typed here")),
        _ => ui.weak(t("You can also drop a file on the window")),
    };
    if browse {
        return Reply::Browse(wish.clone());
    }
    if std::mem::take(fresh) {
        field.request_focus();
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let word = match wish {
        Wish::ExportAs { .. } | Wish::ExportModel { .. } | Wish::RunFile { .. } => t("Export"),
        Wish::ImportList | Wish::LossList | Wish::ShareCopy(_) | Wish::CopyWhole { .. } => t("Save"),
        Wish::Setting { .. } => t("Choose"),
        _ => t("Open"),
    };
    let (yes, no) = buttons(ui, word, t("Cancel"), !text.trim().is_empty());
    match (yes || entered && !text.trim().is_empty(), no) {
        (true, _) => Reply::Path(wish.clone(), path_of(text)),
        (false, true) => Reply::Cancel,
        (false, false) => Reply::None,
    }
}

fn new_project_ui(ui: &mut Ui, language: Language, form: &mut NewProject, browsing: Browsing) -> Reply {
    let t = |words| i18n::translate(language, words);
    let mut reply = Reply::None;
    ui.heading(t("New project"));
    ui.add_space(4.0);
    let name = ui.label(t("Path of the file"));
    let mut left = false;
    let (field, browse) = path_row(ui, t("Browse…"), &mut form.path, browsing, name.id);
    left |= field.lost_focus();
    if browse {
        reply = Reply::Browse(Wish::NewProject);
    }
    ui.add_space(4.0);
    let name = ui.label(t("Classes, with commas between them: each review gets one"));
    let classes = ui.add(TextEdit::singleline(&mut form.classes).desired_width(f32::INFINITY)).labelled_by(name.id);
    left |= classes.lost_focus();
    if std::mem::take(&mut form.fresh) {
        classes.request_focus();
    }
    ui.horizontal_wrapped(|ui| {
        ui.weak(t("Templates"));
        for template in Template::ALL {
            if ui.button(t(template.words())).clicked() {
                let (classes, spans) = template.lists(language);
                let questions = template.questions(language);
                form.template = (!questions.is_empty()).then_some(template);
                if !classes.is_empty() {
                    form.classes = classes;
                }
                // A task that marks nothing leaves what was there to mark.
                if !spans.is_empty() {
                    form.spans = spans;
                }
            }
        }
    });
    more_ui(ui, language, form);
    ui.add_space(4.0);
    let name = ui.label(t("Span labels, with commas between them: places to mark in the text"));
    left |= ui.add(TextEdit::singleline(&mut form.spans).desired_width(f32::INFINITY)).labelled_by(name.id).lost_focus();
    ui.weak(t("Spans called “opinion” can be positive, negative or neutral"));
    let problem = form.problem();
    if let Some(words) = problem {
        ui.colored_label(theme::palette(ui).error, t(words));
    }
    let (yes, no) = buttons(ui, t("Create"), t("Cancel"), problem.is_none());
    let entered = left && problem.is_none() && ui.input(|input| input.key_pressed(Key::Enter));
    if yes || entered {
        let mut path = path_of(&form.path);
        if path.extension().is_none() {
            path.set_extension("gloss");
        }
        let questions = form.template.map(|template| template.questions(language)).unwrap_or_default();
        return Reply::NewProject { path, classes: names(&form.classes), spans: names(&form.spans), questions };
    }
    if no { Reply::Cancel } else { reply }
}

/// The questions that a template brings beside the classes, and the way to do without.
fn more_ui(ui: &mut Ui, language: Language, form: &mut NewProject) {
    let Some(template) = form.template else { return };
    let t = |words| i18n::translate(language, words);
    let kind = |kind| t(crate::ui::labels::question::kind_words(kind));
    let questions = template.questions(language);
    let words: Vec<String> = questions.iter().map(|question| format!("{} ({})", question.name, kind(question.kind))).collect();
    ui.horizontal_wrapped(|ui| {
        ui.label(i18n::fill(t("It also asks: {}"), &[&words.join(", ")]));
        if ui.button(t("Leave them out")).clicked() {
            form.template = None;
        }
    });
}

/// The field of a path and the button that opens the system's dialog; answers the field and whether that was clicked.
fn path_row(ui: &mut Ui, browse: &str, text: &mut String, browsing: Browsing, name: Id) -> (egui::Response, bool) {
    let row = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), theme::ROW_HEIGHT), row, |ui| {
        let clicked = browsing != Browsing::Never && ui.add_enabled(browsing == Browsing::Possible, egui::Button::new(browse)).clicked();
        (ui.add(TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(name), clicked)
    })
    .inner
}

/// The two buttons at the foot; answers (yes, no).
fn buttons(ui: &mut Ui, yes: &str, no: &str, enabled: bool) -> (bool, bool) {
    ui.add_space(8.0);
    let row = egui::Layout::right_to_left(egui::Align::Center);
    ui.with_layout(row, |ui| {
        let done = ui.add_enabled(enabled, theme::primary_button(ui, yes)).clicked();
        (done, ui.button(no).clicked())
    })
    .inner
}
