//! A text with marked spans and the links between them: painting, pointing, and what the mouse did.
//!
//! Takes plain data and answers with events; it changes nothing and knows no desk. Bytes in, bytes out:
//! the code points of egui's cursors stay inside.

mod layout;
mod paint;

use crate::project::{Polarity, TextRange};
use crate::ui::theme::palette;
use eframe::egui::{self, CursorIcon, Id, Modifiers, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, accesskit, pos2, vec2};
use layout::Layout;
use std::ops::Range;

/// A marked place as the widget shows it.
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub struct MarkedSpan<'a> {
    /// The caller's name for the span, unique within the document.
    pub id: u32,
    pub range: TextRange,
    /// Name of its label.
    pub label: &'a str,
    /// Index of a theme hue.
    pub hue: u8,
    pub polarity: Option<Polarity>,
    /// A suggestion: dashed outline instead of a ground.
    pub dashed: bool,
    /// In percent, shown with a suggestion.
    pub percent: Option<u8>,
}

/// Two spans that belong together, by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkedLink<'a> {
    pub from: u32,
    pub to: u32,
    pub dashed: bool,
    /// How its type is told from others; `None` where there is only one.
    pub look: Option<LinkLook<'a>>,
}

/// The look of a type of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkLook<'a> {
    pub name: &'a str,
    /// Index of a theme hue.
    pub hue: u8,
}

impl<'a> MarkedLink<'a> {
    /// A plain link.
    pub fn new(from: u32, to: u32) -> Self {
        Self { from, to, dashed: false, look: None }
    }

    /// The same with a look.
    #[must_use]
    pub fn with_look(self, look: Option<LinkLook<'a>>) -> Self {
        Self { look, ..self }
    }
}

/// What is shown. Build it anew each frame; what is costly is kept in [`DocumentState`].
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub text: &'a str,
    pub spans: &'a [MarkedSpan<'a>],
    pub links: &'a [MarkedLink<'a>],
    /// Points.
    pub size: f32,
    /// The span with the full outline.
    pub selected: Option<u32>,
    /// The span that a link would go to, with a dotted outline.
    pub candidate: Option<u32>,
    /// Byte before which the caret stands.
    pub caret: Option<usize>,
    pub selection: Option<Range<usize>>,
    /// Whether the mouse marks and moves edges; without it spans can only be clicked.
    pub editable: bool,
    /// Scrolls so that this byte is in sight.
    pub reveal: Option<usize>,
    /// For a screen reader: what the text is.
    pub name: &'a str,
}

/// What the mouse (or a screen reader) did.
#[derive(Clone, Debug, PartialEq)]
pub enum Gesture {
    /// The pointer went down and up at one place.
    Click {
        byte: usize,
        span: Option<u32>,
        modifiers: Modifiers,
    },
    /// `byte` is where the character under the pointer begins.
    DoubleClick {
        byte: usize,
    },
    /// A selection is being drawn from `from` to `to`, either of which may come first.
    Selecting {
        from: usize,
        to: usize,
        modifiers: Modifiers,
    },
    Selected {
        from: usize,
        to: usize,
        modifiers: Modifiers,
        at: Pos2,
    },
    /// The start or the end of the selected span is being moved to `to`.
    MovingEdge {
        id: u32,
        end: bool,
        to: usize,
        modifiers: Modifiers,
    },
    MovedEdge {
        id: u32,
        end: bool,
        to: usize,
        modifiers: Modifiers,
    },
}

/// What a frame of the widget gave.
pub struct DocumentOutput {
    pub response: Response,
    pub gesture: Option<Gesture>,
    /// The span under the pointer.
    pub hovered: Option<u32>,
}

/// Layout and drag under way, kept between frames by the caller.
#[derive(Default)]
pub struct DocumentState {
    layout: Option<Layout>,
    drag: Option<Drag>,
    /// From this byte on the text is greyed.
    pub dimmed_from: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Drag {
    Select { from: usize },
    Edge { id: u32, end: bool },
}

/// How near to an edge of the selected span the pointer must be to take hold of it.
const EDGE_REACH: f32 = 5.0;

/// So many characters of a span stand in its name.
const READ_OF_SPAN: usize = 80;
/// Longer texts are not handed to a screen reader at every frame.
const READ_ALOUD: usize = 20_000;

impl DocumentState {
    /// Bytes of the visual line at `byte`; `None` before the first frame.
    pub fn line_at(&self, byte: usize) -> Option<Range<usize>> {
        self.layout.as_ref()?.line_at(byte)
    }

