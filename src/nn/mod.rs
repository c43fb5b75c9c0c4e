//! Networks on candle: ragged batches, the encoder of the BERT family, recurrent and convolutional networks without
//! pretraining, heads, loss, optimiser.
//! Knows no project, no thread of its own, no file: weights come and go as bytes in [`ModelFiles`].
//!
//! A training step:
//! ```text
//! let hidden = encoder.forward(&batch, &mut mode)?;         // [tokens, hidden]
//! let logits = class_head.forward(&hidden, &batch, &mut mode)?;
//! let loss = loss::cross_entropy(&logits, &targets, None)?;
//! let grads = params.backward(&loss)?;                      // not `loss.backward()`: see [`Params::backward`]
//! let norm = optimiser.step(&params, &grads, lr, clip)?;    // norm before clipping
//! ```

mod adapter;
mod attribute;
mod average;
mod batch;
mod by_ops;
mod calibration;
mod chain;
mod config;
mod encoder;
mod fast;
mod files;
mod heads;
mod joint;
pub mod kernels;
pub mod loss;
mod low_rank;
mod masked;
mod network;
mod onnx;
mod opinion;
mod optim;
mod params;
mod place;
pub mod plain;
mod pooling;
mod prefix;
mod question;
mod scorer;
mod scratch;
mod state;
mod threads;
mod transformers;
mod weights;
mod word_vectors;

pub use adapter::AdapterSizes;
pub use attribute::{SpanAttribute, value_places};
pub use average::{MovingAverage, mean_of};
pub use batch::{Dropout, Mode, RaggedBatch, UnitBatch};
pub use calibration::{Calibration, Platt, at_temperature, fit_temperature, set_temperature};
pub use candle_core::{Device, Result as TensorResult, Tensor, Var};
pub use chain::{Chain, ChainBatch, FrozenChain, Moves};
pub use config::{Activation, EncoderConfig};
pub use encoder::{Encoder, LoadOptions};
pub use files::{ModelFiles, Weights};
pub use heads::{ClassHead, PIECE_TAGS, TagHead};
pub use joint::{JointModel, JointSizes, LogProbs, Logits};
pub use low_rank::{LowRankSizes, LowRankTarget, LowRankTargets, Tuning};
pub use masked::MaskedHead;
pub use network::Network;
pub use onnx::to_onnx;
pub use opinion::{OpinionHead, OpinionLogits, OpinionScores, OpinionSizes, POLARITIES, PairBatch, SpanBatch, SpanEdge};
pub use optim::{Adafactor, AdamW, Lists, Optimiser, Rates, Sgd};
pub use params::{Gradients, Param, Params, RowsGrad, unreached};
pub use place::{DeviceChoice, Place};
pub use prefix::PrefixSizes;
pub use question::{QuestionAnswer, QuestionForm, QuestionHeads, QuestionKind, QuestionSize, labels_from};
pub use scorer::{CandidateBatch, ScorerSizes, SpanScorer};
pub use scratch::{Coverage, FRESH_VECTOR, Pooling, ScratchConfig, ScratchKind, ScratchNet, WORD_TABLE};
pub use state::{Numbers, State, StateFile};
pub use threads::Threads;
pub use transformers::{Bend, TransformersHead};
pub use weights::{LoadError, LoadReport};
pub use word_vectors::WordVectors;
