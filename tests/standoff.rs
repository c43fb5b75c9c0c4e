//! Words and spans that stand beside their text by its places: TSV of WebAnno and the standoff of brat.

use crate::interchange::line;
use gloss::project::{Project, Schema};
use gloss::store::formats::{Fate, Kind, Loss};
use gloss::store::import::{self, Draft, Format, ImportOptions, Imported};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn read_path(path: &Path, kind: Option<Kind>) -> Imported {
    let options = ImportOptions { format: kind.map(Format::Annotated), ..ImportOptions::default() };
    import::read(path, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap()
}

/// Reads a TSV, said and found out alike.
#[track_caller]
fn read(content: &str) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    fs::write(&path, content).unwrap();
    let (found, said) = (read_path(&path, None), read_path(&path, Some(Kind::WebAnno)));
    assert_eq!(found.report.format, Kind::WebAnno.name());
    assert_eq!(found, said);
    said
}

#[track_caller]
fn holds(imported: &Imported, wanted: &[&str]) {
    assert_eq!(imported.drafts.iter().map(line).collect::<Vec<_>>(), wanted);
    // A project takes all of it.
    let mut project = Project::new(Schema::default());
    import::edits(&project, imported.drafts.clone()).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let spans: usize = project.documents().map(|doc| doc.annotation.spans.len()).sum();
    let drafted = |draft: &Draft| draft.annotation.as_ref().map_or(0, |said| said.spans.len());
    assert_eq!((project.documents().count(), spans), (wanted.len(), imported.drafts.iter().map(drafted).sum()));
}

fn losses(imported: &Imported) -> &[Loss] {
    &imported.report.spans.as_ref().unwrap().losses
}

/// Says so, in these rows.
#[track_caller]
fn says(imported: &Imported, part: &str, rows: &[usize]) {
    let found = losses(imported).iter().find(|loss| loss.fate == Fate::Noted && loss.what.contains(part));
    let found: Vec<usize> = found.map(|loss| loss.all().map(|(row, _)| row).collect()).unwrap_or_default();
    assert_eq!(found, rows, "{part:?} in {:#?}", losses(imported));
}

/// A TSV of sentences with their words, as `0-2 屏幕 ASP, 3-4 好`. The first word of the first one stands in row 6, and of each
/// further one three rows behind the last word before.
fn tsv(sentences: &[(&str, &str)]) -> String {
    let mut file = "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Aspect|label\n\n".to_owned();
    for (at, (text, words)) in sentences.iter().enumerate() {
        file += &format!("\n#Text={text}\n");
        for (word, said) in words.split(", ").enumerate() {
            let parts: Vec<&str> = said.split(' ').collect();
            file += &format!("{}-{}\t{}\t{}\t{}\t\n", at + 1, word + 1, parts[0], parts[1], parts.get(2).unwrap_or(&"_"));
        }
    }
    file
}

#[test]
fn white_space_before_the_first_sentence_moves_no_other() {
    let imported = read(&tsv(&[("Hello world.", "2-7 Hello, 8-13 world ASP, 13-14 ."), ("Bye", "15-18 Bye ASP"), ("好", "19-20 好")]));
    holds(&imported, &["Hello world.\nBye\n好 | ASP:world | ASP:Bye"]);
    says(&imported, "before the first sentence", &[6]);
    // Where the sentence holds it, it stays.
    let imported = read(&tsv(&[("\\n 屏幕 ", "2-4 屏幕 ASP"), ("好", "5-6 好 ASP")]));
    holds(&imported, &["\n 屏幕 好 | ASP:屏幕 | ASP:好"]);
    assert!(losses(&imported).is_empty(), "{:?}", losses(&imported));
}

#[test]
fn a_long_gap_is_cut_once() {
    let imported = read(&tsv(&[("A", "0-1 A ASP"), ("B", "41-42 B"), ("好", "43-44 好 ASP"), ("C", "46-47 C")]));
    let wanted = format!("A\n{}B\n好\n C | ASP:A | ASP:好", " ".repeat(15));
    holds(&imported, &[wanted.as_str()]);
    says(&imported, "a gap between two sentences", &[9]);
}

#[test]
fn sentences_that_touch_stay_so_and_those_that_overlap_do_not() {
    let imported = read(&tsv(&[("屏幕很好。", "0-2 屏幕 ASP, 2-4 很好, 4-5 。"), ("电池差", "5-7 电池 ASP, 7-8 差")]));
    holds(&imported, &["屏幕很好。电池差 | ASP:屏幕 | ASP:电池"]);
    assert!(losses(&imported).is_empty(), "{:?}", losses(&imported));
    let imported = read(&tsv(&[("A b", "0-1 A, 2-3 b"), ("好", "1-2 好 ASP"), ("C", "3-4 C")]));
    holds(&imported, &["A b\n好\nC | ASP:好"]);
    says(&imported, "begins before the end of the one before", &[10]);
}

#[test]
fn places_may_count_code_points() {
    let units = [("😀 好", "0-2 😀, 3-4 好 ASP"), ("屏幕👍", "5-7 屏幕 ASP, 7-9 👍"), ("b", "10-11 b ASP")];
    let chars = [("😀 好", "0-1 😀, 2-3 好 ASP"), ("屏幕👍", "4-6 屏幕 ASP, 6-7 👍"), ("b", "8-9 b ASP")];
    for sentences in [units, chars] {
        let imported = read(&tsv(&sentences));
        holds(&imported, &["😀 好\n屏幕👍\nb | ASP:好 | ASP:屏幕 | ASP:b"]);
        assert!(losses(&imported).is_empty(), "{:?}", losses(&imported));
    }
    // A sign at the end that is no word counts too.
    for sentences in [[("好 😀", "0-1 好 ASP"), ("👍 a", "5-7 👍, 8-9 a ASP")], [("好 😀", "0-1 好 ASP"), ("👍 a", "4-5 👍, 6-7 a ASP")]]
    {
        holds(&read(&tsv(&sentences)), &["好 😀\n👍 a | ASP:好 | ASP:a"]);
    }
    // So do signs before a part of a word.
    for (word, part) in [("0-5", "4-5"), ("0-4", "3-4")] {
        let file = tsv(&[("好👍好好", format!("{word} 好👍好好").as_str())]) + &format!("1-1.1\t{part}\t好\tASP\t\n");
        let imported = read(&file);
        holds(&imported, &["好👍好好 | ASP:好"]);
        assert_eq!(imported.drafts[0].annotation.as_ref().unwrap().spans[0].range.start(), "好👍好".len());
    }
}

