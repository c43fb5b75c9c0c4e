//! Products of bfloat16 and of whole numbers: against the same sums in float64 over the rounded factors; then the encoder
//! with them beside the encoder without.

use super::support::*;
use gloss::nn::kernels::*;
use gloss::nn::{Activation, Encoder, LoadOptions, Mode, Params, RaggedBatch};

/// `a b`, by the definition.
fn product(a: impl Fn(usize, usize) -> f32, b: impl Fn(usize, usize) -> f32, (rows, depth, cols): (usize, usize, usize)) -> Vec<f32> {
    let one = |row: usize, col: usize| (0..depth).map(|at| f64::from(a(row, at)) * f64::from(b(at, col))).sum::<f64>() as f32;
    (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))).map(|(row, col)| one(row, col)).collect()
}

/// Edges of tiles, odd sums, one row, few rows, a sum longer than a block, and rows that stand apart.
const SIZES: [(usize, usize, usize, usize); 9] = [
    (1, 1, 1, 0),
    (1, 18, 37, 5),
    (2, 3, 2, 0),
    (5, 37, 18, 0),
    (33, 16, 64, 128),
    (130, 96, 48, 3),
    (12, 64, 32, 0),
    (13, 3401, 33, 1),
    (40, 301, 100, 0),
];

#[test]
fn bfloat16_is_rounded_to_the_nearest_even() {
    generator(1);
    // By hand: 1 + 2^-8 lies between 1 and 1 + 2^-7, and is even below; 3 * 2^-8 is even above.
    let cases = [
        (1.0, 1.0),
        (1.003_906_3, 1.0),
        (1.011_718_8, 1.015_625),
        (-1.004, -1.007_812_5),
        (3.0e38, 3.004_055_3e38),
        (0.0, 0.0),
        (f32::INFINITY, f32::INFINITY),
        (f32::NEG_INFINITY, f32::NEG_INFINITY),
    ];
    for (x, wanted) in cases {
        assert_eq!(to_bfloat16(x), wanted, "{x}");
    }
    // Whatever its bits.
    for bits in [0x7fff_ffff, 0x7f80_0001, 0xffff_ffff, 0x7fc0_0000] {
        assert!(to_bfloat16(f32::from_bits(bits)).is_nan(), "{bits:x}");
    }
}

