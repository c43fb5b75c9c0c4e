//! The left column: search, filters, order, and the list of documents.

use super::state_word;
use super::text::excerpt;
use crate::desk::Command;
use crate::project::{Annotation, ColumnValues, DocId, Filter, Layer, Order, Project, State, columns_of};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{GAP, palette};
use crate::ui::widgets::queue_list::{QueueRow, queue_list};
use eframe::egui::{self, Align, Id, Layout, RichText, TextEdit, Ui, vec2};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Seeds of the random order.
const SEED: u64 = 1;

/// State of the column.
#[derive(Default)]
pub(super) struct QueueColumn {
    search: String,
    /// What was last asked of the desk: another filter set elsewhere replaces the words in the field.
    sent: String,
    wants_focus: bool,
    shown: Option<(DocId, usize)>,
    /// Columns that came with imports, by file and number of documents: no edit changes them.
    columns: Option<(PathBuf, usize, BTreeMap<String, ColumnValues>)>,
}

impl QueueColumn {
    pub fn focus_search(&mut self) {
        self.wants_focus = true;
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
        self.search_ui(ui, cx);
        let all = project.tally(Layer::Outcome).documents;
        self.filters_ui(ui, cx, project, all);
        ui.horizontal(|ui| {
            let left = cx.desk.queue().len();
            let count = match () {
                () if cx.desk.is_searching() => cx.tf("{} so far…", &[&left]),
                () if left == all => cx.tf("{} documents", &[&all]),
                () => cx.tf("{} of {} documents", &[&left, &all]),
            };
            ui.label(RichText::new(count).color(palette(ui).weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| order_ui(ui, cx));
        });
        ui.spacing_mut().item_spacing.y = 0.0;
        self.list_ui(ui, cx, project);
    }

    fn search_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let filter = cx.desk.filter();
        if filter.search != self.sent {
            self.search.clone_from(&filter.search);
            self.sent.clone_from(&filter.search);
        }
        let id = Id::unique("search the documents");
        let mut changed = false;
        let response = ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let clear = if self.search.is_empty() { 0.0 } else { crate::ui::theme::ROW_HEIGHT + 4.0 };
            let field = TextEdit::singleline(&mut self.search)
                .id(id)
                .hint_text(cx.t("Search, or / and a pattern"))
                .desired_width(ui.available_width() - clear);
            let response = ui.add(field).accessible_name(cx.t("Search the documents"));
            if clear > 0.0 && icons::icon_button(ui, Icon::Close, cx.t("Clear the search"), true).clicked() {
                self.search.clear();
                changed = true;
            }
            response
        });
        let response = response.inner;
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        let problem = Filter::pattern_problem(&self.search);
        if let Some(reason) = &problem {
            let words = cx.tf("The pattern can't be read: {}", &[&reason_words(cx, reason)]);
            ui.add(egui::Label::new(RichText::new(words).small().color(palette(ui).error)).wrap());
        }
        // What was found before stays until the pattern can be read.
        if (changed || response.changed()) && problem.is_none() {
            self.sent.clone_from(&self.search);
            cx.send(Command::SetFilter(Filter { search: self.search.clone(), ..filter.clone() }));
        }
    }

    fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
        let desk = cx.desk;
        let ids = desk.queue().ids();
        let current = desk.current().filter(|doc| ids.get(desk.position()) == Some(doc)).map(|_| desk.position());
        let shown = desk.current().zip(current);
        let reveal = current.filter(|_| self.shown != shown);
        self.shown = shown;
        let question = project.schema().main_question();
        let nothing = Annotation::default();
        let row = |at: usize| {
            let document = project.document(*ids.get(at)?)?;
            let seen = document.said_in(desk.layer());
            let annotation = seen.unwrap_or(&nothing);
            let class = question.and_then(|(id, question)| question.classes.get(usize::from(annotation.class(id)?)));
            let state = cx.t(state_word(&annotation.state));
            Some(QueueRow {
                id: document.id.0,
                text: &document.text,
                state: annotation.state.clone(),
                flagged: annotation.flagged,
                class: class.map(|class| (class.name.as_str(), class.hue)),
                state_name: if annotation.flagged { format!("{state}, {}", cx.t("Flagged")) } else { state.to_owned() },
            })
        };
        if let Some(at) = queue_list(ui, ids.len(), current, reveal, row) {
            cx.send(Command::Open(ids[at]));
        }
    }
}

