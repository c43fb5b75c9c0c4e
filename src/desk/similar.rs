//! Terms that may mean the same, by the newest run's model: computed on the thread `gloss-similar` when it is asked for.

use super::Desk;
use super::job::{Job, Reporter};
use crate::nn::ModelFiles;
use crate::predict::{Predictor, mean, similar};
use crate::project::{TextRange, term_of};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Terms that are compared: the most frequent ones. The work grows with the cube.
const TERMS: usize = 150;
/// So many places of a term tell what it means.
const PLACES: usize = 6;
/// Terms at least so alike are offered as one, on the scale of cosines of centred vectors.
const ALIKE: f32 = 0.6;

/// A text and the places in it that matter.
type Task = (Arc<str>, Vec<(usize, TextRange)>);

enum News {
    Found(Vec<Vec<String>>),
    Failed(String),
}

/// What was found, and the search under way.
#[derive(Default)]
pub struct SimilarTerms {
    job: Option<Job<News>>,
    /// Groups nobody has decided about yet.
    pub found: Option<Vec<Vec<String>>>,
    pub error: Option<String>,
}

impl SimilarTerms {
    pub fn is_working(&self) -> bool {
        self.job.is_some()
    }

    pub(super) fn poll(&mut self) {
        let Some(job) = &self.job else { return };
        // Before the news is read: what a thread that has ended told is all there then.
        let over = job.is_finished();
        let news = job.drain();
        for news in news {
            match news {
                News::Found(groups) => (self.found, self.error) = (Some(groups), None),
                News::Failed(reason) => self.error = Some(reason),
            }
        }
        if over {
            self.job = None;
        }
    }

    /// Puts a group that was decided about away.
    pub(super) fn dismiss(&mut self, group: &[String]) {
        if let Some(found) = &mut self.found {
            found.retain(|other| other != group);
        }
    }
}

impl Desk {
    /// Compares these terms, wherever they are marked.
    pub(super) fn find_similar(&mut self, terms: Vec<String>) {
        let newest = self.runs().iter().rev().find(|run| run.report.is_some()).map(|run| run.id.clone());
        let (Some(source), Some(project)) = (newest.as_ref().and_then(|run| self.model_source(run)), self.project()) else {
            self.similar.error = Some("train a model first: its encoder tells which terms are alike".to_owned());
            return;
        };
        let terms: Vec<String> = terms.into_iter().take(TERMS).collect();
        let places: BTreeMap<&str, usize> = terms.iter().enumerate().map(|(at, term)| (term.as_str(), at)).collect();
        let mut seen = vec![0; terms.len()];
        let mut tasks: Vec<Task> = Vec::new();
        for doc in project.documents() {
            let mut wanted = Vec::new();
            for span in doc.annotation.spans.values() {
                let Some(at) = places.get(term_of(span.range.of(&doc.text)).as_str()) else { continue };
                if seen[*at] < PLACES {
                    seen[*at] += 1;
                    wanted.push((*at, span.range));
                }
            }
            if !wanted.is_empty() {
                tasks.push((doc.text.clone(), wanted));
            }
        }
        let work = move |reporter: &Reporter<News>| {
            let files = source().map_err(|error| error.to_string());
            match files.and_then(|files| groups(&files, &terms, &tasks, reporter)) {
                Ok(found) => reporter.tell(News::Found(found)),
                Err(reason) => reporter.tell(News::Failed(reason)),
            }
        };
        match Job::start("gloss-similar", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => self.similar = SimilarTerms { job: Some(job), ..SimilarTerms::default() },
            Err(error) => self.similar.error = Some(error.to_string()),
        }
    }
}

fn groups(files: &ModelFiles, terms: &[String], tasks: &[Task], reporter: &Reporter<News>) -> Result<Vec<Vec<String>>, String> {
    let predictor = Predictor::new(files).map_err(|error| error.to_string())?;
    let mut vectors: Vec<Vec<Vec<f32>>> = vec![Vec::new(); terms.len()];
    for (text, places) in tasks {
        if reporter.stopped() {
            return Ok(Vec::new());
        }
        let ranges: Vec<TextRange> = places.iter().map(|(_, range)| *range).collect();
        let found = predictor.vectors(text, &ranges).map_err(|error| error.to_string())?;
        places.iter().zip(found).for_each(|((term, _), vector)| vectors[*term].push(vector));
    }
    let means: Vec<Vec<f32>> = vectors.iter().map(|list| mean(list.iter().map(Vec::as_slice))).collect();
    Ok(similar(&means, ALIKE).into_iter().map(|group| group.into_iter().map(|at| terms[at].clone()).collect()).collect())
}
