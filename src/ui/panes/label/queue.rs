//! The left column: search, filters, order, and the list of documents.

use super::filters::{Filters, chevron};
use super::state_word;
use crate::desk::Command;
use crate::project::{Annotation, DocId, Filter, Layer, Order, Project, What};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::keys::{self, Action};
use crate::ui::theme::palette;
use crate::ui::widgets::queue_list::{QueueRow, RowGuess, queue_list};
use eframe::egui::containers::menu::MenuButton;
use eframe::egui::{self, Align, Id, Layout, RichText, TextEdit, Ui};

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
    /// The order that the list was last drawn in.
    order: Option<Order>,
    filters: Filters,
}

impl QueueColumn {
    pub fn focus_search(&mut self) {
        self.wants_focus = true;
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
        self.search_ui(ui, cx);
        let all = project.tally(Layer::Outcome).documents;
        self.filters.ui(ui, cx, project, all);
        let mut fits = true;
        ui.horizontal(|ui| {
            let left = cx.desk.queue().len();
            let count = match () {
                () if cx.desk.is_searching() => cx.tf("{} so far…", &[&left]),
                () if left == all => cx.tf("{} documents", &[&all]),
                () => cx.tf("{} of {} documents", &[&left, &all]),
            };
            // Long words take a line of their own.
            let order = cx.t(order_word(cx.desk.order())).to_owned();
            fits = words_width(ui, &count) + words_width(ui, &order) <= ui.available_width();
            list_menu(ui, cx, &count);
            if fits {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| order_ui(ui, cx));
            }
        });
        if !fits {
            ui.horizontal(|ui| order_ui(ui, cx));
        }
        looked_at_ui(ui, cx, all);
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

    /// Where to scroll: to a document just opened, and to the first one when another order was chosen.
    fn reveal(&mut self, shown: Option<(DocId, usize)>, order: Order) -> Option<usize> {
        let before = std::mem::replace(&mut self.shown, shown);
        if self.order.replace(order).is_some_and(|held| held != order) {
            return Some(0);
        }
        // Ranks of a model come late and change: the list does not run after a document that only changed its place.
        let stays = order.needs_model() && before.map(|(doc, _)| doc) == shown.map(|(doc, _)| doc);
        shown.filter(|_| before != shown && !stays).map(|(_, at)| at)
    }

    fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
        let desk = cx.desk;
        let ids = desk.queue().ids();
        let current = desk.current().filter(|doc| ids.get(desk.position()) == Some(doc)).map(|_| desk.position());
        let shown = desk.current().zip(current);
        let reveal = self.reveal(shown, desk.order());
        let question = project.schema().main_question();
        let nothing = Annotation::default();
        let row = |at: usize| {
            let document = project.document(*ids.get(at)?)?;
            let seen = document.said_in(desk.layer());
            let annotation = seen.unwrap_or(&nothing);
            let class = question.and_then(|(id, question)| question.classes.get(usize::from(annotation.class(id)?)));
            let state = cx.t(state_word(&annotation.state));
            let guess = desk.guess(document.id).and_then(|guess| {
                let (id, question) = question?;
                let class = question.classes.get(usize::from(guess.class))?;
                let agrees = annotation.class(id).map(|held| held == guess.class);
                Some(RowGuess { name: &class.name, hue: class.hue, percent: (guess.probability * 100.0).round() as u8, agrees })
            });
            Some(QueueRow {
                id: document.id.0,
                text: &document.text,
                state: annotation.state.clone(),
                flagged: annotation.flagged,
                class: class.map(|class| (class.name.as_str(), class.hue)),
                guess,
                state_name: if annotation.flagged { format!("{state}, {}", cx.t("Flagged")) } else { state.to_owned() },
            })
        };
        if let Some(at) = queue_list(ui, ids.len(), current, reveal, row) {
            cx.send(Command::Open(ids[at]));
        }
    }
}

