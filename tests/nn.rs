//! Networks: against transformers' numbers, against candle's own ops, against finite differences, and by learning.

mod chain;
mod encoder;
mod kernels;
mod learning;
mod loading;
mod onnx;
mod opinion;
mod optimisers;
mod precision;
mod reference;
mod scorer;
mod scratch;
pub mod support;
mod tuning;
