//! Questions to the person that end in a path or a new project. The dialogs of the system (rfd) appear only here: their
//! future is made on this thread and awaited by the desk on another, so the window never waits. Every path can be typed
//! as well, because a system may have no dialog to show.

mod forms;

use super::panes::train::RunFile;
use super::{Commands, Place, i18n};
use crate::desk::{Asked, Choosing, Chosen, Command, Desk, ExportFormat, ExportPlan, Language, SharePlan};
use crate::project::Schema;
use eframe::egui;
use forms::Form;
use std::path::{Path, PathBuf};

/// A question to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    OpenProject,
    NewProject,
    ImportFile,
    /// A colleague's project file.
    MergeProject,
    /// Words to suggest.
    WordList,
    /// Documents in a format; what it can't hold was said.
    ExportAs {
        format: ExportFormat,
        sidecar: bool,
        verify: bool,
    },
    /// Where a copy goes.
    ShareCopy(SharePlan),
    /// Where the whole project goes, with journal and runs, packed or not.
    CopyWhole {
        packed: bool,
    },
    /// Where the remarks on an import go.
    ImportList,
    LossList,
    /// Where to write the model of a run.
    ExportModel {
        run: String,
    },
    /// Where curves of a run go; the answer is fetched with [`Dialogs::take_run_file`].
    RunFile {
        run: String,
        kind: RunFile,
    },
    /// A file or a folder for a setting of training; the answer is fetched with [`Dialogs::take_setting`].
    Setting {
        key: &'static str,
        folder: bool,
    },
}

/// Opens questions and hands their answers back as commands.
#[derive(Default)]
pub struct Dialogs {
    typed_only: bool,
    wishes: Vec<Wish>,
    asking: Option<Asking>,
    form: Option<Form>,
    setting: Option<(&'static str, PathBuf)>,
    run_file: Option<(RunFile, PathBuf)>,
    /// Imported as soon as a project is open.
    import_next: Option<PathBuf>,
}

/// A dialog of the system that is open, or should be: our own window with a field for the path stands behind it.
struct Asking {
    wish: Wish,
    asked: Asked,
    /// Our window lost the focus meanwhile, so there really is a dialog.
    seen: bool,
}

impl Dialogs {
    /// Never asks the system: every path is typed.
    pub fn typed_only() -> Self {
        Self { typed_only: true, ..Self::default() }
    }

    /// Opens a question after this frame.
    pub fn open(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }

    /// What was chosen for [`Wish::Setting`] with its key, once.
    pub fn take_setting(&mut self) -> Option<(&'static str, PathBuf)> {
        self.setting.take()
    }

    /// What was chosen for [`Wish::RunFile`], once.
    pub fn take_run_file(&mut self) -> Option<(RunFile, PathBuf)> {
        self.run_file.take()
    }

    /// Whether a window of ours stands above the places.
    pub fn is_modal(&self) -> bool {
        self.form.is_some()
    }

    /// Takes a file that was dropped on the window or named at the start.
    pub fn receive(&mut self, path: PathBuf, desk: &Desk, commands: &mut Commands) {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gloss")) {
            commands.send(Command::OpenProject(path));
        } else if desk.project().is_some() {
            preview(path, commands);
        } else {
            // Nothing is open to put it in: a project beside the file, then the import.
            self.form = Some(Form::new_project(&path.with_extension("gloss"), desk.settings().language));
            self.import_next = Some(path);
        }
    }

    /// Opens what was wished for and takes answers in. Call it before drawing.
    pub fn logic(&mut self, desk: &Desk, commands: &mut Commands) {
        for wish in std::mem::take(&mut self.wishes) {
            match wish {
                Wish::NewProject => self.form = Some(Form::new_project(&home().join("reviews.gloss"), desk.settings().language)),
                wish => self.ask(wish, desk),
            }
        }
        self.take_answer(commands);
        if desk.project().is_some()
            && self.form.is_none()
            && let Some(path) = self.import_next.take()
        {
            preview(path, commands);
        }
    }

    fn take_answer(&mut self, commands: &mut Commands) {
        let Some(asking) = &self.asking else { return };
        let Some(answer) = asking.asked.answer() else { return };
        let (wish, seen) = (asking.wish.clone(), asking.seen);
        self.asking = None;
        match answer {
            Chosen::Path(path) => {
                self.close_path_form();
                self.answer(&wish, path, commands);
            }
            Chosen::Nothing if seen => self.close_path_form(),
            // There was no dialog to say no in: the field for the path stays.
            Chosen::Nothing => {}
            Chosen::Failed(reason) => log::warn!("no dialog of the system: {reason}"),
        }
    }

    fn close_path_form(&mut self) {
        if matches!(self.form, Some(Form::Path { .. })) {
            self.form = None;
        }
    }

