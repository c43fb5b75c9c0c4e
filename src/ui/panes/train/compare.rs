//! Two runs side by side: a sentence that says which is better, if that can be said; scores with their intervals; settings
//! that differ; examples that changed, each of which opens.

use super::curves::open;
use super::runs::shortened;
use super::scores::right;
use super::{TrainPane, group, run_name, two_places};
use crate::desk::{Command, Compared, Comparing, RunSummary};
use crate::project::DocId;
use crate::train::{Better, Difference, HeldOut, Score};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, vec2};

/// So many changed examples are listed; all of them open as a queue.
const LISTED: usize = 40;
/// What a run said of a review takes about so much.
const ANSWER_WIDTH: f32 = 200.0;
const LEAST_TEXT_WIDTH: f32 = 160.0;

impl TrainPane {
    pub(super) fn compare_page(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let palette = theme::palette(ui);
        let (first, second) = match cx.desk.comparing() {
            Comparing::Working(first, second) => (first.clone(), second.clone()),
            Comparing::Done(compared) => (compared.first.clone(), compared.second.clone()),
            Comparing::Failed(reason) => {
                ui.label(RichText::new(cx.said(reason)).color(palette.error));
                return;
            }
            Comparing::Idle => {
                ui.label(RichText::new(cx.t("Tick two runs in the table to compare them")).color(palette.weak));
                return;
            }
        };
        choose(ui, cx, &first, &second);
        let Comparing::Done(compared) = cx.desk.comparing() else {
            ui.label(RichText::new(cx.t("Comparing…")).color(palette.weak));
            return;
        };
        let compared = compared.clone();
        egui::ScrollArea::vertical().id_salt("comparison").auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - 10.0);
            ui.add_space(4.0);
            ui.label(RichText::new(sentence(cx, &compared)).size(16.0));
            for remark in remarks(cx, &compared) {
                ui.label(RichText::new(remark).color(palette.weak).small());
            }
            ui.add_space(10.0);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 28.0;
                ui.vertical(|ui| scores(ui, cx, &compared));
                ui.vertical(|ui| settings(ui, cx, &compared));
            });
            ui.add_space(12.0);
            changed(ui, cx, &compared);
        });
    }
}

/// Which two; other finished runs can take their places.
fn choose(ui: &mut egui::Ui, cx: &mut Cx<'_>, first: &str, second: &str) {
    let finished: Vec<String> = cx.desk.runs().iter().filter(|run| run.report.is_some()).map(|run| run.id.clone()).collect();
    let (mut ours, mut theirs) = (first.to_owned(), second.to_owned());
    ui.horizontal(|ui| {
        for (salt, label, chosen) in [("first", cx.t("First run"), &mut ours), ("second", cx.t("Second run"), &mut theirs)] {
            let menu = egui::ComboBox::from_id_salt(("compare", salt)).selected_text(run_name(cx, chosen)).width(110.0);
            let shown = menu.show_ui(ui, |ui| {
                for id in finished.iter().rev() {
                    if ui.selectable_label(id == chosen, run_name(cx, id)).clicked() {
                        chosen.clone_from(id);
                    }
                }
            });
            shown.response.accessible_name(format!("{label}: {}", run_name(cx, chosen)));
        }
        if ui.button(cx.t("The other way round")).clicked() {
            std::mem::swap(&mut ours, &mut theirs);
        }
    });
    if (ours.as_str(), theirs.as_str()) != (first, second) {
        cx.send(Command::CompareRuns(Some((ours, theirs))));
    }
}

/// What the comparison comes to, in plain words.
fn sentence(cx: &Cx<'_>, compared: &Compared) -> String {
    let (first, second) = (run_name(cx, &compared.first), run_name(cx, &compared.second));
    let Some(main) = compared.comparison.main() else {
        return cx.tf("{} and {} were judged by different reviews: nothing can be said", &[&first, &second]);
    };
    let by = two_places(main.difference.score.abs());
    let (low, high) = (signed(main.difference.low), signed(main.difference.high));
    let (name, documents) = (name_of(cx, main.score, None), compared.comparison.documents);
    match main.better() {
        Better::Second => {
            cx.tf("{} is better by {} in {} (interval {} to {}, {} reviews)", &[&second, &by, &name, &low, &high, &documents])
        }
        Better::First => cx.tf("{} is better by {} in {} (interval {} to {}, {} reviews)", &[&first, &by, &name, &low, &high, &documents]),
        Better::CannotBeTold => cx.tf(
            "{} differs from {} by {} in {}, interval {} to {}: cannot be told apart on {} reviews",
            &[&second, &first, &signed(main.difference.score), &name, &low, &high, &documents],
        ),
    }
}

