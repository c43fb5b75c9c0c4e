//! A conversation to try: each line a turn, and how the mood goes over them.

use crate::desk::{Answered, Command, Tester};
use crate::project::Document;
use crate::ui::Cx;
use crate::ui::mood::{Turn, mood_ui};
use eframe::egui::Ui;

/// Whether each line is a turn; asked only where the model learnt from conversations.
pub(super) fn switch_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tester = cx.desk.tester();
    if tester.turns_before() == 0 && !tester.by_turns() {
        return;
    }
    let mut by_turns = tester.by_turns();
    let switch = ui.checkbox(&mut by_turns, cx.t("Each line is a turn of a conversation"));
    if switch.on_hover_text(cx.t("The last line is answered in the light of those before it")).changed() {
        cx.send(Command::PredictByTurns(by_turns));
    }
}

/// The text to try for a document: with the turns before it where lines are turns.
pub(super) fn text_of(cx: &Cx<'_>, document: &Document) -> String {
    let Some(project) = cx.desk.project().filter(|_| cx.desk.tester().by_turns()) else { return document.text.to_string() };
    let most = cx.desk.tester().turns_before();
    let mut lines: Vec<String> = project.turns_before(cx.desk.conversations(), document.id, most);
    lines.push(document.text.to_string());
    lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

/// The mood over the turns, the answered one last.
pub(super) fn line_ui(ui: &mut Ui, cx: &mut Cx<'_>, tester: &Tester, answered: &Answered) {
    if answered.turns.is_empty() {
        return;
    }
    let said = answered.turns.iter().map(|(text, shares)| (text.as_str(), shares.as_slice()));
    let last = (answered.text.as_str(), answered.prediction.probabilities.as_slice());
    let question = cx.desk.project().and_then(|project| project.schema().main_question()).map(|(_, question)| question);
    let best = |shares: &[f32]| (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]));
    let turns: Vec<Turn<'_>> = said
        .chain([last])
        .map(|(text, shares)| {
            let name = best(shares).and_then(|at| tester.classes().get(at)).map(String::as_str);
            let class = name.and_then(|name| question?.classes.iter().find(|class| class.name == name));
            Turn { text, class: name, hue: class.map(|class| class.hue), is_guess: true, is_current: false, is_other: false }
        })
        .collect();
    mood_ui(ui, cx, &turns);
    ui.add_space(8.0);
}