    /// Opens the dialog of the system, and a field for the path behind it: a system may have no dialog to show.
    /// The form of a new project has its own field.
    fn ask(&mut self, wish: Wish, desk: &Desk) {
        if wish != Wish::NewProject {
            let text = proposal(&wish, desk).map(|path| path.display().to_string()).unwrap_or_default();
            self.form = Some(Form::Path { wish: wish.clone(), text, fresh: true });
        }
        self.browse(wish, desk);
    }

    fn browse(&mut self, wish: Wish, desk: &Desk) {
        if self.typed_only {
            return;
        }
        match desk.await_dialog(system_dialog(&wish, desk)) {
            Ok(asked) => self.asking = Some(Asking { wish, asked, seen: false }),
            Err(error) => log::warn!("no thread for a dialog: {error}"),
        }
    }

    fn answer(&mut self, wish: &Wish, path: PathBuf, commands: &mut Commands) {
        match wish {
            Wish::OpenProject => commands.send(Command::OpenProject(path)),
            Wish::NewProject => {
                if let Some(Form::NewProject(form)) = &mut self.form {
                    form.set_path(&path);
                }
            }
            Wish::ImportFile => preview(path, commands),
            Wish::MergeProject => {
                commands.send(Command::PreviewMerge { path, name: None });
                commands.goto(Place::Data);
            }
            Wish::WordList => commands.send(Command::ImportWords(path)),
            Wish::ExportAs { format, sidecar, verify } => {
                let plan = ExportPlan { path, format: *format, sidecar: *sidecar, verify: *verify };
                commands.send(Command::ExportAs(Box::new(plan)));
                commands.goto(Place::Data);
            }
            Wish::ImportList => commands.send(Command::SaveImportList(path)),
            Wish::LossList => commands.send(Command::SaveLossList(path)),
            Wish::ShareCopy(plan) => {
                let path = if path.extension().is_none() { path.with_extension("gloss") } else { path };
                commands.send(Command::ShareCopy(Box::new(SharePlan { path, ..plan.clone() })));
            }
            Wish::CopyWhole { packed } => {
                let ending = if *packed { "zip" } else { "gloss" };
                let to = if path.extension().is_none() { path.with_extension(ending) } else { path };
                commands.send(Command::CopyWhole { to, packed: *packed });
            }
            Wish::ExportModel { run } => commands.send(Command::ExportModel { run: run.clone(), folder: path }),
            Wish::RunFile { kind, .. } => self.run_file = Some((*kind, path)),
            Wish::Setting { key, .. } => self.setting = Some((key, path)),
        }
    }

    /// For tests: answers the question that is open with this path.
    pub fn answer_typed(&mut self, path: PathBuf, commands: &mut Commands) {
        if let Some(Form::Path { wish, .. }) = self.form.take() {
            self.answer(&wish, path, commands);
        }
    }

    /// Draws the open question, above everything else.
    pub fn ui(&mut self, ctx: &egui::Context, desk: &Desk, commands: &mut Commands) {
        if let Some(asking) = &mut self.asking {
            asking.seen |= ctx.input(|input| input.viewport().focused == Some(false));
        }
        let Some(form) = &mut self.form else { return };
        let browsing = match (self.typed_only, &self.asking) {
            (true, _) => forms::Browsing::Never,
            (false, Some(_)) => forms::Browsing::Now,
            (false, None) => forms::Browsing::Possible,
        };
        match forms::ui(form, ctx, desk.settings().language, browsing) {
            forms::Reply::None => {}
            forms::Reply::Browse(wish) => self.browse(wish, desk),
            forms::Reply::Cancel => {
                self.form = None;
                self.asking = None;
                self.import_next = None;
            }
            forms::Reply::Path(wish, path) => {
                self.form = None;
                self.asking = None;
                self.answer(&wish, path, commands);
            }
            forms::Reply::NewProject { path, classes, spans, questions } => {
                self.form = None;
                self.asking = None;
                let schema = Schema::with_names(&classes, &spans).with_questions(&questions);
                commands.send(Command::NewProjectWith { path, schema: Box::new(schema) });
                commands.goto(if self.import_next.is_some() { Place::Data } else { Place::Label });
            }
        }
    }
}

fn preview(path: PathBuf, commands: &mut Commands) {
    commands.send(Command::PreviewImport { path, header: None });
    commands.goto(Place::Data);
}

