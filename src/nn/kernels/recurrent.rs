//! Recurrent cells over a group of texts, forward and backward through time, on one thread.
//!
//! Rows stand step by step, as in PyTorch's `PackedSequence`: of each step the texts that are still going on, the longest
//! first. So each step is one block of rows, the states before it are the first rows of the block before, and no place
//! is spent on texts that have ended. What has no order in time (the products with the inputs, and the gradients of all
//! weights) the caller does for all rows at once.

use super::math::exp_fast;
use super::{Mat, MatMut, Packed, matmul_packed, simd};

/// The equations of a step. Gates stand beside each other in a row, in PyTorch's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// h = tanh(a), after Elman 1990.
    Rnn,
    /// Gates i, f, g, o (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
    Lstm,
    /// Gates r, z, n, the reset behind the product: n = tanh(W x + b + r (U h + c)) (Cho et al. 2014, as cuDNN has it).
    Gru,
}

impl Cell {
    /// Blocks of a row of gates, each as wide as the state.
    pub fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// Whether a row of `extra` belongs to each state: the LSTM's cell, the GRU's U h + c of its third gate.
    pub fn has_extra(self) -> bool {
        self != Self::Rnn
    }
}

/// The rows of a group of texts.
pub struct Trace<'a> {
    pub hidden: usize,
    /// Row at which each step begins, and at the end the number of rows.
    pub steps: &'a [usize],
    /// `[rows, gates * hidden]`. Forward in: what the inputs give, both biases with it (the GRU's: only the inputs' one).
    /// Forward out: the gates. Backward out: the gradient of what the inputs give.
    pub gates: &'a mut [f32],
    /// `[rows, hidden]`, see [`Cell::has_extra`]; else empty.
    pub extra: &'a mut [f32],
    /// `[rows, hidden]`. Forward out: the states. Backward in: the gradient of the states.
    pub states: &'a mut [f32],
}

impl Trace<'_> {
    fn widest(&self) -> usize {
        self.steps.get(1).copied().unwrap_or(0)
    }
}

/// Goes through a group of texts. `recurrent` is U transposed, `[hidden, gates * hidden]`; `bias` is c, which only the GRU
/// looks at.
pub fn recur_forward(cell: Cell, trace: Trace, recurrent: &Packed, bias: &[f32]) {
    let (h, width) = (trace.hidden, cell.gates() * trace.hidden);
    let nothing = vec![0.0; trace.widest() * h];
    let mut product = if cell == Cell::Gru { vec![0.0; trace.widest() * width] } else { Vec::new() };
    for (step, rows) in trace.steps.windows(2).enumerate() {
        let (count, first) = (rows[1] - rows[0], rows[0]);
        let (done, states) = trace.states.split_at_mut(first * h);
        let before = if step == 0 { &nothing[..count * h] } else { &done[trace.steps[step - 1] * h..][..count * h] };
        let states = &mut states[..count * h];
        let gates = &mut trace.gates[first * width..][..count * width];
        if cell == Cell::Gru {
            let product = &mut product[..count * width];
            if step > 0 {
                matmul_packed(MatMut::new(product, count, width, width), Mat::new(before, count, h, h), recurrent, false);
            }
            gru_forward(gates, product, bias, before, &mut trace.extra[first * h..][..count * h], states, h);
            continue;
        }
        if step > 0 {
            matmul_packed(MatMut::new(gates, count, width, width), Mat::new(before, count, h, h), recurrent, true);
        }
        if cell == Cell::Rnn {
            rnn_forward(gates, states);
            continue;
        }
        let (done, cells) = trace.extra.split_at_mut(first * h);
        let before = if step == 0 { &nothing[..count * h] } else { &done[trace.steps[step - 1] * h..][..count * h] };
        lstm_forward(gates, before, &mut cells[..count * h], states, h);
    }
}

