//! From labelled documents to what the model is shown: pieces, units and targets, with notes on all that is lost.

use super::augment::{Terms, drop_words};
use super::opinions::{self, Marks};
use super::questions::QuestionTargets;
use super::reword::Rewording;
use super::teaching::TaughtClasses;
use super::{Example, Roles, TrainConfig, TrainData, TrainError};
use crate::nn::{Bend, ChainBatch, JointSizes, Moves, OpinionSizes, QuestionForm, RaggedBatch, ScorerSizes, SpanAttribute, UnitBatch};
use crate::project::{DocId, NearPair, Split, near_texts};
use crate::text::{BioTags, LeftOut, Reading, Tokenizer, may_follow, moves, tag_count, tags_of_spans, word_joins, words_in};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// A document ready for the model.
pub(super) struct Item<'a> {
    pub example: Cow<'a, Example>,
    pub reading: Reading,
    /// Class to learn or to compare with.
    pub class: Option<u16>,
    /// A tag for each unit; `None` where spans were not marked.
    pub tags: Option<Vec<u16>>,
    /// Labels of which only some places were marked: elsewhere it teaches nothing of them.
    pub partly: Vec<u16>,
    /// Whether each unit goes on with the word of the unit before it.
    pub joined: Vec<bool>,
    /// What it teaches of polarity and links.
    pub marks: Marks,
}

impl Item<'_> {
    /// Whether a span was marked to begin or end inside a word, before this unit: no answer would, but this is to be learnt from.
    fn is_parted(&self, unit: usize) -> bool {
        let tags = self.tags.as_deref().unwrap_or_default();
        unit > 0 && tags.get(unit).is_some_and(|tag| !may_follow(Some(tags[unit - 1]), *tag, true))
    }

    pub fn length(&self) -> usize {
        self.reading.pieces.ids.len()
    }
}

/// What is learnt, and from what.
pub(super) struct Task<'a> {
    /// Names of the classes; empty when no class is learnt.
    pub classes: &'a [String],
    /// Names of the span labels; empty when no spans are learnt.
    pub labels: &'a [String],
    /// Questions beside the main one.
    pub questions: Vec<QuestionForm>,
    /// Which labels take part in links.
    pub roles: &'a Roles,
    /// Attributes of spans that are learnt.
    pub attributes: &'a [SpanAttribute],
    /// What is learnt of polarity and links.
    pub opinions: OpinionSizes,
    /// Whether opinions are marked that are about nothing that is marked: they are said so.
    pub implicit: bool,
    /// The widest span, in words, that is judged by itself; 0 where tags say the spans.
    pub widest: usize,
    pub train: Vec<Item<'a>>,
    /// Of each training document the places of the same with other terms in it, which stand after all others and are read in
    /// its place now and then; empty where there are none.
    pub variants: Vec<Vec<usize>>,
    pub dev: Vec<Item<'a>>,
    pub test: Vec<Item<'a>>,
    /// Tags are those of pieces, not of characters.
    pub of_pieces: bool,
    /// Texts are cut after so many pieces.
    pub max_length: usize,
    /// So many turns before a text are read with it; 0 where no text has any.
    pub turns_before: usize,
    /// The piece that stands for one that is not shown.
    pub hidden_id: u32,
    pub notes: Vec<String>,
}

impl<'a> Task<'a> {
    /// Reads every document.
    ///
    /// # Errors
    /// When there is nothing to learn or nothing to be judged by.
    pub fn prepare(data: &'a TrainData, config: &TrainConfig, max_length: usize, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let training = || data.examples.iter().filter(|example| example.split == Split::Train);
        let has_class = training().filter_map(|example| example.class).any(|class| usize::from(class) < data.classes.len());
        let learns_class = data.classes.len() >= 2 && has_class;
        let learns_spans = config.learns_spans(data);
        let mut task = Self {
            classes: if learns_class { &data.classes } else { &[] },
            labels: if learns_spans { &data.span_labels } else { &[] },
            questions: questions_of(data, config),
            roles: &data.roles,
            attributes: if learns_spans && config.polarity_loss_weight > 0.0 { &data.attributes } else { &[] },
            opinions: OpinionSizes::default(),
            implicit: false,
            widest: 0,
            train: Vec::new(),
            variants: Vec::new(),
            dev: Vec::new(),
            test: Vec::new(),
            of_pieces: config.tag_pieces && learns_spans,
            max_length,
            turns_before: if data.examples.iter().any(|example| !example.before.is_empty()) { config.turns_before } else { 0 },
            hidden_id: tokenizer.hidden_id(),
            notes: data.notes.clone(),
        };
        task.read_all(data, config, tokenizer)?;
        if task.train.is_empty() {
            return Err(TrainError::Data(
                "no training document has a class among at least two, marked spans, or an answer to another question".to_owned(),
            ));
        }
        if task.dev.is_empty() && task.test.is_empty() {
            return Err(TrainError::Data("no labelled document is held out, so nothing could be measured".to_owned()));
        }
        task.opinions = opinions::sizes(task.train.iter(), task.labels.len(), (config.polarity_loss_weight, config.link_loss_weight));
        task.opinions.values = task.attributes.iter().map(|attribute| attribute.values.len()).sum();
        task.implicit = task.opinions.links && task.opinions.polarity && opinions::any_implicit(&task.train, task.roles);
        task.choose_scorer(config);
        task.note_classes();
        task.note_leaks(data);
        Ok(task)
    }

