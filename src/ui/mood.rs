//! How the mood goes over the turns of a conversation: a mark for each turn, in order, with the class it was given.

use crate::ui::Cx;
use crate::ui::theme::palette;
use eframe::egui::{Button, RichText, Ui};

/// A turn as it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    pub text: &'a str,
    /// `None` where nobody answered.
    pub class: Option<&'a str>,
    pub hue: Option<u8>,
    /// Whether a model answered.
    pub is_guess: bool,
    pub is_current: bool,
    /// Whether somebody else speaks than in the turn that is open.
    pub is_other: bool,
}

/// Characters of a class that are shown.
const LETTERS: usize = 8;

/// Gives the turn that was chosen.
pub fn mood_ui(ui: &mut Ui, cx: &Cx<'_>, turns: &[Turn<'_>]) -> Option<usize> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (at, turn) in turns.iter().enumerate() {
            let palette = palette(ui);
            let short: String = turn.class.map_or_else(|| "–".to_owned(), |class| class.chars().take(LETTERS).collect());
            let mark = if turn.is_guess && turn.class.is_some() { "?" } else { "" };
            let color = match turn.hue {
                _ if turn.class.is_none() || turn.is_other => palette.weak,
                Some(hue) => palette.hue(hue),
                None => palette.text,
            };
            let words = RichText::new(format!("{} {short}{mark}", at + 1)).color(color);
            let words = if turn.is_current { words.strong() } else { words };
            let button = ui.add(Button::new(words).selected(turn.is_current));
            let said = match turn.class {
                Some(class) if turn.is_guess => cx.tf("Turn {}: {} by the model", &[&(at + 1), &class]),
                Some(class) => cx.tf("Turn {}: {}", &[&(at + 1), &class]),
                None => cx.tf("Turn {}: no answer", &[&(at + 1)]),
            };
            if button.accessible_name(&said).on_hover_text(format!("{said}\n{}", turn.text)).clicked() {
                chosen = Some(at);
            }
        }
    });
    chosen
}
