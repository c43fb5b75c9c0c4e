//! Adversarial training and R-Drop: the change, the divergence, and what they do to a run.

use super::small::run;
use super::train::{quick, toys, weights};
use candle_core::{Device, Var};
use gloss::nn::{RaggedBatch, loss};
use gloss::train::{Adversarial, TrainConfig, Tuned, push_along};

#[test]
fn each_text_moves_along_its_own_gradient() {
    let texts = RaggedBatch::new(&[&[1], &[2, 3], &[4]]);
    // Two numbers a piece: gradients of length 5, of 13 over two pieces, and none.
    let gradient = [3.0, 4.0, 3.0, 4.0, 0.0, 12.0, 0.0, 0.0];
    let mut shift = vec![0.0; 8];
    push_along(&mut shift, &gradient, &texts, 2, 1.0, 1.0);
    let wanted = [0.6, 0.8, 3.0 / 13.0, 4.0 / 13.0, 0.0, 12.0 / 13.0, 0.0, 0.0];
    assert!(shift.iter().zip(wanted).all(|(a, b)| (a - b as f32).abs() < 1e-6), "{shift:?}");
    // Against the first step: (0.6, 0.8) + 2 (-1, 0) is as long as 1.612, and brought back to 1.
    push_along(&mut shift, &[-9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], &texts, 2, 2.0, 1.0);
    let length = (1.4f32 * 1.4 + 0.8 * 0.8).sqrt();
    assert!((shift[0] + 1.4 / length).abs() < 1e-6 && (shift[1] - 0.8 / length).abs() < 1e-6, "{shift:?}");
    assert!((shift[5] - 12.0 / 13.0).abs() < 1e-6, "no gradient, no step");
    assert_eq!(shift[6..], [0.0, 1.0], "a step of 2 ends at the edge");
}

/// Values of torch's `kl_div` in both directions, halved.
#[test]
fn divergences_are_those_of_torch() {
    let tensor = |values: [f32; 9]| Var::from_slice(&values, (3, 3), &Device::Cpu).unwrap();
    let first = tensor([1.0, 2.0, 3.0, 0.5, -0.5, 0.0, 2.0, 2.0, -1.0]);
    let second = tensor([0.0, 1.0, 0.5, 1.0, -1.0, 0.25, -2.0, 0.0, 1.0]);
    let apart = loss::symmetric_divergence(&first, &second, &[1.0, 2.0, 0.0], 4.0).unwrap();
    assert!((apart.to_scalar::<f32>().unwrap() - 0.093_505_87).abs() < 1e-6);
    let grads = apart.backward().unwrap();
    for (var, wanted) in [
        (&first, [-0.0232664, -0.0632446, 0.086511, -0.062198, 0.0598605, 0.0023375, 0.0, 0.0, 0.0]),
        (&second, [0.0227687, 0.0618919, -0.0846606, 0.0533935, -0.0432636, -0.01013, 0.0, 0.0, 0.0]),
    ] {
        let found = grads.get(var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b as f32).abs() < 1e-6), "{found:?}");
    }
    let same = loss::symmetric_divergence(&first, &first, &[1.0; 3], 3.0).unwrap();
    assert_eq!(same.to_scalar::<f32>().unwrap(), 0.0);
    assert!(loss::symmetric_divergence(&first, &second, &[1.0; 2], 1.0).is_err());
    assert!(loss::symmetric_divergence(&first, &second, &[1.0; 3], 0.0).is_err());
}

fn base() -> TrainConfig {
    TrainConfig { epochs: 1, dropout: 0.0, batch_examples: 16, ..quick() }
}

#[test]
fn attacks_add_to_the_gradient_whatever_learns() {
    for tuned in [Tuned::Full, Tuned::Lora, Tuned::Head] {
        let config = TrainConfig { tuned, ..base() };
        let plain = run(&toys(), &config);
        let norm = |adversarial, adversarial_size| {
            let told = run(&toys(), &TrainConfig { adversarial, adversarial_size, ..config.clone() });
            assert_eq!(told.steps[0].loss, plain.steps[0].loss, "the loss told is the plain one");
            (told.steps[0].grad_norm, weights(&told.files.unwrap()))
        };
        let (small, _) = norm(Adversarial::Fgm, 1e-6);
        // Hardly moved, the second gradient is the first one again.
        assert!((small / plain.steps[0].grad_norm - 2.0).abs() < 1e-3, "{tuned:?}: {small} and {}", plain.steps[0].grad_norm);
        let (large, moved) = norm(Adversarial::Fgm, 0.5);
        assert!((large / small - 1.0).abs() > 1e-3, "{tuned:?}: {large} and {small}");
        let (several, other) = norm(Adversarial::Pgd, 0.5);
        assert!(several != large && moved != other, "{tuned:?}");
    }
}

#[test]
fn two_passes_of_r_drop() {
    let told = |r_drop, dropout| run(&toys(), &TrainConfig { r_drop, dropout, ..base() });
    // Without dropout both passes say the same.
    let (once, twice) = (told(0.0, 0.0), told(3.0, 0.0));
    assert!((once.steps[0].loss - twice.steps[0].loss).abs() < 1e-6);
    assert!((once.steps[0].grad_norm - twice.steps[0].grad_norm).abs() < 1e-4 * once.steps[0].grad_norm);
    // With it, what they are apart by counts as often as it is wanted to.
    let losses: Vec<f64> = [1.0, 50.0, 99.0].map(|r_drop| told(r_drop, 0.3).steps[0].loss).to_vec();
    let (first, second) = (losses[1] - losses[0], losses[2] - losses[1]);
    assert!(first > 1e-4 && (first - second).abs() < 1e-2 * first, "{losses:?}");
    assert!(weights(&told(1.0, 0.3).files.unwrap()) == weights(&told(1.0, 0.3).files.unwrap()), "repeatable");
}