    /// Says how many held-out documents say nearly what one says that is learnt from.
    fn note_leaks(&mut self, data: &TrainData) {
        /// So many runs of characters in common make two texts nearly the same.
        const LIKENESS: f64 = 0.7;
        /// Looking through more would keep a run waiting.
        const MOST: usize = 20_000;
        let parts: BTreeMap<DocId, Split> = data.examples.iter().map(|example| (example.doc, example.split)).collect();
        if parts.len() > MOST {
            return self.notes.push(format!("near-duplicates were not looked for among more than {MOST} documents (Data does it)"));
        }
        let learnt = |doc: DocId| parts.get(&doc) == Some(&Split::Train);
        let pairs = near_texts(data.examples.iter().map(|example| (example.doc, &*example.text)), LIKENESS);
        let across = pairs.iter().filter(|pair| learnt(pair.first) != learnt(pair.second));
        let held_out = |pair: &NearPair| if learnt(pair.first) { (pair.second, pair.first) } else { (pair.first, pair.second) };
        let leaks: BTreeMap<DocId, DocId> = across.map(held_out).collect();
        if let Some((held, of)) = leaks.first_key_value() {
            let (count, held, of) = (leaks.len(), held.index() + 1, of.index() + 1);
            let example = format!("document {held} and document {of}, which is learnt from");
            self.notes.push(format!(
                "held-out documents that say nearly the same as one learnt from, which flatters the scores: {count} (such as {example})"
            ));
        }
    }

    fn read_all(&mut self, data: &'a TrainData, config: &TrainConfig, tokenizer: &Tokenizer) -> Result<(), TrainError> {
        let partly = self.partly_marked(config);
        let partly = |example: &Example| if data.underway.contains(&example.doc) { partly.clone() } else { Vec::new() };
        let (mut left_out, mut cut) = (LeftOut::default(), 0);
        for example in &data.examples {
            let Some((item, lost)) = self.read(Cow::Borrowed(example), partly(example), tokenizer)? else { continue };
            cut += usize::from(item.reading.pieces.cut_at.is_some());
            left_out += lost;
            match example.split {
                Split::Train => self.train.push(item),
                Split::Dev => self.dev.push(item),
                Split::Test => self.test.push(item),
            }
        }
        self.note_losses(left_out, cut);
        for example in self.swapped(config).into_iter().chain(self.reworded(data, config)) {
            let partly = partly(&example);
            if let Some((item, _)) = self.read(Cow::Owned(example), partly, tokenizer)? {
                self.train.push(item);
            }
        }
        self.read_variants(config, tokenizer)
    }

    /// What is read in each epoch; variants stand in for some of it.
    pub fn read_in_an_epoch(&self) -> &[Item<'a>] {
        &self.train[..self.train.len() - self.variants.iter().map(Vec::len).sum::<usize>()]
    }

    /// Where few documents are marked, each is read with other terms in it in every other epoch or so: nothing more to read.
    fn read_variants(&mut self, config: &TrainConfig, tokenizer: &Tokenizer) -> Result<(), TrainError> {
        /// Of each document.
        const VARIANTS: usize = 3;
        let marked = self.train.iter().filter(|item| !item.marks.spans.is_empty()).count();
        if !config.is_few(marked) {
            return Ok(());
        }
        let terms = Terms::of(self.train.iter().map(|item| &*item.example), self.roles);
        let mut rng = StdRng::seed_from_u64(config.seed.wrapping_add(0x7661_7279));
        let count = self.train.len();
        let mut variants = vec![Vec::new(); count];
        for at in (0..count).flat_map(|at| [at; VARIANTS]) {
            let Some(varied) = terms.swapped(&self.train[at].example, &mut rng) else { continue };
            let partly = self.train[at].partly.clone();
            if let Some((item, _)) = self.read(Cow::Owned(varied), partly, tokenizer)? {
                variants[at].push(self.train.len());
                self.train.push(item);
            }
        }
        let varied = variants.iter().filter(|others| !others.is_empty()).count();
        if varied > 0 {
            self.notes.push(format!("documents that are read with other terms in them now and then: {varied}"));
            self.variants = variants;
        }
        Ok(())
    }

