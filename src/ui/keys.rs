//! One table of keys: the shortcuts, the command palette and the key sheet are all made from it.
//!
//! A pane asks [`pressed`]. Plain letters never fire while a text field has the focus or an input method composes;
//! a chord matches only with exactly its modifiers (egui's own matching would take Ctrl+Shift+Z for Ctrl+Z too).

mod map;

pub use map::{KeyNames, Other, conflicts, use_keys};

use crate::project::{LabelId, QuestionId, Schema};
use eframe::egui::{self, Event, Id, ImeEvent, Key, Modifiers};

/// What a key or a line of the palette does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    GoLabel,
    GoTrain,
    GoTest,
    GoInsights,
    GoData,
    Palette,
    KeySheet,
    Language,
    Theme,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    TextLarger,
    TextSmaller,
    NewProject,
    OpenProject,
    OpenSample,
    CloseProject,
    Import,
    ExportDocuments,
    /// The classes and span labels.
    Labels,
    /// Who labels, or whether the outcome is settled.
    Who,
    Guidelines,
    /// Every step, and the way back to it.
    Journal,
    MergeProject,
    Undo,
    Redo,

    /// Answers the main question with class 0 to 8.
    Class(u8),
    ClearClass,
    /// To the question below or above, which digits answer then.
    QuestionNext,
    QuestionPrevious,
    /// The number of the active question, a step up or down.
    NumberUp,
    NumberDown,
    /// Labels all that the filter leaves; a digit chooses the class.
    ClassOfQueue,
    Finish,
    Skip,
    /// Asks for the reason first.
    SkipBecause,
    /// What was done or skipped is to do again.
    BackToTodo,
    Flag,
    Comment,
    /// Two annotators side by side.
    Compare,
    TakeFirst,
    TakeSecond,
    Next,
    Previous,
    NextTodo,
    Search,
    /// To a document by its number or id.
    GoTo,
    /// Puts the filter away.
    ShowAll,

    /// Makes a span of the selection, with the label at this place of the schema. Its key stands in the schema.
    Mark(u16),
    SpanNext,
    SpanPrevious,
    Positive,
    Negative,
    Neutral,
    Link,
    /// Asks for the attributes of the selected span, one after another.
    Attributes,
    DeleteSpan,
    /// Marks the other places of the document with the words of the selected span.
    MarkEverywhere,
    /// Asks whether the words of the selected span are to be marked in all documents of the list.
    MarkInQueue,
    /// Suggests the words of the selected span in all documents.
    SuggestEverywhere,
    /// Lets the selection go.
    Deselect,

    AcceptNext,
    RejectNext,
    AcceptAll,
    ShowSuggestions,
    ShowPieces,
    ImportWords,
}

/// Where an action can be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Also without a project.
    Program,
    /// In every place of an open project.
    Project,
    /// In Label, about the document.
    Document,
    /// In Label, about its spans.
    Spans,
}

impl Group {
    pub const ALL: [Self; 4] = [Self::Program, Self::Project, Self::Document, Self::Spans];

    /// A sentence for [`crate::ui::i18n`].
    pub fn words(self) -> &'static str {
        match self {
            Self::Program => "Program",
            Self::Project => "Project",
            Self::Document => "Document",
            Self::Spans => "Spans",
        }
    }

    /// Whether the action belongs to the labeling pane.
    pub fn is_label(self) -> bool {
        matches!(self, Self::Document | Self::Spans)
    }
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    modifiers: Modifiers,
    key: Key,
}

const fn key(key: Key) -> Chord {
    Chord { modifiers: Modifiers::NONE, key }
}

const fn ctrl(key: Key) -> Chord {
    Chord { modifiers: Modifiers::COMMAND, key }
}

const fn ctrl_shift(key: Key) -> Chord {
    Chord { modifiers: Modifiers { shift: true, ..Modifiers::COMMAND }, key }
}

const fn shift(key: Key) -> Chord {
    Chord { modifiers: Modifiers::SHIFT, key }
}

const fn alt(key: Key) -> Chord {
    Chord { modifiers: Modifiers::ALT, key }
}

impl Chord {
    /// As written in the palette and the key sheet.
    pub fn name(self) -> String {
        let mut name = String::new();
        for (held, word) in [(self.modifiers.command, "Ctrl+"), (self.modifiers.alt, "Alt+"), (self.modifiers.shift, "Shift+")] {
            if held {
                name.push_str(word);
            }
        }
        name + key_name(self.key)
    }

