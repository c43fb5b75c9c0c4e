//! Attributes of spans, such as categories: what a project teaches of them, their scores by hand, runs that learn them, and
//! predictions and suggestions that say them. And what few documents want of a run.

use crate::opinions::{linked, thorough};
use crate::suggestions::wait_until;
use crate::train::{quick, run, toys};
use gloss::desk::Command;
use gloss::predict::Predictor;
use gloss::project::{
    AttributeChange, AttributeKind, AttributeValue, Attributes, DocId, Document, Edit, LabelId, Polarity, Project, QuestionId, Scale,
    Schema, SchemaChange, Span, SpanId, Split, State, TextRange,
};
use gloss::train::{
    AttributeScores, Example, HeldOut, OpinionAnswers, Patience, Schedule, SpanAttribute, SpanValue, TrainConfig, TrainData,
    attribute_scores, error_groups,
};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn attribute(label: u16, name: &str, values: &[&str]) -> SpanAttribute {
    SpanAttribute { label, name: name.to_owned(), values: names(values) }
}

// ---- what a project teaches ----

#[test]
fn a_project_teaches_the_attributes_that_training_documents_say_anything_of() {
    let mut project = Project::new(Schema::default());
    let text = "房间很大，早餐难吃";
    let documents = (0..2).map(|id| Document::new(DocId(id), text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 2, documents }).unwrap();
    for (label, name, kind) in [
        (0, "never said", AttributeKind::Values(names(&["a", "b"]))),
        (0, "intensity", AttributeKind::Number(Scale::default())),
        (0, "类别", AttributeKind::Values(names(&["客房", "餐饮"]))),
        (1, "only one", AttributeKind::Values(names(&["yes"]))),
    ] {
        let change = AttributeChange::Add { name: name.to_owned(), kind };
        for edit in project.plan(&SchemaChange::Attribute { label, change }).unwrap().edits {
            project.apply(edit).unwrap();
        }
    }
    let value = AttributeValue::Value;
    for (id, bytes, label, attributes) in
        [(4, 15..21, 0, vec![(2, value(0))]), (1, 0..6, 0, vec![(2, value(1))]), (2, 6..12, 1, vec![(0, value(0))])]
    {
        let span = Span { range: TextRange::new(text, bytes).unwrap(), label, polarity: None };
        let attributes: Attributes = attributes.into_iter().collect();
        project.apply(Edit::PutSpanWith { doc: DocId(0), id: SpanId(id), span, attributes }).unwrap();
    }
    project.apply(Edit::SetState { doc: DocId(1), to: State::Done }).unwrap();
    let data = TrainData::of(&project, 0, 0.0);
    assert_eq!(data.attributes, [attribute(0, "类别", &["客房", "餐饮"])]);
    assert_eq!(data.examples[0].attributes, [vec![(0, 1)], vec![], vec![(0, 0)]], "in reading order");
    assert!(data.examples[1].attributes.is_empty());
    // Where only held-out documents say anything, nothing is taught.
    let held_out = TrainData::of(&project, 0, 0.9999);
    assert!(held_out.examples.iter().any(|example| example.split == Split::Dev));
    assert!(held_out.attributes.is_empty() || held_out.examples[0].split == Split::Train);
}

// ---- scores ----

