"""Classifications of texts and of tokens between Gloss and transformers, both ways, and as ONNX. Run by hand:

    python tests/peers/classification.py target/release/gloss sample-data/reviews.jsonl assets/encoder/tokenizer.json

What transformers saved is asked through `gloss predict --tags`; what Gloss trained is loaded by transformers and by ONNX
Runtime. Compared are logarithms of probabilities, which is logits but for a number they have in common. Prints a line for
each check and ends with 1 if one failed; the last result stands in result.txt beside this file. Wants torch, transformers
and onnxruntime."""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
import torch
from transformers import (AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, BertConfig,
                          DistilBertConfig, ElectraConfig, PreTrainedTokenizerFast, RobertaConfig, XLMRobertaConfig)

GLOSS, REVIEWS, TOKENIZER = map(os.path.abspath, sys.argv[1:4])
TEXTS = ["屏幕👍很清晰，电池不耐用。", "The room was clean but the staff were rude.", "好", "cafe\u0301 was awful, 但是便宜 " * 12]
NEAR = 1e-4
FAILED = []


def gloss(*arguments, folder, text=None):
    environment = {**os.environ, "GLOSS_CONFIG_DIR": folder}
    done = subprocess.run([GLOSS, *arguments], cwd=folder, env=environment, capture_output=True, text=True, input=text)
    if done.returncode:
        raise RuntimeError(f"gloss {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def say(name, difference, rest=""):
    good = difference < NEAR
    print(f"{'ok    ' if good else 'FAILED'} {name}: largest difference {difference:.1e}{rest}")
    if not good:
        FAILED.append(name)


def logs(logits):
    return torch.log_softmax(torch.as_tensor(logits, dtype=torch.float64), dim=-1).numpy()


def answers_of_gloss(model, folder):
    lines = gloss("predict", model, "--tags", folder=folder, text="\n".join(TEXTS) + "\n").splitlines()
    return [json.loads(line) for line in lines]


def places(text, encoded, tokens):
    """Tokens with a place of their own, trimmed as Gloss trims them, the first of each place. The mark of a word's start
    standing alone claims the first character of the token after it: it has no place."""
    found, end = {}, 0
    for at, (first, last) in enumerate(encoded["offset_mapping"]):
        words = "" if tokens[at] in ("▁", "Ġ") else text[first:last]
        start = first + len(words) - len(words.lstrip())
        if words.strip() and start >= end:
            end = start + len(words.strip())
            found[start, end] = at
    return found


def compare(name, folder, model_folder, kind, of_gloss=None):
    """A folder in transformers beside the same, or what Gloss says, of all texts."""
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    loader = AutoModelForTokenClassification if kind == "tokens" else AutoModelForSequenceClassification
    model = loader.from_pretrained(model_folder, dtype=torch.float32).eval()
    worst, count = 0.0, 0
    for text, said in zip(TEXTS, of_gloss or answers_of_gloss(model_folder, folder)):
        encoded = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=256)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([encoded["input_ids"]])).logits[0].numpy()
        names = [model.config.id2label[at] for at in range(model.config.num_labels)]
        if kind == "texts":
            found = np.log([said["probabilities"][name] for name in names])
            worst, count = max(worst, np.abs(found - logs(logits)).max()), count + 1
            continue
        theirs = places(text, encoded, tokenizer.convert_ids_to_tokens(encoded["input_ids"]))
        ours = {(tag["start"], tag["end"]): tag["probabilities"] for tag in said["tags"]}
        if set(theirs) != set(ours):
            FAILED.append(name)
            print(f"FAILED {name}: tokens stand elsewhere: {sorted(set(theirs) ^ set(ours))[:6]}")
            return
        for place, at in theirs.items():
            found = np.log([ours[place][name] for name in names])
            worst, count = max(worst, np.abs(found - logs(logits[at])).max()), count + 1
    say(name, worst, f" over {count} {kind}")


