//! The filters of the list: menus to add them from, chips that turn round or go, and the views that keep them.

use super::state_word;
use super::text::excerpt;
use super::within;
use crate::desk::Command;
use crate::project::{
    Advice, AnnotatorId, AttributeKind, ColumnCounts, ColumnValues, Condition, Filter, Kind, LabelId, Layer, Number, Order, Project,
    SchemaChange, Script, State, View, What,
};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{GAP, ROW_HEIGHT, palette};
use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{self, Key, PopupCloseBehavior, RichText, TextEdit, Ui, vec2};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Characters, from and to, that the menu offers.
const LENGTHS: [(usize, Option<usize>); 4] = [(0, Some(20)), (21, Some(100)), (101, Some(500)), (501, None)];

/// Values that are offered of a column.
const VALUES: usize = 30;

/// What is costly to gather, and what is being typed.
#[derive(Default)]
pub(super) struct Filters {
    /// Columns that came with imports, by file and number of documents: no edit changes them.
    columns: Option<(PathBuf, usize, BTreeMap<String, ColumnValues>)>,
    /// The same while they are counted, and how many documents were.
    counting: Option<(PathBuf, usize, ColumnCounts, usize)>,
    view_name: String,
}

impl Filters {
    /// A menu for each kind of filter; what is chosen stands below as chips.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, count: usize) {
        let mut filter = cx.desk.filter().clone();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(GAP * 0.5, GAP * 0.5);
            menus_ui(ui, cx, project, &mut filter);
            text_menu(ui, cx, &mut filter);
            self.columns_ui(ui, cx, project, count, &mut filter);
            model_menu(ui, cx, project, &mut filter);
            self.views_ui(ui, cx, project);
            chips_ui(ui, cx, project, &mut filter);
        });
        if filter != *cx.desk.filter() {
            cx.send(Command::SetFilter(filter));
        }
    }

    /// Counts the next documents' columns, a few thousand in a frame.
    fn count_columns(&mut self, ui: &Ui, cx: &Cx<'_>, project: &Project, count: usize) {
        const PIECE: usize = 8_192;
        let path = cx.desk.path().unwrap_or_else(|| std::path::Path::new(""));
        if self.columns.as_ref().is_some_and(|(of, held, _)| of == path && *held == count) {
            return;
        }
        let under_way = self.counting.take().filter(|(of, held, ..)| of == path && *held == count);
        let (of, held, mut counts, at) = under_way.unwrap_or_else(|| (path.to_owned(), count, ColumnCounts::default(), 0));
        let documents = project.all_documents();
        let until = documents.len().min(at + PIECE);
        documents[at.min(until)..until].iter().filter(|doc| doc.present).for_each(|doc| counts.take(doc));
        if until == documents.len() {
            self.columns = Some((of, held, counts.ranked(VALUES)));
        } else {
            self.counting = Some((of, held, counts, until));
            ui.ctx().request_repaint();
        }
    }

    /// A menu of the imported columns, each with its most frequent values.
    fn columns_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, project: &Project, count: usize, filter: &mut Filter) {
        self.count_columns(ui, cx, project, count);
        let Some((_, _, columns)) = self.columns.as_ref().filter(|(_, _, columns)| !columns.is_empty()) else { return };
        menu(ui, cx.t("Column"), |ui| {
            for (column, values) in columns {
                ui.menu_button(column, |ui| {
                    if values.iter().any(|(value, _)| Number::parse(value).is_some())
                        && let Some(bounds) = within::menu(ui, cx, &cx.tf("{} as a number", &[column]))
                    {
                        filter.add(What::ColumnNumber(column.clone(), bounds));
                    }
                    egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                        for (value, count) in values {
                            let what = What::Column(column.clone(), value.clone());
                            let words = if value.is_empty() { cx.t("(empty)").to_owned() } else { excerpt(value) };
                            if ui.selectable_label(filter.has(&what), format!("{words}  {count}")).accessible_name(words).clicked() {
                                filter.add(what);
                            }
                        }
                        if values.len() == VALUES {
                            ui.weak(cx.tf("The {} most frequent ones", &[&VALUES]));
                        }
                    });
                });
            }
        });
    }

    /// The views that are kept; a field to keep this one under a name.
    fn views_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
        let views = &project.schema().views;
        let can_keep =
            !cx.desk.filter().search.is_empty() || !cx.desk.filter().conditions.is_empty() || cx.desk.order() != Order::default();
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let name = cx.t("Views");
        let (button, _) = MenuButton::new(format!("{name}     ")).config(config).ui(ui, |ui| {
            ui.set_min_width(220.0);
            for view in views {
                ui.horizontal(|ui| {
                    let is_held = cx.desk.filter() == &view.filter && cx.desk.order() == view.order;
                    if ui.selectable_label(is_held, &view.name).clicked() {
                        cx.send(Command::SetFilter(view.filter.clone()));
                        cx.send(Command::SetOrder(view.order));
                        ui.close();
                    }
                    if icons::icon_button(ui, Icon::Delete, &cx.tf("Delete the view {}", &[&view.name]), true).clicked() {
                        cx.send(Command::ChangeSchema(Box::new(SchemaChange::DeleteView { name: view.name.clone() })));
                    }
                });
            }
            if views.is_empty() {
                ui.label(RichText::new(cx.t("A view keeps filters, search and order under a name")).color(palette(ui).weak));
            }
            ui.separator();
            ui.horizontal(|ui| {
                let field = TextEdit::singleline(&mut self.view_name).hint_text(cx.t("Name of the view")).desired_width(140.0);
                let field = ui.add_enabled(can_keep, field).accessible_name(cx.t("Name of the view"));
                let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                let can = can_keep && !self.view_name.trim().is_empty();
                if (ui.add_enabled(can, egui::Button::new(cx.t("Keep this view"))).clicked() || entered) && can {
                    let (filter, order) = (cx.desk.filter().clone(), cx.desk.order());
                    let view = Box::new(View { name: std::mem::take(&mut self.view_name), filter, order });
                    cx.send(Command::ChangeSchema(Box::new(SchemaChange::SaveView { view })));
                    ui.close();
                }
            });
        });
        chevron(ui, &button.accessible_name(name));
    }
}

