//! Loss, optimiser and heads: they learn, repeatably, and what is saved can be loaded.

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::{AdamW, ClassHead, Encoder, LoadOptions, Mode, Params, RaggedBatch, TagHead, UnitBatch, loss, unreached};
use std::collections::BTreeMap;

fn matrix(rows: usize, cols: usize, values: &[f32]) -> Tensor {
    Tensor::from_slice(values, (rows, cols), &Device::Cpu).unwrap()
}

#[test]
fn cross_entropy_by_hand() {
    let logits = candle_core::Var::from_tensor(&matrix(2, 3, &[1.0, 2.0, 3.0, 500.0, -500.0, 0.0])).unwrap();
    let e: Vec<f64> = [1.0f64, 2.0, 3.0].map(f64::exp).to_vec();
    let first = -(e[1] / e.iter().sum::<f64>()).ln();
    let mean = loss::cross_entropy(&logits, &[1, 0], None).unwrap();
    assert!((f64::from(mean.to_scalar::<f32>().unwrap()) - first / 2.0).abs() < 1e-6);
    let weighted = loss::cross_entropy(&logits, &[1, 2], Some(&[3.0, 1.0])).unwrap();
    assert!((f64::from(weighted.to_scalar::<f32>().unwrap()) - (3.0 * first + 500.0) / 4.0).abs() < 1e-4);
    let grads = values(weighted.backward().unwrap().get(&logits).unwrap());
    let share = |at: usize| (e[at] / e.iter().sum::<f64>()) as f32;
    assert_close("gradient", &grads, &[0.75 * share(0), 0.75 * (share(1) - 1.0), 0.75 * share(2), 0.25, 0.0, -0.25], 1e-5);
}

#[test]
fn cross_entropy_refuses_what_makes_no_sense() {
    let logits = matrix(2, 3, &[0.0; 6]);
    for (targets, weights) in [(&[0, 3][..], None), (&[0], None), (&[0, 1], Some(&[0.0, 0.0][..])), (&[0, 1], Some(&[1.0]))] {
        assert!(loss::cross_entropy(&logits, targets, weights).is_err());
    }
    assert!(loss::cross_entropy(&logits.narrow(0, 0, 0).unwrap(), &[], None).is_err());
}

#[test]
fn adamw_by_hand() {
    let mut params = Params::new();
    let mut rng = generator(1);
    let names = ["bert.encoder.layer.0.output.dense.weight", "bert.encoder.layer.0.output.LayerNorm.weight", "classifier.bias"];
    for name in names {
        params.var(name, matrix(1, 3, &noise(&mut rng, 3, 1.0))).unwrap();
    }
    // Value, first and second moment of each number.
    let start = |name| values(params.get(name).unwrap()).iter().map(|x| [f64::from(*x), 0.0, 0.0]).collect::<Vec<_>>();
    let mut mine: BTreeMap<&str, Vec<[f64; 3]>> = names.iter().map(|name| (*name, start(name))).collect();
    let mut optimiser = AdamW::new(0.1, 5.0);
    for step in 1..=5 {
        let weights: Vec<Vec<f32>> = names.iter().map(|_| noise(&mut rng, 3, 1.0)).collect();
        let terms = names.iter().zip(&weights).map(|(name, w)| (params.get(name).unwrap() * matrix(1, 3, w)).unwrap().sum_all().unwrap());
        let total = terms.reduce(|a, b| (a + b).unwrap()).unwrap();
        let grads = params.backward(&total).unwrap();
        let norm = optimiser.step(&params, &grads, 1e-2, 0.7).unwrap();
        let wanted = weights.iter().flatten().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
        assert!((norm - wanted).abs() < 1e-5);
        for (name, w) in names.iter().zip(&weights) {
            let (lr, decay) = (if *name == names[2] { 5e-2 } else { 1e-2 }, if *name == names[0] { 0.1 } else { 0.0 });
            for ([x, m, v], w) in mine.get_mut(name).unwrap().iter_mut().zip(w) {
                let g = f64::from(*w) * (0.7 / norm).min(1.0);
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let (mh, vh) = (*m / (1.0 - 0.9f64.powi(step)), *v / (1.0 - 0.999f64.powi(step)));
                *x = *x * (1.0 - lr * decay) - lr * mh / (vh.sqrt() + 1e-8);
            }
            let wanted: Vec<f32> = mine[name].iter().map(|number| number[0] as f32).collect();
            assert_close(name, &values(params.get(name).unwrap()), &wanted, 2e-5);
        }
    }
}

