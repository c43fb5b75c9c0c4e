//! The shell: owns the project, its history, its file and its jobs. Commands go in, read access comes out.
//!
//! Knows no egui. What can take longer than a frame runs on a named thread ([`job`]); its news is taken in by
//! [`Desk::poll`], which the window calls before it draws.

mod accepting;
mod advising;
mod agreeing;
mod base;
mod bulk;
mod command;
mod conversations;
mod curve;
mod dialogs;
mod edits;
mod examining;
mod exporting;
mod fetching;
mod files;
mod hunt;
mod importing;
pub mod job;
mod joining;
mod merging;
mod notice;
mod opening;
mod phrase;
mod pieces;
mod pretraining;
mod queue;
mod run_view;
mod runs;
mod saving;
mod schema;
mod searching;
mod similar;
mod starting;
mod suggesting;
mod teaching;
mod team;
mod tester;
mod training;
mod training_work;
mod trials;

pub use base::{BaseError, base_files, encoder_files};
pub use command::Command;
pub use curve::Curve;
pub use dialogs::{Asked, Choosing, Chosen};
pub use examining::{Examined, Examining, SharePlan};
pub use exporting::{ExportPlan, Exporting, Planned, Writing, WritingStep, Written};
pub use fetching::Fetching;
pub use hunt::{SearchView, TrialState, TrialView};
pub use importing::Importing;
pub use job::Waker;
pub use joining::{JoinData, in_order, join_runs};
pub use merging::Merging;
pub use notice::{Level, Notice};
pub use pretraining::{Pretraining, ReadingPlan};
pub use run_view::{Phase, RunView};
pub use runs::{Compared, Comparing};
pub use similar::SimilarTerms;
pub use starting::{starting_model, training_data};
pub use suggesting::Ghost;
pub use teaching::{ask_models, propose, teach};
pub use tester::{Answered, Tester, Why};
pub use training_work::KeepingPace;
pub use trials::{Search, SearchError, SearchNews, Trial};

pub use crate::store::Charset;
pub use crate::store::export::{ExportFormat, Verified};
pub use crate::store::formats::Loss;
pub use crate::store::formats::{SpanReport, Unit as OffsetUnit};
pub use crate::store::hub::USUAL_ENDPOINT;
pub use crate::store::import::{Column, Format, ImportOptions, ImportReport, Look, Preview, RowIssue, TurnColumns};
pub use crate::store::{Language, Settings, Theme};
pub use crate::store::{RunStatus, RunSummary};
pub use crate::text::{PieceTag, Pieces, piece_tags};
pub use crate::text::{next_character, next_word_end, previous_character, previous_word_start, word_at};

use crate::project::{DocId, EntryKind, Filter, History, Layer, Order, Project, Queue, Schema, Step};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the desk can't know by itself.
pub struct Surroundings {
    /// Called when a job has news.
    pub wake: Waker,
    /// Milliseconds since 1970.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Where the sample project goes when it is first opened.
    pub sample: PathBuf,
    /// Where the settings are kept; `None` keeps them in memory.
    pub config: Option<PathBuf>,
}

/// An open project with everything that belongs to it.
struct OpenProject {
    project: Project,
    history: History,
    path: PathBuf,
    file: saving::FilePlace,
    /// Steps made but not yet in the file: the disk refused them, or a large one is being written.
    unsaved: VecDeque<(EntryKind, Step)>,
    /// The project came whole from another file and is not in its own yet, which is then written anew.
    unsaved_whole: bool,
    /// The look at the pages of a large file that was just opened.
    checking: Option<saving::Checking>,
    runs: Vec<RunSummary>,
}

impl OpenProject {
    fn is_unsaved(&self) -> bool {
        self.unsaved_whole || !self.unsaved.is_empty()
    }
}