#[test]
fn what_is_left_out_of_a_tsv_is_said_with_its_row() {
    let dependencies = concat!(
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Aspect|label\n",
        "#T_RL=de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency|DependencyType|flavor|BT_de.tudarmstadt.ukp.POS\n",
        "\n\n#Text=屏幕 好\n1-1\t0-2\t屏幕\tASP\tnsubj\tbasic\t1-2\t\n1-2\t3-4\t好\t_\troot\tbasic\t1-2\t\n\n#Text=left over\n",
    );
    let imported = read(dependencies);
    holds(&imported, &["屏幕 好 | ASP:屏幕"]);
    says(&imported, "the layer Dependency is about single words", &[7, 8]);
    says(&imported, "a text without words", &[1]);
    let imported = read(&tsv(&[("好", "0-1 好"), ("good screen", "2-6 good, 7-13 scream ASP"), ("b", "14-15 b ASP")]));
    holds(&imported, &["好\ngood scream\nb | ASP:scream | ASP:b"]);
    says(&imported, "the words do not stand in the text", &[9]);
}

#[test]
fn a_folder_of_tsv_names_its_folders_and_knows_capitals() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    fs::create_dir(folder.path().join("more.tsv")).unwrap();
    fs::create_dir(folder.path().join(".hidden")).unwrap();
    write("a.tsv", &tsv(&[("屏幕", "0-2 屏幕 ASP")]));
    write("b.TSV", &tsv(&[("b", "3-4 b ASP")]));
    write("more.tsv/c.tsv", &tsv(&[("c", "0-1 c")]));
    let imported = read_path(folder.path(), None);
    assert_eq!(imported.report.format, Kind::WebAnno.name());
    holds(&imported, &["屏幕 | ASP:屏幕", "b | ASP:b"]);
    assert_eq!(imported.drafts[1].meta["file"], "b.TSV");
    says(&imported, "a folder inside the folder was not read", &[1]);
    // Rows are files.
    says(&imported, "before the first sentence", &[2]);
}

/// Each of many sentences has a span, which a relation joins with the one before: work that grows with the square of the file
/// would not end here.
#[test]
fn a_long_tsv_comes_in_whole() {
    const SENTENCES: usize = 40_000;
    let mut file =
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Aspect|label\n#T_RL=webanno.custom.Link|kind|BT_webanno.custom.Aspect\n\n\n"
            .to_owned();
    for at in 0..SENTENCES {
        let (start, number) = (at * 3, at + 1);
        let link = if at == 0 { "_\t_".to_owned() } else { format!("of\t{at}-1") };
        file += &format!("#Text=屏幕\n{number}-1\t{start}-{}\t屏幕\tASP\t{link}\t\n\n", start + 2);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    fs::write(&path, file).unwrap();
    let imported = read_path(&path, None);
    let said = imported.drafts[0].annotation.as_ref().unwrap();
    assert_eq!((said.spans.len(), said.links.len()), (SENTENCES, SENTENCES - 1));
    assert_eq!(imported.drafts[0].text, vec!["屏幕"; SENTENCES].join("\n"));
}

#[test]
fn tabs_belong_to_what_brat_states_last() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write("a.txt", "foo\tbar 屏幕👍\t好");
    write("a.ann", "T1\tASP 0 7\tfoo\tbar\nT2\tOPN 8 13\t屏幕👍\t好\n#1\tAnnotatorNotes T1\tsee\tthis\t好\n");
    let imported = read_path(&folder.path().join("a.ann"), None);
    holds(&imported, &["foo\tbar 屏幕👍\t好 | ASP:foo\tbar | OPN:屏幕👍\t好"]);
    let spans = imported.report.spans.as_ref().unwrap();
    assert_eq!((spans.kept, spans.clipped, spans.dropped), (2, 0, 0));
    assert_eq!(imported.drafts[0].meta["notes"], "AnnotatorNotes T1 see\tthis\t好");
}

/// While it is read, not only when all of it is in memory.
#[test]
fn a_folder_of_many_files_can_be_ended() {
    const FILES: usize = 1_200;
    let [brat, webanno] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    fs::write(brat.path().join("0.ann"), "T1\tASP 0 2\t屏幕\n").unwrap();
    for at in 0..FILES {
        fs::write(brat.path().join(format!("{at}.txt")), format!("屏幕 {at}")).unwrap();
        fs::write(webanno.path().join(format!("{at}.tsv")), tsv(&[("", format!("0-4 屏幕{at} ASP").as_str())])).unwrap();
    }
    for folder in [brat.path(), webanno.path()] {
        let mut heard = Vec::new();
        let ended = import::read(folder, &ImportOptions::default(), &HashSet::new(), &mut |share, _| {
            heard.push(share);
            if heard.len() > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(ended.unwrap().is_none());
        // Reading is more than half of the work.
        assert!(heard.len() == 2 && heard[1] < 0.5, "{heard:?}");
    }
}
