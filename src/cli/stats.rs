//! `gloss stats` and `gloss duplicates`: what a project holds before it is trained on, and what it holds twice.

use super::args::{DuplicatesArgs, StatsArgs, WhatToDo};
use super::{CliError, now_ms};
use crate::nn::ModelFiles;
use crate::project::{
    Comment, DocId, Document, EntryKind, Lengths, NearGroup, NearPair, Project, Settle, Statistics, assign_split, near_groups, near_pairs,
    settle,
};
use crate::store::{ProjectFile, Settings, model_folder, read_project};
use crate::text::Tokenizer;
use crate::train::TrainConfig;
use serde_json::{Value, json};
use std::io::Write;

/// As many pieces as are counted of a text.
const MOST_PIECES: usize = 1 << 20;

pub(super) fn stats(args: &StatsArgs) -> Result<(), CliError> {
    let (project, _) = read_project(&args.project)?;
    let files = args.encoder.as_deref().map_or_else(|| Ok(ModelFiles::shipped()), model_folder::read)?;
    let tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(|error| CliError::Failed(error.to_string()))?;
    let limit = TrainConfig::default().max_length;
    let pieces = |text: &str| tokenizer.encode(text, MOST_PIECES).map(|pieces| pieces.ids).unwrap_or_default();
    let statistics = Statistics::of(&project, limit, pieces);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", as_json(&statistics))?;
        return Ok(out.flush()?);
    }
    let Statistics { documents, characters, pieces, vocabulary, beyond, limit, .. } = &statistics;
    writeln!(out, "{documents} documents")?;
    for (unit, lengths) in [("characters", characters), ("pieces", pieces)] {
        let Lengths { shortest, mean, median, p95, longest } = lengths;
        writeln!(out, "{unit}: {shortest} to {longest}, mean {mean:.1}, median {median}, 95 of 100 have at most {p95}")?;
    }
    let share = 100.0 * *beyond as f64 / (*documents).max(1) as f64;
    writeln!(out, "{vocabulary} different pieces; {beyond} documents ({share:.1} %) are longer than the {limit} pieces a model is given")?;
    let scripts: Vec<String> =
        statistics.scripts.iter().map(|(script, count)| format!("{} {count}", format!("{script:?}").to_lowercase())).collect();
    writeln!(out, "scripts: {}", scripts.join(", "))?;
    for (name, answered, classes) in &statistics.questions {
        let classes: Vec<String> = classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
        writeln!(out, "{name}: {answered} answered{}{}", if classes.is_empty() { "" } else { "; " }, classes.join(", "))?;
    }
    if !statistics.spans.is_empty() {
        let spans: Vec<String> = statistics.spans.iter().map(|(label, count)| format!("{label} {count}")).collect();
        writeln!(out, "spans: {}", spans.join(", "))?;
    }
    if !statistics.parts.is_empty() {
        let parts: Vec<String> = statistics.parts.iter().map(|(part, count)| format!("{} {count}", part.name())).collect();
        writeln!(out, "fixed parts: {}", parts.join(", "))?;
    }
    Ok(out.flush()?)
}

