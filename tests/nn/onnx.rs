//! The ONNX file of a model: read back as protocol buffers, run op by op as the ONNX specification words them, and held
//! against the model itself. (`tests/peers/onnx.py` runs such a file in ONNX Runtime, by hand.)

use super::support::*;
use candle_core::{D, DType, Device, Tensor};
use gloss::nn::{JointModel, JointSizes, LoadError, LoadOptions, Mode, ModelFiles, Params, RaggedBatch, UnitBatch, to_onnx};
use std::collections::BTreeMap;

/// The fields of a message: numbers, or bytes.
#[derive(Clone, Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            wire => {
                let len = if wire == 5 { 4 } else { varint(&mut bytes) as usize };
                let (field, rest) = bytes.split_at(len);
                bytes = rest;
                Field::Bytes(field)
            }
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn all<'a>(message: &[(u64, Field<'a>)], number: u64) -> Vec<&'a [u8]> {
    let bytes = |(at, field): &(u64, Field<'a>)| match field {
        Field::Bytes(bytes) if *at == number => Some(*bytes),
        _ => None,
    };
    message.iter().filter_map(bytes).collect()
}

fn texts<'a>(message: &[(u64, Field<'a>)], number: u64) -> Vec<&'a str> {
    all(message, number).into_iter().map(|bytes| std::str::from_utf8(bytes).unwrap()).collect()
}

fn numbers(message: &[(u64, Field)], number: u64) -> Vec<i64> {
    let value = |(at, field): &(u64, Field)| match field {
        Field::Number(value) if *at == number => Some(*value as i64),
        _ => None,
    };
    message.iter().filter_map(value).collect()
}

#[derive(Clone, Debug)]
enum Value {
    Floats(Tensor),
    Ints(Vec<i64>, Vec<usize>),
}

impl Value {
    fn floats(&self) -> Tensor {
        match self {
            Self::Floats(tensor) => tensor.clone(),
            Self::Ints(..) => panic!("numbers with fractions are wanted"),
        }
    }

    fn ints(&self) -> (&[i64], &[usize]) {
        match self {
            Self::Ints(values, shape) => (values, shape),
            Self::Floats(_) => panic!("whole numbers are wanted"),
        }
    }
}