/// A line of a menu; a click adds the condition.
fn offer(ui: &mut Ui, filter: &mut Filter, words: &str, what: What) {
    if ui.selectable_label(filter.has(&what), words).clicked() {
        filter.add(what);
    }
}

fn menus_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, filter: &mut Filter) {
    let schema = project.schema();
    menu(ui, cx.t("State"), |ui| {
        for state in [State::Todo, State::Done, State::Skipped] {
            offer(ui, filter, cx.t(state_word(&state)), What::State(state));
        }
        offer(ui, filter, cx.t("Flagged"), What::Flagged);
        offer(ui, filter, cx.t("Open comments"), What::Commented);
        // While one labels for oneself, where others differ is not to be seen.
        if cx.desk.layer() == Layer::Outcome && project.annotators().len() > 1 {
            offer(ui, filter, cx.t("Annotators differ"), What::Disputed);
        }
    });
    if cx.desk.layer() == Layer::Outcome && !project.annotators().is_empty() {
        menu(ui, cx.t("Annotator"), |ui| {
            for (name, at) in project.annotators().iter().zip(0u16..) {
                offer(ui, filter, name, What::By(AnnotatorId(at)));
            }
        });
    }
    for (id, question) in schema.questions() {
        // One question is called what everybody calls it.
        let is_only = schema.questions.len() == 1;
        let name = if is_only { cx.t("Class") } else { question.name.as_str() };
        menu(ui, name, |ui| {
            for (class, at) in question.classes.iter().zip(0u16..) {
                offer(ui, filter, &class.name, What::Class(id, Some(at)));
            }
            if let Kind::Number(_) = question.kind
                && let Some(bounds) = within::menu(ui, cx, cx.t("Numbers within"))
            {
                filter.add(What::Number(id, bounds));
            }
            let none = if is_only { cx.t("No class yet") } else { cx.t("No answer yet") };
            offer(ui, filter, none, What::Class(id, None));
        });
    }
    if !schema.span_labels.is_empty() {
        menu(ui, cx.t("Span"), |ui| {
            for (label, at) in schema.span_labels.iter().zip(0u16..) {
                offer(ui, filter, &label.name, What::Span(at));
                for (attribute, place) in schema.attributes(at).iter().zip(0u16..) {
                    if let AttributeKind::Number(_) = attribute.kind {
                        if let Some(bounds) = within::menu(ui, cx, &format!("{} · {}", label.name, attribute.name)) {
                            filter.add(What::AttributeNumber(at, place, bounds));
                        }
                        continue;
                    }
                    if attribute.values().is_empty() {
                        continue;
                    }
                    ui.menu_button(format!("{} · {}", label.name, attribute.name), |ui| {
                        for (value, number) in attribute.values().iter().zip(0u16..) {
                            offer(ui, filter, value, What::Attribute(at, place, number));
                        }
                    });
                }
            }
        });
    }
}

