//! Words that an encoder puts in place of others: which it may propose, from heads of every family, into new wordings; and
//! the seed by which documents are held out.

use super::nn::support::{Sizes, bert_shapes, generator, random_tensors, safetensors_of};
use super::small;
use super::train::{quick, run_from, toys};
use gloss::desk::{propose, training_data};
use gloss::nn::{Device, MaskedHead, ModelFiles, Tensor};
use gloss::project::{Answer, DocId, Document, Edit, Project, QuestionId, Schema, Split, TextRange};
use gloss::store::{Runs, model_folder};
use gloss::text::Tokenizer;
use gloss::train::{EncoderChoice, Example, Proposer, Rewording, Signal, TrainConfig, TrainData, pretrain};

const WIDTH: usize = 24;
const PIECES: usize = 38_679;

/// The piece that a word is at the start of a text, behind a space, or within Chinese.
fn piece(before: &str, word: &str) -> usize {
    let tokenizer = Tokenizer::from_bytes(&ModelFiles::shipped().tokenizer).unwrap();
    let pieces = tokenizer.encode(&format!("{before}{word}"), 16).unwrap();
    let at = pieces.ranges.iter().position(|range| *range == (before.len()..before.len() + word.len()));
    pieces.ids[at.unwrap_or_else(|| panic!("{word} is no piece"))] as usize
}

/// The small encoder with a head that says these pieces everywhere, whatever it reads; layers under the names of a family.
fn says(pieces: &[(usize, f32)], [dense, norm, bias]: [&str; 3]) -> ModelFiles {
    let sizes = Sizes { hidden: WIDTH, heads: 3, inner: 40, layers: 4, vocab: PIECES, positions: 64 };
    let mut tensors = random_tensors(&bert_shapes(sizes), 1);
    let zeros = |shape: &[usize]| Tensor::from_vec(vec![0f32; shape.iter().product()], shape, &Device::Cpu).unwrap();
    let mut values = vec![0f32; PIECES];
    pieces.iter().for_each(|(piece, value)| values[*piece] = *value);
    tensors.push((format!("{dense}.weight"), zeros(&[WIDTH, WIDTH])));
    tensors.push((format!("{dense}.bias"), zeros(&[WIDTH])));
    tensors.push((format!("{norm}.weight"), zeros(&[WIDTH])));
    tensors.push((format!("{norm}.bias"), zeros(&[WIDTH])));
    tensors.push((format!("{bias}.bias"), Tensor::from_vec(values, PIECES, &Device::Cpu).unwrap()));
    ModelFiles { weights: safetensors_of(&tensors), ..small::files().clone() }
}

const BERT: [&str; 3] = ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions"];
const ROBERTA: [&str; 3] = ["lm_head.dense", "lm_head.layer_norm", "lm_head"];
const DISTILBERT: [&str; 3] = ["vocab_transform", "vocab_layer_norm", "vocab_projector"];
const OURS: [&str; 3] = ["gloss.masked.dense", "gloss.masked.LayerNorm", "gloss.masked"];

/// What it says: words, the hidden word itself, a piece that goes on with a word, a mark of punctuation, Chinese.
fn said() -> Vec<(usize, f32)> {
    let pieces = [("a ", "room"), ("a ", "fine"), ("a ", "good"), ("room", "ing"), ("a ", "!"), ("，", "很"), ("，", "大")];
    pieces.iter().enumerate().map(|(at, (before, word))| (piece(before, word), 12.0 - 0.1 * at as f32)).collect()
}

fn config() -> TrainConfig {
    TrainConfig { augment: 1.0, masked_synonyms: 0.9, word_deletion: 0.0, word_swap: 0.0, ..quick() }
}

/// One review as many documents: each has other words hidden.
fn reviews() -> Vec<Example> {
    let text = "the room is good 👍，大，good";
    let start = text.rfind("good").unwrap();
    let marked = vec![(TextRange::new(text, start..start + 4).unwrap(), 0)];
    (0..20)
        .map(|doc| Example { doc: DocId(doc), text: text.into(), class: Some(1), spans: Some(marked.clone()), ..Example::default() })
        .collect()
}

fn proposed(files: &ModelFiles) -> Vec<Example> {
    let mut reviews = reviews();
    Proposer::new(files, &config()).unwrap().propose(&mut reviews.iter_mut().collect::<Vec<_>>()).unwrap();
    reviews
}

#[test]
fn words_of_the_same_kind_are_proposed_for_what_is_not_marked() {
    let reviews = proposed(&says(&said(), BERT));
    let (mut room, mut han) = (0, 0);
    for example in &reviews {
        for (place, words) in &example.proposed {
            let word = place.of(&example.text);
            assert!(place.end() <= example.text.rfind("good").unwrap(), "what is marked is never hidden");
            match word {
                "room" => assert_eq!(words, &["fine", "good"], "neither itself, nor a piece of a word, nor punctuation, nor Chinese"),
                "good" => assert_eq!(words, &["room", "fine"]),
                "the" | "is" => assert_eq!(words, &["room", "fine", "good"]),
                "大" => assert_eq!(words, &["很"]),
                other => panic!("{other}: {words:?}"),
            }
            room += usize::from(word == "room");
            han += usize::from(word == "大");
        }
    }
    assert!((12..=20).contains(&room), "{room} of 20 at a share of .9");
    assert!((12..=20).contains(&han), "{han}");
    // The same seed, the same words.
    assert_eq!(proposed(&says(&said(), BERT)), reviews);
}

#[test]
fn heads_of_every_family_are_read() {
    let wanted = proposed(&says(&said(), BERT));
    for family in [ROBERTA, DISTILBERT, OURS] {
        assert_eq!(proposed(&says(&said(), family)), wanted, "{family:?}");
    }
    let half = says(&said(), ["cls.predictions.transform.dense", "elsewhere", "cls.predictions"]);
    assert!(!MaskedHead::is_in(&half).unwrap(), "a head without its norm is none");
}

