//! A trained model as an ONNX file, for programs that run those: the encoder and the class of the text, or the tags of its
//! pieces, in ops of opset 17 (<https://onnx.ai/onnx/operators/>). Tags of characters, polarity and links are not in it:
//! they need the text's own characters and Gloss's decoding. Bytes only; writing a file is the store's work.

mod message;

use super::config::Activation;
use super::weights::WeightFile;
use super::{EncoderConfig, LoadError, ModelFiles, TransformersHead};
use candle_core::Tensor;
use message::{Element, Message, Setting, Size, attribute, tensor, value};

/// The version of the ops: the first that has LayerNormalization.
const OPSET: i64 = 17;
/// The version of the file's shape that came with it.
const IR_VERSION: i64 = 8;

/// What stands for minus infinity where a token is padding.
const NEVER: f32 = -1e9;

/// The model as the bytes of an `.onnx` file.
///
/// Inputs `input_ids` and `attention_mask`, both int64 `[batch, tokens]`; the mask is 1 for tokens and 0 for padding.
/// Output `logits`, float32 `[batch, classes]`, in the order of the classes in `config.json`; of a token classification
/// `[batch, tokens, tags]`; of an encoder without either `last_hidden_state`, float32 `[batch, tokens, hidden]`. The names
/// of the classes or tags and the longest text, in tokens, stand in the file's metadata as JSON.
///
/// # Errors
/// As [`Encoder::load`](super::Encoder::load); models of other kinds are not exported.
pub fn to_onnx(files: &ModelFiles) -> Result<Vec<u8>, LoadError> {
    let config = EncoderConfig::parse(&files.config)?;
    let mut graph = Graph { file: WeightFile::open(files)?, missing: Vec::new(), nodes: Vec::new(), initializers: Vec::new(), names: 0 };
    if graph.file.tensor("encoder.layer.0.attention.output.adapter.down.weight")?.is_some() {
        return Err(LoadError::Config("a model with adapters is not exported: its layers are not those of its family".to_owned()));
    }
    if graph.file.names().iter().any(|(name, _)| name.ends_with("attention.prefix.keys")) {
        return Err(LoadError::Config("a model with prefixes is not exported: its layers are not those of its family".to_owned()));
    }
    let hidden = graph.encoder(&config)?;
    let output_is_tags = TransformersHead::of(&files.config) == Some(TransformersHead::Tokens);
    let output = match graph.file.tensor("classifier.weight")? {
        Some(tags) if output_is_tags => {
            let tags = tags.dims().first().copied().unwrap_or_default();
            let logits = graph.linear(&hidden, "classifier")?;
            graph.node_to("Identity", &[&logits], "logits", &[]);
            value("logits", Element::Float, &[Size::Any("batch"), Size::Any("tokens"), Size::Of(tags)])
        }
        Some(classifier) => {
            let classes = classifier.dims().first().copied().unwrap_or_default();
            graph.classes(&hidden)?;
            value("logits", Element::Float, &[Size::Any("batch"), Size::Of(classes)])
        }
        None => {
            graph.node_to("Identity", &[&hidden], "last_hidden_state", &[]);
            value("last_hidden_state", Element::Float, &[Size::Any("batch"), Size::Any("tokens"), Size::Of(config.hidden_size)])
        }
    };
    if !graph.missing.is_empty() {
        return Err(LoadError::Missing(graph.missing));
    }
    let mut message = Message::default();
    message = graph.nodes.iter().fold(message, |message, node| message.message(1, node)).text(2, "gloss");
    message = graph.initializers.iter().fold(message, |message, initializer| message.message(5, initializer));
    for name in [IDS, MASK] {
        message = message.message(11, &value(name, Element::Int64, &[Size::Any("batch"), Size::Any("tokens")]));
    }
    message = message.message(12, &output);
    let opset = Message::default().text(1, "").int(2, OPSET);
    let model = Message::default().int(1, IR_VERSION).text(2, "gloss").text(3, env!("CARGO_PKG_VERSION"));
    let facts: serde_json::Value = serde_json::from_str(&files.config).unwrap_or_default();
    let mut model = model.message(7, &message).message(8, &opset);
    let tags = TransformersHead::labels(&files.config).ok().filter(|_| output_is_tags);
    let tags = tags.map(serde_json::Value::from).unwrap_or_default();
    for (key, fact) in [("classes", &facts["gloss"]["classes"]), ("tags", &tags), ("max_length", &facts["gloss"]["max_length"])] {
        if !fact.is_null() {
            model = model.message(14, &Message::default().text(1, key).text(2, &fact.to_string()));
        }
    }
    Ok(model.into_bytes())
}

const IDS: &str = "input_ids";
const MASK: &str = "attention_mask";