    /// Byte where the character at a point begins, measured from the widget's top left corner.
    pub fn byte_under(&self, at: egui::Vec2) -> Option<usize> {
        self.layout.as_ref()?.character_at(at)
    }

    /// Lets a drag under way go.
    pub fn forget_drag(&mut self) {
        self.drag = None;
    }
}

impl Document<'_> {
    /// Draws the document over the available width and answers with what the mouse did.
    pub fn show(self, ui: &mut Ui, state: &mut DocumentState) -> DocumentOutput {
        let width = ui.available_width();
        let layout = Layout::renewed(state.layout.take(), ui, &self, width);
        let layout = state.layout.insert(layout);
        let top = ui.cursor().top();
        let in_sight = ui.clip_rect().y_range();
        layout.ensure(ui, &self, (in_sight.min - top - 200.0)..(in_sight.max - top + 200.0));

        let (id, rect) = ui.allocate_space(vec2(width, layout.height()));
        let sense = Sense::click_and_drag();
        let response = ui.interact(rect, id, sense).on_hover_cursor(CursorIcon::Text);
        let origin = rect.min;
        response.widget_info(|| WidgetInfo::labeled(Role::Document, true, self.name));
        if self.text.len() < READ_ALOUD {
            ui.ctx().accesskit_node_builder(id, |builder| builder.set_value(self.text));
        }
        let dimmed = state.dimmed_from.map(|from| from.min(self.text.len())..self.text.len());
        paint::paint(ui, layout, &self, origin, dimmed.as_ref());

        let mut gesture = self.gesture(ui, layout, &mut state.drag, &response, origin);
        let hovered = response.hover_pos().and_then(|at| layout.span_at(&self, at - origin));
        if let Some(span) = hovered.and_then(|id| self.spans.iter().find(|span| span.id == id)) {
            response.clone().on_hover_cursor(CursorIcon::PointingHand);
            if state.drag.is_none() {
                response.clone().on_hover_text_at_pointer(span.name(self.text));
            }
        }
        if let Some(clicked) = self.name_spans(ui, layout, origin, id) {
            gesture = Some(clicked);
        }
        if let Some(caret) = self.reveal.and_then(|byte| layout.caret_rect(byte)) {
            ui.scroll_to_rect(caret.translate(origin.to_vec2()).expand2(vec2(0.0, self.size * 2.0)), None);
        }
        DocumentOutput { response, gesture, hovered }
    }

    fn gesture(&self, ui: &Ui, layout: &Layout, drag: &mut Option<Drag>, response: &Response, origin: Pos2) -> Option<Gesture> {
        let modifiers = ui.input(|input| input.modifiers);
        let pointer = response.interact_pointer_pos();
        if response.double_clicked() && self.editable {
            *drag = None;
            return Some(Gesture::DoubleClick { byte: layout.character_at(pointer? - origin)? });
        }
        if response.clicked()
            && let Some(at) = pointer
        {
            *drag = None;
            response.request_focus();
            return Some(Gesture::Click { byte: layout.byte_at(at - origin), span: layout.span_at(self, at - origin), modifiers });
        }
        if !self.editable {
            return None;
        }
        if response.drag_started_by(egui::PointerButton::Primary) {
            let press = ui.input(|input| input.pointer.press_origin())?;
            // With Ctrl held the other half of a pair is drawn, also right beside the selected span.
            let edge = layout.edge_at(self, press - origin, EDGE_REACH).filter(|_| !modifiers.command);
            response.request_focus();
            *drag = Some(match edge {
                Some((id, end)) => Drag::Edge { id, end },
                None => Drag::Select { from: layout.byte_at(press - origin) },
            });
        }
        if let Some(at) = response.hover_pos()
            && (layout.edge_at(self, at - origin, EDGE_REACH).is_some() || matches!(drag, Some(Drag::Edge { .. })))
        {
            response.clone().on_hover_cursor(CursorIcon::ResizeHorizontal);
        }
        let held = (*drag)?;
        let at = pointer.or_else(|| ui.input(|input| input.pointer.latest_pos()))?;
        let to = layout.byte_at(at - origin);
        let ended = response.drag_stopped();
        if ended {
            *drag = None;
        } else if !response.dragged() {
            *drag = None;
            return None;
        } else {
            scroll_at_the_border(ui, at);
        }
        Some(match (held, ended) {
            (Drag::Select { from }, false) => Gesture::Selecting { from, to, modifiers },
            (Drag::Select { from }, true) => Gesture::Selected { from, to, modifiers, at },
            (Drag::Edge { id, end }, false) => Gesture::MovingEdge { id, end, to, modifiers },
            (Drag::Edge { id, end }, true) => Gesture::MovedEdge { id, end, to, modifiers },
        })
    }

