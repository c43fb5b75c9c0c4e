//! Optimisers against torch's values over several steps (made by `tests/peers/optimisers.py`).

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::{Adafactor, AdamW, Optimiser, Params, Rates, Sgd};
use std::collections::BTreeMap;

const MATRIX: &str = "bert.encoder.layer.0.output.dense.weight";
const BIAS: &str = "bert.encoder.layer.0.output.dense.bias";

/// As in the script.
fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|at| (((at * 37 + salt * 17) % 23) as f64 / 11.5 - 1.0) as f32).collect()
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> Tensor {
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn start() -> Params {
    let mut params = Params::new();
    params.var(MATRIX, tensor(numbers(12, 3), &[3, 4])).unwrap();
    params.var(BIAS, tensor(numbers(3, 5), &[3])).unwrap();
    params
}

/// A step with the script's gradients, which are never clipped.
fn step(optimiser: &mut Optimiser, params: &Params, at: usize, lr: f64) {
    let with = |name: &str, grad: Tensor| (params.get(name).unwrap() * grad).unwrap().sum_all().unwrap();
    let loss = with(MATRIX, tensor(numbers(12, 10 + at), &[3, 4])) + with(BIAS, tensor(numbers(3, 20 + at), &[3]));
    let grads = params.backward(&loss.unwrap()).unwrap();
    optimiser.step(params, &grads, lr, 1e9).unwrap();
}

fn rates() -> Rates {
    Rates::new(0.1, 1.0)
}

fn optimisers() -> Vec<(&'static str, f64, Optimiser)> {
    vec![
        ("adamw", 0.01, Optimiser::AdamW(AdamW::with(rates()))),
        ("sgd", 0.01, Optimiser::Sgd(Sgd::new(rates(), 0.0))),
        ("momentum", 0.01, Optimiser::Sgd(Sgd::new(rates(), 0.9))),
        ("adafactor", 0.01, Optimiser::Adafactor(Adafactor::new(rates()))),
        // Here the rate is more than 1 over the root of the steps.
        ("adafactor_high", 0.9, Optimiser::Adafactor(Adafactor::new(rates()))),
    ]
}

#[test]
fn steps_are_those_of_torch() {
    let reference: serde_json::Value = serde_json::from_str(include_str!("optimisers.json")).unwrap();
    let list = |value: &serde_json::Value| value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect::<Vec<_>>();
    for (name, lr, mut optimiser) in optimisers() {
        let params = start();
        for (at, wanted) in reference[name].as_array().unwrap().iter().enumerate() {
            step(&mut optimiser, &params, at, lr);
            for (parameter, key) in [(MATRIX, "matrix"), (BIAS, "bias")] {
                assert_close(&format!("{name}, step {at}, {key}"), &values(params.get(parameter).unwrap()), &list(&wanted[key]), 1e-5);
            }
        }
    }
}

fn list_of(numbers: &gloss::nn::Numbers) -> Vec<f32> {
    match numbers {
        gloss::nn::Numbers::List(list) => list.to_vec(),
        gloss::nn::Numbers::Tensor(tensor) => values(tensor),
    }
}

/// Another optimiser that takes the lists over goes on with the very same steps.
#[test]
fn what_is_kept_goes_on_exactly() {
    for ((name, lr, mut first), (_, _, mut second)) in optimisers().into_iter().zip(optimisers()) {
        let params = start();
        (0..3).for_each(|at| step(&mut first, &params, at, lr));
        let kept = first.lists();
        let mut lists: BTreeMap<(String, String), Vec<f32>> =
            kept.lists.iter().map(|(kind, name, numbers)| (((*kind).to_owned(), (*name).to_owned()), list_of(numbers))).collect();
        let steps = kept.steps.clone();
        let other = start();
        other.restore(&params.snapshot().unwrap()).unwrap();
        let mut take = |kind: &str, name: &str| Ok(lists.remove(&(kind.to_owned(), name.to_owned())).unwrap());
        second.restore(&mut take, &steps).unwrap();
        assert!(lists.is_empty(), "{name} left {:?}", lists.keys());
        for at in 3..6 {
            step(&mut first, &params, at, lr);
            step(&mut second, &other, at, lr);
        }
        for parameter in [MATRIX, BIAS] {
            assert_eq!(values(params.get(parameter).unwrap()), values(other.get(parameter).unwrap()), "{name}: {parameter}");
        }
    }
}

#[test]
fn a_norm_that_is_not_finite_changes_nothing() {
    for (name, lr, mut optimiser) in optimisers() {
        let params = start();
        let grads = params.backward(&(params.get(MATRIX).unwrap() * f64::NAN).unwrap().sum_all().unwrap()).unwrap();
        assert!(optimiser.step(&params, &grads, lr, 1.0).unwrap().is_nan());
        assert_eq!(values(params.get(MATRIX).unwrap()), numbers(12, 3), "{name}");
    }
}
