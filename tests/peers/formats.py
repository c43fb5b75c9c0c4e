"""Files of Gloss read by the tools they are for, and theirs by Gloss. Run by hand:

    python -m venv env && env/bin/pip install -r tests/peers/requirements.txt
    env/bin/python tests/peers/formats.py target/release/gloss

Prints a line for each check and ends with 1 if one failed. The last result stands in result.txt beside this file."""

import json
import os
import subprocess
import sys
import tempfile

GLOSS = os.path.abspath(sys.argv[1])
FAILED = []


def gloss(*arguments, folder):
    environment = {**os.environ, "GLOSS_CONFIG_DIR": folder}
    done = subprocess.run([GLOSS, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"gloss {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def check(name, found, wanted):
    good = found == wanted
    print(f"{'ok    ' if good else 'FAILED'} {name}: {found!r}" + ("" if good else f", wanted {wanted!r}"))
    if not good:
        FAILED.append(name)


ROWS = [
    {"text": "屏幕👍很清晰", "answers": {"sentiment": "positive", "emotions": ["joy", "愤怒: 'x'"], "stars": 4.5},
     "spans": [{"id": 0, "start": 0, "end": 2, "label": "aspect"},
               {"id": 1, "start": 4, "end": 6, "label": "opinion", "polarity": "positive", "attributes": {"strength": 3}}],
     "links": [{"from": 1, "to": 0}], "state": "done", "flagged": False, "split": "train", "meta": {"shop": "b"}},
    {"text": "cafe\u0301 \"bad\", awful", "answers": {"sentiment": "negative"}, "spans": [], "links": [],
     "state": "done", "flagged": False, "split": "test", "meta": {}},
    {"text": "nothing said", "answers": {}, "spans": [], "links": [], "state": "todo", "flagged": False, "split": "train", "meta": {}},
]


def of_datasets(folder):
    import datasets

    gloss("export", "p.gloss", "hf", "--format", "hf", "--verify", folder=folder)
    loaded = datasets.load_dataset(os.path.join(folder, "hf"))
    check("parts", {name: part.num_rows for name, part in loaded.items()}, {"train": 2, "test": 1})
    features = loaded["train"].features
    check("names of the classes", features["sentiment"].names, ["negative", "neutral", "positive"])
    check("names of several classes", features["emotions"].feature.names, ["joy", "愤怒: 'x'"])
    row = loaded["train"][0]
    check("text", row["text"], ROWS[0]["text"])
    check("class", features["sentiment"].int2str(row["sentiment"]), "positive")
    check("no class", loaded["train"][1]["sentiment"], None)
    check("several classes", row["emotions"], [0, 1])
    check("number", row["stars"], 4.5)
    span = row["spans"][1]
    check("span", row["text"][span["start"]:span["end"]], "清晰")
    check("polarity and label", (span["polarity"], span["label"]), ("positive", "opinion"))
    check("links", row["links"], [{"from": 1, "to": 0, "type": None}])
    check("attributes", json.loads(span["attributes"]), {"strength": 3})

    loaded.save_to_disk(os.path.join(folder, "saved"))
    gloss("new", "q.gloss", folder=folder)
    report = json.loads(gloss("import", "q.gloss", "saved", "--json", folder=folder))
    check("save_to_disk comes in", (report["format"], report["imported"], report["spans"]["kept"]), ("Hugging Face", 3, 2))
    tagged = datasets.Dataset.from_dict(
        {"tokens": [["屏", "幕", "is", "fine"]], "ner_tags": [[1, 2, 0, 0]], "label": [1]},
        features=datasets.Features({
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B-ASP", "I-ASP"])),
            "label": datasets.ClassLabel(names=["bad", "good"]),
        }))
    tagged.to_parquet(os.path.join(folder, "tagged.parquet"))
    gloss("new", "t.gloss", folder=folder)
    report = json.loads(gloss("import", "t.gloss", "tagged.parquet", "--json", folder=folder))
    check("tags of a parquet file", (report["format"], report["labels"], report["spans"]["kept"]), ("Hugging Face", {"good": 1}, 1))


def of_openpyxl(folder):
    import openpyxl

    gloss("export", "p.gloss", "p.xlsx", "--format", "xlsx", "--verify", folder=folder)
    sheet = openpyxl.load_workbook(os.path.join(folder, "p.xlsx")).active
    check("workbook", [sheet.cell(2, 1).value, sheet.cell(3, 1).value], [ROWS[0]["text"], ROWS[1]["text"]])
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    book.active.append(["来自 openpyxl 👍\nline", 3])
    book.save(os.path.join(folder, "theirs.xlsx"))
    gloss("new", "x.gloss", folder=folder)
    report = json.loads(gloss("import", "x.gloss", "theirs.xlsx", "--label", "label", "--json", folder=folder))
    check("workbook of openpyxl", (report["format"], report["imported"], report["labels"]), ("Excel", 1, {"3": 1}))


def of_spacy(folder):
    import spacy

    gloss("export", "p.gloss", "p.jsonl", "--format", "prodigy", "--verify", folder=folder)
    with open(os.path.join(folder, "p.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    doc = spacy.tokens.Doc(spacy.blank("xx").vocab, words=[token["text"] for token in rows[0]["tokens"]],
                           spaces=[token["ws"] for token in rows[0]["tokens"]])
    check("tokens make the text again", doc.text, ROWS[0]["text"])
    found = [str(doc.char_span(span["start"], span["end"], label=span["label"])) for span in rows[0]["spans"]]
    check("spans of spaCy", found, ["屏幕", "清晰"])
    blank = spacy.blank("en")
    text = "Uber blew through $1 million"
    example = spacy.training.Example.from_dict(blank.make_doc(text), {"entities": [(0, 4, "ORG")], "cats": {"NEWS": 1.0}})
    tags = [token.ent_iob_ + ("-" + token.ent_type_ if token.ent_type_ else "") for token in example.reference]
    with open(os.path.join(folder, "theirs.jsonl"), "w", encoding="utf-8") as file:
        file.write(json.dumps({"text": text, "entities": [[0, 4, "ORG"]], "cats": {"NEWS": 1.0}}) + "\n")
        file.write(json.dumps({"text": text + " again", "entities": tags + ["O"]}) + "\n")
    gloss("new", "s.gloss", folder=folder)
    report = json.loads(gloss("import", "s.gloss", "theirs.jsonl", "--format", "prodigy", "--json", folder=folder))
    check("spaCy's dictionaries and tags", (report["imported"], report["labels"], report["spans"]["kept"]), (2, {"NEWS": 1}, 2))
    spacy.tokens.DocBin(docs=[example.reference]).to_disk(os.path.join(folder, "theirs.spacy"))
    try:
        gloss("import", "s.gloss", "theirs.spacy", folder=folder)
        check("DocBin is refused", False, True)
    except RuntimeError as error:
        check("DocBin is refused", "DocBin" in str(error), True)


CONFIG = """<View><Text name="text" value="$text"/><Labels name="label" toName="text"><Label value="aspect"/><Label value="opinion"/></Labels>
<Choices name="sentiment" toName="text"><Choice value="positive"/><Choice value="negative"/></Choices></View>"""


def of_label_studio(folder):
    from label_studio_sdk.converter import Converter

    gloss("export", "p.gloss", "tasks.json", "--format", "labelstudio", "--verify", folder=folder)
    converter = Converter(config=CONFIG, project_dir=folder, upload_dir=folder)
    converter.convert_to_json_min(os.path.join(folder, "tasks.json"), os.path.join(folder, "min"), is_dir=False)
    gloss("new", "l.gloss", folder=folder)
    result = os.path.join("min", "result.json")
    report = json.loads(gloss("import", "l.gloss", result, "--json", folder=folder))
    check("JSON-MIN of its converter", (report["format"], report["labels"], report["spans"]["kept"]),
          ("Label Studio", {"negative": 1, "positive": 1}, 2))
    converter.convert_to_conll2003(os.path.join(folder, "tasks.json"), os.path.join(folder, "conll"), is_dir=False)
    gloss("new", "c.gloss", folder=folder)
    report = json.loads(gloss("import", "c.gloss", os.path.join("conll", "result.conll"), "--json", folder=folder))
    check("CoNLL of its converter", report["format"], "CoNLL")


with tempfile.TemporaryDirectory() as folder:
    gloss("new", "p.gloss", folder=folder)
    with open(os.path.join(folder, "rows.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    gloss("import", "p.gloss", "rows.jsonl", folder=folder)
    of_datasets(folder)
    of_openpyxl(folder)
    of_spacy(folder)
    of_label_studio(folder)
print(f"{len(FAILED)} failed")
sys.exit(bool(FAILED))
