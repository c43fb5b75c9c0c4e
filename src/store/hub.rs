//! Encoders fetched from a Hugging Face hub or a mirror of one: which files there are, each resumed where it stopped and
//! held against the hub's hash. Only `config.json`, `tokenizer.json` and `model.safetensors` are ever asked for: nothing
//! that could run code. Says how far it is; starts no thread.

use super::StoreError;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where encoders come from when nothing else is said.
pub const USUAL_ENDPOINT: &str = "https://huggingface.co";

const WANTED: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// A hub, or a mirror that speaks the same protocol, and what lets one in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    endpoint: String,
    token: Option<String>,
}

/// Why an encoder did not arrive. What has come so far stays on the disk, to go on from.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("{0:?} is not the name of an encoder. It looks like owner/name, as the hub writes it")]
    BadName(String),
    #[error("{0:?} is not the address of a hub. It begins with https:// (or http:// in your own network)")]
    BadEndpoint(String),
    #[error(
        "{hub} can't be reached ({what}). Check the network and the proxy, or choose a mirror, and try again: it goes on where it stopped"
    )]
    Unreachable { hub: String, what: String },
    #[error("{hub} has no {name}. Check its name and revision; a private one needs a token (HF_TOKEN)")]
    NotThere { hub: String, name: String },
    #[error("{hub} does not let anyone in without a token of its own for {name}. Set HF_TOKEN to yours")]
    NotAllowed { hub: String, name: String },
    #[error("{hub} answered with {status}. Try again later, or choose a mirror")]
    Status { hub: String, status: u16 },
    #[error("{name} can't be used: {what}")]
    Unusable { name: String, what: String },
    #[error("{file} is not what the hub says it should be ({what}) and was thrown away. Try again, or choose another mirror")]
    Wrong { file: String, what: String },
    #[error("stopped; what has come stays, and the next try goes on from there")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file under way.
    pub file: &'static str,
    /// Bytes of all files.
    pub done: u64,
    pub total: u64,
}

/// What the hub says about a repository.
#[derive(Deserialize)]
struct Listing {
    /// The commit that the revision stands for.
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
}

/// A file to be fetched.
struct Wanted {
    name: &'static str,
    size: u64,
    hash: Option<Hash>,
}

/// What a file must come to.
enum Hash {
    Sha256(String),
    /// Of git: SHA-1 over `blob SIZE\0` and the bytes.
    Blob(String),
}

