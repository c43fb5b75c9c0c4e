//! A model folder in Hugging Face layout: read as the bytes of its files, written with a card that says what it is.
//! Looks at the files only enough to name a missing or damaged one; what the weights mean is `nn`'s business.

use super::{StoreError, with_suffix};
use crate::nn::{ModelFiles, ScratchConfig, TransformersHead, Weights, to_onnx};
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const SAFETENSORS: &str = "model.safetensors";
const GGUF: &str = "encoder.gguf";

/// Reads a model folder: one that Gloss wrote, or any of the BERT family in Hugging Face layout.
///
/// # Errors
/// Names the first file that is missing or damaged.
pub fn read(folder: &Path) -> Result<ModelFiles, StoreError> {
    let wrong = |what: String| StoreError::Model { what, path: folder.to_owned() };
    if !folder.is_dir() {
        return Err(StoreError::Missing { path: folder.to_owned() });
    }
    let bytes_of = |name: &str| match fs::read(folder.join(name)) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(wrong(format!("{name} is missing"))),
        Err(source) => Err(StoreError::Io { doing: "Reading the model", source, path: folder.join(name) }),
    };
    let config = String::from_utf8(bytes_of(CONFIG)?).map_err(|error| wrong(format!("{CONFIG} is damaged: {error}")))?;
    match serde_json::from_str::<Value>(&config) {
        Ok(Value::Object(_)) => {}
        Ok(_) => return Err(wrong(format!("{CONFIG} is damaged: it holds no object"))),
        Err(error) => return Err(wrong(format!("{CONFIG} is damaged: {error}"))),
    }
    let tokenizer = bytes_of(TOKENIZER)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&tokenizer).map_err(|error| wrong(format!("{TOKENIZER} is damaged: {error}")))?;
    let weights = if folder.join(SAFETENSORS).exists() {
        let weights = bytes_of(SAFETENSORS)?;
        check_safetensors(&weights).map_err(|what| wrong(format!("{SAFETENSORS} is damaged: {what}")))?;
        Weights::Safetensors(Arc::from(weights))
    } else if folder.join(GGUF).exists() {
        let shipped = ModelFiles::shipped().weights;
        match &shipped {
            Weights::Gguf(ours) if **ours == *bytes_of(GGUF)? => shipped,
            _ => {
                return Err(wrong(format!("{GGUF} is not the encoder of this Gloss; weights of your own must be in {SAFETENSORS}")));
            }
        }
    } else {
        return Err(wrong(no_weights(folder)));
    };
    Ok(ModelFiles { config, tokenizer: Arc::from(tokenizer), weights, others: Vec::new() })
}

/// Model folders in `folder` whose names begin so, in order.
pub fn list(folder: &Path, start: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_one = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(start) && !name.ends_with(".new") && path.join(CONFIG).is_file()
    };
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_one).collect();
    found.sort();
    found
}

