//! The tables of a project's file, by the format that brought them.

/// The tables of format 1. Offsets of spans are bytes.
pub(in crate::store) const TABLES: &str = "
CREATE TABLE schema(id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
CREATE TABLE documents(
    id INTEGER PRIMARY KEY, text TEXT NOT NULL, meta TEXT NOT NULL, split TEXT,
    present INTEGER NOT NULL, state TEXT NOT NULL, flagged INTEGER NOT NULL) STRICT;
CREATE TABLE answers(doc INTEGER NOT NULL, question INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (doc, question)) STRICT, WITHOUT ROWID;
CREATE TABLE spans(doc INTEGER NOT NULL, id INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    label INTEGER NOT NULL, polarity TEXT, PRIMARY KEY (doc, id)) STRICT, WITHOUT ROWID;
CREATE TABLE links(doc INTEGER NOT NULL, from_span INTEGER NOT NULL, to_span INTEGER NOT NULL,
    PRIMARY KEY (doc, from_span, to_span)) STRICT, WITHOUT ROWID;
CREATE TABLE journal(
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, author TEXT NOT NULL, time_ms INTEGER NOT NULL,
    edits TEXT NOT NULL, inverse TEXT NOT NULL) STRICT;
";

/// The tables that format 2 added: several annotators, comments, guidelines. A layer is the annotation as JSON.
pub(in crate::store) const TABLES_2: &str = "
CREATE TABLE layers(doc INTEGER NOT NULL, annotator INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (doc, annotator)) STRICT, WITHOUT ROWID;
CREATE TABLE comments(doc INTEGER NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (doc, id)) STRICT, WITHOUT ROWID;
CREATE TABLE team(id INTEGER PRIMARY KEY CHECK (id = 1), annotators TEXT NOT NULL, guidelines TEXT NOT NULL) STRICT;
INSERT INTO team(id, annotators, guidelines) VALUES (1, '[]', '');
";

/// The tables that format 3 added: attributes of spans as JSON, the types of links that are not of the first, and
/// suggestions that were turned down.
pub(in crate::store) const TABLES_3: &str = "
CREATE TABLE attributes(doc INTEGER NOT NULL, span INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (doc, span)) STRICT, WITHOUT ROWID;
CREATE TABLE link_types(doc INTEGER NOT NULL, from_span INTEGER NOT NULL, to_span INTEGER NOT NULL, type INTEGER NOT NULL,
    PRIMARY KEY (doc, from_span, to_span)) STRICT, WITHOUT ROWID;
CREATE TABLE rejected(doc INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY (doc, start, end, label)) STRICT, WITHOUT ROWID;
";
