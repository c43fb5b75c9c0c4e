//! An encoder so small that a run takes no time: random weights, the shipped tokenizer.

use super::nn::support::{Sizes, bert_config, bert_shapes, random_tensors, safetensors_of};
use super::train::{Told, run_from};
use gloss::nn::ModelFiles;
use gloss::store::model_folder;
use gloss::train::{EncoderChoice, Signal, TrainConfig, TrainData};
use std::path::Path;
use std::sync::LazyLock;

static FILES: LazyLock<ModelFiles> = LazyLock::new(|| {
    let sizes = Sizes { hidden: 24, heads: 3, inner: 40, layers: 4, vocab: 38_679, positions: 64 };
    let weights = safetensors_of(&random_tensors(&bert_shapes(sizes), 1));
    ModelFiles { config: bert_config(sizes, "gelu"), weights, ..ModelFiles::shipped() }
});

pub fn files() -> &'static ModelFiles {
    &FILES
}

/// The same as a folder, for runs of the window and the command line.
pub fn choice(folder: &Path) -> EncoderChoice {
    let path = folder.join("small encoder");
    if !path.exists() {
        model_folder::write(&path, files()).unwrap();
    }
    EncoderChoice::Folder(path)
}

/// A run of it to the end.
pub fn run(data: &TrainData, config: &TrainConfig) -> Told {
    run_from(files(), data, config, &mut |_| Signal::Continue).unwrap()
}
