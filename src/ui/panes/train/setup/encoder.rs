//! Which encoder reads the text: the one inside the program, a folder, or one fetched from a hub.

use super::row::Setting;
use crate::desk::{Command, Fetching, Pretraining, ReadingPlan, USUAL_ENDPOINT};
use crate::train::{EncoderChoice, TrainConfig};
use crate::ui::bars::{duration, progress};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, theme};
use eframe::egui;
use std::path::Path;

/// The setting that [`Wish::Setting`] names.
pub(super) const ENCODER: &str = "encoder";

/// The row, and under it the folder and what is being fetched.
pub(super) fn encoder_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let palette = theme::palette(ui);
    let shipped = cx.t("Chinese and English (built in)");
    let name = match &config.encoder {
        EncoderChoice::Shipped => shipped.to_owned(),
        EncoderChoice::Folder(folder) => name_of(cx, folder),
    };
    let help = cx.t("The pretrained network that reads the text. Any folder of the BERT family in Hugging Face layout can take its place.");
    let (mut pick, mut fetch) = (false, false);
    let row = Setting { name: cx.t("Encoder"), help, default: shipped, differs: config.encoder != EncoderChoice::Shipped };
    row.ui(ui, cx, |ui| {
        let menu = egui::ComboBox::from_id_salt("train-encoder").selected_text(&name).width(182.0).truncate();
        let shown = menu.show_ui(ui, |ui| {
            if ui.selectable_label(config.encoder == EncoderChoice::Shipped, shipped).clicked() {
                config.encoder = EncoderChoice::Shipped;
            }
            for folder in cx.desk.encoders().iter().chain(cx.desk.own_encoders()) {
                let is_chosen = matches!(&config.encoder, EncoderChoice::Folder(held) if held == folder);
                if ui.selectable_label(is_chosen, name_of(cx, folder)).clicked() {
                    config.encoder = EncoderChoice::Folder(folder.clone());
                }
            }
            pick = ui.selectable_label(false, cx.t("Another, from a folder…")).clicked();
            fetch = ui.selectable_label(false, cx.t("Another, from a hub…")).clicked();
        });
        shown.response.accessible_name(cx.t("Encoder"))
    });
    if pick {
        cx.dialogs.open(Wish::Setting { key: ENCODER, folder: true });
    }
    if let EncoderChoice::Folder(folder) = &config.encoder {
        ui.label(egui::RichText::new(folder.display().to_string()).color(palette.weak).small());
    }
    fetching_ui(ui, cx, config, fetch);
    reading_ui(ui, cx, config);
}

/// The name of the folder, or what the hub calls one that was fetched.
fn name_of(cx: &Cx<'_>, folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
    if cx.desk.encoders().iter().any(|held| held == folder) { name.replacen("--", "/", 1) } else { name.into_owned() }
}

/// How many pieces a second two cores read, before anything was measured.
const FIRST_GUESS: f64 = 500.0;

/// Having the encoder read the project's reviews first: asked with what it comes to, then how far it is.
fn reading_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let palette = theme::palette(ui);
    let place = ui.scope_id().with("read-reviews");
    let mut plan: Option<ReadingPlan> = ui.data(|data| data.get_temp(place)).unwrap_or_default();
    match cx.desk.pretraining().clone() {
        Pretraining::Idle => plan = plan_ui(ui, cx, config, plan),
        Pretraining::Failed(reason) => {
            ui.colored_label(palette.error, cx.tf("The encoder did not read the reviews: {}", &[&cx.said(&reason)]));
            if ui.button(cx.t("Close")).clicked() {
                cx.send(Command::DismissPretraining);
            }
        }
        Pretraining::Running { step, steps, loss, seconds_left } => {
            plan = None;
            let share = if steps > 0 { step as f32 / steps as f32 } else { 0.0 };
            let mut words = if steps > 0 {
                cx.tf("Reading: loss of hidden pieces {}", &[&format!("{loss:.2}")])
            } else {
                cx.t("Reading the encoder…").to_owned()
            };
            if let Some(left) = seconds_left {
                words += &format!(" · {}", cx.tf("{} left", &[&duration(cx, left)]));
            }
            ui.add(egui::Label::new(egui::RichText::new(&words).color(palette.weak).small()));
            ui.horizontal(|ui| {
                progress(ui, share, &words);
                if ui.button(cx.t("Stop reading")).on_hover_text(cx.t("Nothing of it is kept")).clicked() {
                    cx.send(Command::DismissPretraining);
                }
            });
        }
        Pretraining::Done { folder, first, last } => {
            if !matches!(&config.encoder, EncoderChoice::Folder(held) if *held == folder) {
                config.encoder = EncoderChoice::Folder(folder);
            }
            let words = cx.tf(
                "Has read the reviews: loss of hidden pieces {} at first, {} at the end",
                &[&format!("{first:.2}"), &format!("{last:.2}")],
            );
            ui.add(egui::Label::new(egui::RichText::new(words).color(palette.success).small()).wrap());
            if ui.button(cx.t("Close")).clicked() {
                cx.send(Command::DismissPretraining);
            }
        }
    }
    ui.data_mut(|data| data.insert_temp(place, plan));
}

