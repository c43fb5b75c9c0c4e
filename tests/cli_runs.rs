//! `gloss runs`, as a shell runs it.

use crate::made_runs::{add_run, empty_project};
use gloss::train::TrainConfig;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Exit code and standard output.
fn gloss(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gloss"));
    let answer = command.args(arguments).current_dir(folder).env("GLOSS_CONFIG_DIR", folder).env_remove("RUST_LOG").output().unwrap();
    let text = if answer.status.success() { answer.stdout } else { answer.stderr };
    (answer.status.code(), String::from_utf8(text).unwrap())
}

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn runs_are_listed_compared_noted_exported_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("评论.gloss");
    empty_project(&project);
    let run = |arguments: &[&str]| gloss(folder.path(), &[&["runs", "评论.gloss"], arguments].concat());
    assert_eq!(run(&[]), (Some(0), String::new()));
    add_run(&project, &TrainConfig { lr: 5e-5, ..TrainConfig::default() }, 1_000, (20, 40));
    add_run(&project, &TrainConfig::default(), 2_000, (38, 40));

    let (code, listed) = run(&["--json"]);
    let listed = json(&listed);
    assert_eq!((code, listed.len()), (Some(0), 2));
    assert_eq!((&listed[0]["run"], &listed[0]["status"], &listed[0]["revision"]), (&"run-0001".into(), &"finished".into(), &7.into()));
    assert_eq!(listed[0]["settings"][0]["key"], "lr");
    assert_eq!((listed[0]["accuracy"].as_f64(), listed[1]["accuracy"].as_f64()), (Some(0.5), Some(0.95)));

    assert_eq!(run(&["note", "1", "太高的学习率"]).0, Some(0));
    let (_, text) = run(&[]);
    assert!(text.contains("run-0001") && text.contains("lr=0.00005") && text.contains("太高的学习率"), "{text}");

    let (code, compared) = run(&["compare", "1", "run-0002", "--json"]);
    let compared = json(&compared).remove(0);
    assert_eq!((code, &compared["documents"], compared["better"].as_array().unwrap().len()), (Some(0), &40.into(), 18));
    let accuracy = compared["scores"].as_array().unwrap().iter().find(|score| score["score"] == "accuracy").unwrap();
    assert!((accuracy["difference"].as_f64().unwrap() - 0.45).abs() < 1e-9 && accuracy["low"].as_f64() > Some(0.0), "{accuracy}");
    assert!(compared["sentence"].as_str().unwrap().starts_with("run-0002 is better by "), "{compared}");
    let (_, words) = run(&["compare", "2", "2"]);
    assert!(words.starts_with("run-0002 and run-0002 cannot be told apart on 40 documents"), "{words}");

    let (code, file) = run(&["export", "2", "--tensorboard", "板"]);
    assert_eq!(code, Some(0));
    assert!(folder.path().join(file.trim()).is_file() && file.contains("run-0002"), "{file}");

    let (code, said) = run(&["delete", "1"]);
    assert!(code == Some(0) && said.contains("are free"), "{said}");
    assert_eq!(json(&run(&["--json"]).1).len(), 1);
    let (code, said) = run(&["compare", "1", "2"]);
    assert!(code == Some(1) && said.contains("there is no run \"run-0001\""), "{said}");
}
