//! Agreement on classes: pure numbers from ratings. Each is `None` where it is not defined, as when nothing was rated
//! twice or only one class was ever given.

/// What several raters said of one thing, by rater; `None` where one did not say.
pub type Ratings = Vec<Option<u16>>;

/// The share of pairs of ratings of the same thing that are equal.
pub fn raw_agreement(units: &[Ratings]) -> Option<f64> {
    let (mut equal, mut pairs) = (0usize, 0usize);
    for unit in units {
        let given: Vec<u16> = unit.iter().flatten().copied().collect();
        for (at, one) in given.iter().enumerate() {
            equal += given[at + 1..].iter().filter(|other| *other == one).count();
            pairs += given.len() - at - 1;
        }
    }
    (pairs > 0).then(|| equal as f64 / pairs as f64)
}

/// Cohen's kappa of two raters (Cohen 1960, "A coefficient of agreement for nominal scales"), over what both rated.
pub fn cohen_kappa(pairs: &[(u16, u16)]) -> Option<f64> {
    let classes = usize::from(pairs.iter().map(|(a, b)| *a.max(b)).max()?) + 1;
    let (mut first, mut second) = (vec![0.0; classes], vec![0.0; classes]);
    for (a, b) in pairs {
        first[usize::from(*a)] += 1.0;
        second[usize::from(*b)] += 1.0;
    }
    let n = pairs.len() as f64;
    let observed = pairs.iter().filter(|(a, b)| a == b).count() as f64 / n;
    let expected = first.iter().zip(&second).map(|(a, b)| a * b).sum::<f64>() / (n * n);
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

/// Fleiss' kappa (Fleiss 1971, "Measuring nominal scale agreement among many raters"). `counts[i][c]` raters gave thing
/// `i` the class `c`; every thing must have the same number of ratings, two or more.
pub fn fleiss_kappa(counts: &[Vec<usize>]) -> Option<f64> {
    let raters: usize = counts.first()?.iter().sum();
    if raters < 2 || counts.iter().any(|row| row.iter().sum::<usize>() != raters) {
        return None;
    }
    let (things, n) = (counts.len() as f64, raters as f64);
    let of_thing = |row: &Vec<usize>| (row.iter().map(|count| (count * count) as f64).sum::<f64>() - n) / (n * (n - 1.0));
    let observed = counts.iter().map(of_thing).sum::<f64>() / things;
    let classes = counts.iter().map(Vec::len).max()?;
    let share = |class: usize| counts.iter().filter_map(|row| row.get(class)).sum::<usize>() as f64 / (things * n);
    let expected = (0..classes).map(|class| share(class).powi(2)).sum::<f64>();
    (expected < 1.0 - 1e-12).then(|| (observed - expected) / (1.0 - expected))
}

/// Krippendorff's alpha for nominal data with missing values (Krippendorff 2011, "Computing Krippendorff's
/// Alpha-Reliability", section C), by way of the matrix of coincidences.
pub fn krippendorff_alpha(units: &[Ratings]) -> Option<f64> {
    let classes = usize::from(units.iter().flatten().flatten().copied().max()?) + 1;
    let mut of_class = vec![0.0; classes];
    let mut differing = 0.0;
    for unit in units {
        let mut counts = vec![0usize; classes];
        unit.iter().flatten().for_each(|class| counts[usize::from(*class)] += 1);
        let given: usize = counts.iter().sum();
        if given < 2 {
            continue; // pairs with nothing
        }
        let equal: usize = counts.iter().map(|count| count * count.saturating_sub(1)).sum();
        differing += (given * (given - 1) - equal) as f64 / (given - 1) as f64;
        of_class.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += *count as f64);
    }
    let n: f64 = of_class.iter().sum();
    let expected = n * n - of_class.iter().map(|count| count * count).sum::<f64>();
    (expected > 0.0).then(|| 1.0 - (n - 1.0) * differing / expected)
}