/// A name in `folder` that begins so and is not taken: "encoder-0002".
pub fn next(folder: &Path, start: &str) -> PathBuf {
    let mut number = 1;
    loop {
        let path = folder.join(format!("{start}{number:04}"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

/// Why there are no weights, as precisely as the folder allows.
fn no_weights(folder: &Path) -> String {
    let has = |name: &str| folder.join(name).exists();
    if has("model.safetensors.index.json") {
        format!("its weights are in several files; save them as one {SAFETENSORS}")
    } else if has("pytorch_model.bin") {
        format!("its weights are in pytorch_model.bin, which can run code; save them as {SAFETENSORS}")
    } else {
        format!("{SAFETENSORS} is missing")
    }
}

fn check_safetensors(bytes: &[u8]) -> Result<(), String> {
    let (header, metadata) = safetensors::SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let wanted = 8 + header + metadata.data_len();
    if bytes.len() == wanted { Ok(()) } else { Err(format!("it has {} bytes and should have {wanted}", bytes.len())) }
}

/// Writes a model where a person asked for it: as one ONNX file with its tokenizer beside it where the name ends in
/// `.onnx`, else as a folder (see [`write`]).
///
/// # Errors
/// As [`write`]; a model that ONNX can't hold here.
pub fn export(to: &Path, files: &ModelFiles) -> Result<(), StoreError> {
    if !to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
        return write(to, files);
    }
    refuse_several(files, to)?;
    let model = to_onnx(files).map_err(|error| StoreError::Model { what: error.to_string(), path: to.to_owned() })?;
    for (path, bytes) in [(to.to_owned(), model.as_slice()), (to.with_extension("tokenizer.json"), &files.tokenizer)] {
        super::write_atomically(&path, bytes).map_err(StoreError::io("Writing the model", &path))?;
    }
    Ok(())
}

/// Writes a model folder that `transformers` can load, with `tokenizer_config.json` and a README. A network without
/// pretraining has a form of our own, and its README says so. Every file is on the
/// disk when this returns. The folder must not hold a model yet.
///
/// # Errors
/// [`StoreError::Exists`], or the disk is full or read-only; nothing is left of the folder then.
pub fn write(folder: &Path, files: &ModelFiles) -> Result<(), StoreError> {
    const DOING: &str = "Writing the model";
    refuse_several(files, folder)?;
    if folder.join(CONFIG).exists() || folder.join(SAFETENSORS).exists() {
        return Err(StoreError::Exists { path: folder.to_owned() });
    }
    // Under another name first, so that a half-written folder never looks like a model.
    let unfinished = with_suffix(folder, ".new");
    let filled = fs::remove_dir_all(&unfinished)
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        .and_then(|()| fs::create_dir_all(&unfinished))
        .and_then(|()| fill(&unfinished, files))
        .and_then(|()| put_in_place(&unfinished, folder));
    filled.map_err(|error| {
        fs::remove_dir_all(&unfinished).ok();
        StoreError::io(DOING, folder)(error)
    })?;
    super::sync_folder(folder);
    Ok(())
}

/// Several models that answer together are no one folder.
fn refuse_several(files: &ModelFiles, to: &Path) -> Result<(), StoreError> {
    if files.others.is_empty() {
        return Ok(());
    }
    let what = "it is several models that answer together; write each of its runs, or have one run learn from it as its teacher";
    Err(StoreError::Model { what: what.to_owned(), path: to.to_owned() })
}

fn fill(folder: &Path, files: &ModelFiles) -> io::Result<()> {
    let put = |name: &str, bytes: &[u8]| {
        let mut file = File::create(folder.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    put(CONFIG, files.config.as_bytes())?;
    put(TOKENIZER, &files.tokenizer)?;
    if !is_our_own(files) {
        put("tokenizer_config.json", tokenizer_config(files).as_bytes())?;
    }
    put("README.md", card(files).as_bytes())?;
    match &files.weights {
        Weights::Safetensors(bytes) => put(SAFETENSORS, bytes),
        Weights::Gguf(bytes) => put(GGUF, bytes),
    }
}

/// An empty folder that is already there is used; files of others in it stay.
fn put_in_place(unfinished: &Path, folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        return fs::rename(unfinished, folder);
    }
    for entry in fs::read_dir(unfinished)? {
        let entry = entry?;
        fs::rename(entry.path(), folder.join(entry.file_name()))?;
    }
    fs::remove_dir(unfinished)
}

/// Whether it is a network without pretraining: the folder then has a form of our own, which `transformers` can't load.
pub fn is_our_own(files: &ModelFiles) -> bool {
    ScratchConfig::is_one(&files.config)
}

/// Whether `transformers` loads it as a token classification.
fn tags_tokens(files: &ModelFiles) -> bool {
    TransformersHead::of(&files.config) == Some(TransformersHead::Tokens)
}

/// What `transformers` needs beside tokenizer.json: the class, the longest text, which pieces are special.
fn tokenizer_config(files: &ModelFiles) -> String {
    let roles = [
        ("cls_token", ["[CLS]", "<s>"]),
        ("sep_token", ["[SEP]", "</s>"]),
        ("pad_token", ["[PAD]", "<pad>"]),
        ("unk_token", ["[UNK]", "<unk>"]),
        ("mask_token", ["[MASK]", "<mask>"]),
    ];
    let config: Value = serde_json::from_str(&files.config).unwrap_or_default();
    let tokenizer: Value = serde_json::from_slice(&files.tokenizer).unwrap_or_default();
    let added = tokenizer["added_tokens"].as_array().cloned().unwrap_or_default();
    let mut fields = Map::new();
    fields.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
    if let Some(positions) = config["max_position_embeddings"].as_u64() {
        // Encoders of the RoBERTa kind count positions from pad_token_id + 1.
        let skipped = match config["model_type"].as_str() {
            Some("roberta" | "xlm-roberta") => config["pad_token_id"].as_u64().unwrap_or(1) + 1,
            _ => 0,
        };
        fields.insert("model_max_length".to_owned(), json!(positions.saturating_sub(skipped)));
    }
    for (role, spellings) in roles {
        if let Some(piece) = spellings.iter().find(|piece| added.iter().any(|token| token["content"] == **piece)) {
            fields.insert(role.to_owned(), json!(piece));
        }
    }
    format!("{:#}\n", Value::Object(fields))
}

/// The model's README: what it answers, how it came to be, what stands in the weights beside the encoder.
fn card(files: &ModelFiles) -> String {
    let config: Value = serde_json::from_str(&files.config).unwrap_or_default();
    let mut card =
        String::from("# A model trained with Gloss\n\nReads a review and answers with its class and the spans of opinion in it.\n");
    if let Some(labels) = config["id2label"].as_object() {
        let mut labels: Vec<(u64, &str)> = labels.iter().filter_map(|(id, name)| Some((id.parse().ok()?, name.as_str()?))).collect();
        labels.sort_unstable();
        card.push_str(if tags_tokens(files) { "\n## Tags\n\n" } else { "\n## Classes\n\n" });
        for (id, name) in labels {
            card.push_str(&format!("- {id}: {name}\n"));
        }
    }
    if is_our_own(files) {
        card.push_str(OUR_OWN_FILES);
    } else {
        let class = if tags_tokens(files) { "AutoModelForTokenClassification" } else { "AutoModelForSequenceClassification" };
        let head = if tags_tokens(files) { "the head that tags pieces" } else { "the class head" };
        card.push_str(&ENCODER_FILES.replace("{class}", class).replace("{head}", head));
    }
    if config["gloss"].is_object() {
        card.push_str(&format!("\n## Facts\n\n```json\n{:#}\n```\n", config["gloss"]));
    }
    card
}

const ENCODER_FILES: &str = "\n## Files\n\n\
         - `config.json`: the encoder's shape; the key `gloss` holds what Gloss needs to know about its own heads\n\
         - `tokenizer.json`, `tokenizer_config.json`: text to pieces\n\
         - `model.safetensors`: the weights, in float32\n\n\
         `transformers.{class}.from_pretrained(folder)` loads the encoder and {head}. \
         Parameters that no class of `transformers` has, such as a head that tags characters, stand in the same file under \
         their own names; `transformers` lists them as unused. `gloss predict FOLDER` uses all of them.\n";

const OUR_OWN_FILES: &str = "\n## Files\n\n\
         - `config.json`: the network's kind and sizes; the key `gloss` holds what its heads answer\n\
         - `tokenizer.json`: the vocabulary that was learnt, its tokens in the order of their ids\n\
         - `model.safetensors`: the weights, in float32; those of recurrent layers have the names and the layout of PyTorch's \
         `nn.LSTM`, `nn.GRU` and `nn.RNN` behind `rnn.`\n\n\
         The folder has Gloss's own form: `transformers` has no class for this network and can't load it. \
         `gloss predict FOLDER` answers with it.\n";