/// How many threads the processor runs at once.
pub fn processor_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The shell. One a program.
pub struct Desk {
    surroundings: Surroundings,
    settings: Settings,
    /// Keys that were changed, by the name of their action.
    keys: BTreeMap<String, Vec<String>>,
    open: Option<OpenProject>,
    opening: Option<opening::Opening>,
    current: Option<DocId>,
    /// Whose answers are shown and given.
    layer: Layer,
    /// Place in the queue where the current document was last seen.
    position: usize,
    filter: Filter,
    order: Order,
    queue: Queue,
    queue_key: Option<queue::Key>,
    notices: VecDeque<Notice>,
    /// How many notices there have ever been.
    notified: u64,
    saving_failed: bool,
    saving_error: Option<String>,
    /// When saving was last tried, so that a full disk is not asked at every frame.
    saving_tried_ms: i64,
    searcher: searching::Searcher,
    importing: importing::Importer,
    exporting: exporting::Exporter,
    examining: examining::Examiner,
    fetcher: fetching::Fetcher,
    merging: merging::Merger,
    training: training::Trainer,
    shelf: runs::RunShelf,
    tester: Tester,
    similar: SimilarTerms,
    agreeing: agreeing::Agreeing,
    adviser: advising::Adviser,
    suggester: suggesting::Suggester,
    /// Those of work in the background.
    threads: crate::nn::Threads,
    strip: pieces::PieceStrip,
    talks: conversations::Talks,
    reader: pretraining::Reader,
}

impl Desk {
    /// A desk with nothing open.
    pub fn new(surroundings: Surroundings) -> Self {
        let settings = surroundings.config.as_deref().map(Settings::load_from).unwrap_or_default();
        Self {
            tester: Tester::new(surroundings.wake.clone()),
            threads: crate::nn::Threads::default(),
            similar: SimilarTerms::default(),
            agreeing: agreeing::Agreeing::default(),
            adviser: advising::Adviser::default(),
            suggester: suggesting::Suggester::new(surroundings.wake.clone()),
            strip: pieces::PieceStrip::default(),
            talks: conversations::Talks::default(),
            reader: pretraining::Reader::default(),
            keys: surroundings.config.as_deref().map(crate::store::key_file::load).unwrap_or_default(),
            surroundings,
            settings,
            open: None,
            opening: None,
            current: None,
            layer: Layer::Outcome,
            position: 0,
            filter: Filter::default(),
            order: Order::default(),
            queue: Queue::default(),
            queue_key: None,
            notices: VecDeque::new(),
            notified: 0,
            saving_failed: false,
            saving_error: None,
            saving_tried_ms: 0,
            searcher: searching::Searcher::default(),
            importing: importing::Importer::default(),
            exporting: exporting::Exporter::default(),
            examining: examining::Examiner::default(),
            fetcher: fetching::Fetcher::default(),
            merging: merging::Merger::default(),
            training: training::Trainer::default(),
            shelf: runs::RunShelf::default(),
        }
    }

