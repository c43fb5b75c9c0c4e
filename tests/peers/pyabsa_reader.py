"""A file of PyABSA's ATEPC read by PyABSA's own reader and by Gloss. Run by hand:

    pip install pyabsa "update-checker==0.18.0"
    python tests/peers/pyabsa_reader.py target/release/gloss FILE.atepc

Compared are the aspects of each sentence with their polarity. Prints a line for each check and ends with 1 if one failed;
the last result stands in result.txt beside this file."""

import json
import os
import re
import subprocess
import sys
import tempfile

from pyabsa.tasks.AspectTermExtraction.dataset_utils.__lcf__.data_utils_for_training import readfile

GLOSS, FILE = map(os.path.abspath, sys.argv[1:3])
POLARITIES = {"positive": "positive", "negative": "negative", "neutral": "neutral"}


def theirs(path):
    found = set()
    for words, tags, polarities in readfile(path):
        at = 0
        while at < len(tags):
            end = at + 1
            if tags[at].startswith("B"):
                while end < len(tags) and tags[end].startswith("I"):
                    end += 1
                polarity = POLARITIES.get(polarities[at].lower())
                if polarity:
                    found.add(("".join(words), "".join(words[at:end]), polarity))
            at = end
    return found


def raw():
    """Aspects as they stand in the lines, whatever a reader makes of them."""
    found, words = set(), []
    for line in open(FILE, encoding="utf-8").read().split("\n") + [""]:
        parts = line.split(" ")
        if len(parts) == 3:
            words.append(parts)
            continue
        for at, (_, tag, polarity) in enumerate(words):
            if tag.startswith("B"):
                end = at + 1
                while end < len(words) and words[end][1].startswith("I"):
                    end += 1
                aspect = "".join(word for word, _, _ in words[at:end])
                found.add(("".join(word for word, _, _ in words), aspect, POLARITIES.get(polarity.lower())))
        words = []
    return found


def ours(folder):
    def gloss(*arguments):
        environment = {**os.environ, "GLOSS_CONFIG_DIR": folder}
        return subprocess.run([GLOSS, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout

    gloss("new", "p.gloss")
    report = json.loads(gloss("import", "p.gloss", FILE, "--json"))
    gloss("export", "p.gloss", "--format", "jsonl", "p.jsonl")
    found = set()
    with open(os.path.join(folder, "p.jsonl"), encoding="utf-8") as file:
        for row in map(json.loads, file):
            for span in row["spans"]:
                words = row["text"][span["start"]:span["end"]]
                found.add((row["text"].replace(" ", ""), words.replace(" ", ""), span["polarity"]))
    # PyABSA's reader passes over aspects that are their whole sentence.
    said = gloss("export", "p.gloss", "--format", "atepc", "back.atepc")
    overlapping = re.search(r"(\d+) × a span that overlaps another", said)
    held = {one for one in found if one[2] and one[0] != one[1]}
    back = {one for one in theirs(os.path.join(folder, "back.atepc")) if one[0] != one[1]}
    return report, found, held, back, int(overlapping[1]) if overlapping else 0


with tempfile.TemporaryDirectory() as folder:
    report, found, held, back, overlapping = ours(folder)
wanted = theirs(FILE)
said = {loss["what"]: loss["count"] for loss in report["spans"]["losses"]}
# A sentence whose aspect has two polarities keeps the first: the report counts them.
lost, new = wanted - found, found - wanted
two = said.get("an aspect has two polarities; the first was kept", 0)
# PyABSA's reader passes over aspects that are their whole sentence: Gloss reads what stands there.
good = new <= raw() and len(lost) <= two
print(f"{'ok    ' if good else 'FAILED'} ATEPC beside PyABSA's reader: format {report['format']}, {len(wanted)} aspects, "
      f"{len(lost)} lost where Gloss says that {two} have two polarities, {len(new)} that only Gloss reads")
for name, some in [("lost", lost), ("only Gloss", new)]:
    for one in sorted(some)[:20]:
        print(f"       {name}: {one}")
whole = back <= held and len(held - back) <= overlapping
print(f"{'ok    ' if whole else 'FAILED'} ATEPC of Gloss in PyABSA's reader: {len(back)} aspects of {len(held)}, "
      f"where Gloss says that {overlapping} give way to another that they overlap")
for one in sorted(held ^ back)[:5]:
    print(f"       differs: {one}")
sys.exit(not (good and whole))