#[test]
fn attribute_scores_by_hand() {
    let (soup, staff, wine) = ((0, 4, 0), (8, 13, 0), (20, 24, 0));
    let doc = HeldOut {
        gold_spans: Some(vec![soup, staff, (30, 34, 0), (40, 44, 1)]),
        spans: vec![soup, staff, wine, (30, 34, 0)],
        opinions: OpinionAnswers {
            gold_attributes: vec![vec![(0, 0)], vec![(0, 1)], vec![], vec![]],
            attributes_of_gold: vec![vec![(0, 0)], vec![(0, 2)], vec![(0, 1)], vec![]],
            attributes: vec![vec![(0, 0)], vec![(0, 2)], vec![(0, 0)], vec![(0, 1)]],
            ..OpinionAnswers::default()
        },
        ..HeldOut::default()
    };
    let asked = [attribute(0, "category", &["food", "service", "place"]), attribute(1, "strength", &["weak", "strong"])];
    let scores = attribute_scores(&asked, &names(&["aspect", "opinion"]), std::slice::from_ref(&doc));
    let [AttributeScores { label, name, examples, accuracy, macro_f1, f1, per_value }] = scores.as_slice() else { panic!("{scores:?}") };
    assert_eq!((label.as_str(), name.as_str(), *examples, *accuracy), ("aspect", "category", 2, 0.5));
    // Food 1, service 0, place (said once, wrongly) 0.
    assert_eq!((*macro_f1, per_value.len()), (1.0 / 3.0, 3));
    // Of soup and staff the soup is right; said were soup, staff and wine. The third aspect has no value: it counts for nothing.
    assert_eq!(*f1, Some(0.4));
    let wrong = error_groups(&[doc]).into_iter().find(|group| format!("{:?}", group.kind) == "Attribute").unwrap();
    assert_eq!((wrong.count, wrong.docs), (1, vec![0]));
}

// ---- runs ----

/// The toys, of whose aspects each says whether it is written in letters, and of whose opinions each its review's class.
fn told_apart() -> TrainData {
    let mut data = linked();
    data.attributes = vec![attribute(0, "script", &["other", "字", "letters"]), attribute(1, "mood", &["bad", "good"])];
    for example in &mut data.examples {
        let class = example.class.unwrap();
        let text = example.text.clone();
        let value = |(range, label): &(TextRange, u16)| -> Vec<SpanValue> {
            vec![if *label == 0 { (0, if range.of(&text).is_ascii() { 2 } else { 1 }) } else { (1, class) }]
        };
        example.attributes = example.spans.iter().flatten().map(value).collect();
    }
    data
}

#[test]
fn attributes_are_learnt_and_answered_as_the_run_did() {
    let data = told_apart();
    let told = run(&data, &thorough());
    let report = told.report.unwrap();
    assert_eq!(report.scores.attributes.len(), 2);
    for scores in &report.scores.attributes {
        assert!(scores.accuracy > 0.8 && scores.f1 > Some(0.5), "{scores:?}");
    }
    assert!(report.reliability.iter().any(|kind| kind.of == "attributes"));
    let predictor = Predictor::new(&told.files.unwrap()).unwrap();
    assert_eq!(predictor.attributes(), data.attributes);
    for doc in &report.held_out {
        let example = data.examples.iter().find(|example| example.doc.0 == doc.doc).unwrap();
        let answer = predictor.predict(&example.text).unwrap();
        let said: Vec<Vec<SpanValue>> =
            answer.spans.iter().map(|span| span.attributes.iter().map(|said| (said.attribute, said.best().0)).collect()).collect();
        assert_eq!(said, doc.opinions.attributes, "{}", example.text);
        assert!(answer.spans.iter().all(|span| span.attributes.iter().all(|said| (said.shares.iter().sum::<f32>() - 1.0).abs() < 1e-4)));
    }
}

#[test]
fn attributes_alone_are_learnt_and_no_weight_learns_none() {
    let mut data = told_apart();
    for example in &mut data.examples {
        example.polarities.fill(None);
        example.links = None;
    }
    // In every third document nobody said any.
    data.examples.iter_mut().step_by(3).for_each(|example| example.attributes.clear());
    let told = run(&data, &TrainConfig { batch_examples: 1, epochs: 1, ..quick() });
    assert!(told.steps.iter().any(|step| step.polarity_loss.is_some()) && told.steps.iter().any(|step| step.polarity_loss.is_none()));
    assert_eq!(told.report.unwrap().scores.attributes.len(), 2);
    let none = run(&data, &TrainConfig { polarity_loss_weight: 0.0, epochs: 1, ..quick() });
    assert!(none.report.unwrap().scores.attributes.is_empty());
    assert!(Predictor::new(&none.files.unwrap()).unwrap().attributes().is_empty());
}

