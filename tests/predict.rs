//! A predictor from a run's files: equal to the run's own scoring, in any company, on any text.

use crate::train::{quick, run, toys};
use gloss::nn::{ModelFiles, Weights};
use gloss::predict::{Asked, PredictError, Prediction, Predictor, mean, similar};
use gloss::project::TextRange;
use gloss::train::{Report, TrainConfig};
use std::sync::OnceLock;

fn trained() -> &'static (ModelFiles, Report, Predictor) {
    static TRAINED: OnceLock<(ModelFiles, Report, Predictor)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let told = run(&toys(), &TrainConfig { epochs: 12, ..quick() });
        let files = told.files.unwrap();
        let predictor = Predictor::new(&files).unwrap();
        (files, told.report.unwrap(), predictor)
    })
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

#[test]
fn it_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&trained().2);
}

#[test]
fn it_answers_as_the_run_did() {
    let (_, report, predictor) = trained();
    assert_eq!(predictor.classes(), ["negative", "positive"]);
    assert_eq!(predictor.span_labels(), ["aspect", "opinion"]);
    assert!(report.held_out.iter().any(|doc| !doc.spans.is_empty()), "nothing to compare");
    let data = toys();
    for doc in &report.held_out {
        let example = data.examples.iter().find(|example| example.doc.0 == doc.doc).unwrap();
        let answer = predictor.predict(&example.text).unwrap();
        assert!(close(&answer.probabilities, &doc.probabilities), "{:?} {:?}", answer.probabilities, doc.probabilities);
        assert_eq!(answer.best_class().map(|(class, _)| class), doc.class);
        let spans: Vec<_> = answer.spans.iter().map(|span| (span.range.start() as u32, span.range.end() as u32, span.label)).collect();
        assert_eq!(spans, doc.spans, "{}", example.text);
    }
}

#[test]
fn many_answers_are_those_of_one_at_a_time() {
    let predictor = &trained().2;
    let long = "房间很干净，the staff was friendly. ".repeat(60);
    let texts = ["前台热情", "", &long, "😀", "the soup was cold", "\u{0}", " \r\n", "消防员👨🏻‍🚒来了", "好"];
    let many = predictor.predict_many(&texts).unwrap();
    assert_eq!(many.len(), texts.len());
    for (text, together) in texts.iter().zip(&many) {
        let alone = predictor.predict(text).unwrap();
        assert!(close(&alone.probabilities, &together.probabilities), "{text:?}");
        assert_eq!(alone.units.len(), together.units.len());
        assert_eq!(alone.cut_at, together.cut_at);
        for (one, other) in alone.units.iter().zip(&together.units) {
            assert!(one.range == other.range && close(&one.probabilities, &other.probabilities), "{text:?}");
        }
    }
    assert!(predictor.predict_many(&[]).unwrap().is_empty());
}

#[test]
fn an_answer_is_well_formed() {
    let text = "  [服务] 很热情,the room was very cosy！\r\n早餐不错 👍";
    let Prediction { probabilities, spans, triplets, units, cut_at, questions } = trained().2.predict(text).unwrap();
    assert!(questions.is_empty());
    assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(cut_at, None);
    assert!(triplets.is_empty(), "nobody linked");
    assert!(units.iter().all(|unit| unit.probabilities.len() == 5 && (unit.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-4));
    assert_eq!(units.iter().map(|unit| unit.range.of(text)).collect::<String>(), text.split_whitespace().collect::<String>());
    assert!(spans.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()));
    for span in spans {
        assert!(span.range.fits(text) && span.label < 2 && (0.0..=1.0).contains(&span.probability));
        let inside: Vec<_> = units.iter().filter(|unit| span.range.overlaps(unit.range)).collect();
        assert_eq!(inside[0].tag, 1 + 2 * span.label);
        let least = inside.iter().map(|unit| unit.probabilities[usize::from(unit.tag)]).fold(1.0, f32::min);
        assert_eq!(span.probability, least);
    }
}

#[test]
fn a_text_beyond_the_limit_is_read_up_to_it() {
    let predictor = &trained().2;
    assert_eq!(predictor.max_length(), 256);
    let text = "房间很干净。".repeat(100_000);
    let answer = predictor.predict(&text).unwrap();
    let cut = answer.cut_at.unwrap();
    assert!(text.is_char_boundary(cut) && cut < 3000);
    assert!(answer.units.iter().all(|unit| unit.range.end() <= cut));
}

