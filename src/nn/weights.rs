//! Reading weights: safetensors or GGUF, names of every family brought to BERT's, with a report of what was found.

use super::files::{ModelFiles, Weights};
use candle_core::quantized::gguf_file;
use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Why a model's files can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("config.json can't be used: {0}")]
    Config(String),
    #[error("the weights file is damaged: {0}")]
    Damaged(String),
    #[error("the weights file lacks {} of the encoder's parameters, among them {}", .0.len(), .0[0])]
    Missing(Vec<String>),
    #[error("{name} has shape {found:?}, wanted {wanted:?}")]
    Shape { name: String, wanted: Vec<usize>, found: Vec<usize> },
    #[error("{wanted} layers are wanted, the encoder has {found}")]
    TooManyLayers { wanted: usize, found: usize },
}

/// What became of the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Read from the file, under their names here.
    pub loaded: Vec<String>,
    /// Started anew.
    pub fresh: Vec<String>,
    /// In the file, not used (names of the file). Layers left out on purpose are not listed.
    pub unused: Vec<String>,
    /// In the file with a shape that does not fit; started anew.
    pub wrong_shape: Vec<String>,
}

impl LoadReport {
    /// Adds what another part of the model reports.
    pub fn merge(&mut self, other: LoadReport) {
        self.loaded.extend(other.loaded);
        self.fresh.extend(other.fresh);
        self.wrong_shape.extend(other.wrong_shape);
        self.unused.extend(other.unused);
    }
}

/// An opened weights file.
pub(super) struct WeightFile<'a> {
    content: Content<'a>,
    /// BERT's name without the leading `bert.` -> name in the file.
    names: BTreeMap<String, String>,
}

enum Content<'a> {
    Safetensors(safetensors::SafeTensors<'a>),
    Gguf(Box<gguf_file::Content>, &'a [u8]),
}

impl<'a> WeightFile<'a> {
    pub fn open(files: &'a ModelFiles) -> Result<Self, LoadError> {
        let damaged = |error: &dyn std::fmt::Display| LoadError::Damaged(error.to_string());
        let (content, names): (_, Vec<String>) = match &files.weights {
            Weights::Safetensors(bytes) => {
                let read = safetensors::SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))?;
                let names = read.names().into_iter().map(ToString::to_string).collect();
                (Content::Safetensors(read), names)
            }
            Weights::Gguf(bytes) => {
                let read = gguf_file::Content::read(&mut Cursor::new(bytes)).map_err(|error| damaged(&error))?;
                let names = read.tensor_infos.keys().cloned().collect();
                (Content::Gguf(Box::new(read), bytes), names)
            }
        };
        let mut file = Self { content, names: names.into_iter().map(|name| (bert_name(&name), name)).collect() };
        // The class heads of other families: two layers like BERT's, the first of which is not the encoder's.
        for (dense, out) in [("classifier.dense", "classifier.out_proj"), ("pre_classifier", "classifier")] {
            if file.names.contains_key(&format!("{dense}.weight")) {
                file.call(dense, "pooler.dense");
                file.call(out, "classifier");
            }
        }
        Ok(file)
    }

    /// Has the parameters of the layer `theirs` stand under the name `ours` too, unless something stands there.
    pub fn call(&mut self, theirs: &str, ours: &str) {
        for part in ["weight", "bias"] {
            if let Some(own) = self.names.get(&format!("{theirs}.{part}")).cloned() {
                self.names.entry(format!("{ours}.{part}")).or_insert(own);
            }
        }
    }

    /// BERT's names (without `bert.`) and the file's own.
    pub fn names(&self) -> &BTreeMap<String, String> {
        &self.names
    }

    /// The tensor under BERT's name, as float32; `None` when the file lacks it.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, LoadError> {
        let Some(own) = self.names.get(name) else { return Ok(None) };
        let read = match &self.content {
            Content::Safetensors(file) => {
                let view = file.tensor(own).map_err(|error| LoadError::Damaged(error.to_string()))?;
                view.load(&Device::Cpu)
            }
            Content::Gguf(content, bytes) => {
                content.tensor(&mut Cursor::new(bytes), own, &Device::Cpu).and_then(|tensor| tensor.dequantize(&Device::Cpu))
            }
        };
        let read = read.and_then(|tensor| tensor.to_dtype(DType::F32)?.contiguous());
        read.map(Some).map_err(|error| LoadError::Damaged(format!("{own}: {error}")))
    }
}

/// BERT's name, without `bert.`, of a parameter of any family.
fn bert_name(name: &str) -> String {
    let mut name = name.to_owned();
    for prefix in ["bert.", "roberta.", "distilbert.", "electra.", "model."] {
        if let Some(rest) = name.strip_prefix(prefix) {
            name = rest.to_owned();
            break;
        }
    }
    if let Some(rest) = name.strip_prefix("transformer.layer.") {
        name = format!("encoder.layer.{rest}");
    }
    for (theirs, ours) in [
        (".attention.q_lin.", ".attention.self.query."),
        (".attention.k_lin.", ".attention.self.key."),
        (".attention.v_lin.", ".attention.self.value."),
        (".attention.out_lin.", ".attention.output.dense."),
        (".sa_layer_norm.", ".attention.output.LayerNorm."),
        (".ffn.lin1.", ".intermediate.dense."),
        (".ffn.lin2.", ".output.dense."),
        (".output_layer_norm.", ".output.LayerNorm."),
        ("LayerNorm.gamma", "LayerNorm.weight"),
        ("LayerNorm.beta", "LayerNorm.bias"),
    ] {
        name = name.replace(theirs, ours);
    }
    name
}