    /// Carries out one command. What can't be done becomes a notice; nothing is half done.
    pub fn run(&mut self, command: Command) {
        use Command as C;
        match command {
            C::SetClass { .. }
            | C::SetAnswer { .. }
            | C::SetState { .. }
            | C::SetFlag { .. }
            | C::Finish(_)
            | C::Skip(_)
            | C::SkipBecause(..)
            | C::AddSpan { .. }
            | C::AddLinkedSpan { .. }
            | C::RemoveSpan { .. }
            | C::SetPolarity { .. }
            | C::ChangeSpan { .. }
            | C::ToggleLink { .. }
            | C::AnswerQueue { .. }
            | C::LinkAs { .. }
            | C::SetAttribute { .. }
            | C::AddDocument(_) => self.annotate(command),
            C::MarkInQueue { .. } | C::UnmarkInQueue { .. } => self.mark_in_queue(&command),
            C::AcceptSpan { .. }
            | C::AcceptClass { .. }
            | C::AcceptAll(_)
            | C::RejectSpan { .. }
            | C::SetSuggestions(_)
            | C::MarkEverywhere { .. }
            | C::SuggestEverywhere { .. }
            | C::ImportWords(_) => self.suggestions(command),
            C::ChangeSchema(change) => self.change_schema(&change),
            C::Undo => self.undo(),
            C::Redo => self.redo(),
            C::GoToStep(done) => self.go_to_step(done),
            C::AddAnnotators { .. }
            | C::WorkIn(_)
            | C::Adopt { .. }
            | C::AdoptAgreed
            | C::AddComment { .. }
            | C::ResolveComment { .. }
            | C::RemoveComment { .. }
            | C::SetGuidelines(_) => self.team(command),
            C::Open(_) | C::Step(_) | C::NextTodo | C::SetFilter(_) | C::SetOrder(_) => self.navigate(command),
            C::NewProject { path, classes, spans } => {
                let usual = classes.is_empty() && spans.is_empty();
                self.new_project(&path, if usual { Schema::default() } else { Schema::with_names(&classes, &spans) });
            }
            C::NewProjectWith { path, schema } => self.new_project(&path, *schema),
            C::OpenProject(path) => self.open_project(&path),
            C::CancelOpening => self.forget_opening(),
            C::OpenSample => self.open_sample(),
            C::CloseProject => self.close_project(),
            C::PreviewImport { .. }
            | C::PreviewImportAs { .. }
            | C::CheckImport { .. }
            | C::Import { .. }
            | C::SaveImportList(_)
            | C::DismissImport => self.import(command),
            C::Examine | C::SettleDuplicates(_) | C::ShareCopy(_) | C::CopyWhole { .. } | C::DismissExamining => self.examine(command),
            C::PlanExport(_) | C::ExportAs(_) | C::SaveLossList(_) | C::DismissExport => self.export(command),
            C::PreviewMerge { .. } | C::Merge | C::DismissMerge => self.merge(command),
            C::StartTraining(config) => self.start_training(*config),
            C::StartSearch { config, trials } => self.start_search(*config, trials),
            C::ResumeTraining(run) => self.resume_training(&run),
            C::PauseTraining(on) => self.training.pause(on),
            C::StopTraining => self.training.stop_and_keep_best(),
            C::CancelTraining => self.training.cancel(),
            C::ShowRun(id) => self.show_run(&id),
            C::DeleteRun(id) => self.delete_run(&id),
            C::LookForRuns
            | C::OverlayRuns(_)
            | C::CompareRuns(_)
            | C::JoinRuns(_)
            | C::SetRunNotes { .. }
            | C::ExportTensorBoard { .. }
            | C::WriteFile { .. } => {
                self.run_shelf(command);
            }
            C::ExportModel { run, folder } => self.export_model(&run, &folder),
            C::FetchEncoder { name, endpoint } => self.fetch_encoder(name, &endpoint),
            C::DismissFetch => self.dismiss_fetch(),
            C::StartPretraining(config) => self.start_pretraining(*config),
            C::DismissPretraining => self.dismiss_pretraining(),
            C::UseRun(id) => self.use_run(id),
            C::Predict(text) => self.tester.ask(text),
            C::PredictByTurns(on) => self.tester.set_by_turns(on),
            C::Why(asked) => self.tester.explain(asked),
            C::MeasureAgreement => self.measure_agreement(),
            C::FindSimilarTerms(terms) => self.find_similar(terms),
            C::DismissSimilar(group) => self.similar.dismiss(&group),
            C::ShowPieces(on) => self.change_settings(|settings| settings.pieces = on),
            C::SetKeys(keys) => self.set_keys(keys),
            C::SetLanguage(language) => self.change_settings(|settings| settings.language = language),
            C::SetTheme(theme) => self.change_settings(|settings| settings.theme = theme),
            C::SetThreads(threads) => self.set_threads(threads),
            C::SetPrecision(precision) => self.set_precision(precision),
            C::SetTextSize(size) => self.change_settings(|settings| settings.text_size = size.clamp(14.0, 40.0)),
            C::DismissNotice => {
                self.notices.pop_front();
            }
        }
        self.poll_conversations();
        self.poll_suggestions();
        self.poll_advice();
        self.poll_pieces();
        self.refresh_queue();
    }