#[test]
fn an_opinion_without_an_aspect_has_its_own() {
    let mut data = told_apart();
    for example in data.examples.iter_mut().filter(|example| example.class == Some(1)) {
        example.links = Some(Vec::new());
    }
    let told = run(&data, &thorough());
    let predictor = Predictor::new(&told.files.unwrap()).unwrap();
    let mut alone = 0;
    for example in &data.examples {
        let answer = predictor.predict(&example.text).unwrap();
        for triplet in answer.triplets.iter().filter(|triplet| triplet.aspect.is_none()) {
            alone += 1;
            assert_eq!(answer.spans[triplet.opinion].attributes.len(), 1, "{}", example.text);
        }
    }
    assert!(alone > 3, "{alone}");
}

#[test]
fn terms_change_places_within_their_category_alone() {
    let more = |data: &TrainData| {
        let told = run(data, &TrainConfig { epochs: 1, span_swaps: 1.0, ..quick() });
        let note = told.started.unwrap().notes.into_iter().find(|note| note.contains("other terms")).unwrap();
        note.rsplit(' ').next().unwrap().parse::<usize>().unwrap()
    };
    let mut data = told_apart();
    assert!(more(&data) > 0);
    // Every term in a category of its own: nothing can take its place.
    let values: Vec<String> = (0..64).map(|value| value.to_string()).collect();
    data.attributes[0].values = values;
    let mut next = 0;
    for said in data.examples.iter_mut().filter(|example| example.split == Split::Train).flat_map(|example| &mut example.attributes) {
        if said.iter().any(|(attribute, _)| *attribute == 0) {
            *said = vec![(0, next)];
            next += 1;
        }
    }
    assert_eq!(more(&data), 0);
}

// ---- suggestions ----

#[test]
fn what_a_model_says_of_a_span_comes_with_its_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = crate::stage::desk_with(folder.path(), &[]);
    let kind = AttributeKind::Values(names(&["bad", "good"]));
    let change = AttributeChange::Add { name: "mood".to_owned(), kind };
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::Attribute { label: 1, change })));
    for at in 0..40 {
        let (text, class, polarity) = if at % 2 == 0 {
            (format!("room {at} good"), 2, Polarity::Positive)
        } else {
            (format!("room {at} bad"), 0, Polarity::Negative)
        };
        desk.run(Command::AddDocument(text.clone()));
        let doc = DocId::from_index(at);
        desk.run(Command::SetClass { doc, class: Some(class) });
        let range = TextRange::new(&text, text.rfind(' ').unwrap() + 1..text.len()).unwrap();
        desk.run(Command::AddSpan { doc, range, label: 1 });
        desk.run(Command::SetPolarity { doc, id: SpanId(0), to: Some(polarity) });
        desk.run(Command::SetAttribute { doc, id: SpanId(0), attribute: 0, to: Some(AttributeValue::Value((1 - at % 2) as u16)) });
    }
    desk.run(Command::AddDocument("the room is good".to_owned()));
    let doc = DocId(40);
    desk.run(Command::Open(doc));
    let config = TrainConfig { epochs: 12, lr: 5e-4, layers: 2, max_length: 24, patience: 0, ..TrainConfig::default() };
    desk.run(Command::StartTraining(Box::new(config)));
    wait_until(&mut desk, |desk| !desk.is_training());
    desk.run(Command::SetSuggestions(true));
    wait_until(&mut desk, |desk| desk.looked_at().is_some_and(|count| count > 0) && !desk.ghosts(doc).is_empty());
    let ghost = desk.ghosts(doc).into_iter().find(|ghost| ghost.label == 1).unwrap();
    assert!(ghost.polarity.is_some() && ghost.attributes.len() == 1, "{ghost:?}");
    desk.run(Command::AcceptSpan { doc, range: ghost.range, label: ghost.label });
    let said = desk.project().unwrap().document(doc).unwrap().annotation.clone();
    let id = *said.spans.keys().next().unwrap();
    assert_eq!((said.spans[&id].polarity, said.attributes_of(id)), (ghost.polarity, &ghost.attributes));
    desk.run(Command::Undo);
    let said = &desk.project().unwrap().document(doc).unwrap().annotation;
    assert!(said.spans.is_empty() && said.attributes.is_empty());
    assert!(said.class(QuestionId(0)).is_none() && desk.project().unwrap().schema().name(LabelId::Span(1)).is_some());
}