/// Goes back through a group of texts. `trace.gates` and `trace.extra` are what [`recur_forward`] left, `trace.states` the
/// gradient of the states; `states` are the states themselves, `recurrent` is U, `[gates * hidden, hidden]`.
/// `behind` `[rows, gates * hidden]` becomes the gradient of U h + c where that is not the gradient of what the inputs
/// give, which is for the GRU alone; else it is empty.
pub fn recur_backward(cell: Cell, trace: Trace, states: &[f32], behind: &mut [f32], recurrent: &Packed) {
    let (h, width) = (trace.hidden, cell.gates() * trace.hidden);
    let nothing = vec![0.0; trace.widest() * h];
    // Gradients that come from the step after; a text that ends here has none.
    let (mut of_state, mut of_cell) = (nothing.clone(), nothing.clone());
    for step in (0..trace.steps.len().saturating_sub(1)).rev() {
        let (first, count) = (trace.steps[step], trace.steps[step + 1] - trace.steps[step]);
        let earlier = step.checked_sub(1).map(|before| trace.steps[before] * h);
        let own = first * h..(first + count) * h;
        let of_state = &mut of_state[..count * h];
        of_state.iter_mut().zip(&trace.states[own.clone()]).for_each(|(sum, grad)| *sum += grad);
        let gates = &mut trace.gates[first * width..][..count * width];
        let product = match cell {
            Cell::Rnn => {
                rnn_backward(gates, of_state);
                &*gates
            }
            Cell::Lstm => {
                lstm_backward(
                    gates,
                    before(trace.extra, earlier, &nothing[..count * h]),
                    &trace.extra[own],
                    of_state,
                    &mut of_cell[..count * h],
                    h,
                );
                &*gates
            }
            Cell::Gru => {
                let behind = &mut behind[first * width..][..count * width];
                gru_backward(gates, behind, &trace.extra[own], before(states, earlier, &nothing[..count * h]), of_state, h);
                &*behind
            }
        };
        if step > 0 {
            // The GRU's state also goes on beside the gates.
            matmul_packed(MatMut::new(of_state, count, h, h), Mat::new(product, count, width, width), recurrent, cell == Cell::Gru);
        }
    }
}

/// The rows before a step, which begin at `at`; at the first step there is nothing before.
fn before<'a>(all: &'a [f32], at: Option<usize>, nothing: &'a [f32]) -> &'a [f32] {
    at.map_or(nothing, |at| &all[at..at + nothing.len()])
}

#[inline(always)]
fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp_fast::<FMA>(-x))
}

#[inline(always)]
fn tanh<const FMA: bool>(x: f32) -> f32 {
    1.0 - 2.0 / (exp_fast::<FMA>(2.0 * x) + 1.0)
}

/// The parts of a row of gates.
#[inline(always)]
fn parts<const N: usize>(row: &mut [f32], width: usize) -> [&mut [f32]; N] {
    let mut rest = row;
    std::array::from_fn(|_| {
        let (part, others) = std::mem::take(&mut rest).split_at_mut(width);
        rest = others;
        part
    })
}

simd! {
    fn rnn_forward(gates: &mut [f32], states: &mut [f32]) {
        for (gate, state) in gates.iter_mut().zip(states) {
            *gate = tanh::<FMA>(*gate);
            *state = *gate;
        }
    }
}

simd! {
    fn rnn_backward(gates: &mut [f32], of_state: &[f32]) {
        gates.iter_mut().zip(of_state).for_each(|(gate, grad)| *gate = grad * (1.0 - *gate * *gate));
    }
}

simd! {
    fn lstm_forward(gates: &mut [f32], before: &[f32], cells: &mut [f32], states: &mut [f32], h: usize) {
        let rows = before.chunks_exact(h).zip(cells.chunks_exact_mut(h)).zip(states.chunks_exact_mut(h));
        for (gates, ((before, cell), state)) in gates.chunks_exact_mut(4 * h).zip(rows) {
            let [i, f, g, o] = parts(gates, h);
            let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
            for (((before, cell), state), ((i, f), (g, o))) in before.iter().zip(cell).zip(state).zip(gates) {
                (*i, *f, *g, *o) = (sigmoid::<FMA>(*i), sigmoid::<FMA>(*f), tanh::<FMA>(*g), sigmoid::<FMA>(*o));
                *cell = *f * before + *i * *g;
                *state = *o * tanh::<FMA>(*cell);
            }
        }
    }
}

