//! Who labels: asked at the start of a project that several label, and whenever one wants to change it.

use super::{Cx, icons, theme};
use crate::desk::Command;
use crate::project::{AnnotatorId, Layer};
use eframe::egui::{self, Align, Layout, RichText, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// The window.
#[derive(Default)]
pub struct WhoWindow {
    open: bool,
    /// The project in which it was asked already.
    asked: Option<PathBuf>,
    mine: String,
    new: String,
    takes_over: bool,
}

impl WhoWindow {
    pub fn open(&mut self, cx: &Cx<'_>) {
        let asked = self.asked.take();
        *self = Self { open: true, asked, mine: cx.desk.settings().author.clone(), new: String::new(), takes_over: true };
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let path = cx.desk.path().map(ToOwned::to_owned);
        if path != self.asked {
            self.asked = path;
            if cx.desk.is_author_unknown() {
                self.open(cx);
            }
        }
        let Some(project) = cx.desk.project().filter(|_| self.open) else { return };
        let mut done = false;
        let shown = theme::modal(ctx, "who labels").show(ctx, |ui| {
            ui.set_width(440.0);
            ui.horizontal(|ui| {
                ui.heading(cx.t("Who labels?"));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    done = icons::icon_button(ui, icons::Icon::Close, cx.t("Close"), true).clicked();
                });
            });
            if project.annotators().is_empty() {
                done |= self.share_ui(ui, cx);
            } else {
                done |= choose_ui(ui, cx, project.annotators());
                done |= self.add_ui(ui, cx, project.annotators());
            }
        });
        if shown.should_close() || done {
            self.open = false;
        }
    }

    /// One person labels so far: the names of both, and whose the answers are. Answers whether it is done.
    fn share_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        weak(ui, cx.t("One person labels this project. With a second one each has answers of their own and does not see those of others; what is trained and exported is the outcome, which is settled by comparing"));
        let name = ui.label(cx.t("Your name"));
        ui.add(TextEdit::singleline(&mut self.mine).desired_width(f32::INFINITY)).labelled_by(name.id);
        let name = ui.label(cx.t("Name of the other"));
        ui.add(TextEdit::singleline(&mut self.new).desired_width(f32::INFINITY)).labelled_by(name.id);
        ui.checkbox(&mut self.takes_over, cx.t("The answers so far are mine"));
        let (mine, new) = (self.mine.trim().to_owned(), self.new.trim().to_owned());
        let ready = !mine.is_empty() && !new.is_empty() && mine != new;
        if primary(ui, ready, cx.t("Label together")) {
            cx.send(Command::AddAnnotators { names: vec![mine, new], takes_over: self.takes_over });
            return true;
        }
        false
    }

    fn add_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, known: &[String]) -> bool {
        ui.add_space(8.0);
        let name = ui.label(cx.t("Someone else"));
        let mut entered = false;
        let mut clicked = false;
        let is_new = |name: &str| !name.is_empty() && !known.iter().any(|held| held == name);
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(&mut self.new).desired_width(300.0)).labelled_by(name.id);
            entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            clicked = ui.add_enabled(is_new(self.new.trim()), egui::Button::new(cx.t("Add"))).clicked();
        });
        let new = self.new.trim().to_owned();
        if (clicked || entered) && is_new(&new) {
            cx.send(Command::AddAnnotators { names: vec![new], takes_over: false });
            cx.send(Command::WorkIn(Layer::Own(AnnotatorId(known.len() as u16))));
            return true;
        }
        false
    }
}

/// A line for each annotator, and one for the outcome. Answers whether one was chosen.
fn choose_ui(ui: &mut Ui, cx: &mut Cx<'_>, annotators: &[String]) -> bool {
    weak(ui, cx.t("Each has answers of their own and does not see those of others"));
    let held = cx.desk.layer();
    let mut chosen = None;
    ui.spacing_mut().item_spacing.y = 4.0;
    for (at, name) in (0u16..).zip(annotators) {
        let layer = Layer::Own(AnnotatorId(at));
        if ui.radio(held == layer && !cx.desk.is_author_unknown(), name).clicked() {
            chosen = Some(layer);
        }
    }
    ui.add_space(4.0);
    if ui.radio(held == Layer::Outcome && !cx.desk.is_author_unknown(), cx.t("The outcome: compare and settle")).clicked() {
        chosen = Some(Layer::Outcome);
    }
    if let Some(layer) = chosen {
        cx.send(Command::WorkIn(layer));
    }
    chosen.is_some()
}

/// The words for whose answers are shown.
pub(super) fn layer_name(cx: &Cx<'_>) -> String {
    match (cx.desk.layer(), cx.desk.project()) {
        (Layer::Own(annotator), Some(project)) => project.annotators().get(usize::from(annotator.0)).cloned().unwrap_or_default(),
        _ => cx.t("Outcome").to_owned(),
    }
}

fn weak(ui: &mut Ui, words: &str) {
    let color = theme::palette(ui).weak;
    ui.add(egui::Label::new(RichText::new(words).color(color)).wrap());
}

fn primary(ui: &mut Ui, ready: bool, words: &str) -> bool {
    ui.add_space(8.0);
    let layout = Layout::right_to_left(Align::Center);
    let size = vec2(ui.available_width(), theme::ROW_HEIGHT);
    ui.allocate_ui_with_layout(size, layout, |ui| ui.add_enabled(ready, theme::primary_button(ui, words)).clicked()).inner
}
