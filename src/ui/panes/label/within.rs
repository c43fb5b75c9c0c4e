//! Bounds of a number to filter by: two fields and a button, in a menu that stays while one types.

use crate::project::Within;
use crate::ui::Cx;
use eframe::egui::containers::menu::{MenuConfig, SubMenuButton};
use eframe::egui::{self, Key, PopupCloseBehavior, TextEdit, Ui};

const FIELD: f32 = 56.0;

/// A menu inside a menu. Answers with the bounds once they are entered.
pub(super) fn menu(ui: &mut Ui, cx: &Cx<'_>, words: &str) -> Option<Within> {
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let (_, shown) = SubMenuButton::new(words).config(config).ui(ui, |ui| fields(ui, cx, words));
    shown.and_then(|shown| shown.inner)
}

/// The fields themselves, for what `name` names.
pub(super) fn fields(ui: &mut Ui, cx: &Cx<'_>, name: &str) -> Option<Within> {
    let place = ui.scope_id().with(("within", name));
    let mut typed: [String; 2] = ui.data(|data| data.get_temp(place)).unwrap_or_default();
    let mut entered = false;
    let wanted = ui
        .horizontal(|ui| {
            for (text, words) in typed.iter_mut().zip(["from", "to"]) {
                let field = TextEdit::singleline(text).hint_text(cx.t(words)).desired_width(FIELD);
                let field = ui.add(field).accessible_name(format!("{name}: {}", cx.t(words)));
                entered |= field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            }
            let within = Within::parse(&typed[0], &typed[1]);
            let button = ui.add_enabled(within.is_some(), egui::Button::new(cx.t("Filter")));
            entered |= button.accessible_name(cx.tf("Filter by {}", &[&name])).clicked();
            within.filter(|_| entered)
        })
        .inner;
    if wanted.is_some() {
        typed = Default::default();
        ui.close();
    }
    ui.data_mut(|data| data.insert_temp(place, typed));
    wanted
}

/// What the bounds say.
pub(super) fn words(cx: &Cx<'_>, Within { from, to }: Within) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from == to => format!("= {from}"),
        (Some(from), Some(to)) => cx.tf("from {} to {}", &[&from, &to]),
        (Some(from), None) => format!("≥ {from}"),
        (None, Some(to)) => format!("≤ {to}"),
        (None, None) => String::new(),
    }
}
