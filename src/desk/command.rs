//! Everything a person can ask for. Panes queue commands; [`super::Desk::run`] carries them out.

use super::examining::SharePlan;
use super::exporting::ExportPlan;
use crate::predict::{Asked, Stored};
use crate::project::{
    AnnotatorId, Answer, AttributeValue, CommentId, DocId, Filter, Layer, Order, Polarity, QuestionId, Schema, SchemaChange, Settle,
    SpanId, State, TextRange,
};
use crate::store::export::ExportFormat;
use crate::store::import::{ImportOptions, Look};
use crate::store::{Language, Theme};
use crate::train::TrainConfig;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// One wish.
#[derive(Clone, Debug)]
pub enum Command {
    /// Answers the main question; `None` takes the answer away.
    SetClass {
        doc: DocId,
        class: Option<u16>,
    },
    /// Answers a question of any kind; `None` takes the answer away.
    SetAnswer {
        doc: DocId,
        question: QuestionId,
        to: Option<Answer>,
    },
    /// Sets the state and stays.
    SetState {
        doc: DocId,
        to: State,
    },
    SetFlag {
        doc: DocId,
        to: bool,
    },
    /// Done, and on to the next document.
    Finish(DocId),
    /// Skipped, and on to the next document.
    Skip(DocId),
    /// The same with a reason.
    SkipBecause(DocId, String),
    AddSpan {
        doc: DocId,
        range: TextRange,
        label: u16,
    },
    /// A span and its link to another, as one step: an opinion marked together with what it is about.
    AddLinkedSpan {
        doc: DocId,
        range: TextRange,
        label: u16,
        to: SpanId,
    },
    /// Takes the span and its links away.
    RemoveSpan {
        doc: DocId,
        id: SpanId,
    },
    SetPolarity {
        doc: DocId,
        id: SpanId,
        to: Option<Polarity>,
    },
    /// Another place or label for a span.
    ChangeSpan {
        doc: DocId,
        id: SpanId,
        range: TextRange,
        label: u16,
    },
    /// Makes a mark of a suggestion.
    AcceptSpan {
        doc: DocId,
        range: TextRange,
        label: u16,
    },
    /// Gives the likeliest class.
    AcceptClass {
        doc: DocId,
    },
    /// Everything suggested, and done, as one step; then on to the next document.
    AcceptAll(DocId),
    /// Not suggested again while the project is open.
    RejectSpan {
        doc: DocId,
        range: TextRange,
        label: u16,
    },
    /// Shows suggestions, or hides them and stops making them.
    SetSuggestions(bool),
    /// Marks the other places of the document where the words of a span stand.
    MarkEverywhere {
        doc: DocId,
        id: SpanId,
    },
    /// Marks these words wherever they stand in the documents of the queue, as one step.
    MarkInQueue {
        words: String,
        label: u16,
    },
    /// Takes the spans with this label away that are just these words, in all documents of the queue, as one step.
    UnmarkInQueue {
        words: String,
        label: u16,
    },
    /// Suggests the words of a span in all documents from now on.
    SuggestEverywhere {
        doc: DocId,
        id: SpanId,
    },
    /// Suggests the words of a file: a pattern and a span label on each line.
    ImportWords(PathBuf),
    /// Links two spans with the first type that may join them, or unlinks them if they are linked.
    ToggleLink {
        doc: DocId,
        from: SpanId,
        to: SpanId,
    },
    /// Links two spans with this type, which a link that is there becomes; one that is of this type is taken away.
    LinkAs {
        doc: DocId,
        from: SpanId,
        to: SpanId,
        link_type: u16,
    },
    /// What an attribute of a span is; `None` takes it away.
    SetAttribute {
        doc: DocId,
        id: SpanId,
        attribute: u16,
        to: Option<AttributeValue>,
    },
    /// Measures how far the annotators agree, beside the window, where that is not known.
    MeasureAgreement,
    /// Answers a question for every document in the queue, or takes its answers away, as one step. Labels of a question
    /// that takes several join those that are there.
    AnswerQueue {
        question: QuestionId,
        to: Option<Answer>,
    },
    /// Changes classes or span labels, and with them what was answered, as one step.
    ChangeSchema(Box<SchemaChange>),
    Undo,
    Redo,
    /// Undoes or redoes until so many steps are done.
    GoToStep(usize),

    /// More people label: the names are added, and the first takes over what the outcome holds if `takes_over`.
    AddAnnotators {
        names: Vec<String>,
        takes_over: bool,
    },
    /// Whose answers are given from now on.
    WorkIn(Layer),
    /// Makes what an annotator said the outcome: done, and on to the next document.
    Adopt {
        doc: DocId,
        from: AnnotatorId,
    },
    /// Makes what all annotators agree on the outcome, in every document of the queue, as one step.
    AdoptAgreed,
    AddComment {
        doc: DocId,
        text: String,
    },
    ResolveComment {
        doc: DocId,
        id: CommentId,
        to: bool,
    },
    RemoveComment {
        doc: DocId,
        id: CommentId,
    },
    SetGuidelines(String),

    Open(DocId),
    /// Moves through the queue by so many places.
    Step(isize),
    NextTodo,
    SetFilter(Filter),
    SetOrder(Order),