/// The button, or what it would come to and whether to.
fn plan_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &TrainConfig, plan: Option<ReadingPlan>) -> Option<ReadingPlan> {
    let Some(plan) = plan else {
        let help = cx.t(
            "Hides pieces of all reviews, labelled or not, and has the encoder say them: pays with thousands of unlabelled reviews of a kind it does not know",
        );
        return ui.button(cx.t("Read the reviews first…")).on_hover_text(help).clicked().then(|| cx.desk.reading_plan());
    };
    let layers = if config.layers == 0 { 1.0 } else { config.layers as f64 / 12.0 };
    let seconds = plan.pieces as f64 / FIRST_GUESS * layers;
    let words = cx.tf("Reads {} reviews once, which takes about {}", &[&plan.reviews, &duration(cx, seconds)]);
    ui.add(egui::Label::new(egui::RichText::new(words).color(theme::palette(ui).weak).small()).wrap());
    let mut stays = true;
    ui.horizontal(|ui| {
        let can = plan.reviews > 0 && !cx.desk.is_training();
        if ui.add_enabled(can, egui::Button::new(cx.t("Start reading"))).clicked() {
            // Rates of their own: no label pulls.
            let config = TrainConfig {
                epochs: 1,
                lr: 5e-5,
                batch_examples: 16,
                layers: config.layers,
                encoder: config.encoder.clone(),
                ..TrainConfig::default()
            };
            cx.send(Command::StartPretraining(Box::new(config)));
        }
        stays = !ui.button(cx.t("Not now")).clicked();
    });
    stays.then_some(plan)
}

/// Name and hub to fetch an encoder from, how far it is, and why it did not come.
fn fetching_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig, opened: bool) {
    let place = ui.scope_id().with("fetch-encoder");
    let mut form: Option<[String; 2]> = ui.data(|data| data.get_temp(place)).unwrap_or_default();
    if opened {
        form = Some([String::new(), cx.desk.settings().hub.clone()]);
    }
    match cx.desk.fetching().clone() {
        Fetching::Idle => form = form.and_then(|form| form_ui(ui, cx, form)),
        Fetching::Failed { name, reason } => {
            ui.colored_label(theme::palette(ui).error, cx.tf("{} did not come: {}", &[&name, &cx.said(&reason)]));
            if let Some(form) = form.as_mut().filter(|form| form[0].is_empty()) {
                form[0] = name;
            }
            form = form.and_then(|form| form_ui(ui, cx, form));
            if form.is_none() {
                cx.send(Command::DismissFetch);
            }
        }
        Fetching::Running { name, done, total, seconds_left } => {
            let share = if total > 0 { done as f32 / total as f32 } else { 0.0 };
            let mut words = cx.tf("{}: {} of {} MB", &[&name, &(done / 1_000_000), &(total / 1_000_000)]);
            if let Some(left) = seconds_left {
                words += &format!(" · {}", cx.tf("{} left", &[&duration(cx, left)]));
            }
            ui.add(egui::Label::new(egui::RichText::new(&words).color(theme::palette(ui).weak).small()));
            ui.horizontal(|ui| {
                progress(ui, share, &words);
                if ui.button(cx.t("Stop fetching")).clicked() {
                    cx.send(Command::DismissFetch);
                }
            });
        }
        Fetching::Here { folder, .. } => {
            if form.take().is_some() {
                config.encoder = EncoderChoice::Folder(folder);
            }
            cx.send(Command::DismissFetch);
        }
    }
    ui.data_mut(|data| data.insert_temp(place, form));
}

/// Two fields and two buttons; `None` when they are put away.
fn form_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, mut form: [String; 2]) -> Option<[String; 2]> {
    let help = cx.t("Fetches config.json, tokenizer.json and model.safetensors, nothing else. A token is taken from HF_TOKEN.");
    let mut entered = false;
    let width = ui.available_width() - 8.0;
    let hints = [cx.t("Name of the encoder, such as owner/name").to_owned(), cx.tf("Hub (else {})", &[&USUAL_ENDPOINT])];
    for ((text, hint), name) in form.iter_mut().zip(hints).zip(["Name of the encoder", "Address of the hub"]) {
        let field = ui.add(egui::TextEdit::singleline(text).hint_text(hint).desired_width(width)).on_hover_text(help);
        entered |= field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        field.accessible_name(cx.t(name));
    }
    let mut stays = true;
    ui.horizontal(|ui| {
        let can = !form[0].trim().is_empty();
        let fetch = ui.add_enabled(can, egui::Button::new(cx.t("Fetch"))).on_hover_text(help);
        if (fetch.clicked() || entered) && can {
            cx.send(Command::FetchEncoder { name: form[0].clone(), endpoint: form[1].clone() });
        }
        stays = !ui.button(cx.t("Do not fetch")).clicked();
    });
    stays.then_some(form)
}