    /// What is held.
    pub fn modifiers(self) -> Modifiers {
        self.modifiers
    }

    /// What is pressed.
    pub fn key(self) -> Key {
        self.key
    }

    fn is_plain(self) -> bool {
        !self.modifiers.command && !self.modifiers.alt
    }

    /// Where a sign stands is up to the keyboard's layout, so Shift is free for signs.
    fn matches(self, key: Key, held: Modifiers) -> bool {
        let wanted = self.modifiers;
        let command = held.command || held.ctrl;
        self.key == key && wanted.command == command && wanted.alt == held.alt && (is_sign(key) || wanted.shift == held.shift)
    }
}

fn key_name(key: Key) -> &'static str {
    match key {
        Key::Minus => "-",
        Key::Comma => ",",
        Key::Period => ".",
        Key::Semicolon => ";",
        Key::ArrowDown | Key::ArrowUp | Key::ArrowLeft | Key::ArrowRight => key.name(),
        _ => key.symbol_or_name(),
    }
}

fn is_sign(key: Key) -> bool {
    use Key as K;
    matches!(
        key,
        K::Comma
            | K::Period
            | K::Semicolon
            | K::Slash
            | K::Questionmark
            | K::OpenBracket
            | K::CloseBracket
            | K::Plus
            | K::Equals
            | K::Minus
    )
}

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    pub action: Action,
    pub group: Group,
    /// A sentence for [`crate::ui::i18n`].
    pub words: &'static str,
    /// Unless others were chosen: see [`Row::keys`].
    pub chords: &'static [Chord],
    /// Works while a text field has the focus.
    while_typing: bool,
    /// Fires again while the key is held.
    repeats: bool,
}

const fn row(action: Action, group: Group, words: &'static str, chords: &'static [Chord]) -> Row {
    Row { action, group, words, chords, while_typing: false, repeats: false }
}

impl Row {
    const fn while_typing(mut self) -> Self {
        self.while_typing = true;
        self
    }

    const fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// The first key, as written; empty when there is none.
    pub fn key_name(&self) -> String {
        self.keys().first().map(|chord| chord.name()).unwrap_or_default()
    }
}

