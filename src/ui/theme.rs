//! All colours, text sizes and spacing of the window, for light and dark. No other file names a colour.

use crate::project::Polarity;
use eframe::egui::{self, Color32};

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Behind the document.
    pub ground: Color32,
    /// Rail, bars and side columns.
    pub panel: Color32,
    /// Fields and cards on a panel.
    pub raised: Color32,
    pub line: Color32,
    pub text: Color32,
    pub weak: Color32,
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    pub error: Color32,
    pub warning: Color32,
    pub success: Color32,
    /// Label hues, distinct for colour-blind eyes (after Okabe and Ito 2008), readable as text on the ground.
    pub hues: [Color32; 8],
}

const LIGHT: Palette = Palette {
    ground: Color32::from_rgb(255, 255, 255),
    panel: Color32::from_rgb(246, 246, 244),
    raised: Color32::from_rgb(255, 255, 255),
    line: Color32::from_rgb(222, 222, 217),
    text: Color32::from_rgb(32, 33, 36),
    weak: Color32::from_rgb(100, 102, 106),
    accent: Color32::from_rgb(30, 96, 145),
    on_accent: Color32::from_rgb(255, 255, 255),
    error: Color32::from_rgb(178, 32, 32),
    warning: Color32::from_rgb(150, 90, 0),
    success: Color32::from_rgb(22, 114, 72),
    hues: [
        Color32::from_rgb(190, 62, 20),
        Color32::from_rgb(102, 106, 112),
        Color32::from_rgb(0, 122, 92),
        Color32::from_rgb(0, 98, 168),
        Color32::from_rgb(163, 88, 0),
        Color32::from_rgb(160, 60, 125),
        Color32::from_rgb(24, 116, 158),
        Color32::from_rgb(118, 110, 12),
    ],
};

const DARK: Palette = Palette {
    ground: Color32::from_rgb(24, 25, 27),
    panel: Color32::from_rgb(32, 33, 36),
    raised: Color32::from_rgb(43, 44, 48),
    line: Color32::from_rgb(60, 62, 66),
    text: Color32::from_rgb(232, 232, 228),
    weak: Color32::from_rgb(160, 162, 166),
    accent: Color32::from_rgb(110, 178, 230),
    on_accent: Color32::from_rgb(16, 24, 32),
    error: Color32::from_rgb(242, 120, 110),
    warning: Color32::from_rgb(236, 178, 80),
    success: Color32::from_rgb(96, 200, 150),
    hues: [
        Color32::from_rgb(240, 132, 92),
        Color32::from_rgb(172, 176, 182),
        Color32::from_rgb(72, 196, 156),
        Color32::from_rgb(102, 174, 236),
        Color32::from_rgb(236, 168, 64),
        Color32::from_rgb(224, 140, 194),
        Color32::from_rgb(124, 206, 240),
        Color32::from_rgb(214, 204, 92),
    ],
};

impl Palette {
    pub fn of(dark: bool) -> &'static Self {
        if dark { &DARK } else { &LIGHT }
    }

    /// The hue of a class or label.
    pub fn hue(&self, hue: u8) -> Color32 {
        self.hues[usize::from(hue) % self.hues.len()]
    }

    /// The hue as a ground behind text.
    pub fn ground_of(&self, hue: u8) -> Color32 {
        self.hue(hue).gamma_multiply(0.22)
    }

    /// Never shown without its mark.
    pub fn polarity(&self, polarity: Polarity) -> Color32 {
        match polarity {
            Polarity::Negative => self.hues[0],
            Polarity::Neutral => self.hues[1],
            Polarity::Positive => self.hues[2],
        }
    }
}

/// The palette of the theme in force.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    Palette::of(ui.visuals().dark_mode)
}

/// Distances, on a grid of 4 points.
pub const GAP: f32 = 8.0;
/// Rounding of corners.
pub const ROUNDING: u8 = 6;
/// Height of things to click.
pub const ROW_HEIGHT: f32 = 28.0;

/// Gives egui both themes.
pub fn install(ctx: &egui::Context) {
    ctx.set_style_of(egui::Theme::Light, style(false));
    ctx.set_style_of(egui::Theme::Dark, style(true));
}

/// The preference of egui for ours.
pub fn preference(theme: crate::desk::Theme) -> egui::ThemePreference {
    match theme {
        crate::desk::Theme::System => egui::ThemePreference::System,
        crate::desk::Theme::Light => egui::ThemePreference::Light,
        crate::desk::Theme::Dark => egui::ThemePreference::Dark,
    }
}

