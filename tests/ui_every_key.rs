//! Every row of the table of keys, by each of its keys and by mouse: what was not so before is so afterwards. A row
//! without a key is reached by the palette. An action that [`way`] does not know is an error of the compiler.

use crate::stage::{Bench, desk_with};
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, pos2, vec2};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Exporting, Language, Theme};
use gloss::project::{
    Answer, AttributeChange, AttributeKind, DocId, Filter, Kind, Layer, Number, Polarity, QuestionId, Scale, SchemaChange, SpanId, State,
    TextRange, What, WordRule,
};
use gloss::ui::Place;
use gloss::ui::keys::{Action, Group, Row, TABLE};

const SIZE: f32 = 20.0;
const TEXTS: [&str; 3] = ["屏幕很清晰，电池不耐用，屏幕好👨🏻‍🚒。", "Great screen\r\npoor battery", "cafe\u{301} 不错"];
const INTENSITY: QuestionId = QuestionId(1);

/// How a row of the table is tried.
struct Way {
    /// Carried out before the window opens.
    before: Vec<Command>,
    /// What a person does first, whichever way follows.
    first: fn(&mut Bench),
    mouse: fn(&mut Bench),
    /// Whether it has been done; it may act to find out.
    done: fn(&mut Bench) -> bool,
}

fn way(mouse: fn(&mut Bench), done: fn(&mut Bench) -> bool) -> Way {
    Way { before: Vec::new(), first: |_| {}, mouse, done }
}

impl Way {
    fn before(self, before: Vec<Command>) -> Self {
        Self { before, ..self }
    }

    fn first(self, first: fn(&mut Bench)) -> Self {
        Self { first, ..self }
    }
}

/// Nine classes, a number, an attribute, a suggested word; the first review has an aspect and an opinion.
fn bench(before: Vec<Command>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[]);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let classes = names(&["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"]);
    desk.run(Command::NewProject { path: folder.path().join("keys.gloss"), classes, spans: names(&["aspect", "opinion"]) });
    let category = AttributeKind::Values(names(&["硬件", "food"]));
    for change in [
        SchemaChange::AddQuestion { name: "intensity".into(), kind: Kind::Number(Scale::default()) },
        SchemaChange::Attribute { label: 0, change: AttributeChange::Add { name: "category".into(), kind: category } },
        SchemaChange::AddWords { words: vec![WordRule { pattern: "电池".into(), label: 0 }] },
    ] {
        desk.run(Command::ChangeSchema(Box::new(change)));
    }
    TEXTS.iter().for_each(|text| desk.run(Command::AddDocument((*text).to_owned())));
    for (part, label) in [("屏幕", 0), ("很清晰", 1)] {
        let start = TEXTS[0].find(part).unwrap();
        let range = TextRange::new(TEXTS[0], start..start + part.len()).unwrap();
        desk.run(Command::AddSpan { doc: DocId(0), range, label });
    }
    desk.run(Command::SetTextSize(SIZE));
    desk.run(Command::Open(DocId(0)));
    before.into_iter().for_each(|command| desk.run(command));
    Bench::of(folder, desk, 1000.0)
}

impl Bench {
    /// In the middle of the Chinese character `at` of the first line.
    fn sign(&self, at: usize) -> Pos2 {
        let text = self.window.get_by_label("The document's text").rect();
        pos2(text.left() + 28.0 + SIZE * (at as f32 + 0.5), text.top() + SIZE * 1.3)
    }

    fn click_sign(&mut self, at: usize) {
        let pos = self.sign(at);
        self.press(pos, true);
        self.press(pos, false);
        self.window.run();
    }