simd! {
    /// `of_cell` is the gradient of the cells that came from the step after and becomes that of the cells before.
    fn lstm_backward(gates: &mut [f32], before: &[f32], cells: &[f32], of_state: &[f32], of_cell: &mut [f32], h: usize) {
        let rows = before.chunks_exact(h).zip(cells.chunks_exact(h)).zip(of_state.chunks_exact(h).zip(of_cell.chunks_exact_mut(h)));
        for (gates, ((before, cell), (of_state, of_cell))) in gates.chunks_exact_mut(4 * h).zip(rows) {
            let [i, f, g, o] = parts(gates, h);
            let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
            let rows = before.iter().zip(cell).zip(of_state.iter().zip(of_cell));
            for (((before, cell), (of_state, of_cell)), ((i, f), (g, o))) in rows.zip(gates) {
                let output = tanh::<FMA>(*cell);
                let grad = *of_cell + of_state * *o * (1.0 - output * output);
                *of_cell = grad * *f;
                let (of_i, of_f, of_g, of_o) = (grad * *g, grad * before, grad * *i, of_state * output);
                *i = of_i * *i * (1.0 - *i);
                *f = of_f * *f * (1.0 - *f);
                *g = of_g * (1.0 - *g * *g);
                *o = of_o * *o * (1.0 - *o);
            }
        }
    }
}

simd! {
    /// `product` is U h; `extra` becomes its third part with the bias.
    fn gru_forward(gates: &mut [f32], product: &mut [f32], bias: &[f32], before: &[f32], extra: &mut [f32], states: &mut [f32], h: usize) {
        let (of_r, rest) = bias.split_at(h);
        let (of_z, of_n) = rest.split_at(h);
        let rows = before.chunks_exact(h).zip(extra.chunks_exact_mut(h)).zip(states.chunks_exact_mut(h));
        for ((gates, product), ((before, extra), state)) in gates.chunks_exact_mut(3 * h).zip(product.chunks_exact_mut(3 * h)).zip(rows) {
            let ([r, z, n], [hr, hz, hn]) = (parts(gates, h), parts(product, h));
            let gates = r.iter_mut().zip(z).zip(n).zip(hr.iter().zip(hz).zip(hn));
            let bias = of_r.iter().zip(of_z).zip(of_n);
            for ((((before, extra), state), (((r, z), n), ((hr, hz), hn))), ((of_r, of_z), of_n)) in
                before.iter().zip(extra).zip(state).zip(gates).zip(bias)
            {
                *extra = *hn + of_n;
                *r = sigmoid::<FMA>(*r + hr + of_r);
                *z = sigmoid::<FMA>(*z + *hz + of_z);
                *n = tanh::<FMA>(*n + *r * *extra);
                *state = *n + *z * (before - *n);
            }
        }
    }
}

simd! {
    /// `of_state` becomes what of it goes on beside the gates.
    fn gru_backward(gates: &mut [f32], behind: &mut [f32], extra: &[f32], before: &[f32], of_state: &mut [f32], h: usize) {
        let rows = before.chunks_exact(h).zip(extra.chunks_exact(h)).zip(of_state.chunks_exact_mut(h));
        for ((gates, behind), ((before, extra), of_state)) in gates.chunks_exact_mut(3 * h).zip(behind.chunks_exact_mut(3 * h)).zip(rows) {
            let ([r, z, n], [hr, hz, hn]) = (parts(gates, h), parts(behind, h));
            let gates = r.iter_mut().zip(z).zip(n).zip(hr.iter_mut().zip(hz).zip(hn));
            for (((before, extra), of_state), (((r, z), n), ((hr, hz), hn))) in before.iter().zip(extra).zip(of_state).zip(gates) {
                let grad = *of_state;
                *of_state = grad * *z;
                let of_n = grad * (1.0 - *z) * (1.0 - *n * *n);
                let of_z = grad * (before - *n) * *z * (1.0 - *z);
                let of_r = of_n * extra * *r * (1.0 - *r);
                *hn = of_n * *r;
                (*hr, *hz) = (of_r, of_z);
                (*r, *z, *n) = (of_r, of_z, of_n);
            }
        }
    }
}