    /// Without any names, a project with the usual labels.
    NewProject {
        path: PathBuf,
        classes: Vec<String>,
        spans: Vec<String>,
    },
    /// A project with these questions and labels.
    NewProjectWith {
        path: PathBuf,
        schema: Box<Schema>,
    },
    /// Also one in an archive, which is unpacked beside it.
    OpenProject(PathBuf),
    /// Lets a large project that is being read go.
    CancelOpening,
    /// Opens the sample project, making it first if it is not there.
    OpenSample,
    CloseProject,

    PreviewImport {
        path: PathBuf,
        header: Option<bool>,
    },
    /// The same in the way a person says: encoding, delimiter, sheet.
    PreviewImportAs {
        path: PathBuf,
        look: Box<Look>,
    },
    /// Reads a file and reports what would come in; changes nothing.
    CheckImport {
        path: PathBuf,
        options: Box<ImportOptions>,
    },
    Import {
        path: PathBuf,
        options: Box<ImportOptions>,
    },
    /// Writes the remarks of the report that is shown as a list.
    SaveImportList(PathBuf),
    /// Stops a running import, or puts its preview or report away.
    DismissImport,

    /// Writes what the format that is shown can't hold as a list.
    SaveLossList(PathBuf),
    /// Says what a format can't hold of the project, and writes nothing.
    PlanExport(ExportFormat),
    /// Writes the documents in a format.
    ExportAs(Box<ExportPlan>),
    /// Puts the plan or the report of an export away.
    DismissExport,

    /// Counts what the project holds, and looks for near-duplicates.
    Examine,
    /// Takes all but the first of each group of near-duplicates out, flags them, or says which they are like, as one step.
    SettleDuplicates(Settle),
    /// Makes a new project of this one's documents.
    ShareCopy(Box<SharePlan>),
    /// Copies the project with its journal and its runs: as another project, or packed into one file.
    CopyWhole {
        to: PathBuf,
        packed: bool,
    },
    DismissExamining,

    /// Reads a colleague's project file and says what merging it comes to. Without a name, who made most of its steps.
    PreviewMerge {
        path: PathBuf,
        name: Option<String>,
    },
    /// Makes the merge that was previewed, as one step.
    Merge,
    /// Puts the preview of a merge away.
    DismissMerge,

    StartTraining(Box<TrainConfig>),
    /// Tries settings around these as so many runs, and gives up the worse ones early.
    StartSearch {
        config: Box<TrainConfig>,
        trials: usize,
    },
    PauseTraining(bool),
    /// Goes on with a run that ended before its time.
    ResumeTraining(String),
    StopTraining,
    CancelTraining,
    /// Shows a stored run's curves.
    ShowRun(String),
    DeleteRun(String),
    /// Looks which runs are stored now: a command may have made some beside the window.
    LookForRuns,
    /// Lays the curves of these stored runs over the one shown.
    OverlayRuns(Vec<String>),
    /// Compares the first run with the second; `None` puts the comparison away.
    CompareRuns(Option<(String, String)>),
    /// Keeps what a person wrote about a run.
    SetRunNotes {
        run: String,
        notes: String,
    },
    /// Writes a run's curves into a folder for TensorBoard.
    ExportTensorBoard {
        run: String,
        folder: PathBuf,
    },
    /// Writes a file that was made for a person: a picture, a table.
    WriteFile {
        path: PathBuf,
        content: Arc<[u8]>,
    },
    /// Makes a run of these that answers as their mean.
    JoinRuns(Vec<String>),
    /// Writes a run's model as a Hugging Face folder.
    ExportModel {
        run: String,
        folder: PathBuf,
    },

    /// Fetches an encoder by its name from the hub at this address; empty for the usual one.
    FetchEncoder {
        name: String,
        endpoint: String,
    },
    /// Stops the fetching, or puts its outcome away.
    DismissFetch,

    /// Has the encoder of these settings read the project's reviews, with pieces hidden.
    StartPretraining(Box<TrainConfig>),
    /// Stops the reading, or puts its outcome away.
    DismissPretraining,

    /// Predicts with this run's model from now on; `None` is the newest finished one.
    UseRun(Option<String>),
    Predict(String),
    /// Reads each line of a text to try as a turn of a conversation.
    PredictByTurns(bool),
    /// Asks which words speak for a part of the answer; `None` puts the reasons away.
    Why(Option<Asked>),
    /// Looks which of these terms mean nearly the same.
    FindSimilarTerms(Vec<String>),
    /// Puts away a group that was found.
    DismissSimilar(Vec<String>),
    /// Keeps a text as a new document.
    AddDocument(String),

    /// Shows the encoder's pieces under the text, or hides them.
    ShowPieces(bool),
    /// Keys by the name of their action; actions that are not named have the usual ones.
    SetKeys(BTreeMap<String, Vec<String>>),
    SetLanguage(Language),
    SetTheme(Theme),
    /// Size of document text in points.
    SetTextSize(f32),
    /// How many processor threads learning and suggesting may take; 0 for all. A run under way keeps its own.
    SetThreads(usize),
    /// How the weights of a model that answers are held: in Test and for suggestions, at once.
    SetPrecision(Stored),
    DismissNotice,
}