#[test]
fn new_wordings_take_what_was_proposed() {
    let reviews = proposed(&says(&said(), BERT));
    let mut changed = 0;
    for (seed, example) in (0..).zip(&reviews) {
        let Some(other) = Rewording::new(&[], &config()).reworded(example, &mut generator(seed)) else { continue };
        changed += 1;
        let (range, label) = other.spans.as_ref().unwrap()[0];
        assert_eq!((range.of(&other.text), label, other.class), ("good", 0, Some(1)), "{:?}", other.text);
        assert!(other.text.contains('👍') && !other.text.contains('!'), "{:?}", other.text);
    }
    assert!(changed >= 15, "{changed}");
}

#[test]
fn a_run_learns_from_them_and_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = folder.path().join("says");
    model_folder::write(&encoder, &says(&said(), BERT)).unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    let config = TrainConfig { encoder: EncoderChoice::Folder(encoder), epochs: 1, ..config() };
    let mut data = toys();
    assert!(!propose(&runs, &config, &mut data.clone(), &|| false).unwrap(), "it can be stopped");
    assert!(propose(&runs, &config, &mut data, &|| true).unwrap());
    let held_out = data.examples.iter().filter(|example| example.split != Split::Train);
    assert!(held_out.clone().count() > 0 && held_out.into_iter().all(|example| example.proposed.is_empty()));
    assert!(data.notes.iter().any(|note| note.starts_with("words for which the encoder has others: ")), "{:?}", data.notes);
    // What a run keeps to go on from has them: nothing is asked again.
    let kept: TrainData = serde_json::from_str(&serde_json::to_string(&data).unwrap()).unwrap();
    assert_eq!(kept, data);
    let learnt = data.examples.iter().filter(|example| example.split == Split::Train).count();
    let told = run_from(small::files(), &data, &config, &mut |_| Signal::Continue).unwrap();
    let started = told.started.unwrap();
    assert!(started.train_examples > learnt + learnt / 4, "{} of {learnt}", started.train_examples);
    // Off, nothing is asked of anything.
    let mut untouched = toys();
    assert!(propose(&runs, &TrainConfig { masked_synonyms: 0.0, ..config }, &mut untouched, &|| false).unwrap());
    assert_eq!(untouched, toys());
}

#[test]
fn an_encoder_without_a_head_says_what_to_do() {
    let refused = Proposer::new(small::files(), &config()).err().unwrap().to_string();
    assert!(refused.contains("no head for hidden words") && refused.contains("list of synonyms"), "{refused}");
    // Reading the reviews gives it one.
    let texts: Vec<std::sync::Arc<str>> = toys().examples.into_iter().map(|example| example.text).take(8).collect();
    let made = pretrain(small::files(), &texts, &TrainConfig { epochs: 1, ..quick() }, &mut |_| true).unwrap().unwrap();
    assert!(Proposer::new(&made, &config()).is_ok());
    let refused = TrainConfig { model: gloss::train::ModelChoice::Lstm, ..config() }.check().unwrap_err().to_string();
    assert!(refused.contains("masked_synonyms"), "{refused}");
}

// ---- the seed of the parts ----

fn parts(config: &TrainConfig) -> Vec<Split> {
    let documents = (0..12).map(|id| Document::new(DocId(id), format!("评论 {id} 👍"))).collect();
    let mut project = Project::new(Schema::default());
    project.apply(Edit::AddDocuments { first: DocId(0), count: 12, documents }).unwrap();
    for doc in (0..12).map(DocId) {
        let to = Some(Answer::Class((doc.0 % 2) as u16));
        project.apply(Edit::SetAnswer { doc, question: QuestionId(0), to }).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let data = training_data(&project, &Runs::of(&folder.path().join("q.gloss")), config).unwrap();
    data.examples.iter().map(|example| example.split).collect()
}

#[test]
fn runs_of_several_seeds_can_be_judged_by_the_same_documents() {
    let of = |seed, split_seed, folds| parts(&TrainConfig { seed, split_seed, folds, dev_share: 0.4, ..TrainConfig::default() });
    for folds in [0, 2] {
        let alone: Vec<Vec<Split>> = (0..8).map(|seed| of(seed, None, folds)).collect();
        assert!(alone.iter().any(|parts| *parts != alone[0]), "without it each seed holds out others");
        for seed in 0..8 {
            assert_eq!(of(seed, Some(3), folds), alone[3], "as a run of that seed");
        }
    }
}

#[test]
fn the_seed_of_the_parts_is_a_setting_like_others() {
    let mut config = TrainConfig::default();
    assert_eq!((config.split_seed, config.dealing_seed()), (None, 0));
    config.set("seed", "5").unwrap();
    assert_eq!(config.dealing_seed(), 5, "it follows the seed");
    config.set("split_seed", "9").unwrap();
    assert_eq!((config.split_seed, config.dealing_seed()), (Some(9), 9));
    for wrong in ["-1", "0.5", "nine"] {
        assert!(config.set("split_seed", wrong).is_err(), "{wrong}");
    }
    config.set("split_seed", "none").unwrap();
    assert_eq!(config.split_seed, None);
    // Settings of runs that knew neither are read as they were.
    let mut old = serde_json::to_value(TrainConfig { seed: 4, ..TrainConfig::default() }).unwrap();
    old.as_object_mut().unwrap().retain(|key, _| key != "split_seed" && key != "masked_synonyms");
    assert_eq!(serde_json::from_value::<TrainConfig>(old).unwrap(), TrainConfig { seed: 4, ..TrainConfig::default() });
}