/// What a person should know before believing it.
fn remarks(cx: &Cx<'_>, compared: &Compared) -> Vec<String> {
    let comparison = &compared.comparison;
    let mut remarks = vec![cx.t("Intervals cover 95 % of redrawings of the reviews that both runs were judged by").to_owned()];
    if comparison.only_first + comparison.only_second > 0 {
        remarks.push(cx.tf(
            "{} reviews were held out by the first alone, {} by the second alone: they do not count here",
            &[&comparison.only_first, &comparison.only_second],
        ));
    }
    if comparison.regraded > 0 {
        remarks.push(
            cx.tf("{} reviews were answered differently by a person since the first run: the newer answer counts", &[&comparison.regraded]),
        );
    }
    if !compared.same_data {
        remarks.push(cx.t("The two learnt from different data").to_owned());
    }
    remarks
}

fn scores(ui: &mut egui::Ui, cx: &Cx<'_>, compared: &Compared) {
    let palette = theme::palette(ui);
    group(ui, cx.t("Scores"));
    let second = summary(cx, &compared.second);
    egui::Grid::new("compared-scores").striped(true).spacing(vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        ui.label("");
        let heads =
            [run_name(cx, &compared.first), run_name(cx, &compared.second), cx.t("Difference").to_owned(), cx.t("Interval").to_owned()];
        for head in heads {
            right(ui, |ui| ui.label(RichText::new(head).color(palette.weak).small()));
        }
        ui.end_row();
        for Difference { score, first, second: theirs, difference } in &compared.comparison.scores {
            let better = Difference { score: *score, first: *first, second: *theirs, difference: *difference }.better();
            let color = match better {
                Better::Second => palette.success,
                Better::First => palette.error,
                Better::CannotBeTold => palette.weak,
            };
            ui.label(name_of(cx, *score, second));
            right(ui, |ui| ui.label(two_places(*first)));
            right(ui, |ui| ui.label(two_places(*theirs)));
            right(ui, |ui| ui.label(RichText::new(signed(difference.score)).color(color).strong()));
            right(ui, |ui| {
                ui.label(RichText::new(cx.tf("{} to {}", &[&signed(difference.low), &signed(difference.high)])).color(palette.weak))
            });
            ui.end_row();
        }
    });
}

fn settings(ui: &mut egui::Ui, cx: &Cx<'_>, compared: &Compared) {
    let palette = theme::palette(ui);
    group(ui, cx.t("Settings that differ"));
    if compared.settings.is_empty() {
        ui.label(RichText::new(cx.t("None")).color(palette.weak));
        return;
    }
    egui::Grid::new("compared-settings").striped(true).spacing(vec2(14.0, 5.0)).show(ui, |ui| {
        for setting in &compared.settings {
            ui.label(&setting.key);
            for value in [&setting.first, &setting.second] {
                ui.label(shortened(value, 28)).on_hover_text(value);
            }
            ui.end_row();
        }
    });
}

/// Examples that changed: each opens in the queue, and each kind as a whole.
fn changed(ui: &mut egui::Ui, cx: &mut Cx<'_>, compared: &Compared) {
    let (first, second) = (run_name(cx, &compared.first), run_name(cx, &compared.second));
    let comparison = &compared.comparison;
    let kinds = [
        (cx.tf("{} does better: {}", &[&second, &comparison.better.len()]), &comparison.better),
        (cx.tf("{} does better: {}", &[&first, &comparison.worse.len()]), &comparison.worse),
        (cx.tf("Different, neither the better: {}", &[&comparison.otherwise.len()]), &comparison.otherwise),
    ];
    group(ui, cx.t("Examples that changed"));
    for (at, (words, docs)) in kinds.into_iter().enumerate() {
        ui.horizontal(|ui| {
            ui.label(RichText::new(&words).strong());
            let button = ui.add_enabled(!docs.is_empty(), egui::Button::new(cx.t("Open them all")));
            if button.accessible_name(format!("{}: {words}", cx.t("Open them all"))).clicked() {
                open(cx, docs);
            }
        });
        if docs.is_empty() {
            continue;
        }
        let mut chosen = None;
        let width = (ui.available_width() - 2.0 * ANSWER_WIDTH).max(LEAST_TEXT_WIDTH);
        egui::Grid::new(("changed", at)).striped(true).spacing(vec2(14.0, 4.0)).show(ui, |ui| {
            for doc in docs.iter().take(LISTED) {
                example(ui, cx, compared, *doc, width, &mut chosen);
            }
        });
        if docs.len() > LISTED {
            ui.label(RichText::new(cx.tf("and {} more", &[&(docs.len() - LISTED)])).color(theme::palette(ui).weak).small());
        }
        ui.add_space(8.0);
        if let Some(doc) = chosen {
            open(cx, &[doc]);
        }
    }
}

