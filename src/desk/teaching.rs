//! What a run learns from models: the answers of a teacher (earlier runs of the project, or a model in a folder) to the
//! training documents and to documents without a class, and words that the encoder puts in place of others. Reads models,
//! changes no project. For a thread that nobody waits for.

use super::{BaseError, starting_model};
use crate::predict::{PredictError, Predictor, Turn};
use crate::project::Split;
use crate::store::{Runs, model_folder};
use crate::train::{Example, Proposer, TrainConfig, TrainData};
use std::path::Path;

/// Texts answered between two looks at whether to go on.
const TOGETHER: usize = 64;

/// Texts in which words are hidden between two looks at whether to go on.
const HIDDEN_TOGETHER: usize = 8;

/// Asks the teacher and the encoder for all that the settings want of them, before the first step: see [`teach`] and
/// [`propose`]. `false` where `goes_on` said so.
///
/// # Errors
/// As these two.
pub fn ask_models(runs: &Runs, config: &TrainConfig, data: &mut TrainData, goes_on: &dyn Fn() -> bool) -> Result<bool, BaseError> {
    Ok(teach(runs, config, data, goes_on)? && propose(runs, config, data, goes_on)?)
}

/// Has the encoder say hidden words of the training documents of which other wordings are made, where the settings want it.
/// `false` where `goes_on` said so: such data may not be learnt from.
///
/// # Errors
/// An encoder that can't say hidden words.
pub fn propose(runs: &Runs, config: &TrainConfig, data: &mut TrainData, goes_on: &dyn Fn() -> bool) -> Result<bool, BaseError> {
    if !config.proposes_words() {
        return Ok(true);
    }
    let proposer = Proposer::new(&starting_model(runs, config, data)?, config)?;
    let mut learnt: Vec<&mut Example> = data.examples.iter_mut().filter(|example| example.split == Split::Train).collect();
    let wanted = (config.augment * learnt.len() as f64).ceil() as usize;
    let wanted = wanted.min(learnt.len());
    for examples in learnt[..wanted].chunks_mut(HIDDEN_TOGETHER) {
        if !goes_on() {
            return Ok(false);
        }
        proposer.propose(examples)?;
    }
    let words: usize = data.examples.iter().map(|example| example.proposed.len()).sum();
    data.notes.push(format!("words for which the encoder has others: {words}, in {wanted} documents"));
    Ok(true)
}

/// Asks the teacher that the settings name, if they name one: `data` then holds its answers, and the documents without a
/// class that are learnt from them. `goes_on` is asked now and then; `false` leaves everything as it is, and `false` is the
/// answer then: such data may not be learnt from.
///
/// # Errors
/// A teacher that is not there, or that answers other classes than the project asks for.
pub fn teach(runs: &Runs, config: &TrainConfig, data: &mut TrainData, goes_on: &dyn Fn() -> bool) -> Result<bool, BaseError> {
    let unlabelled = std::mem::take(&mut data.unlabelled);
    if config.teacher.is_empty() {
        return Ok(true);
    }
    let learns_more = config.pseudo_threshold > 0.0 || config.distil_unlabelled;
    let learnt =
        data.examples.iter().filter(|example| example.split == Split::Train).map(|example| (&example.text, example.before.as_slice()));
    let more = unlabelled.iter().filter(|_| learns_more).map(|(_, text)| (text, &[][..]));
    let texts: Vec<Turn> = learnt.chain(more).map(|(text, before)| Turn { text, before }).collect();
    let mut sums = vec![vec![0f32; data.classes.len()]; texts.len()];
    let teachers: Vec<&str> = config.teacher.split([',', '，']).map(str::trim).filter(|name| !name.is_empty()).collect();
    for teacher in &teachers {
        if !add_answers(runs, teacher, &data.classes, &texts, &mut sums, goes_on)? {
            return Ok(false);
        }
    }
    let shares = sums.into_iter().map(|sum| sum.into_iter().map(|p| p / teachers.len().max(1) as f32).collect::<Vec<f32>>());
    let mut shares = shares.collect::<Vec<_>>().into_iter();
    let answered = texts.len();
    let logs = |shares: &[f32]| shares.iter().map(|p| p.max(1e-9).ln()).collect::<Vec<f32>>();
    let mut given = 0;
    for (example, shares) in data.examples.iter_mut().filter(|example| example.split == Split::Train).zip(&mut shares) {
        example.taught = if config.distil_weight > 0.0 { logs(&shares) } else { Vec::new() };
        if example.class.is_none() {
            example.class = sure(&shares, config.pseudo_threshold);
            given += usize::from(example.class.is_some());
        }
    }
    let before = data.examples.len();
    for ((doc, text), shares) in unlabelled.into_iter().zip(shares) {
        let class = sure(&shares, config.pseudo_threshold);
        let taught = if config.distil_unlabelled && config.distil_weight > 0.0 { logs(&shares) } else { Vec::new() };
        given += usize::from(class.is_some());
        if class.is_some() || !taught.is_empty() {
            data.examples.push(Example { doc, text, class, taught, ..Example::default() });
        }
    }
    let more = data.examples.len() - before;
    data.notes.push(format!("a teacher ({}) answered {} documents; {more} of them were learnt for it alone", config.teacher, answered));
    if config.pseudo_threshold > 0.0 {
        data.notes.push(format!("documents with a class by the teacher, which was at least {} sure: {given}", config.pseudo_threshold));
    }
    Ok(true)
}

/// The likeliest class, where it is likely enough.
fn sure(shares: &[f32], threshold: f64) -> Option<u16> {
    let best = (0u16..).zip(shares).max_by(|a, b| a.1.total_cmp(b.1))?;
    (threshold > 0.0 && f64::from(*best.1) >= threshold).then_some(best.0)
}

/// Adds a teacher's probabilities, in the order of `classes`. Whether it came to its end.
fn add_answers(
    runs: &Runs,
    teacher: &str,
    classes: &[String],
    texts: &[Turn],
    sums: &mut [Vec<f32>],
    goes_on: &dyn Fn() -> bool,
) -> Result<bool, BaseError> {
    let refused = |error: PredictError| BaseError::Teacher { teacher: teacher.to_owned(), what: error.to_string() };
    let is_run = runs.folder().join(teacher).is_dir();
    let files = if is_run { runs.model(teacher)? } else { model_folder::read(Path::new(teacher))? };
    let predictor = Predictor::new(&files).map_err(refused)?;
    let places: Option<Vec<usize>> = classes.iter().map(|name| predictor.classes().iter().position(|own| own == name)).collect();
    let Some(places) = places.filter(|places| !places.is_empty() && places.len() == predictor.classes().len()) else {
        let what = format!("it answers {:?}, the project asks for {classes:?}", predictor.classes());
        return Err(BaseError::Teacher { teacher: teacher.to_owned(), what });
    };
    for (texts, sums) in texts.chunks(TOGETHER).zip(sums.chunks_mut(TOGETHER)) {
        if !goes_on() {
            return Ok(false);
        }
        for (answer, sum) in predictor.predict_turns(texts).map_err(refused)?.iter().zip(sums) {
            sum.iter_mut().zip(&places).for_each(|(sum, place)| *sum += answer.probabilities.get(*place).copied().unwrap_or(0.0));
        }
    }
    Ok(true)
}