/// Rows of a table that step when touched end where they would if all stepped each time.
#[test]
fn rows_of_a_table_catch_up_exactly() {
    let name = "bert.embeddings.word_embeddings.weight";
    let options = LoadOptions { tune_embeddings: true, ..LoadOptions::TRAINABLE };
    let run = |lazy: bool| {
        let (encoder, params) = load(&small_files(SMALL, "gelu", 1), options);
        let mut optimiser = AdamW::new(0.1, 1.0);
        let mut rng = generator(3);
        for step in 0..9u32 {
            // Each batch touches other rows, some again after a while, most never.
            let ids: Vec<u32> = (0..5).map(|at| (step * 3 + at * (step % 3 + 1)) % 17).collect();
            let batch = RaggedBatch::new(&[&ids]);
            if lazy {
                optimiser.catch_up(&params, name, &ids).unwrap();
            }
            let hidden = encoder.forward(&batch, &mut Mode::Train { rng: &mut rng, dropout: 0.1 }).unwrap();
            let grads = params.backward(&mixed(&hidden, u64::from(step))).unwrap();
            assert_eq!(grads.rows(name).unwrap().rows().len(), ids.iter().collect::<std::collections::BTreeSet<_>>().len());
            let grads = if lazy { grads } else { grads.into_whole() };
            optimiser.step(&params, &grads, 1e-2 * f64::from(step + 1), 1.0).unwrap();
            if step == 4 {
                optimiser.catch_up_all(&params).unwrap();
            }
        }
        optimiser.catch_up_all(&params).unwrap();
        (values(params.get(name).unwrap()), values(params.get("bert.encoder.layer.0.output.dense.weight").unwrap()))
    };
    let (lazy, dense) = (run(true), run(false));
    assert_close("the table", &lazy.0, &dense.0, 1e-6);
    assert_close("another weight", &lazy.1, &dense.1, 1e-5);
    let start = values(load(&small_files(SMALL, "gelu", 1), options).1.get(name).unwrap());
    let width = SMALL.hidden;
    assert!(lazy.0[..17 * width].iter().zip(&start).any(|(a, b)| (a - b).abs() > 1e-3), "touched rows learn");
    assert!(lazy.0[18 * width..].iter().zip(&start[18 * width..]).all(|(a, b)| a.abs() <= b.abs()), "the others decay");
}

#[test]
fn a_norm_that_is_not_finite_changes_nothing() {
    let mut params = Params::new();
    let x = params.var("classifier.weight", matrix(1, 2, &[1.0, 2.0])).unwrap();
    let grads = params.backward(&(x * f64::NAN).unwrap().sum_all().unwrap()).unwrap();
    assert!(AdamW::new(0.1, 1.0).step(&params, &grads, 1.0, 1.0).unwrap().is_nan());
    assert_eq!(values(params.get("classifier.weight").unwrap()), [1.0, 2.0]);
    assert_eq!(unreached(&params, &grads).unwrap(), ["classifier.weight"]);
}

/// A small model with both heads.
struct Model {
    params: Params,
    encoder: Encoder,
    class: ClassHead,
    tag: TagHead,
}

fn model(options: LoadOptions) -> Model {
    let files = small_files(SMALL, "gelu", 1);
    let (encoder, mut params) = load(&files, options);
    let mut rng = generator(8);
    let (class, report) = ClassHead::new_or_load(None, SMALL.hidden, 3, &mut params, &mut rng, true).unwrap();
    assert_eq!(report.fresh, ["bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"]);
    let table = encoder.word_embedding();
    let (tag, report) = TagHead::new_or_load(None, SMALL.hidden, 5, &table, &mut params, &mut rng, true).unwrap();
    assert_eq!(report.fresh.len(), 6);
    Model { params, encoder, class, tag }
}

fn eight() -> (RaggedBatch, Vec<u32>, UnitBatch, Vec<u32>) {
    let batch = batch_of(&[3, 9, 1, 14, 5, 6, 2, 11], SMALL.vocab, 12);
    let classes = vec![0, 1, 2, 0, 1, 2, 0, 1];
    let mut units = UnitBatch::default();
    for (token, id) in batch.ids.iter().enumerate() {
        for offset in 0..1 + (token as u32 % 2) * 9 {
            units.piece.push(token as u32);
            units.char_id.push((id + offset) % SMALL.vocab as u32);
            units.offset.push(offset);
        }
    }
    let tags = (0..units.piece.len()).map(|unit| (unit as u32 * 7 / 3) % 5).collect();
    (batch, classes, units, tags)
}

