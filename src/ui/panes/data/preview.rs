//! The head of a file before its import: how it is read, what each column is, what its labels are called here.

use super::{beginning, short};
use crate::desk::{Charset, Column, Command, Format, ImportOptions, Look, OffsetUnit, Preview, TurnColumns};
use crate::ui::{Cx, bars, theme};
use eframe::egui::{self, Align, ComboBox, Layout, RichText, TextEdit, TextStyle, Ui, vec2};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Text,
    Label,
    Labels,
    Id,
    Date,
    Annotator,
    Part,
    Conversation,
    Turn,
    Speaker,
    Keep,
    LeaveOut,
}

impl Role {
    const ALL: [Self; 12] = [
        Self::Text,
        Self::Label,
        Self::Labels,
        Self::Id,
        Self::Date,
        Self::Annotator,
        Self::Part,
        Self::Conversation,
        Self::Turn,
        Self::Speaker,
        Self::Keep,
        Self::LeaveOut,
    ];

    /// A word for [`crate::ui::i18n`].
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Label => "label",
            Self::Labels => "several labels",
            Self::Id => "id",
            Self::Date => "date",
            Self::Annotator => "annotator",
            Self::Part => "part in training",
            Self::Conversation => "conversation",
            Self::Turn => "turn",
            Self::Speaker => "speaker",
            Self::Keep => "keep",
            Self::LeaveOut => "leave out",
        }
    }

    /// Whether only one column can be it.
    fn is_single(self) -> bool {
        !matches!(self, Self::Keep | Self::LeaveOut)
    }

    /// By the names that such columns usually have.
    fn of_name(name: &str) -> Self {
        match name.trim().to_lowercase().as_str() {
            "id" | "uid" | "编号" | "編號" => Self::Id,
            "date" | "time" | "created_at" | "日期" | "时间" | "時間" => Self::Date,
            "annotator" | "labeler" | "标注人" | "标注者" | "標註者" => Self::Annotator,
            "split" | "part" => Self::Part,
            "conversation" | "conversation_id" | "dialogue" | "dialogue_id" | "dialog_id" | "session" | "session_id" | "对话" | "会话" => {
                Self::Conversation
            }
            "turn" | "turn_id" | "utterance_id" | "轮次" => Self::Turn,
            "speaker" | "role" | "说话人" | "角色" => Self::Speaker,
            _ => Self::Keep,
        }
    }
}

/// What is chosen for the file of the preview.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    path: PathBuf,
    columns: Vec<String>,
    roles: Vec<Role>,
    look: Look,
    /// What the labels of the file are called here, where that was changed.
    values: BTreeMap<String, String>,
}

impl Choice {
    fn new(path: &Path, preview: &Preview) -> Self {
        let role = |name: &String| if preview.is_own { Role::Keep } else { Role::of_name(name) };
        let mut roles: Vec<Role> = preview.columns.iter().map(role).collect();
        for (role, at) in [(Role::Text, Some(preview.text_guess)), (Role::Label, preview.label_guess)] {
            if let Some(held) = at.and_then(|at| roles.get_mut(at)) {
                *held = role;
            }
        }
        let (path, columns) = (path.to_owned(), preview.columns.clone());
        let mut choice = Self { path, columns, roles, look: preview.look.clone(), values: BTreeMap::new() };
        // Of two columns with one name the first is it.
        for role in Role::ALL.into_iter().filter(|role| role.is_single()) {
            if let Some(first) = choice.place(role) {
                choice.give(first, role);
            }
        }
        choice
    }

