//! Figures as words and places on an axis.

use gloss::ui::widgets::figures::{date_time, even_steps, nearest, trimmed};

#[test]
fn dates() {
    assert_eq!(date_time(0), "1970-01-01 00:00 UTC");
    assert_eq!(date_time(951_782_399_000), "2000-02-28 23:59 UTC");
    assert_eq!(date_time(951_782_400_000), "2000-02-29 00:00 UTC");
    assert_eq!(date_time(1_795_313_580_000), "2026-11-22 02:13 UTC");
    assert_eq!(date_time(-60_000), "1969-12-31 23:59 UTC");
}

#[test]
fn the_nearest_point_is_read() {
    let points = [[1.0, 10.0], [4.0, 40.0], [9.0, 90.0]];
    let rows = [(-5.0, 10.0), (1.0, 10.0), (2.4, 10.0), (2.6, 40.0), (6.4, 40.0), (6.6, 90.0), (100.0, 90.0)];
    for (x, y) in rows {
        assert_eq!(nearest(&points, x).map(|point| point[1]), Some(y), "at {x}");
    }
    assert_eq!(nearest(&[], 1.0), None);
}

#[test]
fn axes_have_round_steps() {
    for (low, high, step) in [(0.0, 1.0, 0.2), (1.8, 2.7, 0.2), (0.0, 60.0, 10.0), (0.0, 1e-4, 2e-5), (0.0, 730.0, 200.0)] {
        let [found, ..] = even_steps((low, high), 5.0);
        assert!((found / step - 1.0).abs() < 1e-9, "{low} to {high}: {found}");
    }
    assert!(even_steps((2.0, 2.0), 5.0)[0] > 0.0, "a flat curve has steps too");
}

#[test]
fn numbers_have_no_needless_places() {
    for (value, words) in [(0.2, "0.2"), (1.0, "1"), (0.125, "0.125"), (10.0, "10"), (0.0, "0")] {
        assert_eq!(trimmed(value), words);
    }
}