impl Model {
    fn loss(&self, mode: &mut Mode) -> (Tensor, Tensor, Tensor) {
        let (batch, classes, units, tags) = eight();
        let hidden = self.encoder.forward(&batch, mode).unwrap();
        let class = self.class.forward(&hidden, &batch, mode).unwrap();
        let tag = self.tag.forward(&hidden, &units, mode).unwrap();
        let loss = loss::cross_entropy(&class, &classes, None).unwrap() + loss::cross_entropy(&tag, &tags, None).unwrap();
        (loss.unwrap(), class, tag)
    }

    fn train(&self, steps: usize, lr: f64, dropout: f32) -> f32 {
        let mut rng = generator(4);
        let mut optimiser = AdamW::new(0.01, 1.0);
        let mut last = f32::NAN;
        for _ in 0..steps {
            let (loss, ..) = self.loss(&mut Mode::Train { rng: &mut rng, dropout });
            let grads = self.params.backward(&loss).unwrap();
            assert_eq!(unreached(&self.params, &grads).unwrap(), Vec::<String>::new());
            optimiser.step(&self.params, &grads, lr, 1.0).unwrap();
            last = loss.to_scalar().unwrap();
        }
        last
    }
}

fn share_right(logits: &Tensor, targets: &[u32]) -> f64 {
    let best = logits.argmax(1).unwrap().to_vec1::<u32>().unwrap();
    best.iter().zip(targets).filter(|(a, b)| a == b).count() as f64 / targets.len() as f64
}

#[test]
fn eight_examples_are_learnt_by_heart() {
    let model = model(ALL);
    let last = model.train(250, 1e-2, 0.0);
    let (_, classes, _, tags) = eight();
    let (_, class, tag) = model.loss(&mut Mode::Eval);
    assert!(last < 0.05, "{last}");
    assert_eq!((share_right(&class, &classes), share_right(&tag, &tags)), (1.0, 1.0));
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let run = || {
        let model = model(ALL);
        let last = model.train(4, 1e-2, 0.2);
        (last, model.params.to_safetensors().unwrap())
    };
    assert!(run() == run());
}

#[test]
fn snapshots_are_copies() {
    let model = model(ALL);
    let name = "bert.encoder.layer.1.output.dense.weight";
    let before = model.params.snapshot().unwrap();
    let start = values(&before[name]);
    model.train(2, 1e-2, 0.0);
    assert_eq!(values(&before[name]), start);
    assert_ne!(values(model.params.get(name).unwrap()), start);
    model.params.restore(&before).unwrap();
    assert_eq!(values(model.params.get(name).unwrap()), start);
    let unknown = BTreeMap::from([("nobody".to_owned(), before[name].clone())]);
    assert!(model.params.restore(&unknown).is_err());
}

#[test]
fn what_is_saved_loads_and_answers_the_same() {
    let model = model(LoadOptions::TRAINABLE);
    model.train(3, 1e-2, 0.1);
    let weights = gloss::nn::Weights::Safetensors(model.params.to_safetensors().unwrap().into());
    let files = files_of(model.encoder.config().to_bert_json().to_string(), weights);
    let mut params = Params::new();
    let (encoder, report) = Encoder::load(&files, 0, &mut params, LoadOptions::FROZEN).unwrap();
    assert_eq!(report.unused, Vec::<String>::new());
    let mut rng = generator(99);
    let (class, report) = ClassHead::new_or_load(Some(&files), SMALL.hidden, 3, &mut params, &mut rng, false).unwrap();
    assert_eq!((report.loaded.len(), report.fresh.len()), (4, 0));
    let (tag, report) =
        TagHead::new_or_load(Some(&files), SMALL.hidden, 5, &encoder.word_embedding(), &mut params, &mut rng, false).unwrap();
    assert_eq!((report.loaded.len(), report.fresh.len()), (6, 0));
    assert_eq!(params.trainable().count(), 0);
    let again = Model { params, encoder, class, tag };
    let ((_, class, tag), (_, class_again, tag_again)) = (model.loss(&mut Mode::Eval), again.loss(&mut Mode::Eval));
    assert_eq!((values(&class), values(&tag)), (values(&class_again), values(&tag_again)));
}

#[test]
fn a_head_of_another_shape_starts_anew_and_is_reported() {
    let model = model(LoadOptions::TRAINABLE);
    let weights = gloss::nn::Weights::Safetensors(model.params.to_safetensors().unwrap().into());
    let files = files_of(model.encoder.config().to_bert_json().to_string(), weights);
    let (_, report) = ClassHead::new_or_load(Some(&files), SMALL.hidden, 7, &mut Params::new(), &mut generator(1), true).unwrap();
    assert_eq!(report.loaded, ["bert.pooler.dense.weight", "bert.pooler.dense.bias"]);
    assert_eq!(report.wrong_shape, ["classifier.weight", "classifier.bias"]);
}