/// How many documents there are; what can be done with all of them.
fn list_menu(ui: &mut Ui, cx: &Cx<'_>, count: &str) {
    let words = RichText::new(format!("{count}     ")).color(palette(ui).weak);
    let menu = MenuButton::from_button(egui::Button::new(words).frame_when_inactive(false));
    let (button, _) = menu.ui(ui, |ui| {
        for action in [Action::ClassOfQueue, Action::GoTo, Action::NextTodo, Action::ShowAll] {
            let Some(row) = keys::row_of(action) else { continue };
            let entry = egui::Button::new(cx.t(row.words)).shortcut_text(row.key_name()).frame_when_inactive(false);
            if ui.add(entry).accessible_name(cx.t(row.words)).clicked() {
                keys::wish(ui, action);
                ui.close(); // a screen reader's click is no click of the pointer, which would close it
            }
        }
    });
    let button = button.accessible_name(count);
    chevron(ui, &button);
    button.on_hover_text(cx.t("All documents in the list"));
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

/// How far the model is, while the list waits for what it says about many documents; what stands behind suspicions.
fn looked_at_ui(ui: &mut Ui, cx: &Cx<'_>, all: usize) {
    let (order, filter) = (cx.desk.order(), cx.desk.filter());
    let [mut informative, mut suspects] = filter.needs_advice();
    informative |= order == Order::MostInformative;
    suspects |= matches!(order, Order::SuspectedErrors | Order::SuspectedSpans);
    let of_spans = order == Order::SuspectedSpans || filter.has(&What::SuspectedSpan);
    let waits = order == Order::LeastCertain || filter.needs_guesses();
    let say = |ui: &mut Ui, words: String| {
        ui.add(egui::Label::new(RichText::new(words).small().color(palette(ui).weak)).wrap());
    };
    let Some(count) = cx.desk.looked_at() else {
        if waits || informative || suspects {
            ui.label(RichText::new(cx.t("No model suggests anything: train one, or show suggestions")).small().color(palette(ui).warning));
        }
        return;
    };
    if (waits || informative) && count < all {
        say(ui, cx.tf("The model has looked at {} of {}", &[&count, &all]));
    }
    let advice = cx.desk.advice();
    let (judged, learnt) = match of_spans {
        true => (advice.judged_spans, advice.judged_spans_learnt),
        false => (advice.judged, advice.judged_learnt),
    };
    if suspects && judged + learnt > 0 {
        let words = match (of_spans, learnt) {
            (false, 0) => cx.tf("{} answers judged, each by a model that had not learnt from it", &[&judged]),
            (false, _) => cx.tf(
                "{} answers judged by a model that had not learnt from them; then {} by one that had. Folds in Train judge all",
                &[&judged, &learnt],
            ),
            (true, 0) => cx.tf("Marks of {} documents judged, each by a model that had not learnt from them", &[&judged]),
            (true, _) => cx.tf(
                "Marks of {} documents judged by a model that had not learnt from them; then {} by one that had. Folds in Train judge all",
                &[&judged, &learnt],
            ),
        };
        say(ui, words);
    } else if suspects && !cx.desk.is_advising() {
        say(ui, cx.t("There are no answers that a model could judge yet").to_owned());
    }
}

fn order_word(order: Order) -> &'static str {
    match order {
        Order::Arrival => "As imported",
        Order::Random(_) => "Random",
        Order::Shortest => "Shortest first",
        Order::Longest => "Longest first",
        Order::LeastCertain => "Least certain first",
        Order::MostInformative => "Most informative first",
        Order::SuspectedErrors => "Suspected label errors first",
        Order::SuspectedSpans => "Suspected span errors first",
    }
}

/// Room for a menu's button with these words and its sign.
fn words_width(ui: &Ui, words: &str) -> f32 {
    const AROUND: f32 = 48.0;
    let font = egui::TextStyle::Button.resolve(ui.style());
    ui.painter().layout_no_wrap(words.to_owned(), font, palette(ui).text).size().x + AROUND
}

fn order_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let held = cx.desk.order();
    let help = |order: Order| match order {
        Order::LeastCertain => Some("Whose class the model is least sure of"),
        Order::MostInformative => Some("What is to do and would teach the model most: unsure of it, like many others, unlike one another"),
        Order::SuspectedErrors => Some("Answers that the model finds unlikely, those first that it had not learnt from"),
        Order::SuspectedSpans => Some("Spans that a model is sure of and nobody marked so, those first that it had not learnt from"),
        _ => None,
    };
    let name = cx.t(order_word(held));
    let button = ui.menu_button(format!("{name}     "), |ui| {
        let plain = [Order::Arrival, Order::Random(SEED), Order::Shortest, Order::Longest];
        let by_model = [Order::LeastCertain, Order::MostInformative, Order::SuspectedErrors, Order::SuspectedSpans];
        for order in plain.into_iter().chain(by_model) {
            // Without a model they are there to be seen, with the way to one.
            let can = !order.needs_model() || cx.desk.looked_at().is_some();
            let entry = ui.add_enabled(can, egui::Button::selectable(held == order, cx.t(order_word(order))));
            let entry = entry.on_disabled_hover_text(cx.t("No model suggests anything: train one, or show suggestions"));
            let entry = match help(order) {
                Some(help) => entry.on_hover_text(cx.t(help)),
                None => entry,
            };
            if entry.clicked() {
                cx.send(Command::SetOrder(order));
                ui.close(); // a key's click is no click of the pointer either
            }
        }
    });
    let button = button.response.accessible_name(name);
    chevron(ui, &button);
    button.on_hover_text(cx.t("Order of the documents"));
}
