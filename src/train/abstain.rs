//! Answering only when sure enough: how many documents are answered then, and how many of these answers are wrong
//! (selective classification: El-Yaniv and Wiener 2010, section 2). Pure numbers.

use super::HeldOut;

/// What comes of answering only from a probability on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Abstention {
    /// The least probability of an answer.
    pub threshold: f32,
    /// Share of the documents that are answered.
    pub coverage: f64,
    /// Share of these answers that is wrong.
    pub risk: f64,
}

/// What comes of it when about these shares of the documents are answered, surest first: as many more as are equally sure.
/// Documents without a class or an answer do not count; empty without any.
pub fn abstentions(held_out: &[HeldOut], coverages: &[f64]) -> Vec<Abstention> {
    let sure = |doc: &HeldOut| {
        let (gold, class) = (doc.gold_class?, doc.class?);
        Some((*doc.probabilities.get(usize::from(class))?, gold == class))
    };
    let mut cases: Vec<(f32, bool)> = held_out.iter().filter_map(sure).collect();
    cases.sort_by(|a, b| b.0.total_cmp(&a.0));
    let of = |coverage: &f64| {
        let wanted = ((coverage * cases.len() as f64).round() as usize).clamp(1, cases.len());
        let threshold = cases[wanted - 1].0;
        let answered = cases.iter().take_while(|(p, _)| *p >= threshold);
        let (count, wrong) = answered.fold((0, 0), |(count, wrong), (_, right)| (count + 1, wrong + usize::from(!right)));
        Abstention { threshold, coverage: count as f64 / cases.len() as f64, risk: f64::from(wrong as u32) / count as f64 }
    };
    if cases.is_empty() { Vec::new() } else { coverages.iter().map(of).collect() }
}
