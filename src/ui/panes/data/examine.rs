//! Looking through the project: statistics before training, near-duplicates and what to do with them; and copies to share,
//! anonymised or not.

use crate::desk::{Command, Examined, Examining, SharePlan};
use crate::project::{DocId, Filter, Lengths, NearGroup, Project, Settle};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, Place, theme};
use eframe::egui::{self, Label, RichText, TextEdit, Ui};
use std::sync::Arc;

/// What is chosen for a copy, while the card of it is open.
#[derive(Default)]
pub(super) struct ExamineCard {
    share: Option<SharePlan>,
}

impl ExamineCard {
    /// Opens the card of a copy.
    pub fn ask_for_copy(&mut self) {
        self.share = Some(SharePlan { phones: true, mails: true, ..SharePlan::default() });
    }

    /// Whether there is anything to draw.
    pub fn is_open(&self, cx: &Cx<'_>) -> bool {
        self.share.is_some() || !matches!(cx.desk.examining(), Examining::Idle)
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        theme::card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width().min(860.0));
            if self.share.is_some() {
                return self.share_ui(ui, cx);
            }
            match cx.desk.examining() {
                Examining::Idle => {}
                Examining::Running => {
                    ui.label(cx.t("Looking through all documents"));
                    close_ui(ui, cx);
                }
                Examining::Failed(reason) => {
                    ui.add(Label::new(RichText::new(cx.said(reason)).color(theme::palette(ui).error)).wrap().selectable(true));
                    close_ui(ui, cx);
                }
                Examining::Done(examined) => {
                    let Some(project) = cx.desk.project() else { return };
                    egui::ScrollArea::vertical().auto_shrink([false, true]).show(ui, |ui| {
                        statistics_ui(ui, cx, examined);
                        ui.add_space(8.0);
                        groups_ui(ui, cx, project, &examined.groups);
                        close_ui(ui, cx);
                    });
                }
            }
        });
    }

    fn share_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let Some(plan) = &mut self.share else { return };
        ui.label(RichText::new(cx.t("A copy to share")).strong());
        let weak = theme::palette(ui).weak;
        ui.label(
            RichText::new(cx.t("A new project with the documents and everything said about them, without journal and runs")).color(weak),
        );
        let listed = cx.desk.queue().ids().len();
        ui.checkbox(&mut plan.only_list, cx.tf("Only the {} documents that the filter leaves", &[&listed]));
        ui.add_space(4.0);
        ui.label(RichText::new(cx.t("Replaced everywhere, with the marks kept")).strong());
        ui.checkbox(&mut plan.mails, cx.t("Mail addresses"));
        ui.checkbox(&mut plan.phones, cx.t("Phone numbers"));
        let name = ui.label(cx.t("Names, one a line"));
        ui.add(TextEdit::multiline(&mut plan.names).desired_rows(3).desired_width(f32::INFINITY)).labelled_by(name.id);
        let name = ui.label(cx.t("Patterns of ids, one a line, such as ORD-[0-9]+"));
        ui.add(TextEdit::multiline(&mut plan.patterns).desired_rows(1).desired_width(f32::INFINITY)).labelled_by(name.id);
        let problem = plan.private().err();
        if let Some(problem) = &problem {
            ui.add(Label::new(RichText::new(problem).color(theme::palette(ui).error).monospace()).wrap());
        }
        ui.add_enabled_ui(plan.is_private(), |ui| {
            ui.checkbox(&mut plan.with_key, cx.t("Keep a key beside the copy that brings the words back; don't share the key"));
        });
        ui.add_space(4.0);
        let mut done = false;
        ui.horizontal(|ui| {
            if ui.add_enabled(problem.is_none(), theme::primary_button(ui, cx.t("Make the copy…"))).clicked() {
                cx.dialogs.open(Wish::ShareCopy(plan.clone()));
                done = true;
            }
            done |= ui.button(cx.t("Cancel")).clicked();
        });
        ui.add_space(8.0);
        ui.label(RichText::new(cx.t("The whole project, with journal and runs")).strong());
        ui.horizontal(|ui| {
            for (words, packed) in [("Duplicate…", false), ("Archive in one file…", true)] {
                if ui.button(cx.t(words)).clicked() {
                    cx.dialogs.open(Wish::CopyWhole { packed });
                    done = true;
                }
            }
        });
        if done {
            self.share = None;
        }
    }
}

fn close_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.add_space(4.0);
    if ui.button(cx.t("Close")).clicked() {
        cx.send(Command::DismissExamining);
    }
}

