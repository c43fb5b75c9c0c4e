//! Encoders fetched from a hub: against a server on this machine that speaks its protocol, and against its faults.

use super::stage::{Stage, draw_until};
use eframe::egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::Fetching;
use gloss::nn::ModelFiles;
use gloss::store::StoreError;
use gloss::store::hub::{Hub, HubError, Progress, folder_of};
use gloss::store::model_folder;
use gloss::ui::panes::train::TrainPane;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// What goes wrong at the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fault {
    #[default]
    None,
    /// The connection breaks after so many bytes of a file, each time.
    Breaks(usize),
    /// The connection breaks before the first byte of the weights.
    Mute,
    /// Ranges are not known: every answer begins at the first byte.
    NoRanges,
    /// A byte of the weights is another.
    Flipped,
    /// More comes than was said.
    TooLong,
    /// Only this token is let in.
    Token(&'static str),
    /// Every answer is this status.
    Status(u16),
    /// The list of files is no JSON.
    Nonsense,
}

struct Server {
    address: String,
    /// The lines asked, each with its range.
    asked: Arc<Mutex<Vec<String>>>,
}

type Files = BTreeMap<&'static str, Vec<u8>>;

/// The smallest model folder, with weights of about 300 kB so that a break falls inside them.
fn files() -> Files {
    let numbers = 75_000;
    let header = format!("{{\"x\":{{\"dtype\":\"F32\",\"shape\":[{numbers}],\"data_offsets\":[0,{}]}}}}", numbers * 4);
    let values: Vec<u8> = (0..numbers * 4).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let weights = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &values].concat();
    BTreeMap::from([
        ("config.json", r#"{"model_type":"bert","note":"中文"}"#.as_bytes().to_vec()),
        ("tokenizer.json", b"{\"version\":\"1.0\"}".to_vec()),
        ("model.safetensors", weights),
        ("pytorch_model.bin", b"never asked for".to_vec()),
    ])
}

/// The hub's list, as `?blobs=true` gives it: git's hash for small files, SHA-256 for large ones.
fn listing(files: &Files) -> String {
    let siblings: Vec<serde_json::Value> = files
        .iter()
        .map(|(name, bytes)| {
            let mut one = serde_json::json!({"rfilename": name, "size": bytes.len(), "blobId": git_hash(bytes)});
            if *name == "model.safetensors" {
                let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                one["lfs"] = serde_json::json!({"sha256": hash, "size": bytes.len(), "pointerSize": 134});
            }
            one
        })
        .collect();
    serde_json::json!({"id": "owner/name", "sha": "0123456789abcdef", "siblings": siblings}).to_string()
}

fn git_hash(bytes: &[u8]) -> String {
    use sha1::Digest as _;
    let hash = sha1::Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Server {
    fn start(files: Files, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (log, own) = (asked.clone(), address.clone());
        thread::Builder::new()
            .name("test-hub".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    answer(stream, &files, fault, &own, &log).ok();
                }
            })
            .unwrap();
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, files: &Files, fault: Fault, own: &str, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let from: usize = headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()).unwrap_or(0);
    log.lock().unwrap().push(if from > 0 { format!("{path} from {from}") } else { path.clone() });
    let mut plain = |status: &str, more: &str, body: &[u8]| {
        write!(stream, "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
        stream.write_all(body)
    };
    if let Fault::Status(status) = fault {
        return plain(&format!("{status} so"), "", b"");
    }
    if let Fault::Token(token) = fault
        && !path.starts_with("/cdn/")
        && headers.get("authorization") != Some(&format!("Bearer {token}"))
    {
        return plain("401 Unauthorized", "", b"");
    }
    if path.starts_with("/cdn/") && headers.contains_key("authorization") {
        return plain("400 A token has no business here", "", b"");
    }
    if path == "/api/models/owner/name/revision/main?blobs=true" {
        let list = if fault == Fault::Nonsense { "<html>".to_owned() } else { listing(files) };
        return plain("200 OK", "", list.as_bytes());
    }
    if let Some(name) = path.strip_prefix("/owner/name/resolve/0123456789abcdef/") {
        // Large files live elsewhere, on another host as far as a client can tell.
        if name == "model.safetensors" {
            let elsewhere = own.replace("127.0.0.1", "localhost");
            return plain("302 Found", &format!("Location: {elsewhere}/cdn/{name}\r\n"), b"");
        }
        return file(&mut stream, &files[name], from, Fault::None);
    }
    match path.strip_prefix("/cdn/") {
        Some(name) => file(&mut stream, &files[name], from, fault),
        None => plain("404 Not Found", "", b""),
    }
}