    /// A document as the model sees it, and what its tags don't say; `None` when it teaches nothing.
    fn read(&self, example: Cow<'a, Example>, partly: Vec<u16>, tokenizer: &Tokenizer) -> Result<Option<(Item<'a>, LeftOut)>, TrainError> {
        let class = example.class.filter(|class| usize::from(*class) < self.classes.len());
        let spans = example.spans.as_ref().filter(|_| !self.labels.is_empty());
        let answers = self.teaches_otherwise(&example);
        if class.is_none() && spans.is_none() && !answers {
            return Ok(None);
        }
        let reading = match self.of_pieces {
            true => tokenizer.read_pieces(&example.before, &example.text, self.max_length),
            false => tokenizer.read_turn(&example.before, &example.text, self.max_length, !self.labels.is_empty()),
        };
        let reading = reading.map_err(|error| TrainError::Encoder(error.to_string()))?;
        if class.is_none() && !answers && reading.units.is_empty() {
            return Ok(None);
        }
        let mut left_out = LeftOut::default();
        let tags = spans.map(|spans| {
            let known: Vec<_> = spans.iter().copied().filter(|(_, label)| usize::from(*label) < self.labels.len()).collect();
            let BioTags { tags, left_out: lost } = tags_of_spans(&reading.units, &known, reading.pieces.cut_at);
            left_out = lost;
            tags
        });
        let marks = if spans.is_some() { Marks::of(&example, &reading, self.labels.len()) } else { Marks::default() };
        let joined = word_joins(&example.text, &reading.units);
        Ok(Some((Item { example, reading, class, tags, partly, joined, marks }, left_out)))
    }

    /// Whether a document answers a question beside the main one, or a teacher answered it.
    fn teaches_otherwise(&self, example: &Example) -> bool {
        let is_taught = !self.classes.is_empty() && !example.taught.is_empty();
        is_taught || !self.questions.is_empty() && example.answers.iter().any(Option::is_some)
    }

    /// Training documents once more with other terms in them, as many as the settings want.
    fn swapped(&mut self, config: &TrainConfig) -> Vec<Example> {
        let wanted = (config.span_swaps * self.train.len() as f64).round() as usize;
        if wanted == 0 {
            return Vec::new();
        }
        let terms = Terms::of(self.train.iter().map(|item| &*item.example), self.roles);
        let mut rng = StdRng::seed_from_u64(config.seed.wrapping_add(0x5eed));
        let sources = self.train.iter().cycle().take(wanted);
        let swapped: Vec<Example> = sources.filter_map(|item| terms.swapped(&item.example, &mut rng)).collect();
        self.notes.push(format!("documents more with other terms in them: {}", swapped.len()));
        swapped
    }

    /// Training documents once more in other words, as many as the settings want.
    fn reworded(&mut self, data: &TrainData, config: &TrainConfig) -> Vec<Example> {
        let wanted = (config.augment * self.train.len() as f64).round() as usize;
        if wanted == 0 || self.train.is_empty() {
            return Vec::new();
        }
        let rewording = Rewording::new(&data.synonyms, config);
        let mut rng = StdRng::seed_from_u64(config.seed.wrapping_add(0x0077_6f72_6473));
        let sources = self.train.iter().cycle().take(wanted);
        let reworded: Vec<Example> = sources.filter_map(|item| rewording.reworded(&item.example, &mut rng)).collect();
        self.notes.push(format!("documents more in other words: {}", reworded.len()));
        reworded
    }

    /// Places of the labels that are marked in part in documents that are not done.
    fn partly_marked(&mut self, config: &TrainConfig) -> Vec<u16> {
        let place = |name: &String| self.labels.iter().position(|label| label == name).map(|at| at as u16);
        let unknown = config.partly_marked.iter().filter(|name| place(name).is_none()).map(String::as_str);
        let unknown: Vec<&str> = unknown.collect();
        let places = config.partly_marked.iter().filter_map(place).collect();
        if !unknown.is_empty() {
            self.notes.push(format!("partly marked labels that no document teaches: {}", unknown.join(", ")));
        }
        places
    }

