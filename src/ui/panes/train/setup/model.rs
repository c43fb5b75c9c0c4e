//! Settings of the network: which encoder, how much of it, what stands on top.

use super::row::{Row, Setting, count, number, own, switch};
use crate::train::{EncoderChoice, TrainConfig};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, theme};
use eframe::egui;

/// Always in sight.
pub(super) const MAIN: &[Row] = &[
    own(encoder_ui, |config, default| config.encoder != default.encoder),
    count(
        "Layers",
        "How many layers of the encoder are used, from the bottom. Fewer are faster and a little less exact.",
        (0, 64),
        |config| &mut config.layers,
    )
    .zero("all"),
];

pub(super) const ROWS: &[Row] = &[
    number(
        "Dropout",
        "Share of the signals that are left out at random while learning, against learning by heart",
        (0.0, 0.9),
        2,
        |config| &mut config.dropout,
    ),
    switch("Order of tags", "Learns which tag follows which too (a conditional random field), not each tag by itself", |config| {
        &mut config.crf
    }),
    switch(
        "Judge each place by itself",
        "Every place that may be a span is judged by itself, so that spans can overlap. Done anyway where more than one span in a hundred overlaps another.",
        |config| &mut config.span_scorer,
    ),
];

/// The setting that [`Wish::Setting`] names.
pub(super) const ENCODER: &str = "encoder";

fn encoder_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let palette = theme::palette(ui);
    let shipped = cx.t("Chinese and English (built in)");
    let name = match &config.encoder {
        EncoderChoice::Shipped => shipped.to_owned(),
        EncoderChoice::Folder(folder) => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
    };
    let help = cx.t("The pretrained network that reads the text. Any folder of the BERT family in Hugging Face layout can take its place.");
    let mut pick = false;
    let row = Setting { name: cx.t("Encoder"), help, default: shipped, differs: config.encoder != EncoderChoice::Shipped };
    row.ui(ui, cx, |ui| {
        let menu = egui::ComboBox::from_id_salt("train-encoder").selected_text(&name).width(182.0).truncate();
        let shown = menu.show_ui(ui, |ui| {
            if ui.selectable_label(config.encoder == EncoderChoice::Shipped, shipped).clicked() {
                config.encoder = EncoderChoice::Shipped;
            }
            pick = ui.selectable_label(false, cx.t("Another, from a folder…")).clicked();
        });
        shown.response.accessible_name(cx.t("Encoder"))
    });
    if pick {
        cx.dialogs.open(Wish::Setting { key: ENCODER, folder: true });
    }
    if let EncoderChoice::Folder(folder) = &config.encoder {
        ui.label(egui::RichText::new(folder.display().to_string()).color(palette.weak).small());
    }
}