fn file(stream: &mut TcpStream, bytes: &[u8], from: usize, fault: Fault) -> std::io::Result<()> {
    let mut bytes = bytes.to_vec();
    if fault == Fault::Flipped {
        bytes[200_000] ^= 1;
    }
    if fault == Fault::TooLong {
        bytes.push(0);
    }
    let (status, from) = if from > 0 && fault != Fault::NoRanges { ("206 Partial Content", from) } else { ("200 OK", 0) };
    let rest = &bytes[from..];
    let sent = match fault {
        Fault::Breaks(after) => &rest[..rest.len().min(after)],
        Fault::Mute => &[],
        _ => rest,
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len())?;
    stream.write_all(sent)
}

fn fetch(server: &Server, folder: &Path) -> Result<Vec<Progress>, HubError> {
    let mut told = Vec::new();
    let hub = Hub::new(&format!("{}/", server.address), None)?;
    hub.download("owner/name", "main", folder, &mut |progress| {
        told.push(progress);
        true
    })?;
    Ok(told)
}

fn is_whole(folder: &Path) -> bool {
    files()
        .iter()
        .filter(|(name, _)| **name != "pytorch_model.bin")
        .all(|(name, bytes)| std::fs::read(folder.join(name)).unwrap() == *bytes)
        && std::fs::read_dir(folder).unwrap().count() == 3
        && model_folder::read(folder).is_ok_and(|read: ModelFiles| read.config.contains("中文"))
}

#[test]
fn an_encoder_arrives_whole_and_says_how_far_it_is() {
    let server = Server::start(files(), Fault::None);
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), "owner/name");
    assert!(folder.ends_with("owner--name"));
    let told = fetch(&server, &folder).unwrap();
    assert!(is_whole(&folder));
    let total: u64 = files().iter().filter(|(name, _)| **name != "pytorch_model.bin").map(|(_, bytes)| bytes.len() as u64).sum();
    assert!(told.iter().all(|progress| progress.total == total && progress.done <= total));
    assert!(told.windows(2).all(|pair| pair[0].done <= pair[1].done));
    assert_eq!((told[0].done, told.last().unwrap().done), (0, total));
    assert!(server.asked().iter().all(|line| !line.contains(".bin")), "{:?}", server.asked());
    // What is there is not fetched over.
    assert!(matches!(fetch(&server, &folder), Err(HubError::Store(StoreError::Exists { .. }))));
}

#[test]
fn what_broke_off_goes_on_where_it_stopped() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("e");
    // Within one download, as long as each connection brings something.
    let server = Server::start(files(), Fault::Breaks(100_000));
    fetch(&server, &folder).unwrap();
    assert!(is_whole(&folder));
    assert!(server.asked().iter().any(|line| line.ends_with("from 100000")), "{:?}", server.asked());
    // After one was stopped, and by a program started anew.
    let folder = place.path().join("f");
    let server = Server::start(files(), Fault::None);
    let hub = Hub::new(&server.address, None).unwrap();
    let stopped = hub.download("owner/name", "main", &folder, &mut |progress| progress.file != "model.safetensors");
    assert!(matches!(stopped, Err(HubError::Stopped)));
    assert!(!folder.exists() && place.path().join("f.part/config.json").exists());
    let mute = Server::start(files(), Fault::Mute);
    assert!(matches!(fetch(&mute, &folder), Err(HubError::Unreachable { .. })), "and gives up where nothing comes");
    std::fs::write(place.path().join("f.part/model.safetensors"), &files()["model.safetensors"][..1234]).unwrap();
    fetch(&server, &folder).unwrap();
    assert!(is_whole(&folder) && !place.path().join("f.part").exists());
    assert!(server.asked().iter().any(|line| line.ends_with("from 1234")), "{:?}", server.asked());
    // A server without ranges begins anew.
    let folder = place.path().join("g");
    std::fs::create_dir(place.path().join("g.part")).unwrap();
    std::fs::write(place.path().join("g.part/model.safetensors"), b"of another model").unwrap();
    fetch(&Server::start(files(), Fault::NoRanges), &folder).unwrap();
    assert!(is_whole(&folder));
}

#[test]
fn what_came_wrong_is_thrown_away_and_said() {
    for fault in [Fault::Flipped, Fault::TooLong] {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("e");
        let Err(error) = fetch(&Server::start(files(), fault), &folder) else { panic!("{fault:?} passed") };
        assert!(error.to_string().starts_with("model.safetensors is not what the hub says it should be"), "{fault:?}: {error}");
        assert!(!folder.exists() && !place.path().join("e.part/model.safetensors").exists(), "{fault:?}");
        fetch(&Server::start(files(), Fault::None), &folder).unwrap();
        assert!(is_whole(&folder));
    }
}

#[test]
fn a_token_opens_what_is_private_and_goes_to_the_hub_alone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("e");
    let server = Server::start(files(), Fault::Token("hf_中文没有"));
    assert!(matches!(fetch(&server, &folder), Err(HubError::NotAllowed { .. })));
    let server = Server::start(files(), Fault::Token("hf_right"));
    let hub = Hub::new(&server.address, Some(" hf_right\n".to_owned())).unwrap();
    hub.download("owner/name", "main", &folder, &mut |_| true).unwrap();
    assert!(is_whole(&folder));
}

