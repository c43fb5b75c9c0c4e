//! A curve of bounded size: when full, neighbours are averaged and the stride doubles.

/// Points `[x, y]` of a series of any length, at most [`Curve::CAP`] of them.
#[derive(Clone, Debug)]
pub struct Curve {
    points: Vec<[f64; 2]>,
    stride: usize,
    pending: Vec<[f64; 2]>,
}

impl Default for Curve {
    fn default() -> Self {
        Self { points: Vec::new(), stride: 1, pending: Vec::new() }
    }
}

impl Curve {
    pub const CAP: usize = 2048;

    /// Adds a point; one that is not finite is left out.
    pub fn push(&mut self, x: f64, y: f64) {
        if !x.is_finite() || !y.is_finite() {
            return;
        }
        self.pending.push([x, y]);
        if self.pending.len() < self.stride {
            return;
        }
        let mean = self.pending.iter().map(|p| p[1]).sum::<f64>() / self.pending.len() as f64;
        self.points.push([x, mean]);
        self.pending.clear();
        if self.points.len() == Self::CAP {
            self.points = self.points.chunks_exact(2).map(|p| [p[1][0], f64::midpoint(p[0][1], p[1][1])]).collect();
            self.stride *= 2;
        }
    }

    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }

    /// Exponential moving average with bias correction (as Adam's; Kingma and Ba 2015, section 3).
    pub fn smoothed(&self, keep: f64) -> Vec<[f64; 2]> {
        let (mut mean, mut weight) = (0.0, 1.0);
        let smooth = |[x, y]: &[f64; 2]| {
            mean = keep * mean + (1.0 - keep) * y;
            weight *= keep;
            [*x, mean / (1.0 - weight)]
        };
        self.points.iter().map(smooth).collect()
    }
}
