//! What is talked about, drawn: a bar for each aspect that opens its reviews, and on demand what was said, where and when;
//! groups of terms can be renamed, joined and parted.

use super::aspects::{Aspect, Mention, month, quote};
use super::{Summary, bar_row, card, fill, open, sign};
use crate::desk::Command;
use crate::project::{DocId, Filter, Polarity, Project, SchemaChange};
use crate::ui::theme::{self, Palette};
use crate::ui::{Cx, icons};
use eframe::egui::{self, Align2, RichText, TextEdit, TextStyle, Ui, vec2};
use std::collections::BTreeMap;

/// What is unfolded and being typed.
#[derive(Default)]
pub(super) struct Talk {
    /// The name of the group that is shown in detail.
    unfolded: Option<String>,
    name: String,
    /// The column by whose values aspects are counted.
    column: Option<String>,
    all: bool,
    detail: Option<Detail>,
}

/// What is shown of the unfolded group: gathered once, not with every frame.
struct Detail {
    term: String,
    column: Option<String>,
    /// The column holds dates.
    is_time: bool,
    parts: Vec<Aspect>,
    quotes: Vec<(DocId, String)>,
}

impl Talk {
    /// The counts are others now.
    pub fn forget(&mut self) {
        self.detail = None;
    }

    /// `columns`: those that came with the documents.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, summary: &Summary, columns: &[String]) {
        const SHOWN: usize = 20;
        let title = cx.t("What is talked about").to_owned();
        card(ui, &title, |ui| {
            if summary.aspects.is_empty() {
                ui.weak(cx.t("Mark aspects and link opinions to them to see which terms are praised and which are not"));
                return;
            }
            self.tools(ui, cx, columns, summary);
            found(ui, cx, summary);
            let most = summary.aspects.iter().map(|aspect| aspect.count).max().unwrap_or(1);
            let shown = if self.all { summary.aspects.len() } else { SHOWN };
            for aspect in summary.aspects.iter().take(shown) {
                self.aspect(ui, cx, project, summary, aspect, most);
            }
            if summary.aspects.len() > SHOWN {
                let words = cx.tf("and {} more terms", &[&(summary.aspects.len() - SHOWN)]);
                let words = if self.all { cx.t("Show fewer").to_owned() } else { words };
                if ui.link(words).clicked() {
                    self.all = !self.all;
                }
            }
        });
    }

    /// By which column, and the search for terms that mean the same.
    fn tools(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, columns: &[String], summary: &Summary) {
        ui.horizontal_wrapped(|ui| {
            if !columns.is_empty() {
                let label = ui.label(cx.t("Counted by"));
                let none = cx.t("nothing more").to_owned();
                let selected = self.column.clone().unwrap_or_else(|| none.clone());
                let menu = egui::ComboBox::from_id_salt("aspects-by").selected_text(selected).show_ui(ui, |ui| {
                    if ui.selectable_label(self.column.is_none(), none).clicked() {
                        self.column = None;
                    }
                    for column in columns {
                        if ui.selectable_label(self.column.as_ref() == Some(column), column).clicked() {
                            self.column = Some(column.clone());
                        }
                    }
                });
                menu.response.labelled_by(label.id);
            }
            let similar = cx.desk.similar_terms();
            if similar.is_working() {
                ui.weak(cx.t("Comparing the terms…"));
                return;
            }
            let can = cx.desk.runs().iter().any(|run| run.report.is_some());
            let button = ui.add_enabled(can, egui::Button::new(cx.t("Find terms that mean the same")));
            let button = button.on_hover_text(cx.t("The newest model compares how the terms are used; nothing changes until you agree"));
            if button.on_disabled_hover_text(cx.t("Train a model first: its encoder tells which terms are alike")).clicked() {
                let terms = summary.aspects.iter().flat_map(|aspect| aspect.members.first()).map(|(term, _)| term.clone()).collect();
                cx.send(Command::FindSimilarTerms(terms));
            }
            if let Some(error) = &similar.error {
                ui.label(RichText::new(error).color(theme::palette(ui).error));
            }
        });
        ui.add_space(4.0);
    }

    fn aspect(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, summary: &Summary, aspect: &Aspect, most: usize) {
        let unfolded = self.unfolded.as_ref() == Some(&aspect.term);
        ui.push_id(&aspect.term, |ui| {
            ui.horizontal(|ui| {
                let icon = if unfolded { icons::Icon::Up } else { icons::Icon::Down };
                if icons::icon_button(ui, icon, &cx.tf("What was said about {}", &[&aspect.term]), true).clicked() {
                    self.unfolded = (!unfolded).then(|| aspect.term.clone());
                    self.name.clone_from(&aspect.term);
                }
                if aspect_bar(ui, cx, aspect, most) {
                    open(cx, Filter::only(aspect.documents.as_slice()));
                }
            });
            if unfolded {
                egui::Frame::new().inner_margin(egui::Margin { left: 30, right: 6, top: 2, bottom: 8 }).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 4.0;
                    self.edit(ui, cx, summary, aspect);
                    said(ui, cx, aspect);
                    self.detail(cx, project, aspect);
                    if let Some(detail) = &self.detail {
                        parts(ui, cx, detail);
                        quotes(ui, cx, detail);
                    }
                });
            }
        });
    }

    /// The terms of the group; its name, and what it may be joined with.
    fn edit(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, summary: &Summary, aspect: &Aspect) {
        let terms = || aspect.members.iter().map(|(term, _)| term.clone()).collect::<Vec<_>>();
        let group =
            |terms: Vec<String>, name: &str| Command::ChangeSchema(Box::new(SchemaChange::GroupTerms { terms, name: name.to_owned() }));
        ui.horizontal_wrapped(|ui| {
            let field = ui.add(TextEdit::singleline(&mut self.name).desired_width(120.0)).accessible_name(cx.t("Name of the group"));
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let can = !self.name.trim().is_empty() && self.name.trim() != aspect.term;
            if (ui.add_enabled(can, egui::Button::new(cx.t("Rename"))).clicked() || entered) && can {
                cx.send(group(terms(), &self.name));
                self.unfolded = Some(self.name.trim().to_owned());
            }
            let menu = egui::ComboBox::from_id_salt("join").selected_text(cx.t("Join with…")).show_ui(ui, |ui| {
                for other in summary.aspects.iter().filter(|other| other.term != aspect.term) {
                    if ui.selectable_label(false, format!("{} ({})", other.term, other.count)).clicked() {
                        // Both by name: what their spelling says does not matter any more.
                        let both = terms().into_iter().chain(other.members.iter().map(|(term, _)| term.clone()));
                        cx.send(group(both.collect(), &other.term));
                        self.unfolded = Some(other.term.clone());
                    }
                }
            });
            menu.response.accessible_name(cx.tf("Join {} with another term", &[&aspect.term]));
        });
        if aspect.members.len() < 2 {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for (term, count) in &aspect.members {
                let words = cx.tf("Count {} by itself", &[term]);
                let chip = ui.button(format!("{term} {count}  ×")).accessible_name(&words).on_hover_text(&words);
                if chip.clicked() {
                    cx.send(group(vec![term.clone()], term));
                }
            }
        });
    }

    /// Gathers what is shown of a group, unless it is there already.
    fn detail(&mut self, cx: &Cx<'_>, project: &Project, aspect: &Aspect) {
        const QUOTES: usize = 3;
        const AROUND: usize = 36;
        let fits = |detail: &Detail| detail.term == aspect.term && detail.column == self.column;
        if self.detail.as_ref().is_some_and(fits) {
            return;
        }
        let column = self.column.as_deref();
        let raw = |doc: DocId| Some(project.document(doc)?.meta.get(column?)?.trim()).filter(|value| !value.is_empty());
        let is_time = aspect.documents.iter().filter_map(|doc| raw(*doc)).all(|value| month(value).is_some());
        let value = |doc: DocId| if is_time { month(raw(doc)?) } else { raw(doc).map(str::to_owned) };
        let mut parts: Vec<Aspect> = aspect.by(value).into_values().collect();
        if !is_time {
            parts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.term.cmp(&b.term)));
        }
        let length = |doc: DocId| project.document(doc).map_or(usize::MAX, |document| document.text.len());
        let words = |mention: &Mention| {
            let document = project.document(mention.doc)?;
            let range = document.seen_in(cx.desk.layer()).annotation.spans.get(&mention.span)?.range;
            Some((mention.doc, quote(&document.text, range.start(), range.end(), AROUND)))
        };
        let quotes = aspect.typical(QUOTES, length).into_iter().filter_map(words).collect();
        self.detail = Some(Detail { term: aspect.term.clone(), column: self.column.clone(), is_time, parts, quotes });
    }
}