impl Hub {
    /// # Errors
    /// [`HubError::BadEndpoint`].
    pub fn new(endpoint: &str, token: Option<String>) -> Result<Self, HubError> {
        let endpoint = endpoint.trim().trim_end_matches('/');
        let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
        if !host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace)) {
            return Err(HubError::BadEndpoint(endpoint.to_owned()));
        }
        let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        Ok(Self { endpoint: endpoint.to_owned(), token })
    }

    /// As the variables `HF_ENDPOINT` and `HF_TOKEN` say; `endpoint` goes before the first.
    ///
    /// # Errors
    /// [`HubError::BadEndpoint`].
    pub fn of_system(endpoint: Option<&str>) -> Result<Self, HubError> {
        let named = std::env::var("HF_ENDPOINT").ok().filter(|named| !named.trim().is_empty());
        let endpoint = endpoint.map(str::to_owned).or(named).unwrap_or_else(|| USUAL_ENDPOINT.to_owned());
        Self::new(&endpoint, std::env::var("HF_TOKEN").ok())
    }

    /// Fetches an encoder into `folder`, which then is a model folder. `tell` is told how far it is, at least once for each
    /// file and megabyte, and answers whether to go on.
    ///
    /// # Errors
    /// A name that is none, a hub that can't be reached or has no such encoder, files that can't be used or came wrong, a
    /// full disk. The folder is not there then; what has come waits beside it.
    pub fn download(&self, name: &str, revision: &str, folder: &Path, tell: &mut dyn FnMut(Progress) -> bool) -> Result<(), HubError> {
        check_name(name)?;
        if folder.join(WANTED[0]).exists() {
            return Err(StoreError::Exists { path: folder.to_owned() }.into());
        }
        let listing: Listing = self.listing(name, revision)?;
        let files = wanted(name, &listing)?;
        let total = files.iter().map(|file| file.size).sum();
        let unfinished = super::with_suffix(folder, ".part");
        fs::create_dir_all(&unfinished).map_err(StoreError::io("Making the folder", &unfinished))?;
        let mut before = 0;
        for file in &files {
            let path = unfinished.join(file.name);
            let mut tell = |done: u64| tell(Progress { file: file.name, done: before + done, total });
            self.fetch(&format!("{}/{name}/resolve/{}/{}", self.endpoint, listing.sha, file.name), name, file, &path, &mut tell)?;
            before += file.size;
        }
        super::model_folder::read(&unfinished)?;
        if folder.exists() {
            fs::remove_dir(folder).map_err(StoreError::io("Making the folder", folder))?;
        }
        fs::rename(&unfinished, folder).map_err(StoreError::io("Making the folder", folder))?;
        super::sync_folder(folder);
        Ok(())
    }

    fn get(&self, url: &str, name: &str, from: u64) -> Result<ureq::http::Response<ureq::Body>, HubError> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("gloss/", env!("CARGO_PKG_VERSION")));
        let mut request = config.build().new_agent().get(url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let hub = || self.endpoint.clone();
        let answer = request.call().map_err(|error| HubError::Unreachable { hub: hub(), what: error.to_string() })?;
        match answer.status().as_u16() {
            200 | 206 => Ok(answer),
            404 => Err(HubError::NotThere { hub: hub(), name: name.to_owned() }),
            401 | 403 => Err(HubError::NotAllowed { hub: hub(), name: name.to_owned() }),
            status => Err(HubError::Status { hub: hub(), status }),
        }
    }

    fn listing(&self, name: &str, revision: &str) -> Result<Listing, HubError> {
        /// Far more than any list of files.
        const MOST: u64 = 16 << 20;
        let sound = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
        if revision.is_empty() || !revision.chars().all(sound) {
            return Err(HubError::NotThere { hub: self.endpoint.clone(), name: format!("revision {revision:?} of {name}") });
        }
        let revision = revision.replace('/', "%2F");
        let url = format!("{}/api/models/{name}/revision/{revision}?blobs=true", self.endpoint);
        let mut answer = self.get(&url, name, 0)?;
        let body = answer.body_mut().with_config().limit(MOST).read_to_vec();
        let body = body.map_err(|error| HubError::Unreachable { hub: self.endpoint.clone(), what: error.to_string() })?;
        let unusable = |error: serde_json::Error| HubError::Unreachable {
            hub: self.endpoint.clone(),
            what: format!("its list of files makes no sense: {error}"),
        };
        let listing: Listing = serde_json::from_slice(&body).map_err(unusable)?;
        if listing.sha.is_empty() || !listing.sha.chars().all(|letter| letter.is_ascii_hexdigit()) {
            let what = "it names no commit".to_owned();
            return Err(HubError::Unreachable { hub: self.endpoint.clone(), what });
        }
        Ok(listing)
    }

    /// Brings one file to `path`, going on behind what is there, and checks it.
    fn fetch(&self, url: &str, name: &str, file: &Wanted, path: &Path, tell: &mut dyn FnMut(u64) -> bool) -> Result<(), HubError> {
        /// Connections that break before one gives up, as long as each brings something.
        const TRIES: usize = 5;
        let held = || path.metadata().map_or(0, |meta| meta.len());
        let mut tries = 0;
        while held() < file.size {
            let from = held();
            if !tell(from) {
                return Err(HubError::Stopped);
            }
            match self.fetch_rest(url, name, file, path, tell) {
                Err(HubError::Unreachable { .. }) if held() > from && tries < TRIES => tries += 1,
                done => done?,
            }
        }
        check(file, path).inspect_err(|_| {
            fs::remove_file(path).ok();
        })?;
        if tell(file.size) { Ok(()) } else { Err(HubError::Stopped) }
    }

    fn fetch_rest(&self, url: &str, name: &str, file: &Wanted, path: &Path, tell: &mut dyn FnMut(u64) -> bool) -> Result<(), HubError> {
        const DOING: &str = "Writing the encoder";
        let held = path.metadata().map_or(0, |meta| meta.len());
        let mut answer = self.get(url, name, held)?;
        // A server that knows no ranges begins anew.
        let goes_on = answer.status().as_u16() == 206;
        let opened = OpenOptions::new().create(true).append(goes_on).write(true).truncate(!goes_on).open(path);
        let mut out: File = opened.map_err(StoreError::io(DOING, path))?;
        let mut done = if goes_on { held } else { 0 };
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        let mut bytes = vec![0; 1 << 16];
        let mut told = done;
        loop {
            let count = match body.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    out.sync_all().ok();
                    return Err(HubError::Unreachable { hub: self.endpoint.clone(), what: error.to_string() });
                }
            };
            done += count as u64;
            if done > file.size {
                drop(out);
                fs::remove_file(path).ok();
                return Err(wrong(file, format!("it has more than {} bytes", file.size)));
            }
            out.write_all(&bytes[..count]).map_err(StoreError::io(DOING, path))?;
            if done - told >= 1 << 20 {
                told = done;
                if !tell(done) {
                    return Err(HubError::Stopped);
                }
            }
        }
        out.sync_all().map_err(StoreError::io(DOING, path))?;
        if done < file.size {
            let what = format!("{} ended after {done} of {} bytes", file.name, file.size);
            return Err(HubError::Unreachable { hub: self.endpoint.clone(), what });
        }
        Ok(())
    }
}