    /// Gives every span in sight a node for screen readers; one may be clicked from there.
    fn name_spans(&self, ui: &Ui, layout: &Layout, origin: Pos2, parent: Id) -> Option<Gesture> {
        let mut clicked = None;
        for (at, span) in self.spans.iter().enumerate() {
            let Some(rect) = layout.first_rect(at).map(|rect| rect.translate(origin.to_vec2())) else { continue };
            if !ui.is_rect_visible(rect) {
                continue;
            }
            let id = parent.with(("span", span.id));
            let node = ui.interact(rect, id, Sense::hover());
            let is_selected = self.selected == Some(span.id);
            node.widget_info(|| WidgetInfo::selected(Role::Mark, true, is_selected, span.name(self.text)));
            ui.ctx().accesskit_node_builder(id, |builder| builder.add_action(accesskit::Action::Click));
            if ui.input(|input| input.has_accesskit_action_request(id, accesskit::Action::Click)) {
                clicked = Some(Gesture::Click { byte: span.range.start(), span: Some(span.id), modifiers: Modifiers::NONE });
            }
        }
        clicked
    }
}

impl MarkedSpan<'_> {
    /// What a person reads of the span: "opinion ＋ 很清晰", with the probability of a suggestion. Long ones are cut.
    pub fn name(&self, text: &str) -> String {
        let mut name = self.caption();
        name.push(' ');
        let mut words = self.range.of(text).chars().map(|c| if c.is_control() { ' ' } else { c });
        name.extend(words.by_ref().take(READ_OF_SPAN));
        if words.next().is_some() {
            name.push('…');
        }
        name
    }

    fn caption(&self) -> String {
        let mut caption = self.label.to_owned();
        if let Some(polarity) = self.polarity {
            caption.push(' ');
            caption.push_str(mark_of(polarity));
        }
        if let Some(percent) = self.percent {
            caption.push_str(&format!(" {percent}%"));
        }
        caption
    }

    /// For narrow spans: the first letter and the mark.
    fn short_caption(&self) -> String {
        let letter = self.label.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        match self.polarity {
            Some(polarity) => letter + mark_of(polarity),
            None => letter,
        }
    }
}

/// The mark that stands beside (never instead of) a polarity's colour.
pub fn mark_of(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "＋",
        Polarity::Negative => "－",
        Polarity::Neutral => "○",
    }
}

/// Keeps scrolling while a selection is drawn past the border of what is in sight.
fn scroll_at_the_border(ui: &Ui, at: Pos2) {
    let sight = ui.clip_rect();
    let speed = 0.15;
    let past = if at.y < sight.top() { sight.top() - at.y } else { (sight.bottom() - at.y).min(0.0) };
    if past != 0.0 {
        ui.scroll_with_delta(vec2(0.0, past * speed));
        ui.ctx().request_repaint();
    }
}

/// A rectangle whose corners are given as ranges.
fn rect_of(x: egui::Rangef, y: egui::Rangef) -> Rect {
    Rect::from_min_max(pos2(x.min, y.min), pos2(x.max, y.max))
}

/// The colour of a span's mark: its polarity's where it has one, else its label's.
fn hue_of(ui: &Ui, span: &MarkedSpan<'_>) -> egui::Color32 {
    palette(ui).hue(span.hue)
}