#[test]
fn files_that_are_no_model_of_ours_are_refused() {
    let files = &trained().0;
    let check = |files: ModelFiles, wanted: &str| match Predictor::new(&files) {
        Err(PredictError::Model(why)) => assert!(why.contains(wanted), "{why}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted, {wanted:?} was wanted"),
    };
    check(ModelFiles::shipped(), "an encoder to train from");
    check(ModelFiles { config: "not json".to_owned(), ..files.clone() }, "expected");
    check(ModelFiles { tokenizer: b"{}"[..].into(), ..files.clone() }, "tokenizer");
    check(ModelFiles { weights: ModelFiles::shipped().weights, ..files.clone() }, "fitting");
    check(ModelFiles { config: files.config.replace("\"opinion\"", "\"opinion\",\"other\""), ..files.clone() }, "fitting gloss.tag.output");
    let Weights::Safetensors(bytes) = &files.weights else { panic!("not safetensors") };
    let half = Weights::Safetensors(bytes[..bytes.len() / 2].into());
    check(ModelFiles { weights: half, ..files.clone() }, "damaged");
}

#[test]
fn words_speak_for_an_answer() {
    let predictor = &trained().2;
    let text = "房间很干净，但是 breakfast was terrible 👨🏻‍🚒";
    let before = predictor.predict(text).unwrap();
    let check = |asked: Asked| {
        let reasons = predictor.why(text, &before, asked).unwrap();
        assert!(reasons.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()), "in order, without overlaps");
        assert!(reasons.iter().all(|reason| reason.weight.is_finite()) && reasons.iter().any(|reason| reason.weight != 0.0));
        // Letters of a word stand together.
        assert!(reasons.iter().any(|reason| reason.range.of(text) == "terrible"), "{asked:?}");
        reasons
    };
    let (one, other) = (check(Asked::Class(0)), check(Asked::Class(1)));
    // Of two classes what speaks for the one speaks against the other.
    for (one, other) in one.iter().zip(&other) {
        assert!((one.weight + other.weight).abs() < 1e-3 * (1.0 + one.weight.abs()), "{one:?} {other:?}");
    }
    for at in 0..before.spans.len() {
        check(Asked::Span(at));
    }
    assert!(predictor.why(text, &before, Asked::Span(99)).unwrap().is_empty());
    assert!(predictor.why(text, &before, Asked::Polarity(0)).unwrap().is_empty(), "this model knows no polarity");
    assert!(predictor.why(text, &before, Asked::Link(0)).unwrap().is_empty());
    assert!(predictor.why("", &predictor.predict("").unwrap(), Asked::Class(0)).unwrap().is_empty());
    assert_eq!(predictor.predict(text).unwrap(), before, "asking changes nothing");
}

#[test]
fn pieces_of_a_word_count_together() {
    let predictor = &trained().2;
    let text = "terrible";
    let reasons = predictor.why(text, &predictor.predict(text).unwrap(), Asked::Class(0)).unwrap();
    assert_eq!(reasons.iter().map(|reason| reason.range.of(text)).collect::<Vec<_>>(), ["terrible"]);
}

#[test]
fn terms_used_alike_are_found() {
    let near = |x: f32, y: f32| vec![x, y, 1.0];
    // Two close pairs and one apart; the last has no vector.
    let vectors = [near(5.0, 0.1), near(5.0, -0.1), near(-4.0, 3.0), near(-4.1, 3.1), near(0.0, -6.0), vec![]];
    assert_eq!(similar(&vectors[..5], 0.9), [vec![2, 3], vec![0, 1]]);
    assert!(similar(&vectors, 1.1).is_empty() && similar(&[], 0.5).is_empty());
    assert_eq!(mean([[1.0, 3.0].as_slice(), &[], &[3.0, 5.0]].into_iter()), [2.0, 4.0]);

    let predictor = &trained().2;
    let text = "房间很干净，房间很大";
    let range = |bytes| TextRange::new(text, bytes).unwrap();
    let found = predictor.vectors(text, &[range(0..6), range(18..24)]).unwrap();
    assert!(found.iter().all(|vector| vector.len() > 8) && found[0] != found[1]);
    assert_eq!(predictor.vectors("", &[]).unwrap(), Vec::<Vec<f32>>::new());
}