    fn place(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|held| *held == role)
    }

    /// Gives a column a role, and takes it from the one that had it.
    fn give(&mut self, at: usize, role: Role) {
        if role.is_single() {
            self.roles.iter_mut().filter(|held| **held == role).for_each(|held| *held = Role::Keep);
        }
        if let Some(held) = self.roles.get_mut(at) {
            *held = role;
        }
    }

    fn options(&self) -> ImportOptions {
        let header = self.look.header.unwrap_or(true);
        // A name, unless it is no name at all or stands for two columns.
        let column = |at: usize| match self.columns.get(at) {
            Some(name) if header && self.columns.iter().filter(|other| *other == name).count() == 1 => Column::Name(name.clone()),
            _ => Column::Number(at + 1),
        };
        let of = |role: Role| self.place(role).map(column);
        let left_out = self.roles.iter().enumerate().filter(|(_, role)| **role == Role::LeaveOut).map(|(at, _)| column(at)).collect();
        let options = ImportOptions {
            text: of(Role::Text).unwrap_or(Column::Number(1)),
            label: of(Role::Label),
            labels: of(Role::Labels),
            id: of(Role::Id),
            date: of(Role::Date),
            annotator: of(Role::Annotator),
            part: of(Role::Part),
            turns: of(Role::Conversation)
                .map(|conversation| Box::new(TurnColumns { conversation, turn: of(Role::Turn), speaker: of(Role::Speaker) })),
            left_out,
            values: self.values.iter().filter(|(from, to)| from != to).map(|(from, to)| (from.clone(), to.clone())).collect(),
            ..ImportOptions::default()
        };
        options.looked(&self.look)
    }
}

/// Draws the preview; `choice` is what is chosen so far.
pub(super) fn ui(choice: &mut Option<Choice>, ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, preview: &Preview) {
    let kind = |look: &Look| look.format.map(Format::name);
    let is_same = |choice: &Choice| choice.path == path && choice.columns == preview.columns && kind(&choice.look) == kind(&preview.look);
    if !choice.as_ref().is_some_and(is_same) {
        *choice = Some(Choice::new(path, preview));
    }
    let Some(choice) = choice else { return };
    ui.label(RichText::new(bars::file_name(path)).strong());
    let (format, encoding) = (cx.t(preview.format.name()), preview.encoding);
    let facts = match preview.is_annotated() {
        true if preview.is_own => cx.tf("{} of Gloss · {} · everything in them comes back", &[&format, &encoding]),
        true => format!("{format} · {encoding}"),
        false => cx.tf("{} · {} · {} columns", &[&format, &encoding, &preview.columns.len()]),
    };
    ui.label(RichText::new(facts).color(theme::palette(ui).weak)).on_hover_text(path.display().to_string());
    let before = choice.look.clone();
    ui.horizontal_wrapped(|ui| {
        format_ui(ui, cx, preview, &mut choice.look);
        look_ui(ui, cx, preview, &mut choice.look);
        if preview.unit.is_some() {
            unit_ui(ui, cx, preview, &mut choice.look);
        }
    });
    if let Some(doubt) = &preview.unit_doubt {
        let words = cx.t("The spans fit under more than one unit: look whether they stand where they should, and choose");
        ui.add(egui::Label::new(RichText::new(words).color(theme::palette(ui).warning)).wrap()).on_hover_text(doubt);
    }
    if choice.look != before {
        cx.send(Command::PreviewImportAs { path: path.to_owned(), look: Box::new(choice.look.clone()) });
    }
    // What stands where in a file of another tool is known.
    if !preview.is_annotated() {
        values_ui(ui, cx, preview, choice);
    }
    table_ui(ui, cx, preview, choice);
    let ready = !preview.columns.is_empty() && choice.place(Role::Text).is_some();
    ui.horizontal(|ui| {
        if ui.add_enabled(ready, theme::primary_button(ui, cx.t("Import"))).clicked() {
            cx.send(Command::Import { path: path.to_owned(), options: Box::new(choice.options()) });
        }
        let check = ui.add_enabled(ready, egui::Button::new(cx.t("Check first")));
        if check.on_hover_text(cx.t("Reads the whole file and says what would come in, and changes nothing")).clicked() {
            cx.send(Command::CheckImport { path: path.to_owned(), options: Box::new(choice.options()) });
        }
        if ui.button(cx.t("Cancel")).clicked() {
            cx.send(Command::DismissImport);
        }
        if !ready {
            ui.colored_label(theme::palette(ui).warning, cx.t("Say which column is the text"));
        }
    });
}

/// The kinds that a file can be read as, in a list that is called by what is held.
fn formats_ui(ui: &mut Ui, cx: &Cx<'_>, called: &str, held: Option<Format>) -> (egui::Response, Option<Format>) {
    let mut chosen = None;
    let combo = ComboBox::from_id_salt("format").selected_text(called).width(130.0).height(360.0);
    let combo = combo.show_ui(ui, |ui| {
        for format in Format::all() {
            let is_held = held.is_some_and(|held| held.name() == format.name());
            if ui.selectable_label(is_held, cx.t(format.name())).clicked() && !is_held {
                chosen = Some(format);
            }
        }
    });
    (combo.response, chosen)
}