/// Every action with its words and keys, in the order of the key sheet.
pub static TABLE: &[Row] = {
    use Action as A;
    use Group as G;
    &[
        row(A::GoLabel, G::Project, "Go to Label", &[ctrl(Key::Num1)]).while_typing(),
        row(A::GoTrain, G::Project, "Go to Train", &[ctrl(Key::Num2)]).while_typing(),
        row(A::GoTest, G::Project, "Go to Test", &[ctrl(Key::Num3)]).while_typing(),
        row(A::GoInsights, G::Project, "Go to Insights", &[ctrl(Key::Num4)]).while_typing(),
        row(A::GoData, G::Project, "Go to Data", &[ctrl(Key::Num5)]).while_typing(),
        row(A::Undo, G::Project, "Undo", &[ctrl(Key::Z)]).repeats(),
        row(A::Redo, G::Project, "Redo", &[ctrl_shift(Key::Z), ctrl(Key::Y)]).repeats(),
        row(A::Import, G::Project, "Import a file…", &[ctrl(Key::I)]).while_typing(),
        row(A::ExportDocuments, G::Project, "Export documents…", &[ctrl(Key::E)]).while_typing(),
        row(A::ImportWords, G::Project, "Import a word list…", &[]),
        row(A::Labels, G::Project, "Edit the labels…", &[ctrl(Key::L)]).while_typing(),
        row(A::Guidelines, G::Project, "Show or hide the guidelines", &[key(Key::H)]),
        row(A::Journal, G::Project, "Journal of all steps…", &[ctrl(Key::J)]).while_typing(),
        row(A::Who, G::Project, "Who labels…", &[ctrl(Key::U)]),
        row(A::MergeProject, G::Project, "Merge a colleague's project…", &[]),
        row(A::CloseProject, G::Project, "Close the project", &[]),
        row(A::Palette, G::Program, "Find a command", &[ctrl(Key::K)]).while_typing(),
        row(A::KeySheet, G::Program, "Show all keys", &[key(Key::Questionmark), key(Key::F1)]),
        row(A::NewProject, G::Program, "New project…", &[ctrl(Key::N)]).while_typing(),
        row(A::OpenProject, G::Program, "Open a project…", &[ctrl(Key::O)]).while_typing(),
        row(A::OpenSample, G::Program, "Open the sample project", &[]),
        row(A::Language, G::Program, "Switch between English and 中文", &[]),
        row(A::Theme, G::Program, "Switch the theme", &[]),
        row(A::ZoomIn, G::Program, "Make everything larger", &[ctrl(Key::Plus), ctrl(Key::Equals)]).while_typing().repeats(),
        row(A::ZoomOut, G::Program, "Make everything smaller", &[ctrl(Key::Minus)]).while_typing().repeats(),
        row(A::ZoomReset, G::Program, "Normal size", &[ctrl(Key::Num0)]).while_typing(),
        row(A::TextLarger, G::Program, "Larger document text", &[alt(Key::Plus), alt(Key::Equals)]).repeats(),
        row(A::TextSmaller, G::Program, "Smaller document text", &[alt(Key::Minus)]).repeats(),
        row(A::Class(0), G::Document, "Answer with class {}", &[key(Key::Num1)]),
        row(A::Class(1), G::Document, "Answer with class {}", &[key(Key::Num2)]),
        row(A::Class(2), G::Document, "Answer with class {}", &[key(Key::Num3)]),
        row(A::Class(3), G::Document, "Answer with class {}", &[key(Key::Num4)]),
        row(A::Class(4), G::Document, "Answer with class {}", &[key(Key::Num5)]),
        row(A::Class(5), G::Document, "Answer with class {}", &[key(Key::Num6)]),
        row(A::Class(6), G::Document, "Answer with class {}", &[key(Key::Num7)]),
        row(A::Class(7), G::Document, "Answer with class {}", &[key(Key::Num8)]),
        row(A::Class(8), G::Document, "Answer with class {}", &[key(Key::Num9)]),
        row(A::ClearClass, G::Document, "Take the answer away", &[key(Key::Backspace)]),
        row(A::QuestionNext, G::Document, "Next question", &[ctrl(Key::ArrowDown)]).while_typing(),
        row(A::QuestionPrevious, G::Document, "Previous question", &[ctrl(Key::ArrowUp)]).while_typing(),
        row(A::NumberUp, G::Document, "A step up on the scale", &[key(Key::Period)]).repeats(),
        row(A::NumberDown, G::Document, "A step down on the scale", &[key(Key::Comma)]).repeats(),
        row(A::ClassOfQueue, G::Document, "Answer for all documents in the list…", &[ctrl(Key::A)]),
        row(A::Finish, G::Document, "Done, go on", &[key(Key::Enter)]),
        row(A::Skip, G::Document, "Skip, go on", &[key(Key::S)]),
        row(A::SkipBecause, G::Document, "Skip because…", &[shift(Key::S)]),
        row(A::BackToTodo, G::Document, "Back to to-do", &[shift(Key::Enter)]),
        row(A::Flag, G::Document, "Flag or take the flag away", &[key(Key::F)]),
        row(A::Comment, G::Document, "Write a comment", &[key(Key::C)]),
        row(A::Compare, G::Document, "Compare the annotators", &[ctrl(Key::B)]).while_typing(),
        row(A::TakeFirst, G::Document, "Take what A says", &[ctrl(Key::OpenBracket)]),
        row(A::TakeSecond, G::Document, "Take what B says", &[ctrl(Key::CloseBracket)]),
        row(A::Next, G::Document, "Next document", &[key(Key::J), key(Key::ArrowDown)]).repeats(),
        row(A::Previous, G::Document, "Previous document", &[key(Key::K), key(Key::ArrowUp)]).repeats(),
        row(A::NextTodo, G::Document, "Next document to do", &[key(Key::N)]),
        row(A::Search, G::Document, "Search the documents", &[key(Key::Slash), ctrl(Key::F)]).while_typing(),
        row(A::GoTo, G::Document, "Go to a document…", &[ctrl(Key::G)]).while_typing(),
        row(A::ShowAll, G::Document, "Show all documents", &[]),
        row(A::SpanNext, G::Spans, "Select the next span", &[key(Key::CloseBracket)]).repeats(),
        row(A::SpanPrevious, G::Spans, "Select the previous span", &[key(Key::OpenBracket)]).repeats(),
        row(A::Positive, G::Spans, "The selected span is positive", &[key(Key::Plus), key(Key::Equals)]),
        row(A::Negative, G::Spans, "The selected span is negative", &[key(Key::Minus)]),
        row(A::Neutral, G::Spans, "The selected span is neutral", &[key(Key::Num0)]),
        row(A::Link, G::Spans, "Link the selected span", &[key(Key::L)]),
        row(A::Attributes, G::Spans, "Attributes of the selected span", &[key(Key::Semicolon)]),
        row(A::DeleteSpan, G::Spans, "Remove the selected span", &[key(Key::Delete)]),
        row(A::MarkEverywhere, G::Spans, "Mark the same words in the whole document", &[ctrl(Key::D)]),
        row(A::MarkInQueue, G::Spans, "Mark the same words in all documents of the list…", &[ctrl_shift(Key::A)]),
        row(A::SuggestEverywhere, G::Spans, "Suggest these words in all documents", &[ctrl_shift(Key::D)]),
        row(A::AcceptNext, G::Spans, "Accept the next suggestion", &[key(Key::Tab)]),
        row(A::RejectNext, G::Spans, "Reject the next suggestion", &[shift(Key::Tab)]),
        row(A::AcceptAll, G::Spans, "Accept all suggestions, go on", &[ctrl(Key::Enter)]),
        row(A::ShowSuggestions, G::Spans, "Show or hide suggestions", &[ctrl_shift(Key::G)]),
        row(A::ShowPieces, G::Spans, "Show or hide the encoder's pieces", &[ctrl_shift(Key::P)]),
        row(A::Deselect, G::Spans, "Select nothing", &[key(Key::Escape)]),
    ]
};