// ---- few documents ----

#[test]
fn few_documents_are_read_in_smaller_batches() {
    let config = TrainConfig { epochs: 6, batch_examples: 8, least_steps: 300, ..TrainConfig::default() };
    for (documents, batch) in [(16, 2), (150, 2), (200, 4), (400, 8), (5000, 8), (0, 2)] {
        assert_eq!(config.batch_for(documents), batch, "{documents} documents");
    }
    assert_eq!(TrainConfig { least_steps: 0, ..config.clone() }.batch_for(16), 8);
    assert_eq!(TrainConfig { batch_examples: 1, ..config }.batch_for(16), 1);
    let few = TrainConfig { epochs: 1, least_steps: 300, ..quick() };
    let told = run(&toys(), &few);
    assert_eq!(told.steps.len(), 8, "sixteen documents by two");
    assert!(told.started.unwrap().notes.iter().any(|note| note.contains("batches of 2 documents in place of 8")));
    // A class is learnt in few steps.
    let mut classes = toys();
    classes.examples.iter_mut().for_each(|example| example.spans = None);
    assert_eq!(run(&classes, &few).steps.len(), 2);
}

#[test]
fn waiting_begins_anew() {
    let mut patience = Patience::new(2);
    patience.observe(0.5, 0.0);
    patience.observe(0.5, 0.0);
    patience.wait();
    assert!(!patience.observe(0.5, 0.0).exhausted && patience.best() == Some(0.5));
    assert!(patience.observe(0.5, 0.0).exhausted);
}

#[test]
fn one_kind_of_marks_alone_teaches_that_kind() {
    let only = |change: fn(&mut Example)| {
        let mut data = linked();
        data.examples.iter_mut().for_each(change);
        run(&data, &TrainConfig { epochs: 1, ..quick() }).report.unwrap().scores
    };
    let classes = only(|example| (example.spans, example.links, example.polarities) = (None, None, Vec::new()));
    assert!(classes.macro_f1.is_some() && classes.span_f1.is_none() && classes.opinions.pair_f1.is_none());
    let spans = only(|example| {
        (example.class, example.links) = (None, None);
        example.polarities.clear();
    });
    assert!(spans.macro_f1.is_none() && spans.span_f1.is_some() && spans.opinions.triplet_f1.is_none());
    let triplets = only(|example| example.class = None);
    assert!(triplets.macro_f1.is_none() && triplets.span_f1.is_some() && triplets.opinions.triplet_f1.is_some());
}

#[test]
fn a_run_takes_a_rate_that_suits_what_it_learns() {
    let mut classes = toys();
    classes.examples.iter_mut().for_each(|example| example.spans = None);
    let config = TrainConfig { epochs: 1, lr: 0.0, schedule: Schedule::Constant, warmup: 0.0, ..quick() };
    for (data, lr, rate) in [(toys(), 0.0, 1e-4), (classes.clone(), 0.0, 5e-5), (toys(), 3e-4, 3e-4), (classes, 3e-4, 3e-4)] {
        let told = run(&data, &TrainConfig { lr, ..config.clone() });
        assert_eq!(told.steps[0].lr, rate);
        let said = told.started.unwrap().notes.iter().any(|note| note.contains("as suits a run"));
        assert_eq!(said, lr == 0.0);
    }
    let unlearnt = TrainConfig { span_loss_weight: 0.0, ..config };
    assert_eq!(run(&toys(), &unlearnt).steps[0].lr, 5e-5, "spans are there, and not learnt");
}