/// The way on where a file could not be understood as what it seemed to be.
pub(super) fn try_as_ui(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path) {
    let label = ui.label(cx.t("Read it as"));
    let (combo, chosen) = formats_ui(ui, cx, cx.t("another format"), None);
    combo.labelled_by(label.id);
    if let Some(format) = chosen {
        let look = Look { format: Some(format), ..Look::default() };
        cx.send(Command::PreviewImportAs { path: path.to_owned(), look: Box::new(look) });
    }
}

/// What kind of file it is.
fn format_ui(ui: &mut Ui, cx: &Cx<'_>, preview: &Preview, look: &mut Look) {
    let label = ui.label(cx.t("Format"));
    let (combo, chosen) = formats_ui(ui, cx, cx.t(preview.format.name()), Some(preview.format));
    combo.labelled_by(label.id);
    if let Some(format) = chosen {
        // What was found out about it as another kind holds no more.
        *look = Look { format: Some(format), charset: look.charset, ..Look::default() };
    }
    ui.add_space(8.0);
}

/// Encoding, delimiter, quotes, header, sheet: as far as the format has them.
fn look_ui(ui: &mut Ui, cx: &Cx<'_>, preview: &Preview, look: &mut Look) {
    if preview.format.is_text() {
        let label = ui.label(cx.t("Encoding"));
        let found = cx.t("as found");
        let shown = look.charset.map_or(found, Charset::name);
        let combo = ComboBox::from_id_salt("encoding").selected_text(shown).width(110.0).show_ui(ui, |ui| {
            ui.selectable_value(&mut look.charset, None, found);
            for charset in Charset::ALL {
                ui.selectable_value(&mut look.charset, Some(charset), charset.name());
            }
        });
        combo.response.labelled_by(label.id);
    }
    let is_table = preview.format.may_have_header();
    if is_table && preview.format.is_text() {
        ui.add_space(8.0);
        let label = ui.label(cx.t("Delimiter"));
        let word = |delimiter: char| match delimiter {
            '\t' => cx.t("tab").to_owned(),
            sign => sign.to_string(),
        };
        let shown = look.delimiter.map(word).unwrap_or_default();
        let combo = ComboBox::from_id_salt("delimiter").selected_text(shown).width(64.0).show_ui(ui, |ui| {
            for delimiter in [',', ';', '\t', '|'] {
                ui.selectable_value(&mut look.delimiter, Some(delimiter), word(delimiter));
            }
        });
        combo.response.labelled_by(label.id);
        ui.add_space(8.0);
        ui.checkbox(&mut look.quoted, cx.t("Quotes enclose cells"));
    }
    if is_table {
        ui.add_space(8.0);
        let mut header = look.header.unwrap_or(preview.header_guess);
        if ui.checkbox(&mut header, cx.t("The first row names the columns")).changed() {
            look.header = Some(header);
        }
    }
    if preview.sheets.len() > 1 {
        ui.add_space(8.0);
        let label = ui.label(cx.t("Sheet"));
        let shown = look.sheet.clone().unwrap_or_default();
        let combo = ComboBox::from_id_salt("sheet").selected_text(short(&shown)).width(120.0).show_ui(ui, |ui| {
            for sheet in &preview.sheets {
                ui.selectable_value(&mut look.sheet, Some(sheet.clone()), short(sheet));
            }
        });
        combo.response.labelled_by(label.id);
    }
}

/// What the offsets of the file count.
fn unit_ui(ui: &mut Ui, cx: &Cx<'_>, preview: &Preview, look: &mut Look) {
    ui.add_space(8.0);
    let label = ui.label(cx.t("Offsets count"));
    let shown = preview.unit.map_or("", |unit| cx.t(unit));
    let combo = ComboBox::from_id_salt("unit").selected_text(shown).width(120.0).show_ui(ui, |ui| {
        ui.selectable_value(&mut look.unit, None, cx.t("as found"));
        for unit in OffsetUnit::ALL {
            ui.selectable_value(&mut look.unit, Some(unit), cx.t(unit.name()));
        }
    });
    combo.response.labelled_by(label.id);
}

