//! `gloss predict`: a text a line in, a JSON object a line out, in memory that does not grow with the input.

use super::{CliError, PredictArgs, existing};
use crate::nn::{ModelFiles, QuestionAnswer, QuestionForm, QuestionKind};
use crate::predict::{Asked, PredictError, PredictedSpan, PredictedTriplet, Prediction, Predictor, Reason, Turn, most_likely};
use crate::project::TextRange;
use crate::store::{RunStatus, Runs, StoreError, model_folder};
use crate::text::tag_names;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::time::Instant;

/// Texts scored together.
const BATCH_LINES: usize = 256;

pub(super) fn run(args: &PredictArgs) -> Result<(), CliError> {
    let start = Instant::now();
    let opened = Predictor::on(&model(args)?, args.device, args.precision);
    let (predictor, note) = opened.map_err(|error| CliError::Failed(error.to_string()))?;
    if let Some(note) = note {
        eprintln!("gloss: {note}");
    }
    if predictor.stored().is_some_and(|stored| !stored.is_native()) {
        eprintln!("this processor has no instruction for {}: float32 is faster here", args.precision.name());
    }
    let loaded = start.elapsed().as_secs_f64();
    let input = BufReader::with_capacity(1 << 20, std::io::stdin().lock());
    let start = Instant::now();
    let answering = Answering { predictor: &predictor, why: args.why, tags: args.tags, by_turns: args.conversation };
    let count = score_lines(&answering, input, BufWriter::new(std::io::stdout().lock()))?;
    if args.time {
        let seconds = start.elapsed().as_secs_f64();
        let rate = count as f64 / seconds.max(1e-9);
        eprintln!("{count} texts in {seconds:.2} s, {rate:.1} a second; the model was read in {loaded:.2} s");
    }
    Ok(())
}

fn model(args: &PredictArgs) -> Result<ModelFiles, CliError> {
    let path = existing(&args.model)?;
    if path.is_dir() {
        if args.run.is_some() {
            return Err(CliError::Usage(format!("--run names a run of a project, but {} is a model folder", path.display())));
        }
        return Ok(model_folder::read(&path)?);
    }
    let runs = Runs::of(&path);
    let newest = || runs.list().into_iter().rev().find(|run| run.status == RunStatus::Finished).map(|run| run.id);
    let run = args.run.clone().or_else(newest).ok_or_else(|| {
        let what = "no run has finished yet".to_owned();
        StoreError::Run { what, path: path.clone() }
    })?;
    Ok(runs.model(&run)?)
}

/// Answers every line in order, and says how many there were. A batch ends when it is full or when reading on would have
/// to wait.
fn score_lines<R: std::io::Read>(answering: &Answering<'_>, mut input: BufReader<R>, mut output: impl Write) -> Result<usize, CliError> {
    let mut count = 0;
    let mut texts: Vec<String> = Vec::with_capacity(BATCH_LINES);
    // The turns that were answered already, as far as the model reads them.
    let mut turns: Vec<String> = Vec::new();
    for number in 1usize.. {
        let mut line = Vec::new();
        let at_end = input.read_until(b'\n', &mut line)? == 0;
        if !at_end {
            let text = String::from_utf8(line).map_err(|_| CliError::Failed(format!("line {number} of standard input is not UTF-8")));
            match text {
                Ok(text) => {
                    texts.push(text.trim_end_matches(['\n', '\r']).to_owned());
                    count += 1;
                }
                Err(error) => {
                    answer(answering, &mut turns, &mut texts, &mut output)?;
                    return Err(error);
                }
            }
        }
        if at_end || texts.len() == BATCH_LINES || !input.buffer().contains(&b'\n') {
            answer(answering, &mut turns, &mut texts, &mut output)?;
        }
        if at_end {
            break;
        }
    }
    Ok(count)
}

/// Who answers, whether with reasons and tags, and whether each line is a turn of a conversation.
struct Answering<'a> {
    predictor: &'a Predictor,
    why: bool,
    tags: bool,
    by_turns: bool,
}