/// A bar for each value of the column; dates by month.
fn parts(ui: &mut Ui, cx: &mut Cx<'_>, detail: &Detail) {
    const SHOWN: usize = 12;
    let Some(column) = &detail.column else { return };
    let most = detail.parts.iter().map(|part| part.count).max().unwrap_or(1);
    // Of time the newest, of other values the most frequent.
    let skip = if detail.is_time { detail.parts.len().saturating_sub(SHOWN) } else { 0 };
    for part in detail.parts.iter().skip(skip).take(SHOWN) {
        if aspect_bar(ui, cx, part, most) {
            open(cx, Filter::only(part.documents.as_slice()));
        }
    }
    if detail.parts.is_empty() {
        ui.weak(cx.tf("None of its reviews has a value of {}", &[column]));
    }
}

/// Groups that the model found, to agree to or not.
fn found(ui: &mut Ui, cx: &mut Cx<'_>, summary: &Summary) {
    let similar = cx.desk.similar_terms();
    let Some(groups) = similar.found.as_ref().filter(|_| !similar.is_working()) else { return };
    if groups.is_empty() {
        ui.weak(cx.t("No other terms are used alike"));
        return;
    }
    const SHOWN: usize = 6;
    for terms in groups.iter().take(SHOWN) {
        // With each term comes what its spelling had put with it.
        let members = |term: &String| summary.aspects.iter().find(|aspect| aspect.members.iter().any(|(member, _)| member == term));
        let Some(name) = terms.iter().filter_map(members).max_by_key(|aspect| aspect.count).map(|aspect| aspect.term.clone()) else {
            continue;
        };
        ui.horizontal_wrapped(|ui| {
            let words = terms.join(" · ");
            ui.label(&words);
            if ui.button(cx.t("Join")).accessible_name(cx.tf("Join {}", &[&words])).clicked() {
                let all = terms.iter().filter_map(members).flat_map(|aspect| aspect.members.iter().map(|(term, _)| term.clone()));
                cx.send(Command::ChangeSchema(Box::new(SchemaChange::GroupTerms { terms: all.collect(), name: name.clone() })));
                cx.send(Command::DismissSimilar(terms.clone()));
            }
            if ui.button(cx.t("They differ")).accessible_name(cx.tf("{} differ", &[&words])).clicked() {
                cx.send(Command::DismissSimilar(terms.clone()));
            }
        });
    }
    ui.separator();
}

