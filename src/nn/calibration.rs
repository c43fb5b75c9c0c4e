//! Probabilities that mean what they say: a map with two numbers for "is this answer right", and a temperature for a
//! choice among several, which change no answer, only how sure it is said to be; and from where on spans and links are said.

use serde::{Deserialize, Serialize};

/// `σ(slope · logit p + offset)`: Platt scaling (Platt 1999, section 2.2); with offset 0 the slope is the inverse of a
/// temperature (Guo et al. 2017, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    pub slope: f64,
    pub offset: f64,
}

impl Default for Platt {
    fn default() -> Self {
        Self { slope: 1.0, offset: 0.0 }
    }
}

/// How sure a model may say it is of spans, triplets and the polarity of spans. Kept with the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calibration {
    pub spans: Platt,
    pub triplets: Platt,
    /// Temperature.
    pub polarity: f64,
    /// Temperature of attributes of spans.
    pub values: f64,
    /// Temperature of the classes of the text.
    pub class: f64,
    /// Two spans at least this likely to belong together are linked.
    pub link: f32,
    /// Spans at least this likely are said, by the probability that the network gives them.
    pub span: f32,
    /// Opinions that nothing is linked to are said to be about nothing that has words from this probability, as the network
    /// gives it.
    pub alone: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            spans: Platt::default(),
            triplets: Platt::default(),
            polarity: 1.0,
            values: 1.0,
            class: 1.0,
            link: 0.5,
            span: 0.0,
            alone: 0.0,
        }
    }
}

/// What is said to be surer must stay so, even where the cases say nothing of the kind.
const FLATTEST: f64 = 0.05;

/// Fewer cases than this, or fewer than a tenth of them of either outcome, fit nothing.
const FEWEST: usize = 50;

impl Platt {
    /// The probability that was meant by `p`.
    pub fn apply(self, p: f32) -> f32 {
        if self == Self::default() {
            return p;
        }
        sigmoid(self.slope * logit(p) + self.offset) as f32
    }

    /// What `p` is said where this probability is meant: the inverse of [`Platt::apply`].
    pub fn before(self, p: f32) -> f32 {
        if self == Self::default() {
            return p;
        }
        sigmoid((logit(p) - self.offset) / self.slope) as f32
    }

    /// The likeliest map for cases of (probability said, whether it was so), by Newton's method on the two numbers,
    /// with Platt's smoothed targets. No change when there are too few cases to tell.
    pub fn fit(cases: &[(f32, bool)]) -> Self {
        let right = cases.iter().filter(|(_, right)| *right).count();
        let wrong = cases.len() - right;
        if cases.len() < FEWEST || right.min(wrong) * 10 < FEWEST {
            return Self::default();
        }
        let (high, low) = ((right as f64 + 1.0) / (right as f64 + 2.0), 1.0 / (wrong as f64 + 2.0));
        let cases: Vec<(f64, f64)> = cases.iter().map(|(p, right)| (logit(*p), if *right { high } else { low })).collect();
        let mut at = Self::default();
        for _ in 0..50 {
            let (slope, offset) = at.newton_step(&cases);
            at.slope -= slope.clamp(-1.0, 1.0);
            at.offset -= offset.clamp(-2.0, 2.0);
            if slope.abs() + offset.abs() < 1e-9 {
                break;
            }
        }
        if !(at.slope.is_finite() && at.offset.is_finite()) {
            return Self::default();
        }
        if at.slope < FLATTEST {
            at = Self { slope: FLATTEST, offset: 0.0 };
            for _ in 0..50 {
                at.offset -= at.newton_step(&cases).1.clamp(-2.0, 2.0);
            }
        }
        at
    }

    /// What Newton's method takes off slope and offset; off the offset alone where the slope is held.
    fn newton_step(self, cases: &[(f64, f64)]) -> (f64, f64) {
        // Gradient and Hessian; the ridge keeps the Hessian invertible.
        let (mut gs, mut go, mut hss, mut hso, mut hoo) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
        for (x, target) in cases {
            let p = sigmoid(self.slope * x + self.offset);
            let (error, spread) = (p - target, p * (1.0 - p));
            gs += error * x;
            go += error;
            hss += spread * x * x;
            hso += spread * x;
            hoo += spread;
        }
        if self.slope == FLATTEST {
            return (0.0, go / hoo);
        }
        let determinant = hss * hoo - hso * hso;
        ((hoo * gs - hso * go) / determinant, (hss * go - hso * gs) / determinant)
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn logit(p: f32) -> f64 {
    let p = f64::from(p).clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// Shares of a choice at a temperature: each to the power of its inverse, summing to 1 again.
pub fn at_temperature(mut shares: [f32; 3], temperature: f64) -> [f32; 3] {
    set_temperature(&mut shares, temperature);
    shares
}

/// The same of any number of shares, in place.
pub fn set_temperature(shares: &mut [f32], temperature: f64) {
    if temperature == 1.0 {
        return;
    }
    let logs: Vec<f64> = shares.iter().map(|share| f64::from(share.max(1e-12)).ln() / temperature).collect();
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - top).exp()).sum();
    shares.iter_mut().zip(logs).for_each(|(share, log)| *share = ((log - top).exp() / sum) as f32);
}

/// The temperature under which the right choices are likeliest (Guo et al. 2017); 1 for too few cases.
/// Cases are shares with the place of the right one.
pub fn fit_temperature<S: AsRef<[f32]>>(cases: &[(S, usize)]) -> f64 {
    if cases.len() < FEWEST {
        return 1.0;
    }
    let surprise = |log_t: f64| -> f64 {
        let at = |(shares, right): &(S, usize)| {
            let mut cooled = shares.as_ref().to_vec();
            set_temperature(&mut cooled, log_t.exp());
            f64::from(cooled.get(*right).copied().unwrap_or(0.0).max(1e-12)).ln()
        };
        -cases.iter().map(at).sum::<f64>()
    };
    // One minimum between a fifth and five: golden-section search.
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = ((0.2f64).ln(), (5.0f64).ln());
    for _ in 0..40 {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if surprise(left) < surprise(right) { high = right } else { low = left }
    }
    f64::midpoint(low, high).exp()
}
