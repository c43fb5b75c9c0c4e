//! What Gloss remembers about its user between sessions: a small JSON file in the user's config folder.
//! Never in the way: what can't be read is forgotten, and nothing of a project is kept here.

use super::{StoreError, write_atomically};
use crate::nn::kernels::Stored;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    /// As the environment of the process says; English where it says nothing of use.
    pub fn of_system() -> Self {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        if said.is_some_and(|value| value.starts_with("zh")) { Self::Chinese } else { Self::English }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    Light,
    Dark,
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Opened at the next start.
    pub last_project: Option<PathBuf>,
    /// Newest first.
    pub recent: Vec<PathBuf>,
    pub language: Language,
    pub theme: Theme,
    /// Stands in the journal beside each step.
    pub author: String,
    /// Size of document text in points.
    pub text_size: f32,
    /// Whether a model and word lists suggest marks.
    pub suggestions: bool,
    /// How many processor threads learning and suggesting may take; 0 for all.
    pub threads: usize,
    /// How the weights of a model that answers are held.
    pub precision: Stored,
    /// Whether the encoder's pieces stand under the text.
    pub pieces: bool,
    /// Address of the hub that encoders come from; empty for the usual one.
    pub hub: String,
}

impl Default for Settings {
    fn default() -> Self {
        let author = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
        Self {
            last_project: None,
            recent: Vec::new(),
            language: Language::of_system(),
            theme: Theme::default(),
            author: author.unwrap_or_else(|| "me".to_owned()),
            text_size: 20.0,
            suggestions: true,
            threads: 0,
            precision: Stored::Float32,
            pieces: false,
            hub: String::new(),
        }
    }
}

impl Settings {
    const RECENT: usize = 12;

    /// The folder they are kept in: `GLOSS_CONFIG_DIR` where it is set, else the system's place for it.
    pub fn folder() -> Option<PathBuf> {
        match std::env::var_os("GLOSS_CONFIG_DIR") {
            Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
            _ => directories::ProjectDirs::from("", "", "gloss").map(|dirs| dirs.config_dir().to_owned()),
        }
    }

    /// The folder of the encoders that were fetched, where the settings are kept in `config`. They are large: where the
    /// system has a place for such data, it is there.
    pub fn encoders_of(config: &Path) -> PathBuf {
        let dirs = directories::ProjectDirs::from("", "", "gloss").filter(|dirs| dirs.config_dir() == config);
        dirs.map_or_else(|| config.to_owned(), |dirs| dirs.data_local_dir().to_owned()).join("encoders")
    }

    /// The settings as last saved. Never fails: what is missing or damaged has its default.
    pub fn load() -> Self {
        Self::folder().map(|folder| Self::load_from(&folder)).unwrap_or_default()
    }

    /// [`Settings::load`] from a given folder.
    pub fn load_from(folder: &Path) -> Self {
        let path = folder.join("settings.json");
        let Ok(bytes) = fs::read(&path) else {
            return Self::default();
        };
        // Field by field: one that a newer or older Gloss wrote otherwise costs only itself.
        let mut fields = match serde_json::to_value(Self::default()) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => return Self::default(),
        };
        match serde_json::from_slice(&bytes) {
            Ok(serde_json::Value::Object(saved)) => {
                for (key, value) in saved {
                    let old = fields.insert(key.clone(), value);
                    if serde_json::from_value::<Self>(fields.clone().into()).is_err() {
                        log::warn!("{}: {key} was not understood", path.display());
                        old.map(|old| fields.insert(key, old));
                    }
                }
                serde_json::from_value(fields.into()).unwrap_or_default()
            }
            _ => {
                log::warn!("{} is damaged; starting with the defaults", path.display());
                Self::default()
            }
        }
    }

    /// Saves them so that a crash leaves the old or the new ones.
    ///
    /// # Errors
    /// The folder can't be written to. Nothing else of Gloss depends on it.
    pub fn save(&self) -> Result<(), StoreError> {
        Self::folder().map_or(Ok(()), |folder| self.save_to(&folder))
    }

    /// [`Settings::save`] to a given folder.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn save_to(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join("settings.json");
        let save = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            write_atomically(&path, &serde_json::to_vec_pretty(self)?)
        };
        save().map_err(StoreError::io("Saving the settings", &path))
    }

    /// Remembers a project that was opened.
    pub fn remember(&mut self, project: &Path) {
        self.recent.retain(|other| other != project);
        self.recent.insert(0, project.to_owned());
        self.recent.truncate(Self::RECENT);
        self.last_project = Some(project.to_owned());
    }

    /// Forgets a project that is no longer there.
    pub fn forget(&mut self, project: &Path) {
        self.recent.retain(|other| other != project);
        if self.last_project.as_deref() == Some(project) {
            self.last_project = None;
        }
    }
}