/// The line of an action; `None` for [`Action::Mark`], whose key stands in the schema.
pub fn row_of(action: Action) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.action == action)
}

/// The first key of an action, as written; empty when there is none.
pub fn name_of(action: Action) -> String {
    row_of(action).map(Row::key_name).unwrap_or_default()
}

/// Whether the action was asked for since the last frame, by key or from the palette. Answers `true` once.
pub fn pressed(ui: &egui::Ui, action: Action) -> bool {
    pressed_in(ui, action, None)
}

/// As [`pressed`], for a pane whose own widget `own` takes the focus (the document) and wants Enter and arrows then.
pub fn pressed_in(ui: &egui::Ui, action: Action, own: Option<Id>) -> bool {
    if take_wish(ui, action) {
        return true;
    }
    let Some(row) = row_of(action).filter(|_| !is_blocked(ui)) else { return false };
    let typing = is_typing(ui);
    row.keys().iter().any(|chord| {
        let allowed = !typing || (row.while_typing && !chord.is_plain());
        allowed && !is_for_a_widget(ui, *chord, own) && take(ui, *chord, row.repeats)
    })
}

/// The class whose key was pressed, or that the palette asks for (one of the main question). Digits answer the `active`
/// question, letters any.
pub fn class_pressed(ui: &egui::Ui, schema: &Schema, active: QuestionId) -> Option<(QuestionId, u16)> {
    if let Some(class) = (0..9).find(|class| take_wish(ui, Action::Class(*class))) {
        return Some((schema.main_question()?.0, u16::from(class)));
    }
    if is_blocked(ui) || is_typing(ui) {
        return None;
    }
    let asked = schema.questions().filter(|(_, question)| question.kind.has_classes());
    let classes = asked.flat_map(|(id, question)| (0..question.classes.len() as u16).map(move |at| (id, at)));
    let mut keys = classes.filter_map(|(id, at)| Some((id, at, schema.key(LabelId::Class(id, at))?)));
    let found = keys.find(|(id, _, letter)| {
        let works = *id == active || !letter.is_ascii_digit();
        works && key_of(*letter).is_some_and(|held| take(ui, key(held), false))
    });
    found.map(|(id, at, _)| (id, at))
}

/// The digit from 1 to 9 that was pressed.
pub fn digit_pressed(ui: &egui::Ui) -> Option<u8> {
    if is_blocked(ui) || is_typing(ui) {
        return None;
    }
    (1..=9).find(|digit| key_of(char::from(b'0' + digit)).is_some_and(|held| take(ui, key(held), false)))
}

fn key_of(letter: char) -> Option<Key> {
    Key::from_name(&letter.to_ascii_uppercase().to_string())
}