    /// Judges spans one by one where that was asked for, or where more than one marked span in a hundred overlaps another:
    /// tags can say only one of them.
    fn choose_scorer(&mut self, config: &TrainConfig) {
        const WIDEST: usize = 40;
        const RARE: usize = 100;
        let spans = |items: &[Item]| items.iter().map(|item| item.marks.spans.len()).sum::<usize>();
        let overlapping: usize = self.train.iter().map(|item| item.marks.overlapping()).sum();
        if self.labels.is_empty() || !(config.span_scorer || overlapping * RARE > spans(&self.train)) {
            return;
        }
        let widths = |items: &[Item]| {
            let of = |item: &Item| item.marks.spans.iter().map(|mark| words_in(&item.joined, &mark.units)).collect::<Vec<_>>();
            items.iter().flat_map(of).collect::<Vec<_>>()
        };
        let widths = widths(&self.train);
        self.widest = widths.iter().copied().max().unwrap_or(1).clamp(1, WIDEST);
        let wider = widths.iter().filter(|width| **width > self.widest).count();
        self.notes.push(format!(
            "spans are judged one by one, up to {} words: {overlapping} marked ones overlap others, which tags can't say",
            self.widest
        ));
        if wider > 0 {
            self.notes.push(format!("spans of more than {} words, which are not learnt: {wider}", self.widest));
        }
    }

    fn note_losses(&mut self, left_out: LeftOut, cut: usize) {
        let rows = [
            (cut, format!("documents read only up to the limit of {} pieces", self.max_length)),
            (left_out.beyond, "spans beyond that limit, wholly or in part".to_owned()),
            (left_out.overlapping, "spans that the tags don't learn because they overlap a longer or earlier one".to_owned()),
            (left_out.reshaped, "spans learnt with other ends, because they begin or end on white space or inside a character".to_owned()),
            (left_out.blank, "spans not learnt because they hold only white space".to_owned()),
        ];
        self.notes.extend(rows.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")));
    }

    fn note_classes(&mut self) {
        for (class, name) in self.classes.iter().enumerate() {
            let count = |items: &[Item]| items.iter().filter(|item| item.class == Some(class as u16)).count();
            let held_out = count(&self.dev) + count(&self.test);
            if count(&self.train) == 0 {
                self.notes.push(format!("class {name:?} has no training document: the model can't learn it"));
            } else if held_out == 0 {
                self.notes.push(format!("class {name:?} has no held-out document: its score says nothing"));
            }
        }
        for (label, name) in self.labels.iter().enumerate() {
            let tag = 1 + 2 * label as u16;
            if !self.train.iter().flat_map(|item| item.tags.iter().flatten()).any(|each| *each == tag) {
                self.notes.push(format!("span label {name:?} has no training span: the model can't learn it"));
            }
        }
        if self.dev.is_empty() {
            self.notes.push("no document is held out for development: the last weights are kept, without early stopping".to_owned());
        }
    }

    pub fn sizes(&self, config: &TrainConfig) -> JointSizes {
        let tags = if self.labels.is_empty() { 0 } else { tag_count(self.labels.len()) };
        // transformers has no place for it, and is to read the tags of pieces as we do.
        let chain = (config.crf && !self.of_pieces).then(|| Moves { tags, apart: moves(tags, false), joined: moves(tags, true) });
        let scorer = ScorerSizes { labels: if self.widest > 0 { self.labels.len() } else { 0 }, widest: self.widest };
        let questions = self.questions.iter().map(|form| form.kind.size()).collect();
        let (layers, classes, of_pieces) = (config.layers, self.classes.len(), self.of_pieces);
        JointSizes { layers, classes, tags, of_pieces, chain, scorer, opinions: self.opinions, questions, bend: Bend::Tanh }
    }

    /// Weight of each class in the loss.
    pub fn class_weights(&self, config: &TrainConfig) -> Vec<f32> {
        let mut counts = vec![0usize; self.classes.len()];
        for class in self.read_in_an_epoch().iter().filter_map(|item| item.class) {
            counts[usize::from(class)] += 1;
        }
        config.weights_of_classes(&counts)
    }
}

/// Questions beside the main one that a training document answers, as the model will answer them.
fn questions_of(data: &TrainData, config: &TrainConfig) -> Vec<QuestionForm> {
    let answered = |at: usize| {
        let taught = |example: &Example| example.split == Split::Train && example.answers.get(at).is_some_and(Option::is_some);
        data.examples.iter().any(taught)
    };
    if config.question_loss_weight == 0.0 || !(0..data.questions.len()).any(answered) {
        return Vec::new();
    }
    data.questions.iter().map(|question| question.form(config)).collect()
}

/// A batch as the network takes it, with the targets of those that have some.
#[derive(Default)]
pub(super) struct Batch {
    pub texts: RaggedBatch,
    pub units: UnitBatch,
    /// One row a text; weight 0 where there is no class.
    pub classes: Targets,
    /// One row a unit.
    pub tags: Targets,
    /// The same for tags that follow each other, and what each unit's tag may be.
    pub chain: ChainBatch,
    /// Whether more than one tag may be right somewhere.
    pub is_open: bool,
    /// Of each question beside the main one.
    pub questions: Vec<QuestionTargets>,
    /// What a teacher says of the classes.
    pub taught: TaughtClasses,
}

#[derive(Default)]
pub(super) struct Targets {
    pub targets: Vec<u32>,
    pub weights: Vec<f32>,
}

impl Targets {
    pub fn push(&mut self, target: u16, weight: f32) {
        self.targets.push(u32::from(target));
        self.weights.push(weight);
    }