#[test]
fn linear_layers_of_bfloat16() {
    for (rows, inputs, outputs, extra) in SIZES {
        let mut rng = generator(2);
        let (x, w, b) = (noise(&mut rng, rows * inputs, 1.0), noise(&mut rng, outputs * inputs, 1.0), noise(&mut rng, outputs, 1.0));
        let step = outputs + extra;
        let g = noise(&mut rng, rows * step, 1.0);
        let (rx, rw, rg) =
            (|r, c| to_bfloat16(x[r * inputs + c]), |o, i| to_bfloat16(w[o * inputs + i]), |r, o| to_bfloat16(g[r * step + o]));

        let mut y = vec![7.0; rows * step];
        Precision::BFloat16.linear(&mut y, step, &x, &w, Some(&b), inputs);
        let found: Vec<f32> = y.chunks(step).flat_map(|row| row[..outputs].iter().zip(&b).map(|(y, b)| y - b)).collect();
        let name = format!("{rows} x {inputs} x {outputs}");
        assert_close(&name, &found, &product(rx, |i, o| rw(o, i), (rows, inputs, outputs)), 2e-5);
        assert!(y.chunks(step).all(|row| row[outputs..].iter().all(|x| *x == 7.0)));
        let mut dx = vec![1.0; rows * inputs];
        Precision::BFloat16.input_grad(&mut dx, &g, step, &w, inputs, true);
        let found: Vec<f32> = dx.iter().map(|x| x - 1.0).collect();
        assert_close(&name, &found, &product(rg, rw, (rows, outputs, inputs)), 2e-5);
        let mut dw = vec![f32::NAN; outputs * inputs];
        Precision::BFloat16.weight_grad(&mut dw, &g, step, &x, inputs);
        assert_close(&name, &dw, &product(|o, r| rg(r, o), rx, (outputs, rows, inputs)), 2e-5);
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    generator(1);
    let (x, w) = ([1.0, f32::NAN, 1.0, 1.0], [1.0f32; 4]);
    let mut y = [0.0; 2];
    Precision::BFloat16.linear(&mut y, 1, &x, &w[..2], None, 2);
    assert!(y[0].is_nan() && y[1] == 2.0, "{y:?}");
}

/// The weights as whole numbers of eight bits hold them, by the rule: the largest of a row is 127.
fn whole_weights(w: &[f32], inputs: usize) -> Vec<f32> {
    let row = |row: &[f32]| {
        let scale = row.iter().fold(0.0f32, |most, x| most.max(x.abs())) / 127.0;
        row.iter().map(|x| if scale > 0.0 { (x / scale).round() * scale } else { 0.0 }).collect::<Vec<f32>>()
    };
    w.chunks(inputs).flat_map(row).collect()
}

#[test]
fn linear_layers_with_weights_laid_out_once() {
    for (rows, inputs, outputs, extra) in SIZES {
        let mut rng = generator(3);
        let (x, w) = (noise(&mut rng, rows * inputs, 1.0), noise(&mut rng, outputs * inputs, 1.0));
        let step = outputs + extra;
        let whole = whole_weights(&w, inputs);
        for stored in [Stored::Float32, Stored::BFloat16, Stored::Int8] {
            let mut y = vec![7.0; rows * step];
            FrozenLinear::new(&w, inputs, stored).apply(&x, &mut y, step);
            let found: Vec<f32> = y.chunks(step).flat_map(|row| row[..outputs].to_vec()).collect();
            assert!(y.chunks(step).all(|row| row[outputs..].iter().all(|x| *x == 7.0)));
            let name = format!("{stored:?} {rows} x {inputs} x {outputs}");
            let size = (rows, inputs, outputs);
            match stored {
                Stored::Float32 => assert_close(&name, &found, &product(|r, i| x[r * inputs + i], |i, o| w[o * inputs + i], size), 1e-5),
                Stored::BFloat16 => {
                    let wanted = product(|r, i| to_bfloat16(x[r * inputs + i]), |i, o| to_bfloat16(w[o * inputs + i]), size);
                    assert_close(&name, &found, &wanted, 2e-5);
                }
                Stored::Int8 => {
                    // An activation is off by half a step of its row at most, so a sum by half a step of each weight.
                    let wanted = product(|r, i| x[r * inputs + i], |i, o| whole[o * inputs + i], size);
                    for (at, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                        let (row, col) = (at / outputs, at % outputs);
                        let own = &x[row * inputs..][..inputs];
                        let width = own.iter().fold(0.0f32, |most, x| most.max(*x)) - own.iter().fold(0.0f32, |least, x| least.min(*x));
                        let weights: f32 = whole[col * inputs..][..inputs].iter().map(|w| w.abs()).sum();
                        let bound = width / 255.0 * 0.51 * weights + 1e-4;
                        assert!((found - wanted).abs() <= bound, "{name} at {row}, {col}: {found}, {wanted} by {bound}");
                    }
                }
            }
        }
    }
}

#[test]
fn whole_numbers_of_rows_that_are_nothing_or_far_from_nothing() {
    generator(1);
    // As whole numbers hold them: 127, -64 and 32 parts of 127.
    let w = [1.0, -64.0 / 127.0, 32.0 / 127.0, 0.0, 0.0, 0.0];
    let linear = FrozenLinear::new(&w, 3, Stored::Int8);
    let cases: [([f32; 3], [f32; 2]); 4] = [
        ([0.0; 3], [0.0; 2]),
        ([255.0, 0.0, 0.0], [255.0, 0.0]),
        ([-3.0, -3.0, -3.0], [-2.244_094_5, 0.0]),
        ([1e-30, 0.0, 0.0], [0.0, 0.0]),
    ];
    for (x, wanted) in cases {
        let mut y = [f32::NAN; 2];
        linear.apply(&x, &mut y, 2);
        let near = |a: f32, b: f32| (a - b).abs() <= 0.01 * b.abs().max(1e-6);
        assert!(near(y[0], wanted[0]) && near(y[1], wanted[1]), "{x:?}: {y:?}, wanted {wanted:?}");
    }
}

#[test]
fn rows_between_products() {
    let (rows, width) = (5, 37);
    let mut rng = generator(4);
    let (x, residual) = (noise(&mut rng, rows * width, 1.0), noise(&mut rng, rows * width, 1.0));
    let (bias, gain, shift) = (noise(&mut rng, width, 1.0), noise(&mut rng, width, 1.0), noise(&mut rng, width, 1.0));
    // The kernels of training, which are held against candle's ops.
    let (mut wanted, mut centred, mut scale) = (vec![0.0; rows * width], vec![0.0; rows * width], vec![0.0; rows]);
    let input = NormInput { x: &x, bias: Some(&bias), residual: Some(&residual), dropout: None, gain: &gain, shift: &shift, eps: 1e-6 };
    norm_forward(input, NormOutput { y: &mut wanted, centred: &mut centred, scale: &mut scale });
    let mut found = x.clone();
    norm_rows(&mut found, &bias, &residual, Norm { gain: &gain, shift: &shift, eps: 1e-6 });
    assert_close("norm", &found, &wanted, 1e-6);
    for kind in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let (mut u, mut wanted, mut found) = (x.clone(), vec![0.0; x.len()], x.clone());
        activate_forward(&mut u, &mut wanted, &bias, kind);
        activate_rows(&mut found, &bias, kind);
        assert_close("activation", &found, &wanted, 1e-6);
    }
}