fn statistics_ui(ui: &mut Ui, cx: &Cx<'_>, examined: &Examined) {
    let statistics = &examined.statistics;
    ui.label(RichText::new(cx.t("Before training")).strong());
    let lengths = |words: &'static str, lengths: &Lengths| {
        let Lengths { shortest, mean, median, p95, longest } = lengths;
        let mean = format!("{mean:.0}");
        format!("{} {}", cx.t(words), cx.tf("{} to {}, mean {}, median {}, 95 % have at most {}", &[shortest, longest, &mean, median, p95]))
    };
    let share = format!("{:.1}", 100.0 * statistics.beyond as f64 / statistics.documents.max(1) as f64);
    let scripts: Vec<String> = statistics.scripts.iter().map(|(script, count)| format!("{} {count}", cx.t(script_word(*script)))).collect();
    let mut lines = vec![
        lengths("Characters:", &statistics.characters),
        lengths("Pieces of the encoder:", &statistics.pieces),
        cx.tf(
            "{} different pieces; {} documents ({} %) are longer than the {} a model reads",
            &[&statistics.vocabulary, &statistics.beyond, &share, &statistics.limit],
        ),
        scripts.join(" · "),
    ];
    for (name, answered, classes) in &statistics.questions {
        let classes: String = classes.iter().map(|(class, count)| format!(" · {class} {count}")).collect();
        lines.push(cx.tf("{}: {} answered{}", &[name, answered, &classes]));
    }
    let spans: Vec<String> = statistics.spans.iter().map(|(label, count)| format!("{label} {count}")).collect();
    lines.push(cx.tf("Spans: {}", &[&spans.join(" · ")]));
    for line in lines {
        ui.add(Label::new(line).wrap().selectable(true));
    }
}

fn script_word(script: crate::project::Script) -> &'static str {
    use crate::project::Script;
    match script {
        Script::Chinese => "Chinese",
        Script::Latin => "Latin",
        Script::Mixed => "mixed",
        Script::Other => "neither",
    }
}

fn groups_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, groups: &[NearGroup]) {
    ui.label(RichText::new(cx.t("Near-duplicates")).strong());
    if groups.is_empty() {
        ui.label(cx.t("No two documents say nearly the same"));
        return;
    }
    let more: usize = groups.iter().map(|group| group.docs.len() - 1).sum();
    let leaks = groups.iter().filter(|group| group.leaks).count();
    ui.label(cx.tf("{} groups, {} documents beside the first of each", &[&groups.len(), &more]));
    if leaks > 0 {
        let words = cx.tf("{} groups lie on both sides of training, which flatters the score of a model", &[&leaks]);
        ui.add(Label::new(RichText::new(words).color(theme::palette(ui).warning)).wrap());
    }
    ui.horizontal_wrapped(|ui| {
        if ui.button(cx.t("Show them in the list")).clicked() {
            let only: Arc<[DocId]> = groups.iter().flat_map(|group| group.docs.iter().copied()).collect();
            cx.send(Command::SetFilter(Filter { only: Some(only), ..Filter::default() }));
            cx.goto(Place::Label);
        }
        if ui.button(cx.t("Flag all but the first")).clicked() {
            cx.send(Command::SettleDuplicates(Settle::Flag));
        }
        let what = cx.t("A comment on each says which document it is like");
        if ui.button(cx.t("Link to the first")).on_hover_text(what).clicked() {
            cx.send(Command::SettleDuplicates(Settle::Link));
        }
        if ui.button(cx.t("Take out all but the first")).clicked() {
            cx.send(Command::SettleDuplicates(Settle::Remove));
        }
    });
    const SHOWN: usize = 50;
    for group in groups.iter().take(SHOWN) {
        ui.add_space(4.0);
        let leak = if group.leaks { cx.t(" · on both sides of training") } else { "" };
        let percent = format!("{:.0}", group.likeness * 100.0);
        ui.label(
            RichText::new(cx.tf("{} documents, {} % alike and more{}", &[&group.docs.len(), &percent, &leak]))
                .color(theme::palette(ui).weak),
        );
        for doc in group.docs.iter().filter_map(|id| project.document(*id)) {
            ui.add(Label::new(format!("{}  {}", doc.id.index() + 1, super::short(&doc.text))).truncate());
        }
    }
    if groups.len() > SHOWN {
        ui.label(cx.tf("and {} more groups", &[&(groups.len() - SHOWN)]));
    }
}
