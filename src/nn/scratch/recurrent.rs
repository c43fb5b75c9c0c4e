//! A recurrent layer in one or two directions over a ragged batch.
//!
//! The products with the inputs of all tokens are one product, the recurrence then runs over groups of texts of similar
//! length, direction and group on a thread each, and the gradients of weights are again products over all tokens.

use super::{Collect, Read};
use crate::nn::LoadError;
use crate::nn::batch::RaggedBatch;
use crate::nn::heads::HeadLoader;
use crate::nn::kernels::{Buf, Cell, Mat, Packed, Pool, Trace, linear, linear_input_grad, recur_backward, recur_forward};
use candle_core::{Result, Tensor};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Texts that go through the recurrence together, on one thread. Fixed, so that results do not depend on the threads.
const GROUP: usize = 16;

/// The weights of one direction, in PyTorch's layout.
#[derive(Debug)]
struct Direction {
    /// What its names end with.
    suffix: String,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
}

/// A layer: one direction or two, whose states stand beside each other.
#[derive(Debug)]
pub(super) struct RecurrentLayer {
    cell: Cell,
    hidden: usize,
    inputs: usize,
    directions: Vec<Direction>,
}

/// In which order the rows of a batch go through the recurrence.
pub(super) struct Order {
    groups: Vec<Group>,
    /// For each direction the row of the batch that each row in order is.
    rows: [Vec<u32>; 2],
}

struct Group {
    rows: Range<usize>,
    /// Where each step begins among the group's rows, and at the end their number.
    steps: Vec<usize>,
}

impl Order {
    pub fn of(batch: &RaggedBatch) -> Self {
        let mut texts: Vec<Range<usize>> = (0..batch.texts()).map(|text| batch.range(text)).collect();
        texts.sort_by_key(|range| std::cmp::Reverse(range.len()));
        let mut order = Self { groups: Vec::new(), rows: [Vec::new(), Vec::new()] };
        for group in texts.chunks(GROUP) {
            let first = order.rows[0].len();
            let mut steps = vec![0];
            for step in 0..group.first().map_or(0, Range::len) {
                let going_on = || group.iter().take_while(|range| range.len() > step);
                order.rows[0].extend(going_on().map(|range| (range.start + step) as u32));
                order.rows[1].extend(going_on().map(|range| (range.end - 1 - step) as u32));
                steps.push(order.rows[0].len() - first);
            }
            order.groups.push(Group { rows: first..order.rows[0].len(), steps });
        }
        order
    }

    /// `x` `[tokens, width]` with its rows in order.
    fn gather(&self, direction: usize, x: &[f32], width: usize, pool: &Arc<Pool>) -> Buf {
        let mut rows = pool.take(x.len());
        for (row, from) in rows.chunks_exact_mut(width).zip(&self.rows[direction]) {
            row.copy_from_slice(&x[*from as usize * width..][..width]);
        }
        rows
    }

    /// The states before each row, zeros before the first of a text.
    fn before(&self, states: &[f32], hidden: usize, pool: &Arc<Pool>) -> Buf {
        let mut before = pool.zeros(states.len());
        for group in &self.groups {
            let (own, states) = (&mut before[group.rows.start * hidden..], &states[group.rows.start * hidden..]);
            for step in group.steps.windows(3) {
                let count = (step[2] - step[1]) * hidden;
                own[step[1] * hidden..][..count].copy_from_slice(&states[step[0] * hidden..][..count]);
            }
        }
        before
    }
}

/// What one direction leaves for its gradient, rows in order.
struct DirectionTape {
    gates: Buf,
    extra: Buf,
    states: Buf,
}

/// What a layer leaves for its gradient.
pub(super) struct RecurrentTape {
    input: Buf,
    directions: Vec<DirectionTape>,
}

