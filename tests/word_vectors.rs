//! Files of word vectors: the three forms there are, the words that are kept, and files that are not what they say.

use gloss::nn::WordVectors;
use gloss::store::word_vectors::read;
use gloss::text::normalised_word;
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file for these words.
    fn read(&self, name: &str, content: &[u8], words: &[&str]) -> Result<WordVectors, String> {
        let wanted = |word: &str| Some(normalised_word(word).into_owned()).filter(|word| words.contains(&word.as_str()));
        read(&self.file(name, content), &wanted).map_err(|error| error.to_string())
    }
}

fn folder() -> Folder {
    Folder(tempfile::tempdir().unwrap())
}

/// word2vec binary, with or without a line break behind each vector.
fn binary(words: &[(&str, [f32; 2])], line_breaks: bool) -> Vec<u8> {
    let mut bytes = format!("{} 2\n", words.len()).into_bytes();
    for (word, vector) in words {
        bytes.extend(word.bytes().chain([b' ']));
        bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(line_breaks.then_some(b'\n'));
    }
    bytes
}

#[test]
fn every_form_gives_the_same_vectors() {
    let words = [("很好", [0.5, -1.0]), ("the", [1e-3, 2.0]), ("😭", [0.0, 3.25])];
    let rows = "很好 0.5 -1\nthe 1e-3 2.0\n😭 0 3.25\n";
    let wanted = |file: &str| WordVectors {
        file: file.to_owned(),
        dimension: 2,
        rows: words.iter().map(|(word, vector)| ((*word).to_owned(), vector.to_vec())).collect(),
    };
    let folder = folder();
    let forms: [(&str, Vec<u8>); 6] = [
        ("glove.txt", rows.into()),
        ("w2v.vec", format!("3 2\n{rows}").into()),
        ("windows.txt", rows.replace('\n', " \r\n").into()),
        ("tabs.vec", rows.replace(' ', "\t").into()),
        ("a.bin", binary(&words, false)),
        ("b.BIN", binary(&words, true)),
    ];
    for (name, content) in forms {
        assert_eq!(folder.read(name, &content, &["很好", "the", "😭"]), Ok(wanted(name)));
    }
}

#[test]
fn only_wanted_words_are_kept_and_the_exact_spelling_first() {
    let folder = folder();
    let rows = "hotel 3 3 3\nHotel 1 1 1\nＨｏｔｅｌ 2 2 2\nother x y z\nStaff 4 4 4\nSTAFF 5 5 5\n";
    let read = folder.read("v.txt", rows.as_bytes(), &["hotel", "staff", "absent"]).unwrap();
    assert_eq!(read.rows.keys().collect::<Vec<_>>(), ["hotel", "staff"], "what nobody wants need not be numbers");
    assert_eq!((&read.rows["hotel"][..], &read.rows["staff"][..]), (&[3.0; 3][..], &[4.0; 3][..]));
    let turned = folder.read("t.txt", b"Hotel 1 1\nhotel 3 3\n", &["hotel"]).unwrap();
    assert_eq!(turned.rows["hotel"], [3.0, 3.0]);
    // GloVe has words with spaces in them.
    let spaced = folder.read("s.txt", "好 5 6\n. . . 1 2\nat name@domain.com 3 4\n".as_bytes(), &["好", ". . ."]).unwrap();
    assert_eq!((spaced.dimension, &spaced.rows[". . ."][..]), (2, &[1.0, 2.0][..]));
}

#[test]
fn files_that_are_not_what_they_say_are_refused() {
    let folder = folder();
    let good = binary(&[("a", [1.0, 2.0]), ("b", [3.0, 4.0])], false);
    let not_finite = binary(&[("a", [1.0, f32::NAN])], false);
    let rows: [(&str, &[u8], &str); 13] = [
        ("empty.txt", b"", "it is empty"),
        ("only-header.vec", b"0 2\n", ""),
        ("cut.vec", b"3 2\na 1 2\nb 3 4\n", "promises 3 words, 2 are there"),
        ("short.txt", b"a 1 2\nb 3\n", "line 2 has 1 numbers, the others have 2"),
        ("long.txt", b"a 1 2\n1 3 4 5\n", "line 2 has more than 2 numbers"),
        ("nan.txt", b"a 1 nan\n", "line 1 holds something that is no finite number"),
        ("word.txt", b"b 1 2\na 1 x\n", "line 2 holds something"),
        ("wide.vec", b"2 99999\n", "99999 numbers"),
        ("text.bin", b"a 1 2\n", "word2vec binary"),
        ("cut.bin", &good[..good.len() - 1], "ends in word 2"),
        ("cut-word.bin", &good[..good.len() - 9], "ends in word 2"),
        ("nan.bin", &not_finite, "the vector of word 1"),
        ("binary.txt", &[7; 1 << 21], "must end in .bin"),
    ];
    for (name, content, says) in rows {
        match folder.read(name, content, &["a", "b"]) {
            Ok(read) => assert!(says.is_empty() && read.rows.is_empty(), "{name}: {read:?}"),
            Err(error) => assert!(!says.is_empty() && error.contains(says) && error.contains(name), "{name}: {error}"),
        }
    }
    assert!(read(&folder.0.path().join("absent.txt"), &|_| None).unwrap_err().to_string().contains("no such file"));
}