/// By length and by what a text is written in.
fn text_menu(ui: &mut Ui, cx: &Cx<'_>, filter: &mut Filter) {
    menu(ui, cx.t("Text"), |ui| {
        for script in Script::ALL {
            offer(ui, filter, cx.t(script_words(script)), What::Script(script));
        }
        ui.separator();
        for (from, to) in LENGTHS {
            offer(ui, filter, &length_words(cx, from, to), What::Length(from, to));
        }
    });
}

/// By what the model says, once there is one.
fn model_menu(ui: &mut Ui, cx: &Cx<'_>, project: &Project, filter: &mut Filter) {
    if cx.desk.looked_at().is_none() {
        return;
    }
    menu(ui, cx.t("Model"), |ui| {
        offer(ui, filter, cx.t("The model disagrees"), What::Disagrees);
        offer(ui, filter, cx.t("Suspected label errors"), What::Suspected);
        if !project.schema().span_labels.is_empty() {
            offer(ui, filter, cx.t("Suspected span errors"), What::SuspectedSpan);
        }
        offer(ui, filter, &informative_words(cx), What::Informative);
        ui.separator();
        let question = project.schema().main_question().map(|(_, question)| question);
        for (class, at) in question.into_iter().flat_map(|question| &question.classes).zip(0u16..) {
            offer(ui, filter, &cx.tf("The model says {}", &[&class.name]), What::Guess(at));
        }
    });
}

fn informative_words(cx: &Cx<'_>) -> String {
    cx.tf("The {} most informative", &[&Advice::MOST])
}

fn script_words(script: Script) -> &'static str {
    match script {
        Script::Chinese => "Chinese",
        Script::Latin => "Latin letters",
        Script::Mixed => "Chinese and Latin mixed",
        Script::Other => "Neither",
    }
}

fn length_words(cx: &Cx<'_>, from: usize, to: Option<usize>) -> String {
    match (from, to) {
        (0, Some(to)) => cx.tf("At most {} characters", &[&to]),
        (from, Some(to)) => cx.tf("{} to {} characters", &[&from, &to]),
        (from, None) => cx.tf("{} characters or more", &[&from]),
    }
}

/// What a condition says; `None` when its label is gone.
fn condition_words(cx: &Cx<'_>, project: &Project, what: &What) -> Option<String> {
    let schema = project.schema();
    let main = schema.main_question().map(|(id, _)| id);
    Some(match what {
        What::State(state) => cx.t(state_word(state)).to_owned(),
        What::Flagged => cx.t("Flagged").to_owned(),
        What::Class(id, Some(class)) => {
            let class = schema.name(LabelId::Class(*id, *class))?;
            if schema.questions.len() == 1 { class.to_owned() } else { format!("{} = {class}", schema.question(*id)?.name) }
        }
        What::Class(_, None) if schema.questions.len() == 1 => cx.t("No class yet").to_owned(),
        What::Class(id, None) => format!("{}: {}", schema.question(*id)?.name, cx.t("No answer yet")),
        What::Span(label) => schema.name(LabelId::Span(*label))?.to_owned(),
        What::Attribute(label, at, value) => {
            let asked = schema.attributes(*label).get(usize::from(*at))?;
            format!("{} · {} = {}", schema.name(LabelId::Span(*label))?, asked.name, asked.values().get(usize::from(*value))?)
        }
        What::Number(id, bounds) => format!("{} {}", schema.question(*id)?.name, within::words(cx, *bounds)),
        What::AttributeNumber(label, at, bounds) => {
            let asked = schema.attributes(*label).get(usize::from(*at))?;
            format!("{} · {} {}", schema.name(LabelId::Span(*label))?, asked.name, within::words(cx, *bounds))
        }
        What::ColumnNumber(column, bounds) => format!("{column} {}", within::words(cx, *bounds)),
        What::Column(column, value) => format!("{column} = {}", excerpt(value)),
        What::Length(from, to) => length_words(cx, *from, *to),
        What::Script(script) => cx.t(script_words(*script)).to_owned(),
        What::Guess(class) => cx.tf("The model says {}", &[&schema.name(LabelId::Class(main?, *class))?]),
        What::Disagrees => cx.t("The model disagrees").to_owned(),
        What::Suspected => cx.t("Suspected label errors").to_owned(),
        What::SuspectedSpan => cx.t("Suspected span errors").to_owned(),
        What::Informative => informative_words(cx),
        What::Disputed => cx.t("Annotators differ").to_owned(),
        What::By(annotator) => cx.tf("Labelled by {}", &[project.annotators().get(usize::from(annotator.0))?]),
        What::Commented => cx.t("Open comments").to_owned(),
    })
}

