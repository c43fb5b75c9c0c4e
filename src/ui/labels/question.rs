//! The head of a question in the window of labels: its name, what answers it, its range, its place; and new questions.

use super::row::problem_ui;
use crate::desk::Command;
use crate::project::{Kind, Number, Project, Question, QuestionId, Scale, SchemaChange, SchemaError};
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{ROW_HEIGHT, palette};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Align, Key, Layout, RichText, TextEdit, Ui, vec2};
use std::collections::BTreeMap;

const NAME: f32 = 204.0;
const KIND: f32 = 150.0;
const BOUND: f32 = 56.0;

/// A field of a question that is typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Name,
    Min,
    Max,
    Step,
    Help,
}

/// What is wrong with a typed field.
#[derive(Clone, Debug)]
enum Problem {
    Schema(SchemaError),
    /// No number, or the three together are no range.
    Range,
}

/// What stands in fields that were typed in and are not entered yet, and the question being made.
#[derive(Default)]
pub(super) struct QuestionDrafts {
    typed: BTreeMap<(QuestionId, Field), (String, Option<Problem>)>,
    fresh: String,
    fresh_kind: Kind,
    problem: Option<SchemaError>,
}

impl QuestionDrafts {
    /// Places have changed: what is being typed belongs to other questions now.
    pub fn clear(&mut self) {
        self.typed.clear();
    }

    /// Enters everything that can be.
    pub fn send_all(&mut self, cx: &mut Cx<'_>, project: &Project) {
        for ((id, field), (text, _)) in std::mem::take(&mut self.typed) {
            let change = project.schema().question(id).and_then(|question| change_of(id, question, field, &text).ok());
            let safe = |change: &SchemaChange| project.plan(change).is_ok_and(|plan| !plan.changes_answers());
            change.filter(safe).into_iter().for_each(|change| cx.send(Command::ChangeSchema(Box::new(change))));
        }
    }
}

/// The words for a kind of question.
pub(in crate::ui) fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::One => "One class",
        Kind::Several => "Several labels",
        Kind::Number(_) => "A number",
        Kind::Text => "Free text",
    }
}

const KINDS: [Kind; 3] = [Kind::One, Kind::Several, Kind::Text];

fn kinds() -> impl Iterator<Item = Kind> {
    let [one, several, text] = KINDS;
    [one, several, Kind::Number(Scale::default()), text].into_iter()
}

fn is_same_kind(a: Kind, b: Kind) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

/// What a typed text asks for.
fn change_of(id: QuestionId, question: &Question, field: Field, text: &str) -> Result<SchemaChange, Problem> {
    if field == Field::Name {
        return Ok(SchemaChange::RenameQuestion { question: id, to: text.trim().to_owned() });
    }
    if field == Field::Help {
        return Ok(SchemaChange::SetQuestionHelp { question: id, to: text.trim().to_owned() });
    }
    let (Kind::Number(scale), Some(number)) = (question.kind, Number::parse(text)) else { return Err(Problem::Range) };
    let scale = match field {
        Field::Min => Scale::new(number, scale.max, scale.step),
        Field::Max => Scale::new(scale.min, number, scale.step),
        _ => Scale::new(scale.min, scale.max, number),
    };
    Ok(SchemaChange::SetKind { question: id, to: Kind::Number(scale.ok_or(Problem::Range)?) })
}

/// Draws the head of a question; answers with a change that may have to be asked about.
pub(super) fn head_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    project: &Project,
    drafts: &mut QuestionDrafts,
    id: QuestionId,
    answered: usize,
) -> Option<SchemaChange> {
    let schema = project.schema();
    let question = schema.question(id)?;
    let mut asked = None;
    ui.horizontal(|ui| {
        asked = field_ui(ui, cx, project, drafts, (id, question, Field::Name), NAME);
        let words = cx.tf("Answers to {}", &[&question.name]);
        asked = kind_menu(ui, cx, question.kind, &words).map(|to| SchemaChange::SetKind { question: id, to }).or(asked.take());
        if matches!(question.kind, Kind::Number(_)) {
            for (words, field) in [("from", Field::Min), ("to", Field::Max), ("in steps of", Field::Step)] {
                ui.label(RichText::new(cx.t(words)).color(palette(ui).weak));
                asked = field_ui(ui, cx, project, drafts, (id, question, field), BOUND).or(asked.take());
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let name = &question.name;
            let (at, last) = (id.0, schema.questions.len() as u16 - 1);
            if icons::icon_button(ui, Icon::Delete, &cx.tf("Delete the question {}", &[name]), true).clicked() {
                asked = Some(SchemaChange::DeleteQuestion { question: id });
            }
            if icons::icon_button(ui, Icon::Down, &cx.tf("Move the question {} down", &[name]), at < last).clicked() {
                asked = Some(SchemaChange::MoveQuestion { question: id, to: at + 1 });
            }
            if icons::icon_button(ui, Icon::Up, &cx.tf("Move the question {} up", &[name]), at > 0).clicked() {
                asked = Some(SchemaChange::MoveQuestion { question: id, to: at - 1 });
            }
            ui.label(RichText::new(cx.tf("{} answered", &[&answered])).small().color(palette(ui).weak));
        });
    });
    let rest = ui.available_width();
    asked = field_ui(ui, cx, project, drafts, (id, question, Field::Help), rest).or(asked.take());
    for field in [Field::Name, Field::Min, Field::Max, Field::Step] {
        match drafts.typed.get(&(id, field)) {
            Some((_, Some(Problem::Schema(error)))) => problem_ui(ui, cx, error),
            Some((_, Some(Problem::Range))) => {
                ui.colored_label(palette(ui).error, cx.t("The range must go up, in steps that fit into it"));
            }
            _ => {}
        }
    }
    asked
}