/// The opinions, the most frequent first.
fn said(ui: &mut Ui, cx: &Cx<'_>, aspect: &Aspect) {
    const SHOWN: usize = 8;
    if aspect.said.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(cx.t("Said of it:")).color(palette.weak));
        for (words, polarity, count) in aspect.said.iter().take(SHOWN) {
            let color = polarity.map_or(palette.text, |polarity| palette.polarity(polarity));
            let mark = polarity.map_or("", sign);
            let times = if *count > 1 { format!(" {count}×") } else { String::new() };
            ui.label(RichText::new(format!("{mark}{words}{times}")).color(color));
        }
    });
}

/// Typical sentences; a click opens the review.
fn quotes(ui: &mut Ui, cx: &mut Cx<'_>, detail: &Detail) {
    for (doc, words) in &detail.quotes {
        let link = ui.add(egui::Link::new(RichText::new(format!("“{words}”")).small()));
        if link.on_hover_text(cx.t("Click to open the review")).clicked() {
            open(cx, Filter::only(vec![*doc]));
        }
    }
}

/// A term: a bar as long as it is frequent, parted by what was said about it.
fn aspect_bar(ui: &mut Ui, cx: &Cx<'_>, aspect: &Aspect, most: usize) -> bool {
    let palette: &Palette = theme::palette(ui);
    let said = [(Polarity::Positive, aspect.positive), (Polarity::Neutral, aspect.neutral), (Polarity::Negative, aspect.negative)];
    let marks: Vec<String> = said.iter().filter(|(_, n)| *n > 0).map(|(polarity, n)| format!("{}{n}", sign(*polarity))).collect();
    let value = format!("{}  {}", aspect.count, marks.join(" "));
    let (response, middle) = bar_row(ui, &aspect.term, &value);
    if let Some(middle) = middle {
        let length = aspect.count as f32 / most.max(1) as f32;
        fill(ui, middle, length, palette.line);
        let judged: usize = said.iter().map(|(_, n)| n).sum();
        let mut left = middle.left();
        for (polarity, n) in said {
            let width = middle.width() * length * n as f32 / judged.max(1) as f32;
            let part = egui::Rect::from_min_size(egui::pos2(left, middle.top()), vec2(width, middle.height()));
            ui.painter().rect_filled(part, 2, palette.polarity(polarity));
            left += width;
        }
        let font = TextStyle::Small.resolve(ui.style());
        ui.painter().text(middle.right_center() + vec2(108.0, 0.0), Align2::RIGHT_CENTER, value, font, palette.weak);
    }
    let net = format!("{:+.2}", aspect.net());
    let mut words = cx.tf("{}: {} times in {} documents, net polarity {}", &[&aspect.term, &aspect.count, &aspect.documents.len(), &net]);
    if aspect.members.len() > 1 {
        let members: BTreeMap<&str, usize> = aspect.members.iter().map(|(term, count)| (term.as_str(), *count)).collect();
        words = format!("{words}\n{}", members.into_keys().collect::<Vec<_>>().join(" · "));
    }
    response.on_hover_text(words).clicked()
}
