//! How the work goes: documents an hour, how long the rest will take, how the answers grow, which label is starved.
//! Read from the journal's steps; the clock is theirs.

use super::{Annotation, Answer, Edit, History, Layer, Project, QuestionId, State, Step};

/// A stretch of work without a long break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub start_ms: i64,
    pub end_ms: i64,
    /// Documents finished in it.
    pub documents: usize,
}

/// How the work of one layer goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// Oldest first.
    pub sessions: Vec<Session>,
    /// Documents an hour over the last sessions; `None` before enough was done to tell.
    pub per_hour: Option<f64>,
    /// Documents still to do.
    pub left: usize,
    /// What they will take at that rate.
    pub hours_left: Option<f64>,
}

/// A break longer than this ends a session.
const BREAK_MS: i64 = 10 * 60 * 1000;
/// So many sessions make the rate.
const COUNTED: usize = 5;
/// Fewer finished documents tell nothing.
const FEWEST: usize = 5;

impl Pace {
    /// From the steps that gave answers in `layer`. Takes as long as there are steps.
    pub fn of(project: &Project, history: &History, layer: Layer) -> Self {
        let mut sessions: Vec<Session> = Vec::new();
        for step in history.done() {
            let mut edits = step.edits.iter().filter_map(|edit| in_layer(edit, layer)).peekable();
            // What was done to many at once says nothing about the pace of a person.
            if step.edits.len() > MOST_OF_A_GESTURE || edits.peek().is_none() {
                continue;
            }
            let finished = edits.filter(|edit| finishes(edit)).count();
            match sessions.last_mut() {
                Some(session) if (0..=BREAK_MS).contains(&(step.time_ms - session.end_ms)) => {
                    session.end_ms = step.time_ms;
                    session.documents += finished;
                }
                _ => sessions.push(Session { start_ms: step.time_ms, end_ms: step.time_ms, documents: finished }),
            }
        }
        let last = &sessions[sessions.len().saturating_sub(COUNTED)..];
        let documents: usize = last.iter().map(|session| session.documents).sum();
        let hours = last.iter().map(|session| session.end_ms - session.start_ms).sum::<i64>() as f64 / 3_600_000.0;
        let per_hour = (documents >= FEWEST && hours > 0.0).then(|| documents as f64 / hours);
        let tally = project.tally(layer);
        let left = project.tally(Layer::Outcome).documents.saturating_sub(tally.done + tally.skipped);
        Self { sessions, per_hour, left, hours_left: per_hour.map(|rate| left as f64 / rate) }
    }
}

/// A gesture has a few edits at most: a span, its link, a state.
const MOST_OF_A_GESTURE: usize = 8;

/// The edit itself, if it says something in this layer.
fn in_layer(edit: &Edit, layer: Layer) -> Option<&Edit> {
    match (edit, layer) {
        (Edit::ByAnnotator { annotator, what }, Layer::Own(own)) if *annotator == own => Some(what),
        (edit, Layer::Outcome) if edit.annotated().is_some() => Some(edit),
        _ => None,
    }
}

fn finishes(edit: &Edit) -> bool {
    match edit {
        Edit::SetState { to, .. } => *to != State::Todo,
        Edit::SetAnnotation { to, .. } => to.state == State::Done,
        _ => false,
    }
}

/// How often each class of the main question was given, after each step that changed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// `points[n][class]`; at most [`Growth::MOST`] points, the last one what is given now.
    pub points: Vec<Vec<usize>>,
}

impl Growth {
    pub const MOST: usize = 256;

    /// Since the last change of the schema, whose classes stood elsewhere before.
    pub fn of(project: &Project, history: &History, layer: Layer) -> Self {
        let Some((question, asked)) = project.schema().main_question() else { return Self::default() };
        let tally = project.tally(layer);
        let mut counts: Vec<i64> = (0u16..).take(asked.classes.len()).map(|class| tally.class(question, class) as i64).collect();
        let as_points = |counts: &[i64]| counts.iter().map(|count| (*count).max(0) as usize).collect::<Vec<_>>();
        let mut points = vec![as_points(&counts)];
        let changes_schema = |step: &&Step| step.edits.iter().any(|edit| matches!(edit, Edit::SetSchema { .. }));
        // Backwards from what is given now.
        for step in history.done().iter().rev().take_while(|step| !changes_schema(step)) {
            let mut changed = false;
            for (edits, sign) in [(&step.edits, -1), (&step.inverse, 1)] {
                for class in edits.iter().filter_map(|edit| class_set(in_layer(edit, layer)?, question)) {
                    if let Some(count) = counts.get_mut(usize::from(class)) {
                        *count += sign;
                        changed = true;
                    }
                }
            }
            if changed {
                points.push(as_points(&counts));
            }
        }
        points.reverse();
        while points.len() > Self::MOST {
            let last = points.len() - 1;
            points = points.into_iter().enumerate().filter(|(at, _)| (last - at).is_multiple_of(2)).map(|(_, point)| point).collect();
        }
        Self { points }
    }
}

/// The class of `question` that an edit gives.
fn class_set(edit: &Edit, question: QuestionId) -> Option<u16> {
    match edit {
        Edit::SetAnswer { question: asked, to, .. } if *asked == question => {
            let answers = to.clone().map(|answer: Answer| (question, answer)).into_iter().collect();
            Annotation { answers, ..Annotation::default() }.class(question)
        }
        Edit::SetAnnotation { to, .. } => to.class(question),
        _ => None,
    }
}

/// The labels given so seldom that a model has little to learn them from: less than a fifth of an even share. None before
/// [`ENOUGH`] were given in all.
pub fn starved(counts: &[usize]) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    if all < ENOUGH || counts.len() < 2 {
        return Vec::new();
    }
    (0..counts.len()).filter(|at| counts[*at] * counts.len() * 5 < all).collect()
}

/// Fewer labels than this show no distribution.
pub const ENOUGH: usize = 30;