fn batch() -> RaggedBatch {
    let texts: Vec<Vec<u32>> = [1, 5, 150, 12, 13, 2].iter().map(|len| (0..*len).map(|at| (at * 7 + len) as u32 % 23).collect()).collect();
    RaggedBatch::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Mean distance of the values, as a share of the mean size of what is wanted.
fn distance(found: &[f32], wanted: &[f32]) -> f32 {
    let apart: f32 = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).sum();
    apart / wanted.iter().map(|x| x.abs()).sum::<f32>()
}

#[test]
fn an_encoder_whose_weights_are_laid_out_once_answers_the_same() {
    generator(1);
    let load = || Encoder::load(&small_files(SMALL, "gelu", 5), 0, &mut Params::new(), LoadOptions::TRAINABLE).unwrap().0;
    let (plain, batch) = (load(), batch());
    let wanted = values(&plain.forward(&batch, &mut Mode::Eval).unwrap());
    let first = values(&plain.forward_first(&batch, &mut Mode::Eval).unwrap());
    // bfloat16 has 8 bits, whole numbers have 8 of the largest in a row.
    for (stored, most) in [(Stored::Float32, 1e-6), (Stored::BFloat16, 0.01), (Stored::Int8, 0.02)] {
        let mut encoder = load();
        encoder.freeze(Some(stored)).unwrap();
        assert_eq!(encoder.stored(), Some(stored));
        let apart = distance(&values(&encoder.forward(&batch, &mut Mode::Eval).unwrap()), &wanted);
        assert!(apart < most, "{stored:?}: {apart}");
        let apart = distance(&values(&encoder.forward_first(&batch, &mut Mode::Eval).unwrap()), &first);
        assert!(apart < most, "{stored:?}, first tokens: {apart}");
        if stored != Stored::Float32 {
            assert!(apart > 0.0, "{stored:?} was not used");
        }
        // Each text alone answers as in the batch.
        let whole = values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
        for text in 0..batch.texts() {
            let range = batch.range(text);
            let alone = RaggedBatch::new(&[&batch.ids[range.clone()]]);
            let width = SMALL.hidden;
            let alone = values(&encoder.forward(&alone, &mut Mode::Eval).unwrap());
            assert_close("alone", &alone, &whole[range.start * width..range.end * width], 1e-5);
        }
    }
}

#[test]
fn gradients_of_an_encoder_with_bfloat16_products() {
    generator(1);
    let run = |precision: Precision| {
        let mut params = Params::new();
        let (encoder, _) = Encoder::load(&small_files(SMALL, "gelu", 5), 0, &mut params, LoadOptions::TRAINABLE).unwrap();
        encoder.set_precision(precision);
        let mut rng = generator(7);
        let hidden = encoder.forward(&batch(), &mut Mode::Train { rng: &mut rng, dropout: 0.1 }).unwrap();
        let loss = (&hidden * &hidden).unwrap().mean_all().unwrap() + (hidden.narrow(1, 0, 3).unwrap().mean_all().unwrap() * 3.0).unwrap();
        let grads = params.backward(&loss.unwrap()).unwrap();
        let of = |name: &str| grads.get(name).unwrap().to_vec();
        [
            of("bert.encoder.layer.0.attention.self.query.weight"),
            of("bert.encoder.layer.0.intermediate.dense.weight"),
            of("bert.encoder.layer.1.output.dense.weight"),
            of("bert.encoder.layer.1.attention.output.dense.weight"),
            of("bert.embeddings.LayerNorm.weight"),
        ]
    };
    for (found, wanted) in run(Precision::BFloat16).iter().zip(&run(Precision::Float32)) {
        let apart = distance(found, wanted);
        assert!(apart > 0.0 && apart < 0.03, "{apart}");
    }
}