/// The whole look of one theme.
pub fn style(dark: bool) -> egui::Style {
    use egui::{FontFamily, FontId, TextStyle, vec2};
    let font = |size: f32| FontId::new(size, FontFamily::Proportional);
    let text_styles = [
        (TextStyle::Small, font(12.0)),
        (TextStyle::Body, font(14.0)),
        (TextStyle::Button, font(14.0)),
        (TextStyle::Heading, font(18.0)),
        (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
    ];
    let mut style = egui::Style { visuals: visuals(dark), text_styles: text_styles.into(), animation_time: 0.08, ..egui::Style::default() };
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(GAP, GAP);
    spacing.button_padding = vec2(10.0, 5.0);
    spacing.interact_size = vec2(32.0, ROW_HEIGHT);
    spacing.window_margin = egui::Margin::same(16);
    spacing.menu_margin = egui::Margin::same(8);
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 8.0;
    spacing.icon_spacing = 6.0;
    spacing.slider_rail_height = 4.0;
    spacing.tooltip_width = 360.0;
    spacing.text_edit_width = 240.0;
    spacing.indent = 16.0;
    spacing.scroll = egui::style::ScrollStyle::solid();
    spacing.scroll.bar_width = 8.0;
    spacing.scroll.floating = true;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style
}

fn visuals(dark: bool) -> egui::Visuals {
    use egui::{CornerRadius, Stroke};
    let palette = Palette::of(dark);
    let mut visuals = if dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    let rounding = CornerRadius::same(ROUNDING);
    let mix = |part: f32| palette.panel.lerp_to_gamma(palette.text, part);
    let widget = |fill: Color32, line: Color32, text: Color32| egui::style::WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: rounding,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let w = &mut visuals.widgets;
    w.noninteractive = widget(palette.panel, palette.line, palette.text);
    w.inactive = widget(palette.raised, palette.edge(), palette.text);
    w.hovered = widget(mix(0.08), palette.weak, palette.text);
    // Has the focus or is being pressed: the ring is what a keyboard user steers by.
    w.active = widget(mix(0.12), palette.accent, palette.text);
    w.active.bg_stroke.width = 2.0;
    w.open = widget(mix(0.08), palette.weak, palette.text);
    visuals.selection.bg_fill = palette.accent_ground();
    visuals.selection.stroke = Stroke::new(1.5, palette.accent);
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.accent;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.error;
    visuals.extreme_bg_color = palette.raised;
    visuals.text_edit_bg_color = Some(palette.field());
    visuals.code_bg_color = mix(0.06);
    visuals.faint_bg_color = mix(0.03);
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.overlay();
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = rounding;
    let shade = Color32::from_black_alpha(if dark { 110 } else { 40 });
    visuals.window_shadow = egui::Shadow { offset: [0, 8], blur: 24, spread: 0, color: shade };
    visuals.popup_shadow = egui::Shadow { offset: [0, 4], blur: 12, spread: 0, color: shade };
    visuals.slider_trailing_fill = true;
    visuals.striped = false;
    visuals
}

impl Palette {
    /// The edge of fields and buttons: 3 to 1 against the panel, so that a control is seen as one.
    pub fn edge(&self) -> Color32 {
        self.line.lerp_to_gamma(self.weak, 0.6)
    }

    /// Ground of text fields.
    pub fn field(&self) -> Color32 {
        if self.is_dark() { self.ground } else { self.raised }
    }

    /// Ground of windows and menus above everything else.
    pub fn overlay(&self) -> Color32 {
        if self.is_dark() { self.panel } else { self.raised }
    }

    /// Ground of what is chosen, behind text in the accent's colour.
    pub fn accent_ground(&self) -> Color32 {
        self.panel.lerp_to_gamma(self.accent, 0.16)
    }

    /// Dims what lies behind a window.
    pub fn veil(&self) -> Color32 {
        Color32::from_black_alpha(if self.is_dark() { 140 } else { 70 })
    }

    fn is_dark(&self) -> bool {
        self.ground.r() < 128
    }
}

/// A window over all others, as every question and sheet is shown.
pub fn modal(ctx: &egui::Context, name: &str) -> egui::Modal {
    let veil = Palette::of(ctx.global_style().visuals.dark_mode).veil();
    egui::Modal::new(egui::Id::unique(name)).backdrop_color(veil).frame(egui::Frame::window(&ctx.global_style()).inner_margin(20))
}

/// The one button of a view that does what the view is for.
pub fn primary_button(ui: &egui::Ui, text: impl Into<String>) -> egui::Button<'static> {
    let palette = palette(ui);
    egui::Button::new(egui::RichText::new(text).color(palette.on_accent)).fill(palette.accent)
}

/// A card: a raised ground with an edge.
pub fn card(ui: &egui::Ui) -> egui::Frame {
    let palette = palette(ui);
    egui::Frame::new()
        .fill(palette.raised)
        .stroke(egui::Stroke::new(1.0, palette.line))
        .corner_radius(ROUNDING)
        .inner_margin(egui::Margin::same(16))
}