impl RecurrentLayer {
    /// Reads the layer's weights, or draws them as PyTorch does (uniform up to one over the root of the hidden size), but
    /// that an LSTM begins by remembering (Jozefowicz et al. 2015, section 2.1: a forget gate's bias of 1).
    pub fn load(
        loader: &mut HeadLoader,
        cell: Cell,
        layer: usize,
        inputs: usize,
        hidden: usize,
        directions: usize,
    ) -> std::result::Result<Self, LoadError> {
        let gates = cell.gates() * hidden;
        let bound = 1.0 / (hidden as f64).sqrt();
        let mut read = |direction: usize| {
            let suffix = format!("_l{layer}{}", if direction == 0 { "" } else { "_reverse" });
            let mut take =
                |name: &str, shape: &[usize], ones: Range<usize>| loader.uniform(&format!("rnn.{name}{suffix}"), shape, bound, ones);
            let ones = if cell == Cell::Lstm { hidden..2 * hidden } else { 0..0 };
            Ok(Direction {
                weight_ih: take("weight_ih", &[gates, inputs], 0..0)?,
                weight_hh: take("weight_hh", &[gates, hidden], 0..0)?,
                bias_ih: take("bias_ih", &[gates], ones)?,
                bias_hh: take("bias_hh", &[gates], 0..0)?,
                suffix,
            })
        };
        let directions = (0..directions).map(&mut read).collect::<std::result::Result<_, LoadError>>()?;
        Ok(Self { cell, hidden, inputs, directions })
    }

    /// States `[tokens, directions * hidden]` of `input` `[tokens, inputs]`.
    pub fn forward(&self, input: Buf, order: &Order, pool: &Arc<Pool>) -> Result<(Buf, RecurrentTape)> {
        let (h, width) = (self.hidden, self.cell.gates() * self.hidden);
        let tokens = input.len() / self.inputs;
        let extra = if self.cell.has_extra() { tokens * h } else { 0 };
        let mut tapes = Vec::new();
        let mut recurrent = Vec::new();
        for (at, direction) in self.directions.iter().enumerate() {
            let x = order.gather(at, &input, self.inputs, pool);
            let (bias_ih, bias_hh) = (Read::of(&direction.bias_ih)?, Read::of(&direction.bias_hh)?);
            let mut bias = bias_ih.to_vec();
            if self.cell != Cell::Gru {
                bias.iter_mut().zip(&*bias_hh).for_each(|(sum, bias)| *sum += bias);
            }
            let mut gates = pool.take(tokens * width);
            linear(&mut gates, width, &x, &Read::of(&direction.weight_ih)?, Some(&bias), self.inputs);
            tapes.push(DirectionTape { gates, extra: pool.take(extra), states: pool.take(tokens * h) });
            recurrent.push((Packed::new(Mat::new(&Read::of(&direction.weight_hh)?, width, h, h).t()), bias_hh.to_vec()));
        }
        let jobs = tapes.iter_mut().zip(&recurrent).flat_map(|(tape, weights)| {
            order
                .traces(self.hidden, width, (&mut tape.gates, &mut tape.extra, &mut tape.states))
                .into_iter()
                .map(move |trace| (trace, weights))
        });
        let jobs: Vec<_> = jobs.collect();
        jobs.into_par_iter().for_each(|(trace, (recurrent, bias))| recur_forward(self.cell, trace, recurrent, bias));
        let outputs = self.directions.len() * h;
        let mut output = pool.take(tokens * outputs);
        for (at, tape) in tapes.iter().enumerate() {
            for (state, row) in tape.states.chunks_exact(h).zip(&order.rows[at]) {
                output[*row as usize * outputs + at * h..][..h].copy_from_slice(state);
            }
        }
        Ok((output, RecurrentTape { input, directions: tapes }))
    }

