//! How the work goes: sessions and pace from the journal's times, growth of the answers, starved labels.

use gloss::project::{
    Annotation, AnnotatorId, Answer, DocId, Document, Edit, Growth, History, Layer, Pace, Project, QuestionId, Schema, SchemaChange,
    Session, State, starved,
};

const MINUTE: i64 = 60_000;

struct Made {
    project: Project,
    history: History,
}

impl Made {
    fn new(count: usize) -> Self {
        let mut made = Self { project: Project::new(Schema::default()), history: History::default() };
        let documents = (0..count).map(|at| Document::new(DocId(at as u32), format!("评论 {at}"))).collect();
        made.at(0, vec![Edit::AddDocuments { first: DocId(0), count: count as u32, documents }]);
        made.at(0, vec![Edit::SetAnnotators { to: vec!["梅".to_owned(), "Jun".to_owned()] }]);
        made
    }

    fn at(&mut self, time_ms: i64, edits: Vec<Edit>) {
        self.history.commit(&mut self.project, "s".to_owned(), "梅".to_owned(), time_ms, edits).unwrap();
    }
}

fn class(doc: u32, class: u16) -> Edit {
    Edit::SetAnswer { doc: DocId(doc), question: QuestionId(0), to: Some(Answer::Class(class)) }
}

fn done(doc: u32) -> Edit {
    Edit::SetState { doc: DocId(doc), to: State::Done }
}

#[test]
fn documents_an_hour_come_from_the_last_sessions() {
    let mut made = Made::new(40);
    let start = 1_000 * MINUTE;
    // Ten documents at one a minute, a long break, five at two a minute.
    for at in 0..10 {
        made.at(start + i64::from(at) * MINUTE, vec![class(at, 0)]);
        made.at(start + i64::from(at) * MINUTE + MINUTE, vec![done(at)]);
    }
    let later = start + 500 * MINUTE;
    made.at(later, vec![class(10, 1)]);
    for at in 0..5 {
        made.at(later + i64::from(at + 1) * MINUTE / 2, vec![done(10 + at)]);
    }
    // What is done to all at once, and what another annotator does, is not this person's pace.
    made.at(later + 9 * MINUTE, (20..40).map(|doc| class(doc, 0)).collect());
    made.at(later + 9 * MINUTE, vec![done(30).by(AnnotatorId(1))]);
    let pace = Pace::of(&made.project, &made.history, Layer::Outcome);
    let sessions = [
        Session { start_ms: start, end_ms: start + 10 * MINUTE, documents: 10 },
        Session { start_ms: later, end_ms: later + 5 * MINUTE / 2, documents: 5 },
    ];
    assert_eq!(pace.sessions, sessions);
    let per_hour = pace.per_hour.unwrap();
    assert!((per_hour - 15.0 / (12.5 / 60.0)).abs() < 1e-9, "{per_hour}");
    assert_eq!(pace.left, 25);
    assert!((pace.hours_left.unwrap() - 25.0 / per_hour).abs() < 1e-9);
    let own = Pace::of(&made.project, &made.history, Layer::Own(AnnotatorId(1)));
    assert_eq!((own.sessions.len(), own.per_hour, own.left), (1, None, 39), "one document tells no pace");
    assert_eq!(Pace::of(&Project::default(), &History::default(), Layer::Outcome), Pace::default());
}

#[test]
fn a_clock_that_went_back_ends_a_session() {
    let mut made = Made::new(2);
    made.at(100 * MINUTE, vec![done(0)]);
    made.at(50 * MINUTE, vec![done(1)]);
    assert_eq!(Pace::of(&made.project, &made.history, Layer::Outcome).sessions.len(), 2);
}

#[test]
fn answers_grow_to_what_is_given_now() {
    let mut made = Made::new(6);
    for (time, edit) in [(1, class(0, 0)), (2, class(1, 2)), (3, class(0, 2)), (4, class(2, 1).by(AnnotatorId(0)))] {
        made.at(time, vec![edit]);
    }
    made.at(5, vec![Edit::SetAnswer { doc: DocId(1), question: QuestionId(0), to: None }]);
    let of = |made: &Made, layer| Growth::of(&made.project, &made.history, layer).points;
    let points = [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 2], [0, 0, 1]].map(Vec::from);
    assert_eq!(of(&made, Layer::Outcome), points);
    assert_eq!(of(&made, Layer::Own(AnnotatorId(0))), [[0, 0, 0], [0, 1, 0]].map(Vec::from));
    let mut said = Annotation::default();
    said.answers.insert(QuestionId(0), Answer::Class(1));
    made.at(6, vec![Edit::SetAnnotation { doc: DocId(0), to: Box::new(said) }]);
    assert_eq!(of(&made, Layer::Outcome).last(), Some(&vec![0, 1, 0]));
    let plan = made.project.plan(&SchemaChange::AddClass { question: QuestionId(0), name: "讽刺".to_owned() }).unwrap();
    made.at(7, plan.edits);
    assert_eq!(of(&made, Layer::Outcome), [[0, 1, 0, 0]].map(Vec::from), "classes stood elsewhere before");
}

#[test]
fn a_long_history_stays_short() {
    let mut made = Made::new(1);
    for at in 0..2000 {
        made.at(at, vec![class(0, (at % 3) as u16)]);
    }
    let points = Growth::of(&made.project, &made.history, Layer::Outcome).points;
    assert!((Growth::MOST / 2..=Growth::MOST).contains(&points.len()), "{}", points.len());
    assert_eq!(points.last().unwrap()[..], [0, 1, 0]);
}

#[test]
fn a_label_is_starved_below_a_fifth_of_an_even_share() {
    for (counts, wanted) in
        [(&[50, 45, 5][..], &[2][..]), (&[50, 43, 7], &[]), (&[28, 1, 0], &[]), (&[100, 0, 0], &[1, 2]), (&[100], &[]), (&[], &[])]
    {
        assert_eq!(starved(counts), wanted, "{counts:?}");
    }
}
