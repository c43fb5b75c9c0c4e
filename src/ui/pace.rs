//! The pace of the work in the status bar: documents an hour, and the time for the rest.

use super::{Cx, theme};
use crate::project::Pace;
use eframe::egui::{RichText, Ui};

/// The pace as last read from the journal.
#[derive(Default)]
pub struct PaceLine {
    pace: Pace,
    /// The project's revision it is of, and when it was read, in seconds of egui's clock.
    of: Option<(u64, f64)>,
}

impl PaceLine {
    /// Reading takes as long as there are steps: not at every gesture.
    const SECONDS: f64 = 10.0;

    pub fn ui(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let (Some(project), Some(history)) = (cx.desk.project(), cx.desk.history()) else { return };
        let (revision, now) = (project.revision(), ui.input(|input| input.time));
        if self.of.is_none_or(|(of, at)| of != revision && !(0.0..Self::SECONDS).contains(&(now - at))) {
            self.pace = Pace::of(project, history, cx.desk.layer());
            self.of = Some((revision, now));
        }
        if let (Some(rate), Some(hours)) = (self.pace.per_hour, self.pace.hours_left) {
            let rate = format!("{rate:.0}");
            let words = if self.pace.left > 0 {
                cx.tf(" · {} an hour, {} for the rest", &[&rate, &hours_words(cx, hours)])
            } else {
                cx.tf(" · {} an hour", &[&rate])
            };
            ui.label(RichText::new(words).color(theme::palette(ui).weak));
        }
    }
}

/// "40 min", "2.5 h".
pub fn hours_words(cx: &Cx<'_>, hours: f64) -> String {
    let minutes = (hours * 60.0).round().max(1.0) as u64;
    if minutes < 90 { cx.tf("{} min", &[&minutes]) } else { cx.tf("{} h", &[&format!("{hours:.1}")]) }
}