    /// From the gradient of the states to that of the input; those of the weights go to `collect`.
    pub fn backward(&self, tape: RecurrentTape, grad: &[f32], order: &Order, collect: &Collect) -> Result<Buf> {
        let (h, width, pool) = (self.hidden, self.cell.gates() * self.hidden, collect.pool);
        let RecurrentTape { input, mut directions } = tape;
        let (tokens, outputs) = (input.len() / self.inputs, self.directions.len() * h);
        let behind = if self.cell == Cell::Gru { tokens * width } else { 0 };
        let (mut grads, mut recurrent) = (Vec::new(), Vec::new());
        for (at, direction) in self.directions.iter().enumerate() {
            let mut of_states = pool.take(tokens * h);
            for (state, row) in of_states.chunks_exact_mut(h).zip(&order.rows[at]) {
                state.copy_from_slice(&grad[*row as usize * outputs + at * h..][..h]);
            }
            grads.push((of_states, pool.take(behind)));
            recurrent.push(Packed::new(Mat::new(&Read::of(&direction.weight_hh)?, width, h, h)));
        }
        let jobs = directions.iter_mut().zip(&mut grads).zip(&recurrent).flat_map(|((tape, (of_states, behind)), weights)| {
            let traces = order.traces(h, width, (&mut tape.gates, &mut tape.extra, of_states));
            let behind = order.split(behind, width);
            let states = order.groups.iter().map(|group| &tape.states[group.rows.start * h..group.rows.end * h]);
            traces
                .into_iter()
                .zip(behind)
                .zip(states)
                .map(move |((trace, behind), states)| (trace, states, behind, weights))
                .collect::<Vec<_>>()
        });
        let jobs: Vec<_> = jobs.collect();
        jobs.into_par_iter().for_each(|(trace, states, behind, recurrent)| recur_backward(self.cell, trace, states, behind, recurrent));
        let mut of_input = pool.zeros(input.len());
        for (at, ((direction, tape), (_, behind))) in self.directions.iter().zip(directions).zip(grads).enumerate() {
            let DirectionTape { gates, states, .. } = tape;
            let behind = if self.cell == Cell::Gru { &*behind } else { &*gates };
            let name = |name: &str| format!("rnn.{name}{}", direction.suffix);
            let x = order.gather(at, &input, self.inputs, pool);
            collect.weight(name("weight_ih"), &gates, &x, (width, self.inputs));
            collect.weight(name("weight_hh"), behind, &order.before(&states, h, pool), (width, h));
            collect.bias(name("bias_ih"), &gates, width);
            collect.bias(name("bias_hh"), behind, width);
            let mut of_x = x;
            linear_input_grad(&mut of_x, &gates, width, &Read::of(&direction.weight_ih)?, self.inputs, false);
            for (grad, row) in of_x.chunks_exact(self.inputs).zip(&order.rows[at]) {
                let sum = &mut of_input[*row as usize * self.inputs..][..self.inputs];
                sum.iter_mut().zip(grad).for_each(|(sum, grad)| *sum += grad);
            }
        }
        Ok(of_input)
    }
}

impl Order {
    /// The parts of `[tokens, width]` that belong to each group; all empty where there is nothing.
    fn split<'a>(&self, values: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        let mut rest = values;
        let part = |group: &Group| {
            let len = (group.rows.len() * width).min(rest.len());
            let (part, others) = std::mem::take(&mut rest).split_at_mut(len);
            rest = others;
            part
        };
        self.groups.iter().map(part).collect()
    }

    fn traces<'a>(
        &'a self,
        hidden: usize,
        width: usize,
        (gates, extra, states): (&'a mut [f32], &'a mut [f32], &'a mut [f32]),
    ) -> Vec<Trace<'a>> {
        let parts = self.split(gates, width).into_iter().zip(self.split(extra, hidden)).zip(self.split(states, hidden));
        let trace = |(group, ((gates, extra), states)): (&'a Group, _)| Trace { hidden, steps: &group.steps, gates, extra, states };
        self.groups.iter().zip(parts).map(trace).collect()
    }
}
