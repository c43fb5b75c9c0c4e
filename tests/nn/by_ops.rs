//! The way of graphics cards, run on the processor: equal to the kernels in values, gradients and steps, dropout masks
//! included; in mixed precision near them.

use super::support::*;
use candle_core::{DType, Device, Tensor};
use gloss::nn::{
    Adafactor, AdamW, DeviceChoice, Encoder, Gradients, LoadOptions, LowRankSizes, LowRankTarget, LowRankTargets, Mode, Optimiser, Params,
    Place, PrefixSizes, RaggedBatch, Rates, Sgd, Tuning, Weights, unreached,
};

fn at(place: Place, files: &gloss::nn::ModelFiles, options: LoadOptions) -> (Encoder, Params) {
    let mut params = Params::at(place);
    let (encoder, _) = Encoder::load(files, 0, &mut params, options).unwrap();
    let mut rng = generator(6);
    // Low-rank updates begin with zeros, behind which nothing learns yet.
    for (_, var) in params.trainable().filter(|(name, _)| name.contains(".lora_B.")) {
        var.set(&Tensor::from_vec(noise(&mut rng, var.elem_count(), 0.2), var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
    (encoder, params)
}

type Way = fn(&Encoder, &RaggedBatch, &mut Mode) -> candle_core::Result<Tensor>;

const WAYS: [Way; 2] = [Encoder::forward, Encoder::forward_first];

/// States and gradients of a pass.
fn pass(way: Way, (encoder, params): &(Encoder, Params), batch: &RaggedBatch, dropout: f32) -> (Vec<f32>, Gradients) {
    let mut rng = generator(5);
    let hidden = way(encoder, batch, &mut Mode::Train { rng: &mut rng, dropout }).unwrap();
    assert_eq!(hidden.dtype(), DType::F32);
    let grads = params.backward(&mixed(&hidden, 9)).unwrap();
    (values(&hidden), grads.to_processor().unwrap().into_whole())
}

/// Gradients of queries and keys are small beside rounding; that of a key's bias is nothing but rounding.
fn padded(name: &str, grad: &[f32]) -> Vec<f32> {
    let size = match name {
        name if name.ends_with("key.bias") => 1.0,
        name if name.contains("self.query") || name.contains("self.key") || name.contains("prefix.keys") => 0.02,
        _ => 0.0,
    };
    grad.iter().copied().chain([size]).collect()
}

fn check(files: &gloss::nn::ModelFiles, options: LoadOptions, lengths: &[usize], dropout: f32) {
    let batch = batch_of(lengths, SMALL.vocab, 3);
    let (kernels, by_ops) = (at(Place::processor(), files, options), at(Place::reference(false), files, options));
    for way in WAYS {
        let ((fast, fast_grads), (found, grads)) = (pass(way, &kernels, &batch, dropout), pass(way, &by_ops, &batch, dropout));
        assert_close("hidden", &found, &fast, 2e-5);
        let names = |grads: &Gradients| grads.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&grads), names(&fast_grads));
        for (name, wanted) in fast_grads.iter() {
            assert_close(name, &padded(name, grads.get(name).unwrap()), &padded(name, wanted), 1e-4);
        }
        let eval = |(encoder, _): &(Encoder, Params)| values(&way(encoder, &batch, &mut Mode::Eval).unwrap());
        assert_close("without a graph", &eval(&by_ops), &eval(&kernels), 2e-5);
    }
}

#[test]
fn equal_to_the_kernels_whatever_learns() {
    let files = small_files(SMALL, "gelu", 1);
    let sizes = LowRankSizes { rank: 3, alpha: 5.0, targets: LowRankTargets::of(LowRankTarget::ALL), seed: 1 };
    let low_rank = LoadOptions { tuning: Tuning::LowRank(sizes), ..LoadOptions::TRAINABLE };
    let prefixes = LoadOptions { tuning: Tuning::Prefix(PrefixSizes { rows: 3, seed: 1 }), ..LoadOptions::TRAINABLE };
    for (options, dropout) in [
        (ALL, 0.0),
        (ALL, 0.2),
        (LoadOptions::TRAINABLE, 0.1),
        (LoadOptions { frozen_layers: 1, ..ALL }, 0.1),
        (LoadOptions { tuning: Tuning::Biases, ..LoadOptions::TRAINABLE }, 0.1),
        (low_rank, 0.1),
        (prefixes, 0.0),
        (prefixes, 0.1),
    ] {
        check(&files, options, &[7, 1, 30, 2], dropout);
    }
}

/// One block of one text, many blocks, lengths that fill a block and just not.
#[test]
fn equal_to_the_kernels_for_any_lengths() {
    for activation in ["gelu", "gelu_new", "relu"] {
        check(&small_files(SMALL, activation, 2), ALL, &[5, 9], 0.1);
    }
    let files = small_files(SMALL, "gelu", 2);
    for lengths in [&[1][..], &[1, 1, 1], &[16, 17, 15, 1], &[20, 25, 26, 31, 160, 3], &[130, 65, 131, 64]] {
        check(&files, ALL, lengths, 0.15);
    }
}

#[test]
fn layers_that_are_left_out_of_learning_get_no_gradient() {
    let files = small_files(SMALL, "gelu", 1);
    let batch = batch_of(&[6, 4], SMALL.vocab, 3);
    let model = at(Place::reference(false), &files, ALL);
    model.0.learn_from(1);
    let (_, grads) = pass(Encoder::forward, &model, &batch, 0.0);
    assert_eq!(grads.iter().count(), 16);
    assert!(grads.iter().all(|(name, _)| name.starts_with("bert.encoder.layer.1.")));
}

/// A text alone and the same among others.
#[test]
fn texts_do_not_see_each_other() {
    let (encoder, _) = at(Place::reference(false), &small_files(SMALL, "gelu", 1), LoadOptions::FROZEN);
    let lengths = [3, 50, 1, 17, 49];
    let batch = batch_of(&lengths, SMALL.vocab, 3);
    let all = values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
    for text in 0..lengths.len() {
        let range = batch.range(text);
        let alone = values(&encoder.forward(&RaggedBatch::new(&[&batch.ids[range.clone()]]), &mut Mode::Eval).unwrap());
        assert_close("alone", &alone, &all[range.start * SMALL.hidden..range.end * SMALL.hidden], 1e-5);
    }
}

/// Products of rounded numbers, weights and gradients in float32.
#[test]
fn mixed_precision_is_near() {
    let files = small_files(SMALL, "gelu", 1);
    let batch = batch_of(&[7, 1, 30, 2], SMALL.vocab, 3);
    let (exact, rounded) = (at(Place::reference(false), &files, ALL), at(Place::reference(true), &files, ALL));
    assert!(rounded.1.trainable().all(|(_, var)| var.dtype() == DType::F32));
    let ((wanted, wanted_grads), (found, grads)) =
        (pass(Encoder::forward, &exact, &batch, 0.1), pass(Encoder::forward, &rounded, &batch, 0.1));
    assert_ne!(found, wanted, "nothing was rounded");
    assert_close("hidden", &found, &wanted, 0.02);
    assert_eq!(unreached(&rounded.1, &grads).unwrap(), Vec::<String>::new());
    for (name, wanted) in wanted_grads.iter().filter(|(name, _)| !name.contains("self.query") && !name.contains("self.key")) {
        assert_close(name, grads.get(name).unwrap(), wanted, 0.08);
    }
}

/// The gradient of the embedded pieces, and what is added to them.
#[test]
fn embedded_pieces_are_watched_and_moved() {
    let files = small_files(SMALL, "gelu", 1);
    let batch = batch_of(&[7, 1, 12], SMALL.vocab, 3);
    let shift = noise(&mut generator(8), batch.tokens() * SMALL.hidden, 0.1);
    // Where nothing below learns the gradient still gets there.
    for options in [ALL, LoadOptions { frozen_layers: 2, ..ALL }] {
        let of = |place| {
            let model = at(place, &files, options);
            model.0.watch_input(true);
            model.0.shift_input(Some(shift.clone()));
            let (hidden, _) = pass(Encoder::forward, &model, &batch, 0.1);
            let gradient = model.0.take_input_gradient().unwrap();
            assert_eq!(model.0.take_input_gradient(), None);
            (hidden, gradient)
        };
        let ((fast, fast_gradient), (found, gradient)) = (of(Place::processor()), of(Place::reference(false)));
        assert_close("hidden", &found, &fast, 2e-5);
        assert_close("gradient", &gradient, &fast_gradient, 1e-4);
    }
}

fn optimisers() -> [(&'static str, f64, Optimiser); 3] {
    let rates = || Rates::new(0.1, 2.0);
    [
        ("AdamW", 1e-3, Optimiser::AdamW(AdamW::with(rates()))),
        ("SGD", 0.1, Optimiser::Sgd(Sgd::new(rates(), 0.9))),
        ("Adafactor", 1e-3, Optimiser::Adafactor(Adafactor::new(rates()))),
    ]
}

/// Steps of one batch after another, rows of the table caught up before they are read; weights after the last.
fn steps(place: Place, optimiser: &mut Optimiser, lr: f64) -> (Encoder, Params, f64) {
    let table = "bert.embeddings.word_embeddings.weight";
    let (encoder, params) = at(place, &small_files(SMALL, "gelu", 1), ALL);
    let mut norm = 0.0;
    for step in 0..5 {
        let batch = batch_of(&[3 + step, 9], SMALL.vocab, step as u64);
        optimiser.catch_up(&params, table, &batch.ids).unwrap();
        let mut rng = generator(step as u64);
        let hidden = encoder.forward(&batch, &mut Mode::Train { rng: &mut rng, dropout: 0.1 }).unwrap();
        let mut grads = params.backward(&mixed(&hidden, 9)).unwrap();
        // Another part of the batch, so that gradients are added up.
        let other = encoder.forward(&batch_of(&[4], SMALL.vocab, 77), &mut Mode::Train { rng: &mut rng, dropout: 0.1 }).unwrap();
        grads.add(params.backward(&mixed(&other, 9)).unwrap()).unwrap();
        norm = optimiser.step(&params, &grads, lr, 1.0).unwrap();
    }
    optimiser.catch_up_all(&params).unwrap();
    (encoder, params, norm)
}

#[test]
fn steps_equal_those_of_the_kernels() {
    for ((name, lr, mut here), (_, _, mut there)) in optimisers().into_iter().zip(optimisers()) {
        let (_, wanted, wanted_norm) = steps(Place::processor(), &mut here, lr);
        let (_, found, norm) = steps(Place::reference(false), &mut there, lr);
        assert!((norm / wanted_norm - 1.0).abs() < 1e-4, "{name}: {norm} and {wanted_norm}");
        for (parameter, var) in wanted.trainable().filter(|(parameter, _)| !parameter.ends_with("key.bias")) {
            let found = values(found.get(parameter).unwrap());
            let apart = found.iter().zip(values(var)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
            // By how far one step moves them all: Adam's is as long for a gradient that is nearly nothing.
            let step = lr * (found.len() as f64).sqrt();
            assert!(apart < 0.05 * step, "{name}, {parameter}: {apart:.1e} apart, a step is {step:.1e}");
        }
    }
}

/// What an optimiser keeps there goes on here, and the other way round.
#[test]
fn an_optimiser_moves_between_places() {
    for (_, _, mut first) in optimisers().into_iter().take(1) {
        let (_, params, _) = steps(Place::reference(false), &mut first, 1e-3);
        let state = gloss::nn::State {
            lists: first.lists().lists.into_iter().map(|(kind, name, numbers)| (format!("{kind}/{name}"), numbers)).collect(),
            note: String::new(),
        };
        let mut bytes = Vec::new();
        state.write(&mut bytes).unwrap();
        let counts = first.lists().steps;
        for place in [Place::processor(), Place::reference(false)] {
            let mut file = gloss::nn::StateFile::read(&bytes).unwrap();
            let mut second = Optimiser::AdamW(AdamW::new(0.1, 2.0));
            second.restore(&mut |kind, name| file.take(&format!("{kind}/{name}")), &counts).unwrap();
            let (encoder, own) = at(place, &small_files(SMALL, "gelu", 1), ALL);
            own.restore(&params.snapshot().unwrap()).unwrap();
            let batch = batch_of(&[8], SMALL.vocab, 5);
            let step = |encoder: &Encoder, params: &Params, optimiser: &mut Optimiser| {
                let mut rng = generator(3);
                let hidden = encoder.forward(&batch, &mut Mode::Train { rng: &mut rng, dropout: 0.0 }).unwrap();
                let grads = params.backward(&mixed(&hidden, 9)).unwrap();
                optimiser.step(params, &grads, 1e-3, 1.0).unwrap();
                values(params.get("bert.encoder.layer.0.output.dense.weight").unwrap())
            };
            let before = params.snapshot().unwrap();
            // The first optimiser's own next step, taken on a copy of its weights.
            let (other, copy) = at(Place::reference(false), &small_files(SMALL, "gelu", 1), ALL);
            copy.restore(&before).unwrap();
            let mut third = Optimiser::AdamW(AdamW::new(0.1, 2.0));
            let mut file = gloss::nn::StateFile::read(&bytes).unwrap();
            third.restore(&mut |kind, name| file.take(&format!("{kind}/{name}")), &counts).unwrap();
            assert_close("weights", &step(&encoder, &own, &mut second), &step(&other, &copy, &mut third), 1e-5);
        }
    }
}

#[test]
fn what_is_saved_is_the_same_file() {
    let files = small_files(SMALL, "gelu", 1);
    let of = |place| at(place, &files, ALL).1.to_safetensors().unwrap();
    assert_eq!(of(Place::processor()), of(Place::reference(true)));
    let weights = Weights::Safetensors(of(Place::reference(true)).into());
    let again = files_of(files.config.clone(), weights);
    assert_eq!(at(Place::processor(), &again, ALL).1.to_safetensors().unwrap(), of(Place::processor()));
}

#[test]
fn a_card_that_is_not_there_is_the_processor_with_a_reason() {
    assert!(matches!(Place::find(DeviceChoice::Cpu), (place, None) if !place.by_ops()));
    let (place, note) = Place::find(DeviceChoice::Reference);
    assert!(place.by_ops() && place.device().is_cpu() && note.is_some());
    for (choice, feature, built) in [
        (DeviceChoice::Cuda, "--features cuda", cfg!(feature = "cuda")),
        (DeviceChoice::Metal, "--features metal", cfg!(feature = "metal")),
    ] {
        if !built {
            let (place, note) = Place::find(choice);
            assert!(!place.by_ops() && note.unwrap().contains(feature));
        }
    }
    if !cfg!(any(feature = "cuda", feature = "metal")) {
        assert!(matches!(Place::find(DeviceChoice::Auto), (place, None) if !place.by_ops()));
    }
    assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda));
    assert!("gpu".parse::<DeviceChoice>().is_err_and(|why| why.contains("cuda")));
}
