//! Loading: every family's names and positions, and what is wrong with a folder is said.

use super::support::*;
use candle_core::Tensor;
use gloss::nn::{Encoder, LoadError, LoadOptions, Mode, ModelFiles, Params, Weights};
use std::sync::Arc;

const TINY: Sizes = Sizes { hidden: 12, heads: 2, inner: 20, layers: 2, vocab: 15, positions: 10 };

fn open(config: &str, tensors: &[(String, Tensor)], layers: usize) -> Result<(Encoder, gloss::nn::LoadReport), LoadError> {
    let files = files_of(config.to_owned(), safetensors_of(tensors));
    Encoder::load(&files, layers, &mut Params::new(), LoadOptions::FROZEN)
}

fn hidden(encoder: &Encoder) -> Vec<f32> {
    values(&encoder.forward(&batch_of(&[4, 7], TINY.vocab, 3), &mut Mode::Eval).unwrap())
}

fn bert() -> Vec<(String, Tensor)> {
    random_tensors(&bert_shapes(TINY), 5)
}

fn wanted() -> Vec<f32> {
    hidden(&open(&bert_config(TINY, "gelu"), &bert(), 0).unwrap().0)
}

fn config_with(changes: &[(&str, serde_json::Value)]) -> String {
    let mut config: serde_json::Value = serde_json::from_str(&bert_config(TINY, "gelu")).unwrap();
    for (key, value) in changes {
        config[*key] = value.clone();
    }
    config.to_string()
}

#[test]
fn prefixes_and_old_names() {
    for (kind, prefix) in [("bert", "bert."), ("electra", "electra."), ("bert", "")] {
        let mut tensors: Vec<_> = bert().into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect();
        if prefix == "bert." {
            for (name, _) in &mut tensors {
                *name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
            }
        }
        let (encoder, report) = open(&config_with(&[("model_type", kind.into())]), &tensors, 0).unwrap();
        assert_eq!((report.loaded.len(), report.unused.len()), (tensors.len(), 0));
        assert_eq!(hidden(&encoder), wanted());
    }
}

#[test]
fn roberta_positions_start_behind_the_padding() {
    for kind in ["roberta", "xlm-roberta"] {
        let mut tensors = bert();
        for (name, tensor) in &mut tensors {
            if name.contains("position_embeddings") {
                // Two rows that no token takes come first.
                *tensor = Tensor::cat(&[&(tensor.narrow(0, 0, 2).unwrap() * 50.0).unwrap(), &*tensor], 0).unwrap();
            }
            *name = format!("roberta.{name}");
        }
        let changes = [("model_type", kind.into()), ("max_position_embeddings", 12.into()), ("pad_token_id", 1.into())];
        let (encoder, _) = open(&config_with(&changes), &tensors, 0).unwrap();
        assert_eq!(encoder.max_tokens(), 10);
        assert_eq!(hidden(&encoder), wanted());
    }
}

#[test]
fn distilbert_names_and_sizes() {
    let mut tensors = bert();
    tensors.retain(|(name, _)| !name.contains("token_type"));
    let types = bert().into_iter().find(|(name, _)| name.contains("token_type")).unwrap().1;
    for (name, tensor) in &mut tensors {
        if name.contains("position_embeddings") {
            // DistilBERT has no token types: the row that BERT adds goes into the positions.
            *tensor = tensor.broadcast_add(&types.narrow(0, 0, 1).unwrap()).unwrap();
        }
        let theirs = name
            .replace("encoder.layer.", "transformer.layer.")
            .replace("attention.self.query", "attention.q_lin")
            .replace("attention.self.key", "attention.k_lin")
            .replace("attention.self.value", "attention.v_lin")
            .replace("attention.output.dense", "attention.out_lin")
            .replace("attention.output.LayerNorm", "sa_layer_norm")
            .replace("intermediate.dense", "ffn.lin1")
            .replace("output.dense", "ffn.lin2")
            .replace("output.LayerNorm", "output_layer_norm");
        *name = format!("distilbert.{theirs}");
    }
    let config = serde_json::json!({
        "model_type": "distilbert", "dim": 12, "n_layers": 2, "n_heads": 2, "hidden_dim": 20, "activation": "gelu",
        "max_position_embeddings": 10, "vocab_size": 15, "pad_token_id": 0,
    });
    let (encoder, report) = open(&config.to_string(), &tensors, 0).unwrap();
    assert_eq!(report.unused, Vec::<String>::new());
    assert_close("hidden", &hidden(&encoder), &wanted(), 1e-5);
}