/// The key of a class, as written; empty when it has none.
pub fn class_key(schema: &Schema, question: QuestionId, class: u16) -> String {
    schema.key(LabelId::Class(question, class)).map(|key| key.to_ascii_uppercase().to_string()).unwrap_or_default()
}

/// The span label whose letter was pressed.
pub fn mark_pressed(ui: &egui::Ui, schema: &Schema) -> Option<u16> {
    let may_mark = !is_blocked(ui) && !is_typing(ui);
    let labels = schema.span_labels.iter().zip(0u16..);
    let mut labels = labels.filter_map(|(label, at)| Some((at, key_of(label.key)?)));
    labels.find(|(at, letter)| take_wish(ui, Action::Mark(*at)) || (may_mark && take(ui, key(*letter), false))).map(|(at, _)| at)
}

/// Whether a chord means something while a text field has the focus, other than to the field.
pub(super) fn leaves_a_field(pressed: Key, held: Modifiers) -> bool {
    let moves = matches!(pressed, Key::Enter | Key::Escape | Key::Tab);
    let chords = || TABLE.iter().filter(|row| row.while_typing).flat_map(|row| row.chords);
    moves || chords().any(|chord| !chord.is_plain() && chord.matches(pressed, held))
}

/// Whether letters belong to a text field or an input method just now.
pub fn is_typing(ui: &egui::Ui) -> bool {
    let composing = |event: &Event| matches!(event, Event::Ime(ImeEvent::Preedit { text, .. }) if !text.is_empty());
    ui.text_edit_focused() || ui.input(|input| input.events.iter().any(composing))
}

/// Enter, arrows and their like belong to the widget that has the focus, unless it is the pane's own.
fn is_for_a_widget(ui: &egui::Ui, chord: Chord, own: Option<Id>) -> bool {
    use Key as K;
    let moves = matches!(chord.key, K::Enter | K::Tab | K::Space | K::ArrowUp | K::ArrowDown | K::ArrowLeft | K::ArrowRight);
    chord.is_plain() && moves && ui.memory(|memory| memory.focused()).is_some_and(|focused| Some(focused) != own)
}

/// Takes the key out of the frame's events, and the letter it would type.
fn take(ui: &egui::Ui, chord: Chord, repeats: bool) -> bool {
    ui.input_mut(|input| {
        let fits = |event: &Event| match event {
            Event::Key { key, pressed: true, repeat, modifiers, .. } => chord.matches(*key, *modifiers) && (repeats || !repeat),
            _ => false,
        };
        let Some(at) = input.events.iter().position(fits) else { return false };
        input.events.remove(at);
        if chord.is_plain() {
            let sign = key_name(chord.key);
            input.events.retain(|event| !matches!(event, Event::Text(text) if text.eq_ignore_ascii_case(sign)));
        }
        true
    })
}

/// While a window stands above the places, keys reach no pane.
pub fn block(ctx: &egui::Context, on: bool) {
    ctx.data_mut(|data| data.insert_temp(Id::unique("keys are blocked"), on));
}

/// Whether a window stands above the places.
pub fn is_blocked(ctx: &egui::Context) -> bool {
    ctx.data(|data| data.get_temp(Id::unique("keys are blocked"))).unwrap_or(false)
}

/// An action asked for by the palette, and the frames it still waits for the labeling pane.
type Asked = (Action, u8);

fn wishes() -> Id {
    Id::unique("actions asked for by the palette")
}

/// Asks for an action as if its key had been pressed.
pub fn wish(ctx: &egui::Context, action: Action) {
    const FRAMES: u8 = 2; // the rest of this one, and the next
    ctx.data_mut(|data| data.get_temp_mut_or_default::<Vec<Asked>>(wishes()).push((action, FRAMES)));
    ctx.request_repaint();
}

/// A frame has passed: drops wishes that no pane took.
pub fn age_wishes(ctx: &egui::Context) {
    ctx.data_mut(|data| {
        let asked = data.get_temp_mut_or_default::<Vec<Asked>>(wishes());
        asked.iter_mut().for_each(|(_, frames)| *frames -= 1);
        asked.retain(|(_, frames)| *frames > 0);
    });
}

fn take_wish(ctx: &egui::Context, action: Action) -> bool {
    ctx.data_mut(|data| {
        let asked = data.get_temp_mut_or_default::<Vec<Asked>>(wishes());
        let at = asked.iter().position(|(held, _)| *held == action);
        at.map(|at| asked.remove(at)).is_some()
    })
}