/// `TensorProto`
fn constant(bytes: &[u8]) -> (String, Value) {
    let message = fields(bytes);
    let shape: Vec<usize> = numbers(&message, 1).into_iter().map(|size| size as usize).collect();
    let raw = all(&message, 9)[0];
    let value = match numbers(&message, 2)[0] {
        1 => {
            let values: Vec<f32> = raw.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
            Value::Floats(Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
        }
        7 => Value::Ints(raw.chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect(), shape),
        other => panic!("element type {other}"),
    };
    (texts(&message, 8)[0].to_owned(), value)
}

/// Runs a file of ours.
fn run(model: &[u8], inputs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    let model = fields(model);
    assert_eq!(numbers(&model, 1), [8], "version of the file");
    assert_eq!(numbers(&fields(all(&model, 8)[0]), 2), [17], "version of the ops");
    let graph = fields(all(&model, 7)[0]);
    let mut values: BTreeMap<String, Value> = all(&graph, 5).into_iter().map(constant).collect();
    let wanted: Vec<String> = all(&graph, 11).iter().map(|input| texts(&fields(input), 1)[0].to_owned()).collect();
    assert_eq!(wanted, ["input_ids", "attention_mask"]);
    values.extend(inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    for node in all(&graph, 1) {
        let node = fields(node);
        let inputs: Vec<&Value> = texts(&node, 1).into_iter().map(|name| &values[name]).collect();
        let settings: BTreeMap<&str, Vec<(u64, Field)>> =
            all(&node, 5).into_iter().map(fields).map(|setting| (texts(&setting, 1)[0], setting)).collect();
        let output = op(texts(&node, 4)[0], &inputs, &settings);
        values.insert(texts(&node, 2)[0].to_owned(), output);
    }
    let outputs = all(&graph, 12).into_iter().map(|output| texts(&fields(output), 1)[0].to_owned());
    outputs.map(|name| (name.clone(), values[&name].clone())).collect()
}

fn op(name: &str, inputs: &[&Value], settings: &BTreeMap<&str, Vec<(u64, Field)>>) -> Value {
    let x = || inputs[0].floats();
    let y = || inputs[1].floats();
    let int = |setting: &str| settings.get(setting).map_or(0, |setting| numbers(setting, 3)[0]);
    let found = match name {
        "Identity" => Ok(x()),
        "Add" => x().broadcast_add(&y()),
        "Sub" => x().broadcast_sub(&y()),
        "Mul" => x().broadcast_mul(&y()),
        "MatMul" => x().contiguous().unwrap().broadcast_matmul(&y().contiguous().unwrap()),
        "Tanh" => x().tanh(),
        "Relu" => x().relu(),
        "Erf" => x().erf(),
        "Softmax" => {
            assert_eq!(int("axis"), -1);
            let raised = x().broadcast_sub(&x().max_keepdim(D::Minus1).unwrap()).unwrap().exp().unwrap();
            raised.broadcast_div(&raised.sum_keepdim(D::Minus1).unwrap())
        }
        "LayerNormalization" => {
            assert_eq!(int("axis"), -1);
            let epsilon = match settings["epsilon"].iter().find(|(at, _)| *at == 2) {
                Some((_, Field::Bytes(bytes))) => f32::from_le_bytes((*bytes).try_into().unwrap()),
                _ => panic!("no epsilon"),
            };
            gloss::nn::plain::layer_norm(&x(), &y(), &inputs[2].floats(), f64::from(epsilon))
        }
        "Transpose" => {
            let order: Vec<usize> = numbers(&settings["perm"], 8).into_iter().map(|at| at as usize).collect();
            x().permute(order)
        }
        "Reshape" => {
            let held = x().dims().to_vec();
            let sizes = inputs[1].ints().0.iter().enumerate().map(|(at, size)| if *size == 0 { held[at] } else { *size as usize });
            x().contiguous().unwrap().reshape(sizes.collect::<Vec<_>>())
        }
        "Unsqueeze" => inputs[1].ints().0.iter().try_fold(x(), |x, axis| x.unsqueeze(*axis as usize)),
        "Cast" => {
            assert_eq!(int("to"), 1);
            let (values, shape) = inputs[0].ints();
            Tensor::from_vec(values.iter().map(|value| *value as f32).collect(), shape, &Device::Cpu)
        }
        "Shape" => {
            let (_, shape) = inputs[0].ints();
            return Value::Ints(shape.iter().map(|size| *size as i64).collect(), vec![shape.len()]);
        }
        "Range" => {
            let bound = |at: usize| inputs[at].ints().0[0];
            let values: Vec<i64> = (bound(0)..bound(1)).step_by(bound(2) as usize).collect();
            let len = values.len();
            return Value::Ints(values, vec![len]);
        }
        "Gather" => {
            let (at, at_shape) = inputs[1].ints();
            if let Value::Ints(values, _) = inputs[0] {
                return Value::Ints(at.iter().map(|at| values[*at as usize]).collect(), at_shape.to_vec());
            }
            let axis = int("axis") as usize;
            let ids = Tensor::from_vec(at.iter().map(|at| *at as u32).collect(), at.len(), &Device::Cpu).unwrap();
            let table = x().contiguous().unwrap();
            let shape = [&table.dims()[..axis], at_shape, &table.dims()[axis + 1..]].concat();
            table.index_select(&ids, axis).and_then(|rows| rows.reshape(shape))
        }
        other => panic!("the op {other} is not expected"),
    };
    Value::Floats(found.unwrap())
}

/// Texts side by side, filled up to the longest.
fn padded(batch: &RaggedBatch) -> [(&'static str, Value); 2] {
    let ranges: Vec<_> = (0..batch.texts()).map(|text| batch.range(text)).collect();
    let longest = ranges.iter().map(ExactSizeIterator::len).max().unwrap();
    let (mut ids, mut mask) = (Vec::new(), Vec::new());
    for range in &ranges {
        // Padding has an id that no one should see.
        ids.extend(batch.ids[range.clone()].iter().map(|id| i64::from(*id)).chain(std::iter::repeat_n(7, longest - range.len())));
        mask.extend((0..longest).map(|at| i64::from(at < range.len())));
    }
    let shape = vec![ranges.len(), longest];
    [("input_ids", Value::Ints(ids, shape.clone())), ("attention_mask", Value::Ints(mask, shape))]
}

/// A small model with three classes, as a run would have saved it.
fn with_classes(activation: &str) -> (JointModel, ModelFiles) {
    let files = small_files(SMALL, activation, 4);
    let mut params = Params::new();
    let sizes = JointSizes { classes: 3, ..JointSizes::default() };
    let (model, _) = JointModel::load(&files, sizes, &mut params, LoadOptions::TRAINABLE, &mut generator(5)).unwrap();
    let weights = gloss::nn::Weights::Safetensors(std::sync::Arc::from(params.to_safetensors().unwrap()));
    (model, files_of(bert_config(SMALL, activation), weights))
}

#[test]
fn logits_are_those_of_the_model() {
    let batch = batch_of(&[1, 9, 4, 30], SMALL.vocab, 6);
    for activation in ["gelu", "gelu_new", "relu"] {
        let (model, files) = with_classes(activation);
        let wanted = model.forward(&batch, &UnitBatch::default(), &mut Mode::Eval).unwrap().class.unwrap();
        let found = run(&to_onnx(&files).unwrap(), &padded(&batch));
        let found = found["logits"].floats();
        assert_eq!(found.dims(), [4, 3]);
        assert_close(activation, &values(&found), &values(&wanted), 1e-4);
    }
}

#[test]
fn tags_of_pieces_are_those_of_the_model() {
    let files = small_files(SMALL, "gelu", 4);
    let mut params = Params::new();
    let sizes = JointSizes { tags: 5, of_pieces: true, ..JointSizes::default() };
    let (model, _) = JointModel::load(&files, sizes, &mut params, LoadOptions::TRAINABLE, &mut generator(5)).unwrap();
    let bytes = params.to_safetensors_as(|name| name.replace("gloss.tag.pieces", "classifier")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&bert_config(SMALL, "gelu")).unwrap();
    config["architectures"] = serde_json::json!(["BertForTokenClassification"]);
    let files = files_of(config.to_string(), gloss::nn::Weights::Safetensors(std::sync::Arc::from(bytes)));
    let batch = batch_of(&[3, 3], SMALL.vocab, 6);
    let pieces: Vec<u32> = (0..6).collect();
    let units = UnitBatch { char_id: vec![0; 6], offset: vec![0; 6], piece: pieces };
    let wanted = model.forward(&batch, &units, &mut Mode::Eval).unwrap().tags.unwrap();
    let found = run(&to_onnx(&files).unwrap(), &padded(&batch))["logits"].floats();
    assert_eq!(found.dims(), [2, 3, 5]);
    assert_close("tags", &values(&found), &values(&wanted), 1e-4);
}

#[test]
fn without_classes_the_hidden_states_come_out() {
    let batch = batch_of(&[5, 2], SMALL.vocab, 8);
    let files = small_files(SMALL, "gelu", 4);
    let (encoder, _) = load(&files, LoadOptions::FROZEN);
    let wanted = encoder.forward(&batch, &mut Mode::Eval).unwrap();
    let found = run(&to_onnx(&files).unwrap(), &padded(&batch))["last_hidden_state"].floats();
    assert_eq!(found.dims(), [2, 5, SMALL.hidden]);
    let rows = [found.get(0).unwrap(), found.get(1).unwrap().narrow(0, 0, 2).unwrap()];
    let rows = Tensor::cat(&rows, 0).unwrap().to_dtype(DType::F32).unwrap();
    assert_close("hidden", &values(&rows), &values(&wanted), 1e-4);
}

#[test]
fn what_is_missing_is_named() {
    let mut shapes = bert_shapes(SMALL);
    shapes.retain(|(name, _)| !name.contains("layer.1.attention.self.key"));
    let files = files_of(bert_config(SMALL, "gelu"), safetensors_of(&random_tensors(&shapes, 1)));
    let Err(LoadError::Missing(names)) = to_onnx(&files) else { panic!("something is missing") };
    assert_eq!(names, ["bert.encoder.layer.1.attention.self.key.weight", "bert.encoder.layer.1.attention.self.key.bias"]);
    let files = files_of("{\"model_type\": \"gpt2\"}".to_owned(), safetensors_of(&[]));
    assert!(matches!(to_onnx(&files), Err(LoadError::Config(_))));
}