/// What a file to be written could be called; for one to be read, the folder to look in.
fn proposal(wish: &Wish, desk: &Desk) -> Option<PathBuf> {
    let project = desk.path()?;
    match wish {
        Wish::ExportAs { format, .. } => {
            let name = project.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = format.extension().map_or(format!("{name}-{}", format.key()), |extension| format!("{name}.{extension}"));
            Some(project.with_file_name(name))
        }
        Wish::ImportList => Some(project.with_extension("issues.csv")),
        Wish::LossList => Some(project.with_extension("losses.csv")),
        Wish::ShareCopy(_) => {
            let name = project.file_stem().unwrap_or_default().to_string_lossy();
            Some(project.with_file_name(format!("{name}-copy.gloss")))
        }
        Wish::CopyWhole { packed } => {
            let name = project.file_stem().unwrap_or_default().to_string_lossy();
            Some(project.with_file_name(if *packed { format!("{name}.zip") } else { format!("{name}-copy.gloss") }))
        }
        Wish::RunFile { run, kind } => {
            let name = project.file_stem().unwrap_or_default().to_string_lossy();
            Some(project.with_file_name(match kind.extension() {
                Some(extension) => format!("{name}-{run}.{extension}"),
                None => format!("{name}-tensorboard"),
            }))
        }
        Wish::ExportModel { run } => {
            let name = project.file_stem().unwrap_or_default().to_string_lossy();
            Some(project.with_file_name(format!("{name}-model-{run}")))
        }
        _ => None,
    }
}

fn system_dialog(wish: &Wish, desk: &Desk) -> Choosing {
    const TABLES: &[&str] =
        &["csv", "tsv", "xlsx", "jsonl", "json", "parquet", "arrow", "txt", "xml", "ann", "conll", "bio", "apc", "atepc"];
    let language = desk.settings().language;
    let mut dialog = rfd::AsyncFileDialog::new().set_title(title(wish, language));
    if let Some(folder) = desk.path().and_then(Path::parent) {
        dialog = dialog.set_directory(folder);
    }
    let proposed = proposal(wish, desk).and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    if let Some(name) = proposed {
        dialog = dialog.set_file_name(name);
    }
    fn path_of(file: Option<rfd::FileHandle>) -> Option<PathBuf> {
        file.map(|file| file.path().to_owned())
    }
    match wish {
        Wish::OpenProject | Wish::MergeProject => {
            let endings: &[&str] = if *wish == Wish::OpenProject { &["gloss", "zip"] } else { &["gloss"] };
            let chosen = dialog.add_filter("Gloss", endings).pick_file();
            Box::pin(async { path_of(chosen.await) })
        }
        Wish::NewProject => {
            let chosen = dialog.add_filter("Gloss", &["gloss"]).set_file_name("reviews.gloss").save_file();
            Box::pin(async { path_of(chosen.await) })
        }
        Wish::ImportFile => {
            let chosen = dialog.add_filter(i18n::translate(language, "Tables and texts"), TABLES).pick_file();
            Box::pin(async { path_of(chosen.await) })
        }
        Wish::WordList => {
            let chosen = dialog.add_filter(i18n::translate(language, "Word lists"), &["txt", "tsv", "csv"]).pick_file();
            Box::pin(async { path_of(chosen.await) })
        }
        Wish::ExportAs { .. }
        | Wish::ExportModel { .. }
        | Wish::ImportList
        | Wish::LossList
        | Wish::ShareCopy(_)
        | Wish::CopyWhole { .. }
        | Wish::RunFile { .. } => {
            let chosen = dialog.save_file();
            Box::pin(async { path_of(chosen.await) })
        }
        Wish::Setting { folder: true, .. } => {
            let chosen = dialog.pick_folder();
            Box::pin(async { path_of(chosen.await) })
        }
        Wish::Setting { folder: false, .. } => {
            let chosen = dialog.pick_file();
            Box::pin(async { path_of(chosen.await) })
        }
    }
}

fn title(wish: &Wish, language: Language) -> &'static str {
    let words = match wish {
        Wish::OpenProject => "Open a project",
        Wish::NewProject => "New project",
        Wish::ImportFile => "Import a file",
        Wish::MergeProject => "Merge a colleague's project",
        Wish::WordList => "Import a word list",
        Wish::ExportAs { .. } => "Export documents",
        Wish::ImportList | Wish::LossList => "Save the list",
        Wish::ShareCopy(_) => "A copy to share",
        Wish::CopyWhole { packed: false } => "Duplicate the project",
        Wish::CopyWhole { packed: true } => "Archive the project",
        Wish::ExportModel { .. } => "Export a model",
        Wish::RunFile { .. } => "Export curves",
        Wish::Setting { key: "encoder", .. } => "Folder of an encoder",
        Wish::Setting { folder: true, .. } => "Choose a folder",
        Wish::Setting { folder: false, .. } => "Choose a file",
    };
    i18n::translate(language, words)
}

/// The person's own folder.
fn home() -> PathBuf {
    let named = ["HOME", "USERPROFILE"].iter().find_map(std::env::var_os);
    named.map(PathBuf::from).unwrap_or_default()
}