    /// What they weigh together.
    pub fn weight(&self) -> f64 {
        self.weights.iter().map(|weight| f64::from(*weight)).sum()
    }

    /// Whether anything is to be learnt from them.
    pub fn teach(&self) -> bool {
        self.weights.iter().any(|weight| *weight > 0.0)
    }
}

impl Batch {
    /// `all_units`: those of documents without marked spans too, to have them tagged. `labels` of spans are learnt.
    pub fn of(items: &[&Item], class_weights: &[f32], labels: usize, all_units: bool) -> Self {
        let ids: Vec<&[u32]> = items.iter().map(|item| item.reading.pieces.ids.as_slice()).collect();
        let mut batch = Self { texts: RaggedBatch::new(&ids), ..Self::default() };
        for (text, item) in items.iter().enumerate() {
            let weight = item.class.map_or(0.0, |class| class_weights.get(usize::from(class)).copied().unwrap_or(1.0));
            batch.classes.push(item.class.unwrap_or(0), weight);
            if item.tags.is_none() && !all_units {
                continue;
            }
            batch.chain.starts.push(batch.units.piece.len());
            let first = batch.texts.range(text).start as u32;
            for (at, unit) in item.reading.units.iter().enumerate() {
                batch.units.piece.push(first + unit.piece);
                batch.units.char_id.push(unit.char_id);
                batch.units.offset.push(unit.offset);
                batch.chain.weights.push(unit.weight);
                batch.chain.joined.push(item.joined[at] && !item.is_parted(at));
                batch.add_tag(item, at, labels);
            }
        }
        batch.chain.starts.push(batch.units.piece.len());
        batch
    }

    /// Takes the answers to the questions beside the main one, and a teacher's.
    pub fn ask(&mut self, items: &[&Item], task: &Task) {
        let answers = |at: usize| items.iter().map(move |item| item.example.answers.get(at).and_then(Option::as_ref));
        let of = |(at, form): (usize, &QuestionForm)| QuestionTargets::of(&form.kind, answers(at));
        self.questions = task.questions.iter().enumerate().map(of).collect();
        self.taught = TaughtClasses::of(items.iter().map(|item| &*item.example), task.classes.len());
    }

    /// Does not show a share of the pieces.
    pub fn drop_words(&mut self, items: &[&Item], hidden: u32, share: f64, rng: &mut StdRng) {
        for (text, item) in items.iter().enumerate() {
            let own = self.texts.range(text);
            let is_special = |at: usize| item.reading.pieces.ranges.get(at).is_none_or(Range::is_empty);
            drop_words(&mut self.texts.ids[own], is_special, hidden, share, rng);
        }
    }

    /// What the tag of a unit may be: its own; where it has none, that of any label that was marked in part.
    fn add_tag(&mut self, item: &Item, at: usize, labels: usize) {
        let tag = item.tags.as_ref().map(|tags| tags[at]);
        let open: &[u16] = if tag == Some(0) { &item.partly } else { &[] };
        let may_be = |other: u16| tag.is_none_or(|tag| tag == other) || other > 0 && open.contains(&((other - 1) / 2));
        let allowed = (0..tag_count(labels) as u16).map(may_be);
        let before = self.chain.allowed.len();
        self.chain.allowed.extend(allowed);
        let teaches = self.chain.allowed[before..].contains(&false);
        self.is_open |= !open.is_empty();
        self.tags.push(tag.unwrap_or(0), if teaches { item.reading.units[at].weight } else { 0.0 });
    }
}
