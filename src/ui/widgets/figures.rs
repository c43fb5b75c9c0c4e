//! Figures as words and places on an axis. Draws nothing.

/// "2026-11-22 02:13 UTC" from milliseconds since 1970 (days to dates after Hinnant, "chrono-compatible date algorithms").
pub fn date_time(ms: i64) -> String {
    let minutes = ms.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    let shifted = days + 719_468; // days since 0000-03-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

/// The point whose x is nearest; points are in order of x.
pub fn nearest(points: &[[f64; 2]], x: f64) -> Option<[f64; 2]> {
    let after = points.partition_point(|point| point[0] < x);
    let around = points.get(after.saturating_sub(1)..(after + 1).min(points.len()))?;
    around.iter().copied().min_by(|a, b| nearer(a, b, x))
}

/// Which of two points is nearer in x.
pub fn nearer(a: &[f64; 2], b: &[f64; 2], x: f64) -> std::cmp::Ordering {
    (a[0] - x).abs().total_cmp(&(b[0] - x).abs())
}

/// A number of an axis without needless places.
pub fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// About `wanted` lines, at steps of 1, 2 or 5 times a power of ten.
pub fn even_steps((low, high): (f64, f64), wanted: f64) -> [f64; 3] {
    let rough = ((high - low) / wanted).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= 0.7 * rough).unwrap_or(10.0);
    // One size: all lines are drawn alike.
    [step; 3]
}