/// Where an encoder of this name goes, below a folder of encoders.
pub fn folder_of(encoders: &Path, name: &str) -> PathBuf {
    encoders.join(name.replace('/', "--"))
}

/// The encoders that are whole in this folder.
pub fn held(encoders: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(encoders).map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
    let mut held = entries.unwrap_or_default();
    held.retain(|folder| folder.extension().is_none_or(|extension| extension != "part") && folder.join(WANTED[2]).is_file());
    held.sort();
    held
}

fn check_name(name: &str) -> Result<(), HubError> {
    let sound = |part: &str| {
        !part.is_empty()
            && part.len() <= 96
            && !part.starts_with(['.', '-'])
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
    };
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() <= 2 && parts.into_iter().all(sound) { Ok(()) } else { Err(HubError::BadName(name.to_owned())) }
}

/// The files to fetch, or why the repository is of no use.
fn wanted(name: &str, listing: &Listing) -> Result<Vec<Wanted>, HubError> {
    let unusable = |what: &str| HubError::Unusable { name: name.to_owned(), what: what.to_owned() };
    let has = |file: &str| listing.siblings.iter().any(|sibling| sibling.rfilename == file);
    let find = |file: &'static str| {
        let sibling = listing.siblings.iter().find(|sibling| sibling.rfilename == file);
        let sibling = sibling.ok_or_else(|| match file {
            "model.safetensors" if has("model.safetensors.index.json") => unusable("its weights are in several files"),
            "model.safetensors" if has("pytorch_model.bin") => unusable(
                "its weights are only there as pytorch_model.bin, which could run code and is never loaded; look for one with model.safetensors",
            ),
            _ => unusable(&format!("it has no {file}")),
        })?;
        let size = sibling.size.ok_or_else(|| unusable(&format!("the hub does not say how large {file} is")))?;
        let large = sibling.lfs.as_ref().map(|lfs| Hash::Sha256(lfs.sha256.to_lowercase()));
        let hash = large.or_else(|| sibling.blob_id.as_ref().map(|id| Hash::Blob(id.to_lowercase())));
        Ok(Wanted { name: file, size, hash })
    };
    WANTED.into_iter().map(find).collect()
}

/// Whether a file that has come is the one that was meant. Where the hub gives no hash, its length has to do.
fn check(file: &Wanted, path: &Path) -> Result<(), HubError> {
    const DOING: &str = "Reading the encoder";
    let length = path.metadata().map_err(StoreError::io(DOING, path))?.len();
    if length != file.size {
        return Err(wrong(file, format!("{length} bytes instead of {}", file.size)));
    }
    let (found, meant) = match &file.hash {
        None => return Ok(()),
        Some(Hash::Sha256(meant)) => (hash_of(Sha256::new(), path), meant),
        Some(Hash::Blob(meant)) => (hash_of(Sha1::new().chain_update(format!("blob {length}\0")), path), meant),
    };
    let found = found.map_err(StoreError::io(DOING, path))?;
    if found == *meant { Ok(()) } else { Err(wrong(file, "another hash".to_owned())) }
}

fn wrong(file: &Wanted, what: String) -> HubError {
    HubError::Wrong { file: file.name.to_owned(), what }
}

/// In hexadecimal.
fn hash_of(mut hash: impl Digest + Write, path: &Path) -> io::Result<String> {
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
