//! Fonts: a Chinese face and an emoji face shipped with the program, behind egui's own. The fonts of the system come
//! last, where the window asks for them. Without these, Chinese, arrows and check marks would be boxes.

use eframe::egui::{self, FontData, FontDefinitions, FontFamily};
use std::sync::Arc;

/// Shipped faces, in the order in which they are asked for a character.
const SHIPPED: &[(&str, &[u8])] = &[
    ("Noto Sans SC", include_bytes!("../../assets/fonts/NotoSansSC-Regular.otf")),
    ("Noto Emoji", include_bytes!("../../assets/fonts/NotoEmoji-Regular.ttf")),
];

/// Puts the shipped faces behind the ones of egui.
pub fn install(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in SHIPPED {
        fonts.font_data.insert((*name).to_owned(), Arc::new(FontData::from_static(bytes)));
        for family in [FontFamily::Proportional, FontFamily::Monospace] {
            fonts.families.entry(family).or_default().push((*name).to_owned());
        }
    }
    ctx.set_fonts(fonts);
}