    /// Takes in the news of all jobs. Call it before drawing; it never waits.
    pub fn poll(&mut self) {
        self.poll_saving();
        self.poll_opening();
        self.poll_search();
        self.poll_import();
        self.poll_export();
        self.poll_examining();
        self.poll_fetch();
        self.poll_pretraining();
        self.poll_merge();
        self.poll_training();
        self.poll_shelf();
        self.tester.poll();
        self.similar.poll();
        self.poll_agreement();
        self.poll_conversations();
        self.poll_suggestions();
        self.poll_advice();
        self.poll_pieces();
        const RETRY_MS: i64 = 2_000;
        if self.is_unsaved() && self.now() - self.saving_tried_ms >= RETRY_MS {
            self.retry_saving();
        }
        self.refresh_queue();
    }

    pub fn project(&self) -> Option<&Project> {
        self.open.as_ref().map(|open| &open.project)
    }

    pub fn history(&self) -> Option<&History> {
        self.open.as_ref().map(|open| &open.history)
    }

    /// The project file.
    pub fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|open| open.path.as_path())
    }

    /// Whether a change is not in the file yet.
    pub fn is_unsaved(&self) -> bool {
        self.open.as_ref().is_some_and(OpenProject::is_unsaved)
    }

    /// Whether a large change is being written: all is well, it only takes a moment.
    pub fn is_saving(&self) -> bool {
        self.open.as_ref().is_some_and(|open| matches!(open.file, saving::FilePlace::Away(_)) && open.is_unsaved())
    }

    /// The document on the table.
    pub fn current(&self) -> Option<DocId> {
        self.current
    }

    /// Place of the current document in the queue, from 0.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The documents that the filter leaves, in order.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether documents are still being searched: the queue holds what was found so far.
    pub fn is_searching(&self) -> bool {
        self.searcher.is_busy()
    }

    pub fn order(&self) -> Order {
        self.order
    }

    /// Oldest first; a pane shows them one after another.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.notices.iter()
    }

    /// How many notices there have ever been: tells a window whether the newest one is new to it.
    pub fn notified(&self) -> u64 {
        self.notified
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Keys that a person chose instead of the usual ones, by the name of their action.
    pub fn keys(&self) -> &BTreeMap<String, Vec<String>> {
        &self.keys
    }

    pub fn importing(&self) -> &Importing {
        self.importing.view()
    }

    pub fn exporting(&self) -> &Exporting {
        self.exporting.view()
    }

    pub fn examining(&self) -> &Examining {
        self.examining.view()
    }

    pub fn merging(&self) -> &Merging {
        self.merging.view()
    }

    /// The search for settings that goes on, or the last one.
    pub fn search(&self) -> Option<&SearchView> {
        self.training.search()
    }

    /// The run shown in the training pane: the one going on, or the one last chosen.
    pub fn run_view(&self) -> Option<&RunView> {
        self.training.view()
    }

    /// Whether a run is going on.
    pub fn is_training(&self) -> bool {
        self.training.is_busy()
    }

    /// Stored runs, oldest first.
    pub fn runs(&self) -> &[RunSummary] {
        self.open.as_ref().map_or(&[], |open| &open.runs)
    }

    /// Terms that may mean the same.
    pub fn similar_terms(&self) -> &SimilarTerms {
        &self.similar
    }

    pub fn tester(&self) -> &Tester {
        &self.tester
    }

    fn notify(&mut self, notice: Notice) {
        const KEPT: usize = 50;
        log::info!("{notice:?}");
        self.notices.push_back(notice);
        self.notified += 1;
        if self.notices.len() > KEPT {
            self.notices.pop_front();
        }
    }

    fn fail(&mut self, error: impl std::fmt::Display) {
        self.notify(Notice::Failed(error.to_string()));
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.surroundings.clock)()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.finish_saving();
        self.finish_checking();
    }
}
