//! The architecture is a test: which room of `src/` may use which rooms and outside crates, names that are banned and
//! where, and what may stand at the top of the repository. It scans lines and `use` trees; it does not parse Rust.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src/`: the guarded outside paths it may name, and the rooms it may use.
struct Room {
    name: &'static str,
    outside: &'static [&'static str],
    rooms: &'static [&'static str],
}

const fn room(name: &'static str, outside: &'static [&'static str], rooms: &'static [&'static str]) -> Room {
    Room { name, outside, rooms }
}

/// From the bottom up: a room may only use rooms above its own row.
const ROOMS: &[Room] = &[
    room("project", &[], &[]),
    room("text", &["tokenizers", "jieba_rs", "unicode_segmentation"], &["project"]),
    room("nn", &["candle_core", "candle_nn", "candle_transformers", "gemm", "rand", "rayon", "safetensors", "std::io"], &[]),
    room("train", &["rand", "std::time"], &["nn", "text", "project"]),
    room("predict", &["rand", "rayon"], &["nn", "text", "project"]),
    room("advise", &[], &["project"]),
    room(
        "store",
        &[
            "rusqlite",
            "polars",
            "encoding_rs",
            "unicode_segmentation",
            "rayon",
            "sha1",
            "sha2",
            "ureq",
            "directories",
            "safetensors",
            "std::env",
            "std::fs",
            "std::io",
            "std::time",
        ],
        &["project", "train", "nn"],
    ),
    room(
        "desk",
        &["crossbeam_channel", "std::fs", "std::io", "std::thread", "std::time"],
        &["project", "text", "nn", "train", "predict", "advise", "store"],
    ),
    room(
        "cli",
        &["clap", "env_logger", "rayon", "std::env", "std::fs", "std::io", "std::process", "std::thread", "std::time"],
        &["project", "text", "nn", "train", "predict", "store", "desk"],
    ),
    room("ui", &["egui", "eframe", "egui_plot", "rfd", "std::env", "std::time"], &["project", "train", "predict", "desk"]),
];

/// Outside paths that only the rooms naming them in [`ROOMS`] may use. Values (serde, thiserror, log) are free for all.
const GUARDED: &[&str] = &[
    "egui",
    "eframe",
    "egui_plot",
    "egui_kittest",
    "rfd",
    "candle_core",
    "candle_nn",
    "candle_transformers",
    "gemm",
    "safetensors",
    "tokenizers",
    "jieba_rs",
    "unicode_segmentation",
    "polars",
    "rusqlite",
    "encoding_rs",
    "sha1",
    "sha2",
    "ureq",
    "directories",
    "crossbeam_channel",
    "clap",
    "env_logger",
    "rand",
    "rayon",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "std::env",
    "std::sync::mpsc",
];

/// Outside paths that are kept to one place inside their room.
const ONLY_IN: &[(&str, &str)] = &[("rfd", "src/ui/dialogs"), ("polars", "src/store/"), ("ureq", "src/store/hub.rs")];

/// Text that may not stand in code, the places where it may all the same, and why.
const BANNED: &[(&str, &[&str], &str)] = &[
    ("thread::spawn(", &[], "a thread has a name and an owner who joins it"),
    ("unbounded(", &[], "an unread channel must not eat the memory"),
    (".spinner(", &[], "it repaints for ever"),
    ("Spinner::new", &[], "it repaints for ever"),
    ("Color32::from_", &["src/ui/theme.rs"], "colours come from the theme"),
    ("softmax_last_dim", &["src/nn/ops", "src/nn/plain"], "it has no gradient"),
    ("LayerNorm::new", &["src/nn/ops", "src/nn/plain"], "it has no gradient"),
    ("ops::layer_norm", &["src/nn/ops", "src/nn/plain"], "it has no gradient"),
    ("ops::rms_norm", &["src/nn/ops", "src/nn/plain"], "it has no gradient"),
    (".unwrap()", &[], "say why it can't fail, or handle it"),
    ("todo!(", &[], "not done is not delivered"),
    ("unimplemented!(", &[], "not done is not delivered"),
    ("dbg!(", &[], "left over from a search"),
    (" println!(", &["src/cli", "src/main.rs"], "standard output belongs to the headless commands"),
];

const TOP: &[&str] = &[
    ".ci",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "assets",
    "benches",
    "clippy.toml",
    "rustfmt.toml",
    "sample-data",
    "src",
    "tests",
];

#[test]
fn sources_keep_to_their_rooms() {
    let mut found = Vec::new();
    for file in rust_files("src") {
        found.extend(findings(&file, &read(&file)));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = ["src", "tests", "benches"].into_iter().flat_map(rust_files);
    let silent: Vec<_> = files.filter(|file| !has_head(&read(file))).collect();
    assert!(silent.is_empty(), "these do not start with a `//!` comment: {silent:#?}");
}

#[test]
fn the_rooms_are_those_of_the_table() {
    let table: BTreeSet<String> = ROOMS.iter().map(|room| room.name.to_owned()).collect();
    let folders: BTreeSet<String> =
        entries("src").filter(|path| path.is_dir()).filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    assert_eq!(folders, table, "folders of src/ and rooms of the table");

    let code = read("src/lib.rs");
    let listed: BTreeSet<String> =
        code.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect();
    assert_eq!(listed, table, "modules of src/lib.rs and rooms of the table");
}

/// Otherwise two rooms could lean on each other.
#[test]
fn the_table_has_no_upward_edge() {
    for (at, room) in ROOMS.iter().enumerate() {
        for used in room.rooms {
            let place = ROOMS.iter().position(|other| other.name == *used);
            assert!(place.is_some_and(|place| place < at), "{} may not use {used}: it does not stand above it", room.name);
        }
        for outside in room.outside {
            assert!(GUARDED.contains(outside), "{}: {outside} is not guarded, so the row says nothing", room.name);
        }
    }
}

#[test]
fn nothing_else_lies_at_the_top() {
    let tracked = std::process::Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let names: BTreeSet<String> = match tracked {
        Ok(out) if out.status.success() && !out.stdout.is_empty() => {
            String::from_utf8_lossy(&out.stdout).lines().filter_map(|path| path.split('/').next()).map(str::to_owned).collect()
        }
        // Not a clone, but an unpacked archive.
        _ => entries("").filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).filter(|name| name != "target").collect(),
    };
    let extra: Vec<_> = names.iter().filter(|name| !TOP.contains(&name.as_str())).collect();
    assert!(extra.is_empty(), "not in the table of the top level: {extra:?}");
}

/// A clone must not point at places that only the machine it was written on has.
#[test]
fn no_file_names_a_place_outside() {
    let places = ["/wo\u{72}k/", "/ro\u{6f}t/", "../../p\u{65}ers", "../../d\u{65}sign", "../sh\u{61}red"];
    let mut found = Vec::new();
    let texts = ["README.md", "Cargo.toml", "clippy.toml", "rustfmt.toml", ".gitignore"].map(str::to_owned);
    for file in texts.into_iter().chain(["src", "tests", "benches", "assets", "sample-data", ".ci"].into_iter().flat_map(files)) {
        // Pictures and weights are no text.
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        found.extend(places.iter().filter(|place| text.contains(**place)).map(|place| format!("{file}: {place}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Every test file is part of the one test program.
#[test]
fn every_test_file_is_listed() {
    let main = read("tests/main.rs");
    for path in entries("tests") {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let is_module = path.extension().is_some_and(|ext| ext == "rs") || path.join("mod.rs").is_file();
        if is_module && name != "main" {
            assert!(main.lines().any(|line| line == format!("mod {name};")), "tests/main.rs lacks `mod {name};`");
        }
    }
}

/// Characters that no shipped font has would be boxes on the screen.
#[test]
fn shipped_fonts_have_every_character_of_the_interface() {
    use eframe::egui;
    const NO_FONT_HAS: char = '\u{10fffd}';
    let mut wanted = BTreeSet::new();
    for file in rust_files("src/ui") {
        let source = read(&file);
        let code: String = production(&source).lines().map(without_comment).collect();
        wanted.extend(code.chars().filter(|c| !c.is_ascii() && !c.is_control()));
    }
    assert!(wanted.len() > 100, "the Chinese interface alone has more characters than {}", wanted.len());

    let ctx = egui::Context::default();
    gloss::ui::fonts::install(&ctx);
    let mut missing = wanted;
    missing.insert(NO_FONT_HAS);
    let mut look = |ui: &mut egui::Ui| {
        let font = egui::FontId::proportional(14.0);
        missing.retain(|c| !ui.ctx().fonts_mut(|fonts| fonts.has_glyph(&font, *c)));
    };
    let _ = ctx.run_ui(egui::RawInput::default(), &mut look);
    // Were it not missing, the question would be put wrongly.
    assert!(missing.remove(&NO_FONT_HAS));
    assert!(missing.is_empty(), "no shipped font has {missing:?}");
}

#[test]
fn the_scanner_finds_what_it_should() {
    let check = |file: &str, source: &str, wanted: &[&str]| {
        let found = findings(file, source);
        assert_eq!(found.len(), wanted.len(), "{file}: {source}\n{found:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.contains(wanted), "`{found}` lacks `{wanted}`");
        }
    };
    // Rooms: comments and strings do not count, groups and relative paths do.
    check("src/project/a.rs", "use egui::Ui; // egui::", &["src/project/a.rs:1: `project` may not use `egui`"]);
    check("src/project/a.rs", "let url = \"egui::Ui\"; // use egui::Ui;", &[]);
    check("src/nn/a.rs", "use crate::{nn::Param,\n    project::{Project, Edit}};", &["a.rs:2: `nn` may not use the room `project`"; 2]);
    check("src/train/a.rs", "use crate::nn::Params;\nuse crate::project::DocId;", &[]);
    check("src/ui/a.rs", "crate::store::import::read(&path)", &["the room `store`"]);
    check("src/ui/panes/a.rs", "use super::super::super::store::Runs;", &["climbs out of its room"]);
    check("src/ui/panes/a.rs", "use super::super::theme::Theme;", &[]);
    check("src/predict/mod.rs", "use super::nn;", &["climbs out of its room"]);
    check("src/gossip/a.rs", "", &["`gossip` is not a room"]);
    check("src/extra.rs", "", &["`extra.rs` is not a room"]);
    // Outside crates.
    check("src/train/a.rs", "use std::{fmt, fs, sync::mpsc};", &["`std::fs`", "`std::sync::mpsc`"]);
    check("src/ui/a.rs", "let (tx, rx) = crossbeam_channel::bounded(1);", &["`crossbeam_channel`"]);
    check("src/ui/panes/a.rs", "rfd::AsyncFileDialog::new()", &["only `src/ui/dialogs`"]);
    check("src/ui/dialogs/native.rs", "rfd::AsyncFileDialog::new()", &[]);
    check("src/text/a.rs", "use regex::Regex; let log = rand; rand.next();", &[]);
    check("src/text/a.rs", "use rand as chance;", &["`rand`"]);
    // Banned names.
    check("src/desk/a.rs", "let x = y.unwrap();", &["`.unwrap()`"]);
    check("src/desk/a.rs", "let x = \".unwrap()\";\n#[cfg(test)]\nmod tests { fn f() { y.unwrap(); } }", &[]);
    check("src/ui/a.rs", "Color32::from_rgb(1, 2, 3)", &["colours come from the theme"]);
    check("src/ui/theme.rs", "Color32::from_rgb(1, 2, 3)", &[]);
    check("src/nn/encoder.rs", "candle_nn::ops::softmax_last_dim(&x)", &["`softmax_last_dim`"]);
    check("src/nn/ops.rs", "candle_nn::ops::softmax_last_dim(&x)", &[]);
    check("src/desk/a.rs", "    println!(\"x\"); eprintln!(\"y\");", &["` println!(`"]);
    // Heads.
    assert!(has_head("//! What for.\nuse x;"));
    assert!(!has_head("use x;\n//! What for."));
    assert!(!has_head("//!\nuse x;"));
}

/// What is wrong with one source file of `src/`, a sentence a finding.
fn findings(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let inside = file.strip_prefix("src/").unwrap_or(file);
    let code: String = production(source).lines().map(|line| bare(line) + "\n").collect();
    for (number, line) in (1..).zip(code.lines()) {
        for (text, places, why) in BANNED {
            if line.contains(text) && !places.iter().any(|place| file.starts_with(place)) {
                found.push(format!("{file}:{number}: `{text}` is banned: {why}"));
            }
        }
    }
    let room = match inside.split_once('/') {
        Some((name, _)) => match ROOMS.iter().find(|room| room.name == name) {
            Some(room) => room,
            None => return vec![format!("{file}: `{name}` is not a room of the table")],
        },
        // The crate root and the program may use every room, and no room may hide there.
        None if matches!(inside, "lib.rs" | "main.rs") => return found,
        None => return vec![format!("{file}: `{inside}` is not a room of the table")],
    };
    let depth = inside.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").count();
    for (number, path) in paths(&code) {
        for outside in GUARDED.iter().filter(|outside| is_under(&path, outside)) {
            if !room.outside.contains(outside) {
                found.push(format!("{file}:{number}: `{}` may not use `{outside}`", room.name));
            } else if let Some((_, place)) = ONLY_IN.iter().find(|(kept, place)| kept == outside && !file.starts_with(place)) {
                found.push(format!("{file}:{number}: only `{place}` may use `{outside}`"));
            }
        }
        let mut parts = path.iter().map(String::as_str);
        if path.iter().take_while(|part| *part == "super").count() >= depth {
            found.push(format!("{file}:{number}: `{}` climbs out of its room", path.join("::")));
        } else if parts.next() == Some("crate")
            && let Some(used) = parts.next()
            && used != room.name
            && ROOMS.iter().any(|other| other.name == used)
            && !room.rooms.contains(&used)
        {
            found.push(format!("{file}:{number}: `{}` may not use the room `{used}`", room.name));
        }
    }
    found
}

fn is_under(path: &[String], outside: &str) -> bool {
    let parts: Vec<&str> = outside.split("::").collect();
    path.len() >= parts.len() && path.iter().zip(&parts).all(|(a, b)| a == b)
}

/// Every path of the code with the line it ends on, groups of `use` trees written out: `std::{fmt, fs}` is two.
/// A lone name counts only as what a `use` names.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(is_word) {
        let at = code.len() - rest.len() + start;
        let word_end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |len| start + len);
        let after_use = rest[start..word_end] == *"use";
        let from = if after_use { &rest[word_end..] } else { &rest[start..] };
        let lone = if after_use { 1 } else { 2 };
        if !after_use && code[..at].ends_with("::") {
            rest = &rest[word_end..];
            continue;
        }
        let mut tree = Vec::new();
        rest = read_tree(from, &[], &mut tree);
        let line_of = |left: usize| code[..code.len() - left].matches('\n').count() + 1;
        found.extend(tree.into_iter().filter(|(_, path)| path.len() >= lone).map(|(left, path)| (line_of(left), path)));
    }
    found
}

/// Reads one path or `use` tree behind `prefix` and answers with what follows it. Places are bytes left after the path.
fn read_tree<'a>(code: &'a str, prefix: &[String], found: &mut Vec<(usize, Vec<String>)>) -> &'a str {
    let mut path = prefix.to_vec();
    let mut rest = code.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{').filter(|_| !path.is_empty()) {
            loop {
                inside = inside.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
                match inside.strip_prefix('}') {
                    Some(after) => return after,
                    None if inside.is_empty() => return inside,
                    None => {
                        let after = read_tree(inside, &path, found);
                        // `as name`, `*` and the like: go on with the next branch.
                        inside = &after[after.find([',', '}']).unwrap_or(after.len())..];
                    }
                }
            }
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        match rest[end..].strip_prefix("::") {
            Some(after) if end > 0 && after.starts_with(|c| is_word(c) || c == '{') => rest = after,
            _ => {
                found.push((rest.len() - end, path));
                let skipped = if end > 0 { end } else { rest.chars().next().map_or(0, char::len_utf8) };
                return &rest[skipped..];
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The file without its unit tests, which stand at its end.
fn production(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or_default()
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    let bytes = line.as_bytes();
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' if at > 0 && bytes[at - 1] == b'\'' && bytes.get(at + 1) == Some(&b'\'') => {}
            b'"' => quoted = !quoted,
            b'/' if !quoted && bytes.get(at + 1) == Some(&b'/') => return &line[..at],
            _ => {}
        }
    }
    line
}

/// A line without its comment and without what stands in its strings.
fn bare(line: &str) -> String {
    let mut quoted = false;
    let mut last = ' ';
    let mut out = String::new();
    for c in without_comment(line).chars() {
        if c == '"' && last != '\\' && last != '\'' {
            quoted = !quoted;
        } else if !quoted {
            out.push(c);
        }
        last = if c == '\\' && last == '\\' { ' ' } else { c };
    }
    out
}

fn has_head(source: &str) -> bool {
    source.lines().next().is_some_and(|line| line.strip_prefix("//!").is_some_and(|said| !said.trim().is_empty()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn entries(folder: &str) -> impl Iterator<Item = PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| !path.ends_with(".git"));
    found.sort();
    found.into_iter()
}

/// Rust files below a folder, as paths from the root with `/`.
fn rust_files(folder: &str) -> Vec<String> {
    files(folder).into_iter().filter(|file| file.ends_with(".rs")).collect()
}

/// Files below a folder, as paths from the root with `/`.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in entries(folder) {
        let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() { found.extend(files(&name)) } else { found.push(name) }
    }
    found
}
