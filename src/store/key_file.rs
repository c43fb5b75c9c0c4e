//! The file of keys in the folder of the settings: keys by the name of their action, for those that were changed.
//! Never in the way: what can't be read is forgotten.

use super::{StoreError, write_atomically};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where they are kept.
fn path_in(folder: &Path) -> PathBuf {
    folder.join("keys.json")
}

/// The keys as last saved; none where there is no file, or a damaged one.
pub fn load(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let path = path_in(folder);
    let Ok(bytes) = std::fs::read(&path) else { return BTreeMap::new() };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        log::warn!("{} can't be read, keys are as in the table: {error}", path.display());
        BTreeMap::new()
    })
}

/// Saves them so that a crash leaves the old or the new ones.
///
/// # Errors
/// The folder can't be written to.
pub fn save(folder: &Path, keys: &BTreeMap<String, Vec<String>>) -> Result<(), StoreError> {
    let path = path_in(folder);
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        write_atomically(&path, &serde_json::to_vec_pretty(keys)?)
    };
    write().map_err(StoreError::io("Saving the keys", &path))
}
