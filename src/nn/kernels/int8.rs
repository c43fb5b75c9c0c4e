//! Whole numbers of eight bits: weights with a scale for each row, symmetric about 0; rows of activations measured when
//! they come, from 0 to 255 with a scale and a zero of their own. Four that follow each other in a sum stand together in
//! the place of one float32, so packing, panels and tiles of products are those of float32, and only the innermost
//! instruction is another one (`vpdpbusd`); the sums are exact. (Jacob et al., Quantization and Training of Neural Networks
//! for Efficient Integer-Arithmetic-Only Inference, 2018, section 2; per-row scales as in its section 3 and Krishnamoorthi, 2018.)

use super::simd;

/// Weights as whole numbers.
pub(super) struct Fours {
    /// `[outputs, inputs / 4]`.
    pub data: Vec<f32>,
    pub scale: Vec<f32>,
    /// Of each row of whole numbers.
    pub sums: Vec<f32>,
}

/// How many fours hold `inputs` numbers.
pub(super) fn fours(inputs: usize) -> usize {
    inputs.div_ceil(4)
}

impl Fours {
    pub fn new(weight: &[f32], inputs: usize) -> Self {
        let outputs = weight.len() / inputs;
        let (mut data, mut scale, mut sums) = (Vec::with_capacity(outputs * fours(inputs)), Vec::new(), Vec::new());
        for row in weight.chunks_exact(inputs) {
            let largest = row.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
            let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            let whole = |x: &f32| (x * inverse).round() as i8;
            for four in row.chunks(4) {
                let mut bytes = [0u8; 4];
                bytes.iter_mut().zip(four).for_each(|(byte, x)| *byte = whole(x).cast_unsigned());
                data.push(f32::from_bits(u32::from_le_bytes(bytes)));
            }
            scale.push(largest / 127.0);
            sums.push(row.iter().map(|x| i32::from(whole(x))).sum::<i32>() as f32);
        }
        Self { data, scale, sums }
    }
}

/// Adding it to a number of less than 2^22 rounds that to a whole one in the low bits.
const ROUND: f32 = 12_582_912.0;

simd! {
    /// One row of activations into `to`, and its scale and zero: `x = scale * (whole - zero)`, as nearly as 256 steps allow.
    pub(super) fn row_to_fours(to: &mut [f32], from: &[f32]) -> (f32, f32) {
        let (mut least, mut most) = ([0.0f32; 16], [0.0f32; 16]);
        let (chunks, rest) = from.as_chunks::<16>();
        for chunk in chunks {
            for ((least, most), x) in least.iter_mut().zip(&mut most).zip(chunk) {
                *least = if *x < *least { *x } else { *least };
                *most = if *x > *most { *x } else { *most };
            }
        }
        let least = rest.iter().chain(&least).fold(0.0f32, |least, x| least.min(*x));
        let most = rest.iter().chain(&most).fold(0.0f32, |most, x| most.max(*x));
        let width = most - least;
        // Rows of nothing but 0 stay so.
        let (scale, inverse) = if width > 0.0 { (width / 255.0, 255.0 / width) } else { (0.0, 0.0) };
        let zero = (-least * inverse).round();
        let whole = |x: f32| {
            let at = super::math::fma::<FMA>(x, inverse, zero);
            let at = if at > 0.0 { at } else { 0.0 };
            let at = if at < 255.0 { at } else { 255.0 };
            (at + ROUND).to_bits() & 0xff
        };
        let (fours, last) = from.as_chunks::<4>();
        for (to, [a, b, c, d]) in to.iter_mut().zip(fours) {
            *to = f32::from_bits(whole(*a) | whole(*b) << 8 | whole(*c) << 16 | whole(*d) << 24);
        }
        if let (false, Some(to)) = (last.is_empty(), to.last_mut()) {
            let bits = last.iter().enumerate().fold(0, |bits, (at, x)| bits | whole(*x) << (8 * at));
            *to = f32::from_bits(bits);
        }
        (scale, zero)
    }
}

simd! {
    /// Whole sums of one row, in the bits of `y`, to the numbers they stand for; `sums` and `scales` are those of the weights.
    pub(super) fn fours_to_row(y: &mut [f32], scale: f32, zero: f32, scales: &[f32], sums: &[f32]) {
        for ((y, of), sum) in y.iter_mut().zip(scales).zip(sums) {
            let whole = y.to_bits().cast_signed() as f32;
            *y = super::math::fma::<FMA>(-zero, *sum, whole) * (scale * of);
        }
    }
}