    fn press(&mut self, pos: Pos2, pressed: bool) {
        self.window.hover_at(pos);
        self.window.event(Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
        self.window.step();
    }

    fn drag_slider(&mut self, to_right: bool) {
        let slider = self.window.get_by_role_and_label(Role::Slider, "intensity").rect();
        let to = if to_right { slider.right_center() } else { slider.left_center() };
        self.press(slider.center(), true);
        self.window.hover_at(to);
        self.window.step();
        self.press(to, false);
        self.window.run();
    }

    fn menu(&mut self, menu: &str, entry: &str) {
        self.click(menu);
        // An entry without a key ends with the room for it.
        let spaced = format!("{entry} ");
        let is_there = self.window.query_by_role_and_label(Role::Button, entry).is_some();
        self.click(if is_there { entry } else { &spaced });
    }

    /// The name of a question beside its answers; a filter of the list has it too.
    fn click_question(&mut self, name: &str) {
        self.window.query_all_by_role_and_label(Role::Button, name).last().unwrap().click();
        self.window.run();
    }

    /// The palette by mouse: its button, then the line, scrolled to.
    fn palette_by_mouse(&mut self, words: &str) {
        self.click("Find a command");
        self.window.query_all_by_role_and_label(Role::Button, words).last().unwrap().scroll_to_me();
        self.window.run();
        self.window.query_all_by_role_and_label(Role::Button, words).last().unwrap().click();
        self.window.run_steps(4);
    }

    fn palette_by_keys(&mut self, words: &str) {
        self.chord(Modifiers::COMMAND, Key::K);
        self.window.get_by_role_and_label(Role::TextInput, "Find a command").type_text(words);
        self.window.run();
        self.window.key_press(Key::Enter);
        self.window.run_steps(4);
    }

    fn has_button(&self, name: &str) -> bool {
        self.window.query_all_by_role_and_label(Role::Button, name).next().is_some()
    }

    fn asks_for_a_path(&self) -> bool {
        self.window.query_by_role_and_label(Role::TextInput, "Path of the file").is_some()
    }

    fn has_focus(&self, field: &str) -> bool {
        self.window.query_by_role_and_label(Role::TextInput, field).is_some_and(|field| field.is_focused())
    }

    fn answer_of_first(&self) -> Option<u16> {
        self.document(0).annotation.class(QuestionId(0))
    }

    fn intensity(&self) -> Option<f64> {
        match self.document(0).annotation.answers.get(&INTENSITY) {
            Some(Answer::Number(number)) => Some(number.value()),
            _ => None,
        }
    }

    fn select_aspect(&mut self) {
        self.chord(Modifiers::COMMAND, Key::Home);
        self.key(Key::CloseBracket);
    }

    fn select_opinion(&mut self) {
        self.select_aspect();
        self.key(Key::CloseBracket);
    }

    fn is_done(&self, doc: u32) -> bool {
        self.document(doc).annotation.state == State::Done
    }
}

fn two_annotators() -> Vec<Command> {
    let answers = |class| Command::SetClass { doc: DocId(0), class: Some(class) };
    let own = |at| Command::WorkIn(Layer::Own(gloss::project::AnnotatorId(at)));
    vec![
        Command::AddAnnotators { names: vec!["梅".to_owned(), "Jun".to_owned()], takes_over: false },
        own(0),
        answers(3),
        Command::Finish(DocId(0)),
        own(1),
        answers(5),
        Command::Finish(DocId(0)),
        Command::WorkIn(Layer::Outcome),
        Command::Open(DocId(0)),
    ]
}

macro_rules! answer_with {
    ($class:literal) => {
        way(|bench| bench.click_on(Role::RadioButton, concat!("n", $class)), |bench| bench.answer_of_first() == Some($class - 1))
    };
}

macro_rules! place {
    ($place:ident) => {
        way(|bench| bench.click(Place::$place.word()), |bench| bench.window.state().place() == Place::$place)
    };
}

macro_rules! polarity {
    ($word:literal, $polarity:ident) => {
        way(|bench| bench.click($word), |bench| bench.document(0).annotation.spans[&SpanId(1)].polarity == Some(Polarity::$polarity))
            .first(Bench::select_opinion)
    };
}

fn way_of(action: Action) -> Way {
    use Action as A;
    match action {
        A::GoLabel => place!(Label).first(|bench| bench.chord(Modifiers::COMMAND, Key::Num5)),
        A::GoTrain => place!(Train),
        A::GoTest => place!(Test),
        A::GoInsights => place!(Insights),
        A::GoData => place!(Data),
        A::Palette => way(
            |bench| bench.click("Find a command"),
            |bench| bench.window.query_by_role_and_label(Role::TextInput, "Find a command").is_some(),
        ),
        A::KeySheet => way(|bench| bench.palette_by_mouse("Show all keys"), |bench| bench.has("All keys")),
        A::Language => way(|bench| bench.click("中文"), |bench| bench.desk().settings().language == Language::Chinese),
        A::Theme => way(|bench| bench.click("Theme: as the system"), |bench| bench.desk().settings().theme == Theme::Light),
        A::ZoomIn => way(|bench| bench.palette_by_mouse("Make everything larger"), |bench| bench.window.ctx.zoom_factor() > 1.05),
        A::ZoomOut => way(|bench| bench.palette_by_mouse("Make everything smaller"), |bench| bench.window.ctx.zoom_factor() < 0.95),
        A::ZoomReset => way(|bench| bench.palette_by_mouse("Normal size"), |bench| bench.window.ctx.zoom_factor() == 1.0)
            .first(|bench| bench.chord(Modifiers::COMMAND, Key::Minus)),
        A::TextLarger => way(|bench| bench.palette_by_mouse("Larger document text"), |bench| bench.desk().settings().text_size > SIZE),
        A::TextSmaller => way(|bench| bench.palette_by_mouse("Smaller document text"), |bench| bench.desk().settings().text_size < SIZE),
        A::NewProject => way(|bench| bench.menu("keys", "New project… Ctrl+N"), |bench| bench.has_button("Create")),
        A::OpenProject => way(|bench| bench.menu("keys", "Open a project… Ctrl+O"), |bench| bench.asks_for_a_path()),
        A::OpenSample => {
            way(|bench| bench.palette_by_mouse("Open the sample project"), |bench| bench.desk().path().unwrap().ends_with("sample.gloss"))
        }
        A::CloseProject => way(|bench| bench.menu("keys", "Close the project"), |bench| bench.desk().project().is_none()),
        A::Import => way(|bench| bench.menu("keys", "Import a file… Ctrl+I"), |bench| bench.asks_for_a_path()),
        A::ExportDocuments => way(
            |bench| bench.menu("keys", "Export documents… Ctrl+E"),
            |bench| !matches!(bench.desk().exporting(), Exporting::Idle) && bench.window.state().place() == Place::Data,
        ),
        A::Labels => way(|bench| bench.click("Edit the labels…"), |bench| bench.has("Each document is asked these")),
        A::Who => way(|bench| bench.menu("keys", "Who labels… Ctrl+U"), |bench| bench.has("Who labels?")),
        A::Guidelines => way(
            |bench| bench.menu("keys", "Show or hide the guidelines H"),
            |bench| bench.window.query_all_by_label("Guidelines").count() > 0,
        ),
        A::Journal => way(|bench| bench.menu("keys", "Journal of all steps… Ctrl+J"), |bench| bench.has("Journal")),
        A::MergeProject => way(|bench| bench.menu("keys", "Merge a colleague's project…"), |bench| bench.asks_for_a_path()),
        A::ImportWords => way(|bench| bench.palette_by_mouse("Import a word list…"), |bench| bench.asks_for_a_path()),
        A::Undo => way(|bench| bench.click("Undo: mark 很清晰 as opinion (Ctrl+Z)"), |bench| bench.document(0).annotation.spans.len() == 1),
        A::Redo => {
            way(|bench| bench.click("Redo: mark 很清晰 as opinion (Ctrl+Shift+Z)"), |bench| bench.document(0).annotation.spans.len() == 2)
                .before(vec![Command::Undo])
        }

        A::Class(0) => answer_with!(1),
        A::Class(1) => answer_with!(2),
        A::Class(2) => answer_with!(3),
        A::Class(3) => answer_with!(4),
        A::Class(4) => answer_with!(5),
        A::Class(5) => answer_with!(6),
        A::Class(6) => answer_with!(7),
        A::Class(7) => answer_with!(8),
        A::Class(_) => answer_with!(9),
        A::ClearClass => way(|bench| bench.click_on(Role::RadioButton, "n3"), |bench| bench.answer_of_first().is_none())
            .before(vec![Command::SetClass { doc: DocId(0), class: Some(2) }]),
        // Digits answer the question one is at.
        A::QuestionNext => way(
            |bench| bench.click_question("intensity"),
            |bench| {
                bench.key(Key::Num9);
                bench.intensity() == Some(1.0)
            },
        ),
        A::QuestionPrevious => way(
            |bench| {
                let name = bench.schema().questions[0].name.clone();
                bench.click_question(&name);
            },
            |bench| {
                bench.key(Key::Num9);
                bench.answer_of_first() == Some(8)
            },
        )
        .first(|bench| bench.chord(Modifiers::COMMAND, Key::ArrowDown)),
        A::NumberUp => way(|bench| bench.drag_slider(true), |bench| bench.intensity().is_some_and(|value| value > 0.0))
            .before(vec![zero()])
            .first(|bench| bench.chord(Modifiers::COMMAND, Key::ArrowDown)),
        A::NumberDown => way(|bench| bench.drag_slider(false), |bench| bench.intensity().is_some_and(|value| value < 0.0))
            .before(vec![zero()])
            .first(|bench| bench.chord(Modifiers::COMMAND, Key::ArrowDown)),
        A::ClassOfQueue => way(
            |bench| bench.menu("3 documents", "Answer for all documents in the list…"),
            |bench| bench.has("Answer for all 3 documents in the list"),
        ),
        A::Finish => way(|bench| bench.click("Done, go on"), |bench| bench.is_done(0)),
        A::Skip => way(|bench| bench.click("Skip"), |bench| bench.document(0).annotation.state == State::Skipped),
        A::SkipBecause => way(
            |bench| bench.click("Skip because…"),
            |bench| bench.window.query_by_role_and_label(Role::TextInput, "The reason, for those who come back to it").is_some(),
        ),
        A::BackToTodo => way(|bench| bench.menu("State: Done", "To do"), |bench| !bench.is_done(0))
            .before(vec![Command::SetState { doc: DocId(0), to: State::Done }]),
        A::Flag => way(|bench| bench.click("Flag"), |bench| bench.document(0).annotation.flagged),
        A::Comment => way(
            |bench| bench.click_on(Role::MultilineTextInput, "New comment"),
            |bench| bench.window.get_by_role_and_label(Role::MultilineTextInput, "New comment").is_focused(),
        ),
        A::Compare => way(|bench| bench.click("Compare"), |bench| bench.has("A · 梅")).before(two_annotators()),
        A::TakeFirst => way(|bench| bench.click("Take A"), |bench| bench.answer_of_first() == Some(3))
            .before(two_annotators())
            .first(|bench| bench.chord(Modifiers::COMMAND, Key::B)),
        A::TakeSecond => way(|bench| bench.click("Take B"), |bench| bench.answer_of_first() == Some(5))
            .before(two_annotators())
            .first(|bench| bench.chord(Modifiers::COMMAND, Key::B)),
        A::Next => way(|bench| bench.click("Next document"), |bench| bench.desk().current() == Some(DocId(1))),
        A::Previous => way(|bench| bench.click("Previous document"), |bench| bench.desk().current() == Some(DocId(1)))
            .before(vec![Command::Open(DocId(2))]),
        A::NextTodo => way(|bench| bench.menu("3 documents", "Next document to do"), |bench| bench.desk().current() == Some(DocId(2)))
            .before(vec![Command::SetState { doc: DocId(1), to: State::Done }]),
        A::Search => way(|bench| bench.click_on(Role::TextInput, "Search the documents"), |bench| bench.has_focus("Search the documents")),
        A::GoTo => way(
            |bench| bench.menu("3 documents", "Go to a document…"),
            |bench| bench.window.query_by_role_and_label(Role::TextInput, "Its number in the list (1 to 3), or its id").is_some(),
        ),
        A::ShowAll => way(|bench| bench.menu("3 documents", "Show all documents"), |bench| bench.desk().filter().is_empty())
            .before(vec![Command::SetFilter(Filter::of(What::State(State::Todo)))]),

        // Its key is a letter of the schema: see `a_label_marks_by_its_letter_and_by_its_button`.
        A::Mark(_) => way(|_| {}, |_| false),
        A::SpanNext => way(|bench| bench.click_sign(0), |bench| bench.has_button("Remove")),
        A::SpanPrevious => {
            way(|bench| bench.click_sign(3), |bench| bench.has_button("Remove")).first(|bench| bench.chord(Modifiers::COMMAND, Key::End))
        }
        A::Positive => polarity!("Positive", Positive),
        A::Negative => polarity!("Negative", Negative),
        A::Neutral => polarity!("Neutral", Neutral),
        A::Link => way(|bench| bench.click("Link"), |bench| bench.has_button("Cancel")).first(Bench::select_opinion),
        A::Attributes => way(
            |bench| bench.click("Attributes…"),
            |bench| bench.window.query_by_role_and_label(Role::RadioButton, "Choose food").is_some(),
        )
        .first(Bench::select_aspect),
        A::DeleteSpan => {
            way(|bench| bench.click("Remove"), |bench| bench.document(0).annotation.spans.len() == 1).first(Bench::select_aspect)
        }
        A::MarkEverywhere => {
            way(|bench| bench.click("Mark 1 more"), |bench| bench.document(0).annotation.spans.len() == 3).first(Bench::select_aspect)
        }
        A::MarkInQueue => way(|bench| bench.click("Mark in the list…"), |bench| bench.has("Not marked as aspect: 1 places in 1 documents"))
            .first(Bench::select_aspect),
        A::SuggestEverywhere => {
            way(|bench| bench.click("Suggest everywhere"), |bench| bench.schema().words.len() == 2).first(Bench::select_aspect)
        }
        A::AcceptNext => way(|bench| bench.click("Accept"), |bench| bench.document(0).annotation.spans.len() == 3),
        A::RejectNext => way(|bench| bench.click("Reject"), |bench| bench.document(0).annotation.rejected.len() == 1),
        A::AcceptAll => {
            way(|bench| bench.click("Accept all, go on"), |bench| bench.is_done(0) && bench.document(0).annotation.spans.len() == 3)
        }
        A::ShowSuggestions => way(|bench| bench.click("Suggestions"), |bench| !bench.desk().suggests()),
        A::ShowPieces => way(|bench| bench.palette_by_mouse("Show or hide the encoder's pieces"), |bench| bench.desk().shows_pieces()),
        // Beside all marks.
        A::Deselect => way(|bench| bench.click_sign(5), |bench| !bench.has_button("Remove")).first(Bench::select_aspect),
    }
}

fn zero() -> Command {
    Command::SetAnswer { doc: DocId(0), question: INTENSITY, to: Some(Answer::Number(Number::new(0.0).unwrap())) }
}

/// The words of a row as the palette has them.
fn words_of(row: &Row) -> String {
    match row.action {
        Action::Class(class) => row.words.replace("{}", &format!("n{}", class + 1)),
        _ => row.words.to_owned(),
    }
}

fn try_row(row: &Row) {
    let start = || {
        let way = way_of(row.action);
        let mut bench = bench(way.before.clone());
        (way.first)(&mut bench);
        (bench, way)
    };
    let name = &row.words;
    // Looking may act, so it is done in a window of its own.
    let (mut untouched, way) = start();
    assert!(!(way.done)(&mut untouched), "{name} ({:?}) is so from the start", row.action);
    for chord in row.chords {
        let (mut bench, way) = start();
        bench.window.key_press_modifiers(chord.modifiers(), chord.key());
        bench.window.run_steps(6);
        assert!((way.done)(&mut bench), "{name} ({:?}) by {}", row.action, chord.name());
    }
    if row.chords.is_empty() {
        let (mut bench, way) = start();
        bench.palette_by_keys(&words_of(row));
        assert!((way.done)(&mut bench), "{name} ({:?}) by the palette", row.action);
    }
    let (mut bench, way) = start();
    (way.mouse)(&mut bench);
    bench.window.run_steps(2);
    assert!((way.done)(&mut bench), "{name} ({:?}) by mouse", row.action);
}

fn try_rows(group: Group, part: impl Fn(usize) -> bool) {
    let rows = TABLE.iter().filter(|row| row.group == group).enumerate().filter(|(at, _)| part(*at));
    let rows: Vec<&Row> = rows.map(|(_, row)| row).collect();
    assert!(!rows.is_empty());
    rows.into_iter().for_each(try_row);
}

// A test for each part, so that they run beside one another.

#[test]
fn the_program() {
    try_rows(Group::Program, |_| true);
}

#[test]
fn the_project() {
    try_rows(Group::Project, |_| true);
}

#[test]
fn the_document_first_half() {
    try_rows(Group::Document, |at| at % 2 == 0);
}

#[test]
fn the_document_second_half() {
    try_rows(Group::Document, |at| at % 2 == 1);
}

#[test]
fn the_spans() {
    try_rows(Group::Spans, |_| true);
}

#[test]
fn a_label_marks_by_its_letter_and_by_its_button() {
    let words = |bench: &Bench| -> Vec<String> {
        let document = bench.document(0);
        document.annotation.spans_in_order().iter().map(|(_, span)| span.range.of(&document.text).to_owned()).collect()
    };
    let wanted = ["屏幕", "很清晰", "不耐用"];
    let mut by_keys = bench(Vec::new());
    by_keys.chord(Modifiers::COMMAND, Key::Home);
    (0..8).for_each(|_| by_keys.key(Key::ArrowRight));
    (0..3).for_each(|_| by_keys.chord(Modifiers::SHIFT, Key::ArrowRight));
    by_keys.key(Key::O);
    assert_eq!(words(&by_keys), wanted);
    let mut by_mouse = bench(Vec::new());
    // From the left half of the first sign to the right half of the last.
    let (from, to) = (by_mouse.sign(8) - vec2(6.0, 0.0), by_mouse.sign(10) + vec2(6.0, 0.0));
    by_mouse.press(from, true);
    by_mouse.window.hover_at(to);
    by_mouse.window.step();
    by_mouse.press(to, false);
    by_mouse.window.run();
    by_mouse.click("Mark as opinion");
    assert_eq!(words(&by_mouse), wanted);
}