/// A field for each label of the file: what it is called here.
fn values_ui(ui: &mut Ui, cx: &Cx<'_>, preview: &Preview, choice: &mut Choice) {
    let Some(values) = choice
        .place(Role::Label)
        .or_else(|| choice.place(Role::Labels))
        .and_then(|at| preview.values.get(at))
        .filter(|values| !values.is_empty())
    else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(cx.t("Labels are called here"));
        for value in values {
            let label = ui.label(RichText::new(cx.tf("{} as", &[&short(value)])).color(theme::palette(ui).weak));
            let called = choice.values.entry(value.clone()).or_insert_with(|| value.clone());
            let hint = cx.t("no label");
            ui.add(TextEdit::singleline(called).desired_width(80.0).hint_text(hint)).labelled_by(label.id);
            ui.add_space(4.0);
        }
    });
}

/// The column of the class among those of an annotated file, which are text, class and spans.
const CLASS: usize = 1;

/// The first rows, below what each column is.
fn table_ui(ui: &mut Ui, cx: &Cx<'_>, preview: &Preview, choice: &mut Choice) {
    let palette = theme::palette(ui);
    let room = (ui.available_height() - 56.0).max(140.0);
    const NARROW: f32 = 160.0;
    let others = preview.columns.len().saturating_sub(1) as f32;
    let wide = (ui.available_width() - 32.0 - others * (NARROW + 16.0)).clamp(320.0, 900.0);
    let text_at = choice.place(Role::Text);
    let is_fixed = preview.is_annotated();
    // Of an annotated file the spans want as much room as the text.
    let half = ((ui.available_width() - 64.0 - NARROW) / 2.0).clamp(240.0, 900.0);
    let width = |at: usize| match (is_fixed, Some(at) == text_at) {
        (true, _) if at != CLASS => half,
        (false, true) => wide,
        _ => NARROW,
    };
    theme::card(ui).inner_margin(8).show(ui, |ui| {
        let area = egui::ScrollArea::both().max_height(room - 24.0).auto_shrink([true, true]);
        area.show(ui, |ui| {
            egui::Grid::new("preview").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
                for (at, name) in preview.columns.iter().enumerate() {
                    cell(ui, width(at), RichText::new(short(name)).strong());
                }
                ui.end_row();
                if !is_fixed {
                    for (at, name) in preview.columns.iter().enumerate() {
                        role_ui(ui, cx, at, (width(at), name), choice);
                    }
                    ui.end_row();
                }
                for row in &preview.rows {
                    for at in 0..preview.columns.len() {
                        // As much as a wide column can show; what is more is cut where the column ends.
                        let text = row.get(at).map(|text| beginning(text, 240)).unwrap_or_default();
                        let is_chosen =
                            is_fixed || choice.roles.get(at).is_some_and(|role| matches!(role, Role::Text | Role::Label | Role::Labels));
                        cell(ui, width(at), RichText::new(text).color(if is_chosen { palette.text } else { palette.weak }));
                    }
                    ui.end_row();
                }
            });
        });
    });
}

/// What a column is, to be chosen; with the width and the name of the column.
fn role_ui(ui: &mut Ui, cx: &Cx<'_>, at: usize, (width, name): (f32, &str), choice: &mut Choice) {
    let held = choice.roles.get(at).copied().unwrap_or(Role::Keep);
    let color = if matches!(held, Role::Keep | Role::LeaveOut) { theme::palette(ui).weak } else { theme::palette(ui).accent };
    let mut role = held;
    let text = RichText::new(cx.t(held.word())).color(color);
    let combo = ComboBox::from_id_salt(("role", at)).selected_text(text).width(width.min(150.0)).show_ui(ui, |ui| {
        for one in Role::ALL {
            ui.selectable_value(&mut role, one, cx.t(one.word()));
        }
    });
    combo.response.accessible_name(name);
    if role != held {
        choice.give(at, role);
    }
}

/// A cell of the table.
fn cell(ui: &mut Ui, width: f32, text: RichText) {
    let height = ui.text_style_height(&TextStyle::Body);
    ui.allocate_ui_with_layout(vec2(width, height), Layout::left_to_right(Align::Center), |ui| {
        ui.set_width(width);
        ui.add(egui::Label::new(text).truncate());
    });
}