def theirs_in_gloss(folder):
    small = dict(num_labels=5, id2label={0: "O", 1: "B-ASP", 2: "I-ASP", 3: "B-OPN", 4: "I-OPN"})
    sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    roles = dict(pad_token="<pad>", cls_token="<s>", sep_token="</s>", unk_token="<unk>", mask_token="<mask>")
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=TOKENIZER, model_max_length=256)
    known = tokenizer.get_vocab()
    tokenizer.add_special_tokens({role: piece for role, piece in roles.items() if piece in known})
    rows = dict(vocab_size=len(tokenizer), pad_token_id=1)
    families = {
        "bert": BertConfig(**sizes, **rows, max_position_embeddings=300),
        "roberta": RobertaConfig(**sizes, **rows, max_position_embeddings=300, type_vocab_size=1),
        "xlm-roberta": XLMRobertaConfig(**sizes, **rows, max_position_embeddings=300, type_vocab_size=1),
        "distilbert": DistilBertConfig(**rows, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=300),
        "electra": ElectraConfig(**sizes, **rows, embedding_size=16, max_position_embeddings=300),
    }
    for family, config in families.items():
        for kind in ["tokens", "texts"]:
            torch.manual_seed(7)
            config.update(small if kind == "tokens" else {"id2label": {0: "bad", 1: "so so", 2: "good"}})
            loader = AutoModelForTokenClassification if kind == "tokens" else AutoModelForSequenceClassification
            model = loader.from_config(config).eval()
            with torch.no_grad():
                for weight in model.parameters():
                    weight.normal_(0.0, 0.15) if weight.dim() > 1 else weight.add_(torch.randn_like(weight) * 0.1)
            saved = os.path.join(folder, f"{family}-{kind}")
            model.save_pretrained(saved)
            tokenizer.save_pretrained(saved)
            compare(f"{family} of transformers in Gloss, {kind}", folder, saved, kind)


def ours_in_transformers(folder):
    with open(REVIEWS, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for kind in ["tokens", "texts"]:
        # Only what this classification learns.
        keep = {"tokens": ["text", "spans"], "texts": ["text", "answers"]}[kind]
        own = [{key: row[key] for key in keep} for row in rows]
        for row in own:
            for span in row.get("spans", []):
                span["polarity"] = None
            row["state"] = "done"
        with open(os.path.join(folder, f"{kind}.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
        gloss("new", f"{kind}.gloss", folder=folder)
        gloss("import", f"{kind}.gloss", f"{kind}.jsonl", folder=folder)
        settings = ["--set", "epochs=1", "--set", "layers=3", "--set", "tag_pieces=true"]
        gloss("train", f"{kind}.gloss", *settings, "--json", folder=folder)
        gloss("export", f"{kind}.gloss", "--run", "run-0001", kind, folder=folder)
        gloss("export", f"{kind}.gloss", "--run", "run-0001", f"{kind}.onnx", folder=folder)
        model = os.path.join(folder, kind)
        # transformers gives probabilities unsoftened.
        with open(os.path.join(model, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        print(f"       trained: {config['architectures'][0]}, {list(config['id2label'].values())}")
        config["gloss"]["opinions"]["calibration"]["class"] = 1.0
        with open(os.path.join(model, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        compare(f"Gloss's own in transformers, {kind}", folder, model, kind)

        tokenizer = AutoTokenizer.from_pretrained(model)
        encoded = tokenizer(TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt")
        ids, mask = encoded["input_ids"], encoded["attention_mask"]
        session = onnxruntime.InferenceSession(model + ".onnx", providers=["CPUExecutionProvider"])
        (found,) = session.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        loader = AutoModelForTokenClassification if kind == "tokens" else AutoModelForSequenceClassification
        with torch.no_grad():
            wanted = loader.from_pretrained(model, dtype=torch.float32).eval()(input_ids=ids, attention_mask=mask).logits.numpy()
        difference = np.abs(found - wanted)
        difference = difference[mask.numpy().astype(bool)] if kind == "tokens" else difference
        say(f"ONNX of Gloss beside transformers, {kind}", float(difference.max()), f", logits {found.shape}")


with tempfile.TemporaryDirectory() as folder:
    theirs_in_gloss(folder)
    ours_in_transformers(folder)
print(f"{len(FAILED)} failed")
sys.exit(bool(FAILED))