fn answer(
    Answering { predictor, why, tags, by_turns }: &Answering<'_>,
    turns: &mut Vec<String>,
    texts: &mut Vec<String>,
    output: &mut impl Write,
) -> Result<(), CliError> {
    let earlier = turns.len();
    if *by_turns {
        turns.append(&mut texts.clone());
    }
    // Of each line those of its conversation before it.
    let before = |at: usize| {
        let before = if *by_turns { &turns[..earlier + at] } else { &[] };
        let begin = before.iter().rposition(|turn| turn.trim().is_empty()).map_or(0, |at| at + 1);
        &before[begin..]
    };
    // An empty line asks nothing, but has its line in the answer.
    let lines = || texts.iter().enumerate().map(|(at, text)| Turn { text, before: before(at) });
    let asked: Vec<Turn> = lines().filter(|turn| !turn.text.trim().is_empty()).collect();
    let mut answered = predictor.predict_turns(&asked).map_err(|error| CliError::Failed(error.to_string()))?.into_iter();
    for turn in lines() {
        let text = turn.text;
        let prediction = if text.trim().is_empty() { Prediction::default() } else { answered.next().unwrap_or_default() };
        let failed = |error: PredictError| CliError::Failed(error.to_string());
        let reasons = if *why { Some(Reasons::of(predictor, turn, &prediction).map_err(failed)?) } else { None };
        let line = Line { predictor, text, prediction: &prediction, reasons: reasons.as_ref(), tags: *tags };
        serde_json::to_writer(&mut *output, &line).map_err(std::io::Error::from)?;
        output.write_all(b"\n")?;
    }
    texts.clear();
    turns.drain(..turns.len().saturating_sub(predictor.turns_before()));
    Ok(output.flush()?)
}

/// One line of the answer.
struct Line<'a> {
    predictor: &'a Predictor,
    text: &'a str,
    prediction: &'a Prediction,
    reasons: Option<&'a Reasons>,
    /// Whether tags are said.
    tags: bool,
}

/// What each word does for the class, each span, its polarity and each triplet.
#[derive(Default)]
struct Reasons {
    class: Vec<Reason>,
    spans: Vec<Vec<Reason>>,
    polarities: Vec<Vec<Reason>>,
    triplets: Vec<Vec<Reason>>,
}

impl Reasons {
    fn of(predictor: &Predictor, turn: Turn, prediction: &Prediction) -> Result<Self, PredictError> {
        let why = |asked| predictor.why_turn(turn, prediction, asked);
        Ok(Self {
            class: prediction.best_class().map_or(Ok(Vec::new()), |(class, _)| why(Asked::Class(class)))?,
            spans: (0..prediction.spans.len()).map(|at| why(Asked::Span(at))).collect::<Result<_, _>>()?,
            polarities: (0..prediction.spans.len()).map(|at| why(Asked::Polarity(at))).collect::<Result<_, _>>()?,
            triplets: (0..prediction.triplets.len()).map(|at| why(Asked::Link(at))).collect::<Result<_, _>>()?,
        })
    }
}

/// A word with what it does for an answer, in logits.
#[derive(Serialize)]
struct LineReason<'a> {
    #[serde(flatten)]
    place: LinePlace<'a>,
    weight: f32,
}

/// `None` where nobody asked, or nothing can be said.
fn line_reasons<'a>(text: &'a str, reasons: Option<&Vec<Reason>>) -> Option<Vec<LineReason<'a>>> {
    let line = |reason: &Reason| LineReason { place: LinePlace::of(text, reason.range), weight: reason.weight };
    reasons.filter(|reasons| !reasons.is_empty()).map(|reasons| reasons.iter().map(line).collect())
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { predictor, text, prediction, reasons, tags } = self;
        let class = prediction.best_class().and_then(|(class, _)| predictor.classes().get(usize::from(class)));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("class", &class)?;
        map.serialize_entry("probabilities", &Named(predictor.classes(), &prediction.probabilities))?;
        if let Some(why) = line_reasons(text, reasons.map(|reasons| &reasons.class)) {
            map.serialize_entry("why", &why)?;
        }
        if !prediction.questions.is_empty() {
            let answers = predictor.questions().iter().zip(&prediction.questions);
            let answers: BTreeMap<&str, LineAnswer<'_>> =
                answers.map(|(form, answer)| (form.name.as_str(), LineAnswer::of(form, answer))).collect();
            map.serialize_entry("questions", &answers)?;
        }
        let span = |at: usize| LineSpan {
            why: line_reasons(text, reasons.and_then(|reasons| reasons.spans.get(at))),
            polarity_why: line_reasons(text, reasons.and_then(|reasons| reasons.polarities.get(at))),
            ..LineSpan::of(predictor, text, &prediction.spans[at])
        };
        let spans: Vec<LineSpan<'_>> = (0..prediction.spans.len()).map(span).collect();
        map.serialize_entry("spans", &spans)?;
        let triplets = prediction.triplets.iter().enumerate().filter_map(|(at, triplet)| {
            let why = line_reasons(text, reasons.and_then(|reasons| reasons.triplets.get(at)));
            Some(LineTriplet { why, ..LineTriplet::of(predictor, text, prediction, triplet)? })
        });
        map.serialize_entry("triplets", &triplets.collect::<Vec<_>>())?;
        if *tags {
            let names = tag_names(predictor.span_labels());
            let tags = prediction.units.iter().map(|unit| LineTag {
                place: LinePlace::of(text, unit.range),
                tag: names.get(usize::from(unit.tag)).map_or("O", String::as_str),
                probabilities: Named(&names, &unit.probabilities),
            });
            map.serialize_entry("tags", &tags.collect::<Vec<_>>())?;
        }
        map.end()
    }
}