#[test]
fn what_can_not_be_used_is_refused_in_words() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("e");
    let without = |gone: &str, more: Option<&'static str>| {
        let mut files = files();
        files.remove(gone);
        files.extend(more.map(|name| (name, b"{}".to_vec())));
        Server::start(files, Fault::None)
    };
    for (server, words) in [
        (without("model.safetensors", None), "pytorch_model.bin, which could run code"),
        (without("model.safetensors", Some("model.safetensors.index.json")), "in several files"),
        (without("tokenizer.json", None), "it has no tokenizer.json"),
        (Server::start(files(), Fault::Status(404)), "Check its name and revision"),
        (Server::start(files(), Fault::Status(403)), "Set HF_TOKEN"),
        (Server::start(files(), Fault::Status(503)), "answered with 503"),
        (Server::start(files(), Fault::Nonsense), "its list of files makes no sense"),
    ] {
        let Err(error) = fetch(&server, &folder) else { panic!("{words}: passed") };
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(!folder.exists());
    }
    let hub = Hub::new("http://127.0.0.1:9", None).unwrap();
    for name in ["", "a/b/c", "../up", "a/..", "a b", "名字/模型", "/abs", ".hidden/x"] {
        let said = hub.download(name, "main", &folder, &mut |_| true);
        assert!(matches!(said, Err(HubError::BadName(_))), "{name}");
    }
    assert!(matches!(hub.download("owner/name", "../x y", &folder, &mut |_| true), Err(HubError::NotThere { .. })));
    for endpoint in ["", "ftp://x", "https://", "huggingface.co", "http://a b"] {
        assert!(matches!(Hub::new(endpoint, None), Err(HubError::BadEndpoint(_))), "{endpoint}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = Hub::new(&format!("http://{closed}"), None).unwrap();
    let said = hub.download("owner/name", "main", &folder, &mut |_| true).unwrap_err().to_string();
    assert!(said.contains("can't be reached") && said.contains("mirror"), "{said}");
}

#[test]
fn from_the_command_line() {
    let server = Server::start(files(), Fault::None);
    let place = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gloss"));
        command.env("GLOSS_CONFIG_DIR", place.path()).env("HF_ENDPOINT", &server.address).env_remove("HF_TOKEN");
        command.arg("encoder").args(arguments).output().unwrap()
    };
    let done = run(&["owner/name"]);
    let folder = place.path().join("encoders/owner--name");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), folder.display().to_string(), "{done:?}");
    assert!(is_whole(&folder));
    assert_eq!(run(&["a/b/c"]).status.code(), Some(2));
    assert_eq!(run(&["owner/other"]).status.code(), Some(1));
    let to = place.path().join("模型");
    assert_eq!(run(&["owner/name", "--to", to.to_str().unwrap()]).status.code(), Some(0));
    assert!(is_whole(&to));
    let mut stdout = String::new();
    done.stderr.as_slice().read_to_string(&mut stdout).unwrap();
    assert_eq!(stdout, "", "nothing is said where nobody watches");
}

type Place = Harness<'static, Stage<TrainPane>>;

fn type_into(place: &mut Place, field: &str, text: &str) {
    place.get_by_role_and_label(Role::TextInput, field).focus();
    place.run_steps(2);
    place.get_by_role_and_label(Role::TextInput, field).type_text(text);
    place.run_steps(2);
}

fn click(place: &mut Place, label: &str) {
    place.get_by_label(label).click();
    place.run_steps(3);
}

#[test]
fn in_the_window_an_encoder_is_fetched_and_chosen() {
    let server = Server::start(files(), Fault::None);
    let mut place: Place = Stage::with_reviews(3).harness(TrainPane::ui);
    place.run_steps(3);
    click(&mut place, "Encoder");
    click(&mut place, "Another, from a hub…");
    type_into(&mut place, "Address of the hub", &server.address);
    type_into(&mut place, "Name of the encoder", "owner/other");
    click(&mut place, "Fetch");
    draw_until(&mut place, |stage| matches!(stage.desk.fetching(), Fetching::Failed { .. }));
    place.get_by_label_contains("owner/other did not come:");
    // What was typed is still there to be put right.
    let field = place.get_by_role_and_label(Role::TextInput, "Name of the encoder");
    field.focus();
    place.run_steps(2);
    place.key_press_modifiers(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::A);
    place.run_steps(2);
    type_into(&mut place, "Name of the encoder", "owner/name");
    click(&mut place, "Fetch");
    draw_until(&mut place, |stage| stage.desk.encoders().len() == 1 && *stage.desk.fetching() == Fetching::Idle);
    assert!(place.query_by_label("Name of the encoder").is_none(), "the form goes when it is done");
    // It is chosen, and stays in the menu.
    click(&mut place, "Encoder");
    assert!(place.query_all_by_label("owner/name").count() >= 1);
    assert!(is_whole(&place.state().desk.encoders()[0]));
}
