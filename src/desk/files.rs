//! Opening, making and leaving projects; exports of documents and models.

use super::saving::FilePlace;
use super::{Desk, Notice, OpenProject};
use crate::project::{Filter, Order, Project, Schema};
use crate::store::import::Restored;
use crate::store::{self, ProjectFile, Runs, Settings, StoreError};
use std::collections::VecDeque;
use std::path::Path;

impl Desk {
    pub(super) fn new_project(&mut self, path: &Path, schema: Schema) {
        match ProjectFile::create(path, &schema) {
            Ok(file) => self.put_on_desk(OpenProject {
                project: Project::new(schema),
                history: crate::project::History::default(),
                path: file.path().to_owned(),
                file: FilePlace::Here(Box::new(file)),
                unsaved: VecDeque::new(),
                unsaved_whole: false,
                checking: None,
                runs: Vec::new(),
            }),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn open_sample(&mut self) {
        let path = self.surroundings.sample.clone();
        // At the first start the folder of the settings is not there yet; if it can't be made, the next line says why.
        path.parent().map(std::fs::create_dir_all);
        if !path.exists()
            && let Err(error) = store::create_sample(&path)
        {
            self.fail(error);
            return;
        }
        self.open_project(&path);
    }

    pub(super) fn close_project(&mut self) {
        self.leave();
        self.change_settings(|settings| settings.last_project = None);
    }

    /// Ends what belongs to the open project.
    fn leave(&mut self) {
        self.finish_saving();
        self.finish_checking();
        self.training.forget();
        self.shelf.forget();
        self.tester.forget();
        self.similar = super::SimilarTerms::default();
        self.agreeing.forget();
        self.adviser.forget();
        self.suggester.forget();
        self.strip.clear();
        self.importing.forget();
        self.searcher.start_over(None);
        self.exporting.forget();
        self.examining.forget();
        self.merging.forget();
        self.open = None;
        self.layer = crate::project::Layer::Outcome;
        self.current = None;
        self.position = 0;
        self.filter = Filter::default();
        self.order = Order::default();
        self.refresh_queue();
    }

    pub(super) fn put_on_desk(&mut self, open: OpenProject) {
        self.leave();
        self.forget_opening();
        let path = open.path.clone();
        self.open = Some(open);
        self.layer = self.layer_of_author();
        self.refresh_queue();
        self.current = self.project().and_then(|project| self.queue.next_todo_in(project, None, self.layer)).or(self.current);
        self.change_settings(|settings| settings.remember(&path));
        if let Some(newest) = self.runs().iter().rev().find(|run| run.report.is_some()).map(|run| run.id.clone()) {
            self.show_run(&newest);
            self.use_run(None);
        }
        self.notify(Notice::ProjectOpened(path));
        // Without the thread the first Chinese word waits for the dictionary, that is all.
        std::thread::Builder::new().name("gloss-words".to_owned()).spawn(crate::text::load_dictionary).ok();
    }

    /// The open project, to which nothing has happened yet, becomes this one, with its journal.
    pub(super) fn become_project(&mut self, restored: Restored) {
        let Some(open) = &mut self.open else { return };
        (open.project, open.history) = (restored.project, restored.history);
        (open.unsaved_whole, open.checking) = (true, None);
        self.retry_saving();
        if let Some(reason) = self.saving_error.take() {
            self.notify(Notice::Unsaved(reason));
        }
        self.searcher.start_over(None);
        self.layer = self.layer_of_author();
        self.refresh_queue();
        self.current = self.project().and_then(|project| self.queue.next_todo_in(project, None, self.layer)).or(self.current);
    }

    pub(super) fn export_model(&mut self, run: &str, folder: &Path) {
        let Some(open) = &self.open else { return };
        let written = Runs::of(&open.path).model(run).and_then(|files| store::model_folder::export(folder, &files));
        match written {
            Ok(()) => self.notify(Notice::Exported(folder.to_owned())),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn change_settings(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        let saved = self.surroundings.config.as_deref().map_or(Ok(()), |folder| self.settings.save_to(folder));
        if let Err(error) = saved {
            self.fail(error);
        }
    }

    pub(super) fn set_keys(&mut self, keys: std::collections::BTreeMap<String, Vec<String>>) {
        let saved = self.surroundings.config.as_deref().map_or(Ok(()), |folder| store::key_file::save(folder, &keys));
        self.keys = keys;
        if let Err(error) = saved {
            self.fail(error);
        }
    }

    /// Runs as they are on the disk now.
    pub(super) fn reread_runs(&mut self) {
        if let Some(open) = &mut self.open {
            open.runs = Runs::of(&open.path).list();
        }
    }

    pub(super) fn model_source(&self, run: &str) -> Option<impl FnOnce() -> Result<crate::nn::ModelFiles, StoreError> + Send + 'static> {
        let runs = Runs::of(&self.open.as_ref()?.path);
        let run = run.to_owned();
        Some(move || runs.model(&run))
    }
}