fn as_json(statistics: &Statistics) -> Value {
    let lengths = |lengths: &Lengths| {
        let Lengths { shortest, mean, median, p95, longest } = lengths;
        json!({"shortest": shortest, "mean": mean, "median": median, "p95": p95, "longest": longest})
    };
    let counts =
        |list: &[(String, usize)]| list.iter().map(|(name, count)| (name.clone(), json!(count))).collect::<serde_json::Map<_, _>>();
    let questions = statistics
        .questions
        .iter()
        .map(|(name, answered, classes)| (name.clone(), json!({"answered": answered, "classes": counts(classes)})));
    json!({
        "documents": statistics.documents,
        "characters": lengths(&statistics.characters),
        "pieces": lengths(&statistics.pieces),
        "vocabulary": statistics.vocabulary,
        "limit": statistics.limit,
        "beyond_limit": statistics.beyond,
        "scripts": statistics.scripts.iter().map(|(script, count)| (format!("{script:?}").to_lowercase(), json!(count))).collect::<serde_json::Map<_, _>>(),
        "questions": questions.collect::<serde_json::Map<_, _>>(),
        "spans": counts(&statistics.spans),
        "parts": statistics.parts.iter().map(|(part, count)| (part.name().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>(),
    })
}

pub(super) fn duplicates(args: &DuplicatesArgs) -> Result<(), CliError> {
    if !(0.3..=1.0).contains(&args.likeness) {
        return Err(CliError::Usage("--likeness is a share from 0.3 to 1".to_owned()));
    }
    let (project, _) = read_project(&args.project)?;
    let pairs = near_pairs(project.documents(), args.likeness);
    let config = TrainConfig::default();
    // Where a document has no part, the one that training would draw.
    let part = |doc: &Document| doc.split.unwrap_or_else(|| assign_split(config.seed, doc.id, config.dev_share));
    let groups = near_groups(&pairs, |id| project.document(id).map(part));
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", groups_json(&project, &groups, &pairs))?;
    } else {
        for group in &groups {
            let leak = if group.leaks { ", on both sides of training" } else { "" };
            writeln!(out, "{} documents, likeness {:.2} and more{leak}", group.docs.len(), group.likeness)?;
            for doc in group.docs.iter().filter_map(|id| project.document(*id)) {
                let words: String = doc.text.chars().take(70).map(|c| if c.is_control() { ' ' } else { c }).collect();
                let part = doc.split.map_or_else(String::new, |part| format!(" ({})", part.name()));
                writeln!(out, "  {}{part}: {words}", doc.id.index() + 1)?;
            }
        }
        let leaks = groups.iter().filter(|group| group.leaks).count();
        let more: usize = groups.iter().map(|group| group.docs.len() - 1).sum();
        writeln!(out, "{} groups, {more} documents beside the first of each; {leaks} groups lie on both sides of training", groups.len())?;
    }
    out.flush()?;
    match args.what {
        Some(what) => carry_out(args, what, &groups),
        None => Ok(()),
    }
}

fn groups_json(project: &Project, groups: &[NearGroup], pairs: &[NearPair]) -> Value {
    let number = |id: &DocId| id.index() + 1;
    let group = |group: &NearGroup| {
        let docs: Vec<Value> =
            group.docs.iter().map(|id| json!({"document": number(id), "text": project.document(*id).map(|doc| &*doc.text)})).collect();
        json!({"documents": docs, "likeness": group.likeness, "leaks": group.leaks})
    };
    let pair = |pair: &NearPair| json!([number(&pair.first), number(&pair.second), pair.likeness]);
    json!({"groups": groups.iter().map(group).collect::<Vec<_>>(), "pairs": pairs.iter().map(pair).collect::<Vec<_>>()})
}

/// Takes all but the first of each group out of the project, flags them, or says which they are like, as one step.
fn carry_out(args: &DuplicatesArgs, what: WhatToDo, groups: &[NearGroup]) -> Result<(), CliError> {
    let opened = ProjectFile::open(&args.project)?;
    let (mut project, mut history, mut file) = (opened.project, opened.history, opened.file);
    let (what, verb, done) = match what {
        WhatToDo::Remove => (Settle::Remove, "take out", "taken out"),
        WhatToDo::Flag => (Settle::Flag, "flag", "flagged"),
        WhatToDo::Link => (Settle::Link, "link", "linked by a comment"),
    };
    let (author, time_ms) = (Settings::load().author, now_ms());
    let text = |like: usize| format!("Nearly the same as document {like}");
    let comment = |like: usize| Comment { author: author.clone(), time_ms, text: text(like), resolved: false };
    let edits = settle(&project, groups, what, comment);
    if edits.is_empty() {
        return Ok(());
    }
    let count = edits.len();
    let name = format!("{verb} {count} near-duplicates");
    let step = history.commit(&mut project, name, author, time_ms, edits).map_err(|error| CliError::Failed(error.to_string()))?;
    file.record(EntryKind::Do, &step, &project)?;
    Ok(writeln!(std::io::stdout(), "{count} documents {done}; undo in the window takes it back")?)
}