/// The menu of kinds; answers with another one that was chosen.
fn kind_menu(ui: &mut Ui, cx: &Cx<'_>, held: Kind, words: &str) -> Option<Kind> {
    let mut chosen = None;
    let button = egui::Button::new(format!("{}     ", cx.t(kind_words(held)))).min_size(vec2(KIND, ROW_HEIGHT));
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        for kind in kinds() {
            if ui.selectable_label(is_same_kind(held, kind), cx.t(kind_words(kind))).clicked() {
                chosen = (!is_same_kind(held, kind)).then_some(kind);
                ui.close();
            }
        }
    });
    let sign = egui::Rect::from_center_size(response.rect.right_center() - vec2(14.0, 0.0), vec2(11.0, 11.0));
    icons::paint(ui.painter(), sign, Icon::Down, palette(ui).weak);
    response.accessible_name(words);
    chosen
}

/// A field over what the schema says; entered when one leaves it. A range that leaves answers outside is asked about.
fn field_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    project: &Project,
    drafts: &mut QuestionDrafts,
    (id, question, field): (QuestionId, &Question, Field),
    width: f32,
) -> Option<SchemaChange> {
    let bound = |of: fn(Scale) -> Number| match question.kind {
        Kind::Number(scale) => of(scale).to_string(),
        _ => String::new(),
    };
    let name = &question.name;
    let mut hint = "";
    let (held, words) = match field {
        Field::Help => {
            hint = cx.t("What is asked, and how doubtful cases are decided");
            (project.schema().question_help(id).to_owned(), cx.tf("Help for the question {}", &[name]))
        }
        Field::Name => (name.clone(), cx.tf("Name of the question {}", &[name])),
        Field::Min => (bound(|scale| scale.min), cx.tf("Lowest number of {}", &[name])),
        Field::Max => (bound(|scale| scale.max), cx.tf("Highest number of {}", &[name])),
        Field::Step => (bound(|scale| scale.step), cx.tf("Step of {}", &[name])),
    };
    let place = (id, field);
    let mut text = drafts.typed.get(&place).map_or_else(|| held.clone(), |(text, _)| text.clone());
    let edit = TextEdit::singleline(&mut text).hint_text(hint).desired_width(width - 8.0).align(egui::Align2::LEFT_CENTER);
    let response = ui.add_sized(vec2(width, ROW_HEIGHT), edit).accessible_name(words);
    if response.changed() {
        drafts.typed.insert(place, (text.clone(), None));
    }
    if !response.lost_focus() || !drafts.typed.contains_key(&place) {
        return None;
    }
    let change = change_of(id, question, field, &text);
    match change.and_then(|change| project.plan(&change).map(|_| change).map_err(Problem::Schema)) {
        Ok(change) => {
            drafts.typed.remove(&place);
            (text.trim() != held).then_some(change)
        }
        Err(problem) => {
            drafts.typed.insert(place, (text, Some(problem)));
            None
        }
    }
}

/// The field for a new question.
pub(super) fn fresh_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, drafts: &mut QuestionDrafts) {
    let added = ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut drafts.fresh).hint_text(cx.t("New question")).align(egui::Align2::LEFT_CENTER);
        let field = ui.add_sized(vec2(NAME, ROW_HEIGHT), field).accessible_name(cx.t("New question"));
        if field.changed() {
            drafts.problem = None;
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if let Some(kind) = kind_menu(ui, cx, drafts.fresh_kind, cx.t("Answers to the new question")) {
            drafts.fresh_kind = kind;
        }
        let some = !drafts.fresh.trim().is_empty();
        let add = ui.add_enabled(some, egui::Button::new(cx.t("Add"))).accessible_name(cx.t("Add the question"));
        (entered || add.clicked()) && some
    });
    if added.inner {
        let change = SchemaChange::AddQuestion { name: drafts.fresh.clone(), kind: drafts.fresh_kind };
        match project.plan(&change) {
            Ok(_) => {
                cx.send(Command::ChangeSchema(Box::new(change)));
                drafts.fresh.clear();
            }
            Err(error) => drafts.problem = Some(error),
        }
    }
    if let Some(error) = &drafts.problem {
        problem_ui(ui, cx, error);
    }
}

/// A title with a weak line beside it.
pub(super) fn title_ui(ui: &mut Ui, cx: &Cx<'_>, title: &'static str, hint: &'static str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(cx.t(title)).strong());
        ui.label(RichText::new(cx.t(hint)).color(theme::palette(ui).weak));
    });
}
