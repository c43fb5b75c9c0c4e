//! The types of links in the window of labels: colour, name, what they join, help, merging, deleting, new ones.

use super::attributes::moves;
use super::details::{Details, Field, chevron, choice_menu};
use super::question::title_ui;
use super::row::{NAME, SWATCH, swatch_ui};
use crate::project::{LinkType, LinkTypeChange, Project, SchemaChange};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::palette;
use eframe::egui::{self, Align, Layout, RichText, Ui};

const END: f32 = 112.0;

/// Draws the section; answers with a change that may have to be asked about.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, details: &mut Details) -> Option<SchemaChange> {
    title_ui(ui, cx, "Link types", "What it means that one span points at another");
    let types = project.schema().link_types();
    let mut asked = None;
    for (held, at) in types.iter().zip(0u16..) {
        ui.push_id(("link type", at), |ui| {
            asked = type_ui(ui, cx, project, details, (at, held)).or(asked.take());
        });
        details.problems_ui(ui, cx, [Field::LinkName(at), Field::LinkHelp(at)]);
    }
    ui.horizontal(|ui| {
        ui.add_space(SWATCH + ui.spacing().item_spacing.x);
        let words = (cx.t("New link type").to_owned(), cx.t("Add the link type").to_owned());
        asked = details.fresh(ui, cx, project, Field::NewLinkType, words, NAME).or(asked.take());
    });
    details.problems_ui(ui, cx, [Field::NewLinkType]);
    asked
}

fn type_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, details: &mut Details, (at, held): (u16, &LinkType)) -> Option<SchemaChange> {
    let name = &held.name;
    let types = project.schema().link_types();
    let mut asked = None;
    ui.horizontal(|ui| {
        if let Some(to) = swatch_ui(ui, cx, held.hue, name) {
            asked = Some(LinkTypeChange::SetHue { at, to });
        }
        let words = (cx.tf("Name of the link type {}", &[name]), "");
        let typed = details.field(ui, project, Field::LinkName(at), name, words, NAME);
        let labels: Vec<&str> =
            std::iter::once(cx.t("any span")).chain(project.schema().span_labels.iter().map(|label| label.name.as_str())).collect();
        let place = |end: Option<u16>| end.map_or(0, |label| usize::from(label) + 1);
        let end = |place: usize| place.checked_sub(1).map(|label| label as u16);
        if let Some(from) = choice_menu(ui, &labels, place(held.from), &cx.tf("{} goes out from", &[name]), END) {
            asked = Some(LinkTypeChange::SetEnds { at, from: end(from), to: held.to });
        }
        ui.label(RichText::new("→").color(palette(ui).weak));
        if let Some(to) = choice_menu(ui, &labels, place(held.to), &cx.tf("{} points at", &[name]), END) {
            asked = Some(LinkTypeChange::SetEnds { at, from: held.from, to: end(to) });
        }
        let mut parts = held.parts;
        let words = cx.t("Joins parts of one thing: ASTE writes them as one");
        // The first type says what opinions are about.
        let check = egui::Checkbox::new(&mut parts, RichText::new(cx.t("parts")).color(palette(ui).weak));
        let check = ui.add_enabled(at > 0, check);
        if check.accessible_name(cx.tf("{} joins parts", &[name])).on_hover_text(words).changed() {
            asked = Some(LinkTypeChange::SetParts { at, to: parts });
        }
        let mut helped = None;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let several = types.len() > 1;
            if icons::icon_button(ui, Icon::Delete, &cx.tf("Delete the link type {}", &[name]), several).clicked() {
                asked = Some(LinkTypeChange::Delete { at });
            }
            ui.add_enabled_ui(several, |ui| {
                let menu = ui.menu_button(format!("{}     ", cx.t("Merge")), |ui| {
                    for (other, into) in types.iter().zip(0u16..).filter(|(_, into)| *into != at) {
                        if ui.button(cx.tf("into {}", &[&other.name])).clicked() {
                            asked = Some(LinkTypeChange::Merge { at, into });
                            ui.close();
                        }
                    }
                });
                chevron(ui, &menu.response);
                let words = cx.tf("Merge the link type {} into another", &[name]);
                menu.response.accessible_name(&words).on_hover_text(words);
            });
            if let Some(to) = moves(ui, cx, name, at, types.len() - 1) {
                asked = Some(LinkTypeChange::Move { at, to });
            }
            let words = (cx.tf("Help for {}", &[name]), cx.t("When to choose it, and when not"));
            let rest = ui.available_width();
            helped = details.field(ui, project, Field::LinkHelp(at), &held.help, words, rest);
        });
        typed.or(helped).or(asked.take().map(SchemaChange::LinkType))
    })
    .inner
}