impl QueueColumn {
    /// A menu for each kind of filter; what is chosen stands below as chips to take away.
    fn filters_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, count: usize) {
        let mut filter = cx.desk.filter().clone();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(GAP * 0.5, GAP * 0.5);
            menus_ui(ui, cx, project, &mut filter);
            self.columns_ui(ui, cx, project, count, &mut filter);
            chips_ui(ui, cx, project, &mut filter);
        });
        if filter != *cx.desk.filter() {
            cx.send(Command::SetFilter(filter));
        }
    }

    /// A menu of the imported columns, each with its most frequent values.
    fn columns_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, project: &Project, count: usize, filter: &mut Filter) {
        const VALUES: usize = 30;
        let key = (cx.desk.path().unwrap_or_else(|| std::path::Path::new("")), count);
        if self.columns.as_ref().is_none_or(|(path, count, _)| (path.as_path(), *count) != key) {
            self.columns = Some((key.0.to_owned(), key.1, columns_of(project, VALUES)));
        }
        let Some((_, _, columns)) = self.columns.as_ref().filter(|(_, _, columns)| !columns.is_empty()) else { return };
        menu(ui, cx.t("Column"), |ui| {
            for (column, values) in columns {
                ui.menu_button(column, |ui| {
                    egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                        for (value, count) in values {
                            let held = filter.columns.get(column) == Some(value);
                            let words = if value.is_empty() { cx.t("(empty)").to_owned() } else { excerpt(value) };
                            if ui.selectable_label(held, format!("{words}  {count}")).accessible_name(words).clicked() {
                                filter.columns.insert(column.clone(), value.clone());
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
}

/// What is wrong with a pattern, in the window's language where we know the words.
fn reason_words(cx: &Cx<'_>, reason: &str) -> String {
    let known = match reason {
        "unclosed group" => cx.t("a bracket ( is not closed"),
        "unopened group" => cx.t("a bracket ) was never opened"),
        "unclosed character class" => cx.t("a bracket [ is not closed"),
        "repetition operator missing expression" => cx.t("nothing stands before *, + or ?"),
        "incomplete escape sequence, reached end of pattern prematurely" => cx.t("nothing stands after the backslash"),
        "the pattern is too large" => cx.t("it is too large"),
        other if other.starts_with("look-around") => cx.t("looking ahead or behind is not possible"),
        other if other.starts_with("backreferences") => cx.t("referring back to a group is not possible"),
        other => other,
    };
    known.to_owned()
}

fn menus_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, filter: &mut Filter) {
    let schema = project.schema();
    menu(ui, cx.t("State"), |ui| {
        for state in [State::Todo, State::Done, State::Skipped] {
            if ui.selectable_label(filter.state.as_ref() == Some(&state), cx.t(state_word(&state))).clicked() {
                filter.state = Some(state);
            }
        }
        if ui.selectable_label(filter.flagged, cx.t("Flagged")).clicked() {
            filter.flagged = true;
        }
        if ui.selectable_label(filter.commented, cx.t("Open comments")).clicked() {
            filter.commented = true;
        }
        // While one labels for oneself, where others differ is not to be seen.
        let settles = cx.desk.layer() == Layer::Outcome && project.annotators().len() > 1;
        if settles && ui.selectable_label(filter.disputed, cx.t("Annotators differ")).clicked() {
            filter.disputed = true;
        }
    });
    if let Some((id, question)) = schema.main_question() {
        menu(ui, cx.t("Class"), |ui| {
            for (class, at) in question.classes.iter().zip(0u16..) {
                if ui.selectable_label(filter.class == Some((id, Some(at))), class.name.as_str()).clicked() {
                    filter.class = Some((id, Some(at)));
                }
            }
            if ui.selectable_label(filter.class == Some((id, None)), cx.t("No class yet")).clicked() {
                filter.class = Some((id, None));
            }
        });
    }
    if !schema.span_labels.is_empty() {
        menu(ui, cx.t("Span"), |ui| {
            for (label, at) in schema.span_labels.iter().zip(0u16..) {
                if ui.selectable_label(filter.span_label == Some(at), label.name.as_str()).clicked() {
                    filter.span_label = Some(at);
                }
            }
        });
    }
}

fn chips_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, filter: &mut Filter) {
    let schema = project.schema();
    if let Some(state) = &filter.state
        && chip(ui, cx, cx.t(state_word(state)))
    {
        filter.state = None;
    }
    if filter.flagged && chip(ui, cx, cx.t("Flagged")) {
        filter.flagged = false;
    }
    if filter.commented && chip(ui, cx, cx.t("Open comments")) {
        filter.commented = false;
    }
    if filter.disputed && chip(ui, cx, cx.t("Annotators differ")) {
        filter.disputed = false;
    }
    if let Some((question, class)) = filter.class {
        let class = class.and_then(|class| schema.question(question)?.classes.get(usize::from(class)));
        if chip(ui, cx, class.map_or(cx.t("No class yet"), |class| class.name.as_str())) {
            filter.class = None;
        }
    }
    if let Some(label) = filter.span_label.and_then(|label| schema.span_labels.get(usize::from(label)))
        && chip(ui, cx, &label.name)
    {
        filter.span_label = None;
    }
    filter.columns.retain(|column, value| !chip(ui, cx, &format!("{column} = {}", excerpt(value))));
    if filter.only.is_some() && chip(ui, cx, cx.t("A selection of documents")) {
        filter.only = None;
    }
}

fn menu(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    let button = ui.menu_button(format!("{name}     "), |ui| {
        ui.set_min_width(140.0);
        content(ui);
    });
    chevron(ui, &button.response.accessible_name(name));
}

/// The sign of a menu, at the end of its button.
fn chevron(ui: &Ui, button: &egui::Response) {
    let at = button.rect.right_center() - vec2(14.0, 0.0);
    icons::paint(ui.painter(), egui::Rect::from_center_size(at, vec2(11.0, 11.0)), Icon::Down, palette(ui).weak);
}

/// A filter in force; answers whether it was clicked away.
fn chip(ui: &mut Ui, cx: &Cx<'_>, name: &str) -> bool {
    let colours = palette(ui);
    let text = RichText::new(format!("{name}  ×")).color(colours.accent);
    let button = egui::Button::new(text).fill(colours.accent_ground()).corner_radius(14.0).stroke(egui::Stroke::NONE);
    ui.add(button).accessible_name(cx.tf("Remove the filter {}", &[&name])).clicked()
}

fn order_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let held = cx.desk.order();
    let word = |order: Order| match order {
        Order::Arrival => "As imported",
        Order::Random(_) => "Random",
        Order::Shortest => "Shortest first",
        Order::Longest => "Longest first",
    };
    let name = cx.t(word(held));
    let button = ui.menu_button(format!("{name}     "), |ui| {
        for order in [Order::Arrival, Order::Random(SEED), Order::Shortest, Order::Longest] {
            if ui.selectable_label(held == order, cx.t(word(order))).clicked() {
                cx.send(Command::SetOrder(order));
            }
        }
    });
    let button = button.response.accessible_name(name);
    chevron(ui, &button);
    button.on_hover_text(cx.t("Order of the documents"));
}
