//! Settings of learning from another model: the answers of an earlier run, of several, or of a large model in a folder.

use super::row::{Row, Setting, number, own, switch};
use crate::train::TrainConfig;
use crate::ui::Cx;
use crate::ui::dialogs::Wish;
use eframe::egui;
use std::path::Path;

/// The name of the setting, where its dialog answers.
pub(super) const TEACHER: &str = "teacher";

fn has_teacher(config: &TrainConfig) -> bool {
    !config.teacher.is_empty()
}

pub(super) const ROWS: &[Row] = &[
    own(teacher_ui, |config, default| config.teacher != default.teacher),
    number(
        "Weight of the teacher",
        "How much it counts to be sure of what the teacher is sure of, beside being right; 0 takes only its labels",
        (0.0, 10.0),
        2,
        |config| &mut config.distil_weight,
    )
    .when(has_teacher),
    number(
        "Softness",
        "The temperature at which both are compared: more shows more of what the teacher holds for less likely; 2 to 4 are usual",
        (0.1, 100.0),
        1,
        |config| &mut config.distil_temperature,
    )
    .when(has_teacher),
    switch(
        "Reviews without a label too",
        "The teacher answers reviews that nobody labelled, and the run learns from them as well: pays where there are many",
        |config| &mut config.distil_unlabelled,
    )
    .when(has_teacher),
    number(
        "Labels by the teacher",
        "Reviews without a label are learnt as labelled where the teacher is at least so sure: 0.9 to 0.98 are usual, 0 is off",
        (0.0, 1.0),
        2,
        |config| &mut config.pseudo_threshold,
    )
    .when(has_teacher),
];

/// The runs whose models teach, any number of them, and a folder.
fn teacher_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let mut chosen: Vec<String> = config.teacher.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let runs: Vec<&str> = cx.desk.runs().iter().filter(|run| run.report.is_some()).map(|run| run.id.as_str()).collect();
    let name = cx.t("Teacher");
    let help = cx.t("A larger model in a folder, or runs of this project, whose answers the run learns to give: of several the mean, which one run then answers alone");
    let words = |name: &str| if runs.contains(&name) { super::super::run_name(cx, name) } else { file_name(name) };
    let shown =
        if chosen.is_empty() { cx.t("none").to_owned() } else { chosen.iter().map(|name| words(name)).collect::<Vec<_>>().join(", ") };
    let row = Setting { name, help, default: cx.t("none"), differs: !chosen.is_empty() };
    let mut asked = false;
    row.ui(ui, cx, |ui| {
        let menu = egui::ComboBox::from_id_salt("train-teacher").selected_text(&shown).width(150.0).truncate();
        let menu = menu.close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show_ui(ui, |ui| {
            for run in runs.iter().rev() {
                let mut on = chosen.iter().any(|name| name == run);
                if ui.checkbox(&mut on, super::super::run_name(cx, run)).changed() {
                    chosen.retain(|name| name != run);
                    if on {
                        chosen.push((*run).to_owned());
                    }
                }
            }
            let folders: Vec<String> = chosen.iter().filter(|name| !runs.contains(&name.as_str())).cloned().collect();
            for folder in folders {
                let mut on = true;
                if ui.checkbox(&mut on, file_name(&folder)).on_hover_text(&folder).changed() {
                    chosen.retain(|name| *name != folder);
                }
            }
            asked = ui.button(cx.t("A folder…")).clicked();
        });
        menu.response.accessible_name(format!("{name}: {shown}"))
    });
    if asked {
        cx.dialogs.open(Wish::Setting { key: TEACHER, folder: true });
    }
    config.teacher = chosen.join(",");
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}
