//! One setting of a run as a row of the panel: its name, a sentence of help, and how its value is shown and changed.
//! A new setting is one line in the table of its group. Draws nothing but rows.

use crate::train::{ModelChoice, TrainConfig};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, theme};
use eframe::egui::{self, DragValue};
use std::path::{Path, PathBuf};

/// A setting. Names and help are English sentences for [`crate::ui::i18n`].
pub struct Row {
    name: &'static str,
    help: &'static str,
    value: Value,
    /// The row is shown only where this holds: settings of a method that is not chosen say nothing.
    when: Option<fn(&TrainConfig) -> bool>,
}

/// One of several values of a setting.
pub struct Pick {
    name: &'static str,
    help: &'static str,
    is: fn(&TrainConfig) -> bool,
    choose: fn(&mut TrainConfig),
}

/// Draws a row of its own.
type OwnUi = fn(&mut egui::Ui, &mut Cx<'_>, &mut TrainConfig);

enum Value {
    /// `zero` is the word for 0, such as "all".
    Count {
        of: fn(&mut TrainConfig) -> &mut usize,
        least: usize,
        most: usize,
        zero: Option<&'static str>,
    },
    Number {
        of: fn(&mut TrainConfig) -> &mut f64,
        least: f64,
        most: f64,
        places: usize,
    },
    /// A learning rate, written as 5e-5.
    Rate(fn(&mut TrainConfig) -> &mut f64),
    Seed(fn(&mut TrainConfig) -> &mut u64),
    Switch(fn(&mut TrainConfig) -> &mut bool),
    Choice(&'static [Pick]),
    /// A file, or none. `key` names the setting where its dialog answers.
    Path {
        of: fn(&mut TrainConfig) -> &mut Option<PathBuf>,
        key: &'static str,
    },
    Own {
        ui: OwnUi,
        differs: fn(&TrainConfig, &TrainConfig) -> bool,
    },
}

/// `pick!("Linear", "Falls in a straight line", schedule = Schedule::Linear)`: a choice of a field that can be compared.
macro_rules! pick {
    ($name:literal, $help:literal, $field:ident = $value:expr) => {
        $crate::ui::panes::train::setup::row::Pick::new($name, $help, |config| config.$field == $value, |config| config.$field = $value)
    };
}
pub(in crate::ui::panes::train) use pick;

impl Pick {
    pub const fn new(name: &'static str, help: &'static str, is: fn(&TrainConfig) -> bool, choose: fn(&mut TrainConfig)) -> Self {
        Self { name, help, is, choose }
    }
}

/// A whole number between `least` and `most`.
pub const fn count(name: &'static str, help: &'static str, (least, most): (usize, usize), of: fn(&mut TrainConfig) -> &mut usize) -> Row {
    Row::new(name, help, Value::Count { of, least, most, zero: None })
}

/// A number between `least` and `most`, written with at most so many places.
pub const fn number(
    name: &'static str,
    help: &'static str,
    (least, most): (f64, f64),
    places: usize,
    of: fn(&mut TrainConfig) -> &mut f64,
) -> Row {
    Row::new(name, help, Value::Number { of, least, most, places })
}

pub const fn learning_rate(name: &'static str, help: &'static str, of: fn(&mut TrainConfig) -> &mut f64) -> Row {
    Row::new(name, help, Value::Rate(of))
}

pub const fn seed(name: &'static str, help: &'static str, of: fn(&mut TrainConfig) -> &mut u64) -> Row {
    Row::new(name, help, Value::Seed(of))
}

pub const fn switch(name: &'static str, help: &'static str, of: fn(&mut TrainConfig) -> &mut bool) -> Row {
    Row::new(name, help, Value::Switch(of))
}

/// One of several values: see [`pick!`].
pub const fn choice(name: &'static str, help: &'static str, picks: &'static [Pick]) -> Row {
    Row::new(name, help, Value::Choice(picks))
}

/// A file that is asked for. `key` is the name of the setting.
pub const fn file(name: &'static str, help: &'static str, key: &'static str, of: fn(&mut TrainConfig) -> &mut Option<PathBuf>) -> Row {
    Row::new(name, help, Value::Path { of, key })
}

/// A row that draws itself; `differs` compares the settings with the defaults.
pub const fn own(ui: OwnUi, differs: fn(&TrainConfig, &TrainConfig) -> bool) -> Row {
    Row::new("", "", Value::Own { ui, differs })
}

/// What the settings of the chosen model are without a change. The model itself is an encoder by default.
pub(super) fn defaults(config: &TrainConfig) -> TrainConfig {
    TrainConfig { model: ModelChoice::Encoder, ..TrainConfig::of_model(config.model) }
}

impl Row {
    const fn new(name: &'static str, help: &'static str, value: Value) -> Self {
        Self { name, help, value, when: None }
    }

    /// Shown only where this holds.
    pub const fn when(mut self, holds: fn(&TrainConfig) -> bool) -> Self {
        self.when = Some(holds);
        self
    }

    /// 0 is written as this word.
    pub const fn zero(mut self, word: &'static str) -> Self {
        if let Value::Count { zero, .. } = &mut self.value {
            *zero = Some(word);
        }
        self
    }

    /// Every sentence of the row, for the test that each has its Chinese.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let mut words = vec![self.name, self.help];
        match &self.value {
            Value::Choice(picks) => words.extend(picks.iter().flat_map(|pick| [pick.name, pick.help])),
            Value::Count { zero, .. } => words.extend(zero),
            _ => {}
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// Whether it says something of the method that is chosen.
    pub(super) fn is_shown(&self, config: &TrainConfig) -> bool {
        self.when.is_none_or(|holds| holds(config))
    }

    /// Whether it is shown and its value is not the default.
    pub(super) fn differs(&self, config: &mut TrainConfig, default: &mut TrainConfig) -> bool {
        if !self.is_shown(config) {
            return false;
        }
        match &self.value {
            Value::Count { of, .. } => of(config) != of(default),
            Value::Number { of, .. } | Value::Rate(of) => of(config) != of(default),
            Value::Seed(of) => of(config) != of(default),
            Value::Switch(of) => of(config) != of(default),
            Value::Choice(picks) => picks.iter().any(|pick| (pick.is)(config) != (pick.is)(default)),
            Value::Path { of, .. } => of(config) != of(default),
            Value::Own { differs, .. } => differs(config, default),
        }
    }

    /// Takes a path that was chosen for the setting `key`.
    pub(super) fn take_path(&self, key: &str, path: &Path, config: &mut TrainConfig) {
        if let Value::Path { of, key: own, .. } = &self.value
            && *own == key
        {
            *of(config) = Some(path.to_owned());
        }
    }

    /// Draws it: the name on the left, the value on the right, help and default on hover.
    pub(super) fn ui(&self, ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
        if !self.is_shown(config) {
            return;
        }
        let mut default = defaults(config);
        let differs = self.differs(config, &mut default);
        match &self.value {
            Value::Own { ui: draw, .. } => draw(ui, cx, config),
            Value::Path { of, key } => self.path_ui(ui, cx, of(config), Wish::Setting { key, folder: false }),
            value => {
                let default = value.said(cx, &mut default);
                let row = Setting { name: cx.t(self.name), help: cx.t(self.help), default: &default, differs };
                row.ui(ui, cx, |ui| value.ui(ui, cx, config, cx.t(self.name)));
            }
        }
    }

    fn path_ui(&self, ui: &mut egui::Ui, cx: &mut Cx<'_>, path: &mut Option<PathBuf>, wish: Wish) {
        let name = cx.t(self.name);
        let mut asked = false;
        let row = Setting { name, help: cx.t(self.help), default: cx.t("none"), differs: path.is_some() };
        row.ui(ui, cx, |ui| {
            let response = ui.button(cx.t("Choose…")).accessible_name(format!("{name}: {}", cx.t("Choose…")));
            asked = response.clicked();
            if let Some(chosen) = path.clone() {
                if ui.button(cx.t("Without")).accessible_name(format!("{name}: {}", cx.t("Without"))).clicked() {
                    *path = None;
                }
                let file = chosen.file_name().unwrap_or(chosen.as_os_str()).to_string_lossy().into_owned();
                ui.add(egui::Label::new(file).truncate()).on_hover_text(chosen.display().to_string());
            }
            response
        });
        if asked {
            cx.dialogs.open(wish);
        }
    }
}

impl Value {
    /// The value in words.
    fn said(&self, cx: &Cx<'_>, config: &mut TrainConfig) -> String {
        match self {
            Self::Count { of, zero, .. } => match (*of(config), zero) {
                (0, Some(word)) => cx.t(word).to_owned(),
                (value, _) => value.to_string(),
            },
            Self::Number { of, .. } => of(config).to_string(),
            Self::Rate(of) => rate(*of(config), cx.t(BY_ITSELF)),
            Self::Seed(of) => of(config).to_string(),
            Self::Switch(of) => if *of(config) { cx.t("on") } else { cx.t("off") }.to_owned(),
            Self::Choice(picks) => picks.iter().find(|pick| (pick.is)(config)).map_or(String::new(), |pick| cx.t(pick.name).to_owned()),
            Self::Path { .. } | Self::Own { .. } => String::new(),
        }
    }

    fn ui(&self, ui: &mut egui::Ui, cx: &Cx<'_>, config: &mut TrainConfig, name: &str) -> egui::Response {
        match self {
            Self::Count { of, least, most, zero } => {
                let value = of(config);
                // Large numbers move faster under the pointer.
                let speed = (*value as f64 * 0.01).clamp(0.05, 16.0);
                let drag = DragValue::new(value).range(*least..=*most).speed(speed);
                match zero {
                    Some(word) => ui.add(zero_as(drag, cx.t(word))),
                    None => ui.add(drag),
                }
            }
            Self::Number { of, least, most, places } => {
                let value = of(config);
                let finest = 0.5 * 0.1f64.powi(i32::try_from(*places).unwrap_or(2));
                let speed = (*value * 0.005).clamp(finest, 0.05);
                ui.add(DragValue::new(value).range(*least..=*most).speed(speed).max_decimals(*places))
            }
            Self::Rate(of) => {
                let value = of(config);
                let (speed, word) = ((*value * 0.02).max(1e-6), cx.t(BY_ITSELF));
                let drag = DragValue::new(value).range(0.0..=1e-1).speed(speed);
                let parsed = |text: &str| if text.trim() == word { Some(0.0) } else { text.trim().parse().ok() };
                ui.add(drag.custom_formatter(|value, _| rate(value, word)).custom_parser(parsed))
            }
            Self::Seed(of) => ui.add(DragValue::new(of(config)).speed(0.05)),
            Self::Switch(of) => ui.add(egui::Checkbox::without_text(of(config))),
            Self::Choice(picks) => choice_ui(ui, cx, config, name, picks),
            Self::Path { .. } | Self::Own { .. } => ui.label(""),
        }
    }
}

fn choice_ui(ui: &mut egui::Ui, cx: &Cx<'_>, config: &mut TrainConfig, name: &str, picks: &[Pick]) -> egui::Response {
    let chosen = picks.iter().find(|pick| (pick.is)(config)).map_or("", |pick| cx.t(pick.name));
    let menu = egui::ComboBox::from_id_salt(("train-choice", name)).selected_text(chosen).width(150.0).truncate();
    let shown = menu.show_ui(ui, |ui| {
        for pick in picks {
            let response = ui.selectable_label((pick.is)(config), cx.t(pick.name));
            let response = if pick.help.is_empty() { response } else { response.on_hover_text(cx.t(pick.help)) };
            if response.clicked() {
                (pick.choose)(config);
            }
        }
    });
    shown.response.accessible_name(format!("{name}: {chosen}"))
}

/// A number whose 0 is written as a word.
pub(super) fn zero_as<'a>(value: DragValue<'a>, word: &'a str) -> DragValue<'a> {
    let words = move |value: f64, _| if value < 0.5 { word.to_owned() } else { format!("{value:.0}") };
    value.custom_formatter(words).custom_parser(move |text| if text.trim() == word { Some(0.0) } else { text.trim().parse().ok() })
}

/// The parts of a row, in the words of the interface.
pub(super) struct Setting<'a> {
    pub name: &'a str,
    pub help: &'a str,
    pub default: &'a str,
    pub differs: bool,
}

impl Setting<'_> {
    pub fn ui(&self, ui: &mut egui::Ui, cx: &Cx<'_>, value: impl FnOnce(&mut egui::Ui) -> egui::Response) {
        let help = format!("{}\n{}", self.help, cx.tf("Default: {}", &[&self.default]));
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            let palette = theme::palette(ui);
            let color = if self.differs { palette.accent } else { palette.text };
            let label = ui.label(egui::RichText::new(self.name).color(color)).on_hover_text(&help);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().interact_size.x = 64.0;
                value(ui).labelled_by(label.id).on_hover_text(&help);
            });
        });
    }
}

/// Stands for a rate of 0: the run takes one that suits what it learns.
const BY_ITSELF: &str = "Automatic";

/// A learning rate: "5e-5", "1.5e-4".
fn rate(value: f64, by_itself: &str) -> String {
    if value == 0.0 { by_itself.to_owned() } else { format!("{value:.1e}").replace(".0e", "e") }
}
