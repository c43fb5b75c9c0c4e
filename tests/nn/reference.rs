//! The shipped encoder gives what transformers gives: piece ids and hidden states.

use super::support::values;
use gloss::nn::{Encoder, LoadOptions, Mode, ModelFiles, Params, RaggedBatch};
use serde::Deserialize;
use tokenizers::Tokenizer;

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<u32>,
    rows: Vec<Row>,
}

/// One token's hidden state: its first and last eight values, mean and norm.
#[derive(Deserialize)]
struct Row {
    row: usize,
    first: Vec<f32>,
    last: Vec<f32>,
    mean: f64,
    norm: f64,
}

/// Largest difference between the states of a forward pass and the fixture's.
fn largest_difference(fixture: &Fixture, hidden: &[f32], batch: &RaggedBatch) -> f64 {
    let mut largest = 0.0f64;
    for (at, text) in fixture.texts.iter().enumerate() {
        for wanted in &text.rows {
            let found = &hidden[(batch.range(at).start + wanted.row) * 384..][..384];
            let ends = found[..8].iter().zip(&wanted.first).chain(found[376..].iter().zip(&wanted.last));
            largest = ends.map(|(found, wanted)| f64::from((found - wanted).abs())).fold(largest, f64::max);
            let mean = found.iter().map(|x| f64::from(*x)).sum::<f64>() / 384.0;
            let norm = found.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            largest = largest.max((mean - wanted.mean).abs()).max((norm - wanted.norm).abs());
        }
    }
    largest
}

#[test]
fn shipped_encoder_equals_transformers() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/encoder_reference.json")).unwrap();
    let files = ModelFiles::shipped();
    let tokenizer = Tokenizer::from_bytes(&files.tokenizer).unwrap();
    for text in &fixture.texts {
        assert_eq!(tokenizer.encode(text.text.as_str(), true).unwrap().get_ids(), text.ids, "{}", text.text);
    }
    let mut params = Params::new();
    let (encoder, report) = Encoder::load(&files, 0, &mut params, LoadOptions::FROZEN).unwrap();
    assert_eq!((report.loaded.len(), report.fresh.len(), report.unused.len(), report.wrong_shape.len()), (197, 0, 0, 0));
    let batch = RaggedBatch::new(&fixture.texts.iter().map(|text| text.ids.as_slice()).collect::<Vec<_>>());
    let fast = values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
    let plain = values(&encoder.forward_plain(&batch, &mut Mode::Eval).unwrap());
    let (fast, plain) = (largest_difference(&fixture, &fast, &batch), largest_difference(&fixture, &plain, &batch));
    println!("largest difference to transformers: kernels {fast:.1e}, candle's ops {plain:.1e}");
    assert!(fast < 1e-4, "{fast}");
    assert!(plain < 1e-4, "{plain}");
}

/// A second reference, by other hands: the same weights in candle-transformers' BERT, which can predict (it can't train).
#[test]
fn shipped_encoder_equals_candle_transformers() {
    use candle_transformers::models::bert::{BertModel, Config};
    let files = ModelFiles::shipped();
    let mut params = Params::new();
    let (encoder, _) = Encoder::load(&files, 2, &mut params, LoadOptions::FROZEN).unwrap();
    let named = params.iter().map(|(name, param)| (name.trim_start_matches("bert.").to_owned(), param.tensor().clone())).collect();
    let weights = candle_nn::VarBuilder::from_tensors(named, candle_core::DType::F32, &candle_core::Device::Cpu);
    let config = Config { num_hidden_layers: 2, ..serde_json::from_str(&files.config).unwrap() };
    let theirs = BertModel::load(weights, &config).unwrap();
    for text in ["屏幕很清晰，但是电池不耐用。", "Great screen 👨🏻‍🚒, bad battery", "é́\r\n："] {
        let ids = Tokenizer::from_bytes(&files.tokenizer).unwrap().encode(text, true).unwrap().get_ids().to_vec();
        let input = candle_core::Tensor::new(ids.as_slice(), &candle_core::Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let wanted = values(&theirs.forward(&input, &input.zeros_like().unwrap(), None).unwrap());
        let found = values(&encoder.forward(&RaggedBatch::new(&[&ids]), &mut Mode::Eval).unwrap());
        let largest = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(found.len() == wanted.len() && largest < 1e-4, "{text}: {largest}");
    }
}