/// A character or piece with its tag.
#[derive(Serialize)]
struct LineTag<'a> {
    #[serde(flatten)]
    place: LinePlace<'a>,
    tag: &'a str,
    probabilities: Named<'a>,
}

/// The answer to a question beside the main one: labels with the probability of each, or a number.
#[derive(Serialize)]
#[serde(untagged)]
enum LineAnswer<'a> {
    Labels { labels: Vec<&'a str>, probabilities: Named<'a> },
    Number { number: Option<f64> },
}

impl<'a> LineAnswer<'a> {
    fn of(form: &'a QuestionForm, answer: &'a QuestionAnswer) -> Self {
        match &form.kind {
            QuestionKind::Labels { labels, .. } => Self::Labels {
                labels: answer.labels.iter().filter_map(|at| labels.get(usize::from(*at)).map(String::as_str)).collect(),
                probabilities: Named(labels, &answer.probabilities),
            },
            QuestionKind::Number { .. } | QuestionKind::Ordinal { .. } => Self::Number { number: answer.number },
        }
    }
}

/// A span with its place in code points.
#[derive(Serialize)]
struct LineSpan<'a> {
    start: usize,
    end: usize,
    text: &'a str,
    label: &'a str,
    probability: f32,
    /// The most probable one; left out where the model learnt none.
    #[serde(skip_serializing_if = "Option::is_none")]
    polarity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    polarity_probability: Option<f32>,
    /// Left out where the model learnt none of its label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, LineValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Vec<LineReason<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    polarity_why: Option<Vec<LineReason<'a>>>,
}

impl<'a> LineSpan<'a> {
    fn of(predictor: &'a Predictor, text: &'a str, span: &'a PredictedSpan) -> Self {
        let std::ops::Range { start, end } = span.range.chars(text);
        let label = predictor.span_labels().get(usize::from(span.label)).map_or("", String::as_str);
        let polarity = span.polarity.map(most_likely);
        Self {
            start,
            end,
            text: span.range.of(text),
            label,
            probability: span.probability,
            polarity: polarity.map(|(polarity, _)| polarity.name()),
            polarity_probability: polarity.map(|(_, probability)| probability),
            attributes: line_attributes(predictor, span).collect(),
            why: None,
            polarity_why: None,
        }
    }
}

/// The most probable value of an attribute.
#[derive(Serialize)]
struct LineValue<'a> {
    value: &'a str,
    probability: f32,
}

fn line_attributes<'a>(predictor: &'a Predictor, span: &'a PredictedSpan) -> impl Iterator<Item = (&'a str, LineValue<'a>)> {
    span.attributes.iter().filter_map(|said| {
        let attribute = predictor.attributes().get(usize::from(said.attribute))?;
        let (value, probability) = said.best();
        Some((attribute.name.as_str(), LineValue { value: attribute.values.get(usize::from(value))?, probability }))
    })
}

/// A place in code points, with its words.
#[derive(Serialize)]
struct LinePlace<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

impl<'a> LinePlace<'a> {
    fn of(text: &'a str, range: TextRange) -> Self {
        let std::ops::Range { start, end } = range.chars(text);
        Self { start, end, text: range.of(text) }
    }
}

/// What is said about what.
#[derive(Serialize)]
struct LineTriplet<'a> {
    /// `null` where the opinion is about nothing that has words.
    aspect: Option<LinePlace<'a>>,
    opinion: LinePlace<'a>,
    /// `null` where the model learnt no polarity.
    polarity: Option<&'static str>,
    /// Those of the aspect; of the opinion where it stands alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, &'a str>,
    probability: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Vec<LineReason<'a>>>,
}

impl<'a> LineTriplet<'a> {
    fn of(predictor: &'a Predictor, text: &'a str, prediction: &'a Prediction, triplet: &PredictedTriplet) -> Option<Self> {
        let place = |span: usize| Some(LinePlace::of(text, prediction.spans.get(span)?.range));
        let bearer = prediction.spans.get(triplet.aspect.unwrap_or(triplet.opinion))?;
        Some(Self {
            aspect: match triplet.aspect {
                Some(aspect) => Some(place(aspect)?),
                None => None,
            },
            opinion: place(triplet.opinion)?,
            polarity: triplet.polarity.map(|shares| most_likely(shares).0.name()),
            attributes: line_attributes(predictor, bearer).map(|(name, said)| (name, said.value)).collect(),
            probability: triplet.probability,
            why: None,
        })
    }
}

/// Probabilities under their names, in the order of the classes.
struct Named<'a>(&'a [String], &'a [f32]);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1))
    }
}
