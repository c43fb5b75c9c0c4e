//! The kinds of questions: one class, several labels, a number on a scale, free text; and which answers fit them.
//! Values and rules only; how a question is drawn or stored is not known here.

use super::{Answer, Question};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a question wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exactly one of its classes.
    #[default]
    One,
    /// Any of its classes, at least one.
    Several,
    /// A number within a range.
    Number(Scale),
    /// Anything that is not empty.
    Text,
}

impl Kind {
    /// Whether the answers are among classes.
    pub fn has_classes(self) -> bool {
        matches!(self, Self::One | Self::Several)
    }

    pub(super) fn is_one(&self) -> bool {
        *self == Self::One
    }
}

/// A decimal number with three places, so that steps of 0.1 meet exactly and answers can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub struct Number(i32);

impl Number {
    const PARTS: f64 = 1000.0;

    /// Rounded to three places; `None` for what is no number or larger than two million.
    pub fn new(value: f64) -> Option<Self> {
        let parts = (value * Self::PARTS).round();
        (parts.abs() <= 2e9).then_some(Self(parts as i32))
    }

    /// As written by people: a comma or a point before the fraction, full-width digits and signs too.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| match c {
            '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
            ',' | '，' | '．' | '。' => '.',
            '－' | '−' => '-',
            '＋' => '+',
            c => c,
        };
        text.trim().chars().map(plain).collect::<String>().parse().ok().and_then(Self::new)
    }

    pub fn value(self) -> f64 {
        f64::from(self.0) / Self::PARTS
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.value()
    }
}

impl TryFrom<f64> for Number {
    type Error = &'static str;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or("the number is too large")
    }
}

/// A range of numbers and the distance between those offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scale {
    pub min: Number,
    pub max: Number,
    pub step: Number,
}

impl Scale {
    /// `None` unless `min < max` and the step is positive and no longer than the range.
    pub fn new(min: Number, max: Number, step: Number) -> Option<Self> {
        let length = i64::from(max.0) - i64::from(min.0);
        (length > 0 && step.0 > 0 && i64::from(step.0) <= length).then_some(Self { min, max, step })
    }

    pub fn contains(self, number: Number) -> bool {
        (self.min..=self.max).contains(&number)
    }

    /// The number offered that lies nearest.
    pub fn nearest(self, number: Number) -> Number {
        let (min, step) = (i64::from(self.min.0), i64::from(self.step.0));
        let from_min = i64::from(number.clamp(self.min, self.max).0) - min;
        let steps = (from_min + step / 2) / step;
        Number((min + steps * step).min(i64::from(self.max.0)) as i32)
    }

    /// `by` steps on from a number, held within the range; from nothing, the first step is the middle.
    pub fn stepped(self, from: Option<Number>, by: i32) -> Number {
        let Some(from) = from else { return self.middle() };
        let far = i64::from(from.0) + i64::from(by) * i64::from(self.step.0);
        let far = far.clamp(i64::from(self.min.0), i64::from(self.max.0));
        self.nearest(Number(far as i32))
    }

    fn middle(self) -> Number {
        self.nearest(Number(((i64::from(self.min.0) + i64::from(self.max.0)) / 2) as i32))
    }

    /// How many numbers are offered.
    pub fn count(self) -> usize {
        ((i64::from(self.max.0) - i64::from(self.min.0)) / i64::from(self.step.0)) as usize + 1
    }

    /// The number that the digit 1 to 9 stands for: the first, second, … of a short scale; on one with more than nine
    /// steps the digits are spread evenly from end to end.
    pub fn of_digit(self, digit: u8) -> Option<Number> {
        let place = i64::from(digit.checked_sub(1)?);
        if self.count() <= 9 {
            let number = i64::from(self.min.0) + place * i64::from(self.step.0);
            return (number <= i64::from(self.max.0)).then_some(Number(number as i32));
        }
        let far = i64::from(self.min.0) + place * (i64::from(self.max.0) - i64::from(self.min.0)) / 8;
        (place <= 8).then(|| self.nearest(Number(far as i32)))
    }
}

impl Default for Scale {
    /// Intensity: from -1 to 1 in tenths.
    fn default() -> Self {
        Self { min: Number(-1000), max: Number(1000), step: Number(100) }
    }
}

impl Question {
    /// Place of the class called `name`.
    pub fn class(&self, name: &str) -> Option<u16> {
        self.classes.iter().position(|class| class.name == name).map(|at| at as u16)
    }

    /// Whether an answer is of this question's kind and within its classes or range.
    pub fn takes(&self, answer: &Answer) -> bool {
        let known = |class: &u16| usize::from(*class) < self.classes.len();
        match (self.kind, answer) {
            (Kind::One, Answer::Class(class)) => known(class),
            (Kind::Several, Answer::Classes(classes)) => !classes.is_empty() && classes.iter().all(known),
            (Kind::Number(scale), Answer::Number(number)) => scale.contains(*number),
            (Kind::Text, Answer::Text(text)) => !text.trim().is_empty(),
            _ => false,
        }
    }

    /// An answer as a person reads it: names of classes, a number, the text.
    pub fn words(&self, answer: &Answer) -> String {
        let name = |class: &u16| self.classes.get(usize::from(*class)).map_or("?", |class| class.name.as_str());
        match answer {
            Answer::Class(class) => name(class).to_owned(),
            Answer::Classes(classes) => classes.iter().map(name).collect::<Vec<_>>().join(", "),
            Answer::Number(number) => number.to_string(),
            Answer::Text(text) => text.clone(),
        }
    }
}