/// A graph under way. Values are known by their names.
struct Graph<'a> {
    file: WeightFile<'a>,
    missing: Vec<String>,
    nodes: Vec<Message>,
    initializers: Vec<Message>,
    /// How many values were named.
    names: usize,
}

impl Graph<'_> {
    fn node_to(&mut self, op: &str, inputs: &[&str], output: &str, settings: &[(&str, Setting)]) {
        let node = Message::default().texts(1, inputs).text(2, output).text(3, &format!("node{}", self.nodes.len())).text(4, op);
        self.nodes.push(settings.iter().fold(node, |node, (name, setting)| node.message(5, &attribute(name, *setting))));
    }

    /// A node with one output, whose name is the answer.
    fn node(&mut self, op: &str, inputs: &[&str], settings: &[(&str, Setting)]) -> String {
        self.names += 1;
        let output = format!("v{}", self.names);
        self.node_to(op, inputs, &output, settings);
        output
    }

    fn ints(&mut self, shape: &[usize], numbers: &[i64]) -> String {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.constant(shape, Element::Int64, &bytes)
    }

    fn float(&mut self, number: f32) -> String {
        self.constant(&[], Element::Float, &number.to_le_bytes())
    }

    fn constant(&mut self, shape: &[usize], element: Element, bytes: &[u8]) -> String {
        self.names += 1;
        let name = format!("c{}", self.names);
        self.initializers.push(tensor(&name, shape, element, bytes));
        name
    }

    /// A parameter under its own name, changed by `change` on the way. One that is missing is noted.
    fn parameter(&mut self, name: &str, change: impl FnOnce(Tensor) -> candle_core::Result<Tensor>) -> Result<String, LoadError> {
        let Some(value) = self.file.tensor(name)? else {
            self.missing.push(format!("bert.{name}"));
            return Ok(String::new());
        };
        let numbers = |value: Tensor| {
            let value = change(value)?.contiguous()?;
            Ok((value.dims().to_vec(), value.flatten_all()?.to_vec1::<f32>()?))
        };
        let (shape, numbers) = numbers(value).map_err(|error: candle_core::Error| LoadError::Damaged(format!("{name}: {error}")))?;
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let name = format!("bert.{name}");
        self.initializers.push(tensor(&name, &shape, Element::Float, &bytes));
        Ok(name)
    }

    /// `x W^T + b` over the last dimension; the file holds `W`.
    fn linear(&mut self, x: &str, name: &str) -> Result<String, LoadError> {
        let weight = self.parameter(&format!("{name}.weight"), |weight| weight.t())?;
        let bias = self.parameter(&format!("{name}.bias"), Ok)?;
        let product = self.node("MatMul", &[x, &weight], &[]);
        Ok(self.node("Add", &[&product, &bias], &[]))
    }

    fn norm(&mut self, x: &str, name: &str, config: &EncoderConfig) -> Result<String, LoadError> {
        let gain = self.parameter(&format!("{name}.weight"), Ok)?;
        let bias = self.parameter(&format!("{name}.bias"), Ok)?;
        let settings = [("axis", Setting::Int(-1)), ("epsilon", Setting::Float(config.layer_norm_eps as f32))];
        Ok(self.node("LayerNormalization", &[x, &gain, &bias], &settings))
    }

    fn encoder(&mut self, config: &EncoderConfig) -> Result<String, LoadError> {
        let mut x = self.embeddings(config)?;
        // 0 for tokens and hardly ever for padding, `[batch, 1, 1, tokens]`.
        let mask = self.node("Cast", &[MASK], &[("to", Setting::Int(Element::Float as i64))]);
        let one = self.float(1.0);
        let padding = self.node("Sub", &[&one, &mask], &[]);
        let never = self.float(NEVER);
        let padding = self.node("Mul", &[&padding, &never], &[]);
        let axes = self.ints(&[2], &[1, 2]);
        let padding = self.node("Unsqueeze", &[&padding, &axes], &[]);
        for layer in 0..config.num_hidden_layers {
            x = self.layer(&x, &padding, layer, config)?;
        }
        Ok(x)
    }

    fn embeddings(&mut self, config: &EncoderConfig) -> Result<String, LoadError> {
        let words = self.parameter("embeddings.word_embeddings.weight", Ok)?;
        let words = self.node("Gather", &[&words, IDS], &[]);
        let skip = config.position_offset;
        let places = self.parameter("embeddings.position_embeddings.weight", |table| table.narrow(0, skip, table.dim(0)? - skip))?;
        let shape = self.node("Shape", &[IDS], &[]);
        let (zero, one) = (self.ints(&[], &[0]), self.ints(&[], &[1]));
        let tokens = self.node("Gather", &[&shape, &one], &[]);
        let numbers = self.node("Range", &[&zero, &tokens, &one], &[]);
        let places = self.node("Gather", &[&places, &numbers], &[]);
        let mut sum = self.node("Add", &[&words, &places], &[]);
        if config.type_vocab_size > 0 {
            // Every token is of the first type.
            let first = self.parameter("embeddings.token_type_embeddings.weight", |table| table.get(0))?;
            sum = self.node("Add", &[&sum, &first], &[]);
        }
        let normed = self.norm(&sum, "embeddings.LayerNorm", config)?;
        if config.embedding_size == config.hidden_size { Ok(normed) } else { self.linear(&normed, "embeddings_project") }
    }

    fn layer(&mut self, x: &str, padding: &str, at: usize, config: &EncoderConfig) -> Result<String, LoadError> {
        let heads = config.num_attention_heads;
        let width = config.hidden_size / heads;
        let name = |part: &str| format!("encoder.layer.{at}.{part}");
        // A size of 0 stays as it is.
        let apart = self.ints(&[4], &[0, 0, heads as i64, width as i64]);
        let together = self.ints(&[3], &[0, 0, config.hidden_size as i64]);
        let mut split = |part: &str, order: &[i64]| {
            let all = self.linear(x, &name(part))?;
            let heads = self.node("Reshape", &[&all, &apart], &[]);
            Ok::<_, LoadError>(self.node("Transpose", &[&heads], &[("perm", Setting::Ints(order))]))
        };
        let query = split("attention.self.query", &[0, 2, 1, 3])?;
        let key = split("attention.self.key", &[0, 2, 3, 1])?;
        let held = split("attention.self.value", &[0, 2, 1, 3])?;
        let scores = self.node("MatMul", &[&query, &key], &[]);
        let scale = self.float((width as f32).sqrt().recip());
        let scores = self.node("Mul", &[&scores, &scale], &[]);
        let scores = self.node("Add", &[&scores, padding], &[]);
        let weights = self.node("Softmax", &[&scores], &[("axis", Setting::Int(-1))]);
        let context = self.node("MatMul", &[&weights, &held], &[]);
        let context = self.node("Transpose", &[&context], &[("perm", Setting::Ints(&[0, 2, 1, 3]))]);
        let context = self.node("Reshape", &[&context, &together], &[]);
        let attended = self.linear(&context, &name("attention.output.dense"))?;
        let sum = self.node("Add", &[x, &attended], &[]);
        let x = self.norm(&sum, &name("attention.output.LayerNorm"), config)?;
        let up = self.linear(&x, &name("intermediate.dense"))?;
        let inner = self.activate(&up, config.hidden_act);
        let down = self.linear(&inner, &name("output.dense"))?;
        let sum = self.node("Add", &[&x, &down], &[]);
        self.norm(&sum, &name("output.LayerNorm"), config)
    }

    /// As [`super::plain::activate`].
    fn activate(&mut self, x: &str, by: Activation) -> String {
        let bent = match by {
            Activation::Relu => return self.node("Relu", &[x], &[]),
            Activation::Gelu => {
                let scale = self.float(std::f32::consts::FRAC_1_SQRT_2);
                let scaled = self.node("Mul", &[x, &scale], &[]);
                self.node("Erf", &[&scaled], &[])
            }
            Activation::GeluTanh => {
                // tanh(sqrt(2 / pi) (x + 0.044715 x^3))
                let square = self.node("Mul", &[x, x], &[]);
                let part = self.float(0.044_715);
                let square = self.node("Mul", &[&square, &part], &[]);
                let one = self.float(1.0);
                let factor = self.node("Add", &[&square, &one], &[]);
                let bent = self.node("Mul", &[x, &factor], &[]);
                let scale = self.float((2.0 / std::f32::consts::PI).sqrt());
                let scaled = self.node("Mul", &[&bent, &scale], &[]);
                self.node("Tanh", &[&scaled], &[])
            }
        };
        let (one, half) = (self.float(1.0), self.float(0.5));
        let raised = self.node("Add", &[&bent, &one], &[]);
        let product = self.node("Mul", &[x, &raised], &[]);
        self.node("Mul", &[&product, &half], &[])
    }

    /// Pooler and classifier over the first token, to `logits`.
    fn classes(&mut self, hidden: &str) -> Result<(), LoadError> {
        let first = self.ints(&[], &[0]);
        let first = self.node("Gather", &[hidden, &first], &[("axis", Setting::Int(1))]);
        let pooled = self.linear(&first, "pooler.dense")?;
        let pooled = self.node("Tanh", &[&pooled], &[]);
        let logits = self.linear(&pooled, "classifier")?;
        self.node_to("Identity", &[&logits], "logits", &[]);
        Ok(())
    }
}
