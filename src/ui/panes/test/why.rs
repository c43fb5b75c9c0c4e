//! Why the model answers so: the text once more, each word on the colour of what it does for the answer.

use super::marks::polarity_words;
use crate::desk::{Answered, Command, Tester};
use crate::predict::{Asked, Reason, most_likely};
use crate::ui::{Cx, theme};
use eframe::egui::{self, Color32, RichText, text::LayoutJob, text::TextFormat};

/// A figure that can be asked about: a click shows the reasons, a second one puts them away.
pub(super) fn figure(ui: &mut egui::Ui, cx: &mut Cx<'_>, words: RichText, asked: Asked, name: &str) -> egui::Response {
    let shown = cx.desk.tester().asked_why() == Some(asked);
    let words = if shown { words.strong().underline() } else { words };
    let button = egui::Button::new(words).frame_when_inactive(false).small();
    let response = ui.add(button).accessible_name(cx.tf("Why {}?", &[&name]));
    if response.clicked() {
        cx.send(Command::Why((!shown).then_some(asked)));
    }
    response.on_hover_text(cx.t("Click to see which words speak for it"))
}

/// The reasons that were asked for.
pub(super) fn ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, tester: &Tester, answered: &Answered) {
    let Some(asked) = tester.asked_why() else { return };
    let Some(about) = title(cx, tester, answered, asked) else { return };
    let palette = theme::palette(ui);
    ui.add_space(12.0);
    ui.horizontal(|ui| {
        ui.label(RichText::new(cx.tf("Why {}?", &[&about])).strong());
        if ui.small_button(cx.t("Put away")).clicked() {
            cx.send(Command::Why(None));
        }
    });
    let Some(why) = tester.why() else {
        ui.label(RichText::new(cx.t("Working it out…")).color(palette.weak).small());
        return;
    };
    if why.reasons.is_empty() {
        ui.label(RichText::new(cx.t("There is nothing to say about this answer")).color(palette.weak));
        return;
    }
    let job = painted(&answered.text, &why.reasons, palette, cx.desk.settings().text_size);
    let strongest = strongest(cx, &answered.text, &why.reasons);
    ui.label(job).on_hover_text(strongest.clone());
    ui.label(RichText::new(strongest).color(palette.weak).small());
    let legend = cx.t("Blue words speak for it, red ones against it: how the score would change, to a first order, without them");
    ui.label(RichText::new(legend).color(palette.weak).small());
}

/// What was asked about; `None` when the answer has no such part any more.
fn title(cx: &Cx<'_>, tester: &Tester, answered: &Answered, asked: Asked) -> Option<String> {
    let prediction = &answered.prediction;
    let label = |at: usize| tester.span_labels().get(at).cloned();
    match asked {
        Asked::Class(class) => tester.classes().get(usize::from(class)).cloned(),
        Asked::Span(at) => {
            let span = prediction.spans.get(at)?;
            Some(cx.tf("“{}”: {}", &[&span.range.of(&answered.text), &label(usize::from(span.label))?]))
        }
        Asked::Polarity(at) => {
            let span = prediction.spans.get(at)?;
            Some(cx.tf("“{}”: {}", &[&span.range.of(&answered.text), &polarity_words(cx, most_likely(span.polarity?).0)]))
        }
        Asked::Link(at) => {
            let triplet = prediction.triplets.get(at)?;
            let of = |at: usize| prediction.spans.get(at).map(|span| span.range.of(&answered.text));
            Some(format!("{} → {}", of(triplet.opinion)?, of(triplet.aspect?)?))
        }
    }
}

/// The text, each word on a ground as strong as what it does.
fn painted(text: &str, reasons: &[Reason], palette: &theme::Palette, size: f32) -> LayoutJob {
    let most = reasons.iter().map(|reason| reason.weight.abs()).fold(f32::MIN_POSITIVE, f32::max);
    let plain = TextFormat { font_id: egui::FontId::proportional(size), color: palette.text, ..TextFormat::default() };
    let mut job = LayoutJob::default();
    let mut done = 0;
    for reason in reasons {
        let (start, end) = (reason.range.start().max(done), reason.range.end());
        if start >= end {
            continue;
        }
        job.append(text.get(done..start).unwrap_or_default(), 0.0, plain.clone());
        let share = reason.weight.abs() / most;
        let color = if reason.weight >= 0.0 { palette.accent } else { palette.error };
        let ground = if share < 0.05 { Color32::TRANSPARENT } else { color.gamma_multiply(0.45 * share) };
        job.append(text.get(start..end).unwrap_or_default(), 0.0, TextFormat { background: ground, ..plain.clone() });
        done = end;
    }
    job.append(text.get(done..).unwrap_or_default(), 0.0, plain);
    job
}

/// The words that do most, in figures.
fn strongest(cx: &Cx<'_>, text: &str, reasons: &[Reason]) -> String {
    const SHOWN: usize = 5;
    let mut order: Vec<&Reason> = reasons.iter().collect();
    order.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let row = |reason: &&Reason| format!("{} {:+.2}", reason.range.of(text), reason.weight);
    let rows: Vec<String> = order.iter().take(SHOWN).map(row).collect();
    cx.tf("Most: {}", &[&rows.join(cx.t(", "))])
}