#[test]
fn electra_with_narrow_embeddings() {
    let mut shapes = bert_shapes(TINY);
    for (name, shape) in &mut shapes {
        if name.starts_with("embeddings.") {
            *shape.last_mut().unwrap() = 6;
        }
        *name = format!("electra.{name}");
    }
    shapes.push(("electra.embeddings_project.weight".to_owned(), vec![12, 6]));
    shapes.push(("electra.embeddings_project.bias".to_owned(), vec![12]));
    let config = config_with(&[("model_type", "electra".into()), ("embedding_size", 6.into())]);
    let files = files_of(config, safetensors_of(&random_tensors(&shapes, 6)));
    let (encoder, params) = load(&files, ALL);
    let batch = batch_of(&[3, 8], TINY.vocab, 1);
    let run = |plain: bool| {
        let mut rng = generator(2);
        let mut mode = Mode::Train { rng: &mut rng, dropout: 0.2 };
        let hidden = if plain { encoder.forward_plain(&batch, &mut mode) } else { encoder.forward(&batch, &mut mode) }.unwrap();
        (values(&hidden), params.backward(&mixed(&hidden, 3)).unwrap().into_whole())
    };
    let ((fast, fast_grads), (plain, plain_grads)) = (run(false), run(true));
    assert_close("hidden", &fast, &plain, 2e-5);
    for (name, wanted) in plain_grads.iter().filter(|(name, _)| !name.ends_with("key.bias")) {
        assert_close(name, fast_grads.get(name).unwrap(), wanted, 1e-4);
    }
}

#[test]
fn fewer_layers() {
    let (encoder, report) = open(&bert_config(TINY, "gelu"), &bert(), 1).unwrap();
    assert_eq!((encoder.config().num_hidden_layers, report.loaded.len(), report.unused.len()), (1, 5 + 16, 0));
    assert_eq!(open(&bert_config(TINY, "gelu"), &bert(), 3).unwrap_err(), LoadError::TooManyLayers { wanted: 3, found: 2 });
    let files = ModelFiles::shipped();
    let mut params = Params::new();
    let (encoder, report) = Encoder::load(&files, 6, &mut params, LoadOptions::TRAINABLE).unwrap();
    assert_eq!((encoder.config().num_hidden_layers, report.loaded.len()), (6, 5 + 6 * 16));
    assert!(params.iter().all(|(name, _)| !name.starts_with("bert.encoder.layer.6.")));
}

#[test]
fn reports_what_it_does_not_use() {
    let mut tensors = bert();
    let stray = tensors[0].1.clone();
    for name in ["cls.predictions.bias", "bert.pooler.dense.weight", "classifier.weight", "gloss.tag.output.bias"] {
        tensors.push((name.to_owned(), stray.clone()));
    }
    let (_, report) = open(&bert_config(TINY, "gelu"), &tensors, 0).unwrap();
    assert_eq!(report.unused, ["cls.predictions.bias"]);
}

#[test]
fn missing_and_misshapen_parameters() {
    let mut tensors = bert();
    tensors.retain(|(name, _)| !name.contains("layer.1.intermediate"));
    match open(&bert_config(TINY, "gelu"), &tensors, 0).unwrap_err() {
        LoadError::Missing(names) => {
            assert_eq!(names, ["bert.encoder.layer.1.intermediate.dense.weight", "bert.encoder.layer.1.intermediate.dense.bias"])
        }
        other => panic!("{other}"),
    }
    let error = open(&config_with(&[("vocab_size", 16.into())]), &bert(), 0).unwrap_err();
    let name = "bert.embeddings.word_embeddings.weight".to_owned();
    assert_eq!(error, LoadError::Shape { name, wanted: vec![16, 12], found: vec![15, 12] });
}

#[test]
fn damaged_files() {
    let Weights::Safetensors(bytes) = safetensors_of(&bert()) else { unreachable!() };
    let load = |weights: Weights| {
        let files = files_of(bert_config(TINY, "gelu"), weights);
        Encoder::load(&files, 0, &mut Params::new(), LoadOptions::FROZEN).unwrap_err()
    };
    for cut in [0, 7, 100, bytes.len() - 1] {
        let error = load(Weights::Safetensors(Arc::from(&bytes[..cut])));
        assert!(matches!(error, LoadError::Damaged(_)), "{cut}: {error}");
    }
    let Weights::Gguf(bytes) = ModelFiles::shipped().weights else { unreachable!() };
    for cut in [0, 3, 1000, 1_000_000, bytes.len() - 1] {
        let files = ModelFiles { weights: Weights::Gguf(&bytes[..cut]), ..ModelFiles::shipped() };
        let error = Encoder::load(&files, 0, &mut Params::new(), LoadOptions::FROZEN).unwrap_err();
        assert!(matches!(error, LoadError::Damaged(_)), "{cut}: {error}");
    }
}

#[test]
fn configs_that_are_not_supported() {
    let refused = |config: &str| match open(config, &bert(), 0).unwrap_err() {
        LoadError::Config(reason) => reason,
        other => panic!("{other}"),
    };
    assert!(refused("{").contains("not JSON"));
    assert!(refused(&config_with(&[("model_type", "gpt2".into())])).contains("gpt2"));
    assert!(refused(&config_with(&[("position_embedding_type", "relative_key".into())])).contains("relative_key"));
    assert!(refused(&config_with(&[("hidden_act", "swish".into())])).contains("swish"));
    assert!(refused(&config_with(&[("num_attention_heads", 5.into())])).contains("divide"));
    assert!(refused(&config_with(&[("hidden_size", serde_json::Value::Null)])).contains("hidden_size"));
}