fn chips_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, filter: &mut Filter) {
    if filter.conditions.len() > 1 {
        let words = cx.t(if filter.any { "Any of these" } else { "All of these" });
        let button = ui.add(egui::Button::new(RichText::new(words).color(palette(ui).weak)));
        if button.on_hover_text(cx.t("Whether one filter is enough or all must hold")).clicked() {
            filter.any = !filter.any;
        }
    }
    let conditions = std::mem::take(&mut filter.conditions);
    filter.conditions = conditions
        .into_iter()
        .filter_map(|condition| {
            let words = condition_words(cx, project, &condition.what)?;
            chip(ui, cx, condition, &words)
        })
        .collect();
    if filter.only.is_some() && plain_chip(ui, cx, cx.t("A selection of documents")) {
        filter.only = None;
    }
}

/// A condition in force: a click turns it round, the cross takes it away. Answers with what is left of it.
fn chip(ui: &mut Ui, cx: &Cx<'_>, mut condition: Condition, name: &str) -> Option<Condition> {
    let colours = palette(ui);
    let mut kept = true;
    egui::Frame::new().fill(colours.accent_ground()).corner_radius(14.0).show(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = 8.0;
        let words = if condition.not { cx.tf("not {}", &[&name]) } else { name.to_owned() };
        let ink = if condition.not { colours.warning } else { colours.accent };
        let turn = egui::Button::new(RichText::new(words).color(ink)).frame_when_inactive(false).corner_radius(14.0);
        let turn_words = cx.tf("Turn the filter {} round", &[&name]);
        if ui.add(turn).accessible_name(&turn_words).on_hover_text(turn_words).clicked() {
            condition.not = !condition.not;
        }
        let cross = egui::Button::new(RichText::new("×").color(ink)).frame_when_inactive(false).corner_radius(14.0);
        kept = !ui.add(cross).accessible_name(cx.tf("Remove the filter {}", &[&name])).clicked();
    });
    kept.then_some(condition)
}

/// A filter that can only be taken away; answers whether it was.
fn plain_chip(ui: &mut Ui, cx: &Cx<'_>, name: &str) -> bool {
    let colours = palette(ui);
    let text = RichText::new(format!("{name}  ×")).color(colours.accent);
    let button = egui::Button::new(text).fill(colours.accent_ground()).corner_radius(14.0).stroke(egui::Stroke::NONE);
    ui.add(button.min_size(vec2(0.0, ROW_HEIGHT - 4.0))).accessible_name(cx.tf("Remove the filter {}", &[&name])).clicked()
}

fn menu(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    let button = ui.menu_button(format!("{name}     "), |ui| {
        ui.set_min_width(140.0);
        content(ui);
    });
    chevron(ui, &button.response.accessible_name(name));
}

/// The sign of a menu, at the end of its button.
pub(super) fn chevron(ui: &Ui, button: &egui::Response) {
    let at = button.rect.right_center() - vec2(14.0, 0.0);
    icons::paint(ui.painter(), egui::Rect::from_center_size(at, vec2(11.0, 11.0)), Icon::Down, palette(ui).weak);
}