/// A line of a changed example: its words, what is right, what each run said.
fn example(ui: &mut egui::Ui, cx: &Cx<'_>, compared: &Compared, doc: u32, width: f32, chosen: &mut Option<u32>) {
    let palette = theme::palette(ui);
    let text = cx.desk.project().and_then(|project| project.document(DocId(doc))).map(|document| document.text.to_string());
    let text = text.unwrap_or_else(|| cx.t("(no longer in the project)").to_owned());
    // Cut by its width: a Chinese character is as wide as two Latin ones.
    let button = egui::Button::new(shortened(&text, 200)).frame_when_inactive(false).truncate();
    let line = ui.allocate_ui_with_layout(vec2(width, theme::ROW_HEIGHT), egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.set_width(width);
        ui.add(button)
    });
    if line.inner.on_hover_text(shortened(&text, 600)).clicked() {
        *chosen = Some(doc);
    }
    for id in [&compared.first, &compared.second] {
        let Some(run) = summary(cx, id) else { continue };
        let answer = run.report.as_ref().and_then(|report| report.held_out.iter().find(|answer| answer.doc == doc));
        let said = answer.map_or_else(String::new, |answer| said(cx, run, answer));
        ui.label(RichText::new(format!("{}: {said}", run_name(cx, id))).color(palette.weak).small());
    }
    ui.end_row();
}

fn said(cx: &Cx<'_>, run: &RunSummary, answer: &HeldOut) -> String {
    let class = answer.class.and_then(|class| {
        let name = run.classes.get(usize::from(class))?;
        let share = answer.probabilities.get(usize::from(class)).copied().unwrap_or(0.0);
        Some(format!("{name} {:.0} %", share * 100.0))
    });
    let spans = answer.gold_spans.as_ref().map(|_| cx.tf("{} spans", &[&answer.spans.len()]));
    class.into_iter().chain(spans).collect::<Vec<_>>().join(cx.t(", "))
}

fn summary<'a>(cx: &Cx<'a>, id: &str) -> Option<&'a RunSummary> {
    cx.desk.runs().iter().find(|run| run.id == id)
}

/// A question of a run beside the main one.
fn question(run: Option<&RunSummary>, at: u16) -> Option<&crate::train::QuestionScores> {
    run?.report.as_ref()?.scores.questions.get(usize::from(at))
}

/// A score's name; labels by their names in `run`.
pub(super) fn name_of(cx: &Cx<'_>, score: Score, run: Option<&RunSummary>) -> String {
    let label = |names: Option<&Vec<String>>, at: u16| {
        names.and_then(|names| names.get(usize::from(at)).cloned()).unwrap_or_else(|| at.to_string())
    };
    match score {
        Score::MacroF1 => cx.t("Macro-F1").to_owned(),
        Score::Accuracy => cx.t("Accuracy").to_owned(),
        Score::SpanF1 => cx.t("Spans, F1").to_owned(),
        Score::AspectPolarityF1 => cx.t("Aspects with polarity, F1").to_owned(),
        Score::PolarityAccuracy => cx.t("Polarity, accuracy").to_owned(),
        Score::PolarityMacroF1 => cx.t("Polarity, macro-F1").to_owned(),
        Score::PairF1 => cx.t("Pairs, F1").to_owned(),
        Score::TripletF1 => cx.t("Triplets, F1").to_owned(),
        Score::ClassF1(at) => cx.tf("{}, F1", &[&label(run.map(|run| &run.classes), at)]),
        Score::SpanLabelF1(at) => cx.tf("{}, F1", &[&label(run.map(|run| &run.span_labels), at)]),
        Score::LabelsF1(at) => cx.tf("{}, macro-F1", &[&question(run, at).map_or("?", |question| question.name.as_str())]),
        Score::LabelF1(at, label) => {
            let label = question(run, at).and_then(|question| question.per_label.get(usize::from(label)));
            cx.tf("{}, F1", &[&label.map_or("?", |label| label.name.as_str())])
        }
    }
}

/// "+0.02"
fn signed(value: f64) -> String {
    // No "-0.00".
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    format!("{rounded:+.2}")
}
