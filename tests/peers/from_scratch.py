"""An LSTM or a CNN without pretraining in PyTorch, with the settings of `gloss train --set model=lstm` (or cnn), to stand
beside it on the same rows:

    python tests/peers/from_scratch.py lstm TRAIN.csv DEV.csv TEST.csv [SEED] [EPOCHS]

The files have a header and two columns, label and review. Words by jieba (Chinese) and by runs of letters and digits; the
20,000 most frequent that stand twice or more. The best epoch on dev is judged on test. Needs torch and jieba."""

import csv
import json
import random
import re
import sys
import time
from collections import Counter

import jieba
import torch
from torch import nn

KIND, TRAIN, DEV, TEST = sys.argv[1:5]
SEED = int(sys.argv[5]) if len(sys.argv) > 5 else 0
EPOCHS = int(sys.argv[6]) if len(sys.argv) > 6 else 5
BATCH, WIDTH, RATE, WARMUP, LONGEST, DROPOUT = 32, 128, 1e-3, 0.1, 512, 0.5
jieba.setLogLevel(60)


def words(text):
    found = []
    for run in re.findall(r"[\u3400-\u9fff]+|\w+|[^\w\s]", text.lower()):
        found += jieba.lcut(run) if re.match(r"[\u3400-\u9fff]", run) else [run]
    return found[:LONGEST]


def read(path):
    rows = list(csv.reader(open(path, encoding="utf-8-sig")))[1:]
    return [(words(review), label) for label, review in rows if review.strip()]


class Net(nn.Module):
    def __init__(self, vocabulary, classes):
        super().__init__()
        self.table = nn.Embedding(vocabulary, WIDTH, padding_idx=0)
        self.drop = nn.Dropout(DROPOUT)
        if KIND == "cnn":
            self.filters = nn.ModuleList(nn.Conv1d(WIDTH, 100, width, padding="same") for width in (3, 4, 5))
            hidden = 300
        else:
            self.cell = nn.LSTM(WIDTH, 128, bidirectional=True, batch_first=True)
            hidden = 256
            self.dense, self.context = nn.Linear(hidden, 128), nn.Linear(128, 1, bias=False)
        self.out = nn.Linear(hidden, classes)
        # As Gloss begins: words evenly up to .25 (Kim 2014), a small classifier, gates that forget nothing at first.
        nn.init.uniform_(self.table.weight, -0.25, 0.25)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.zeros_(self.out.bias)
        if KIND != "cnn":
            nn.init.zeros_(self.dense.bias)
            nn.init.uniform_(self.context.weight, -0.1, 0.1)
            for name, bias in self.cell.named_parameters():
                if name.startswith("bias_ih"):
                    bias.data[128:256] = 1.0

    def forward(self, ids, lengths):
        mask = torch.arange(ids.shape[1])[None] < lengths[:, None]
        x = self.drop(self.table(ids))
        if KIND == "cnn":
            states = torch.relu(torch.cat([conv(x.transpose(1, 2)) for conv in self.filters], 1)).transpose(1, 2)
            vector = states.masked_fill(~mask[..., None], -1e9).max(1).values
        else:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            states, _ = nn.utils.rnn.pad_packed_sequence(self.cell(packed)[0], batch_first=True, total_length=ids.shape[1])
            scores = self.context(torch.tanh(self.dense(states))).squeeze(-1).masked_fill(~mask, -1e9)
            vector = (torch.softmax(scores, 1)[..., None] * states).sum(1)
        return self.out(self.drop(vector))


def batches(rows, shuffled):
    order = list(range(len(rows)))
    if shuffled:
        random.shuffle(order)
    window = BATCH * 32
    parts = [sorted(order[at : at + window], key=lambda row: len(rows[row][0])) for at in range(0, len(order), window)]
    order = [row for part in parts for row in part]
    found = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    if shuffled:
        random.shuffle(found)
    return found


def tensors(rows, batch):
    lengths = torch.tensor([max(1, len(rows[row][0])) for row in batch])
    ids = torch.zeros(len(batch), int(lengths.max()), dtype=torch.long)
    for at, row in enumerate(batch):
        ids[at, : len(rows[row][0])] = torch.tensor(rows[row][0] or [1])[: len(rows[row][0]) or 1]
    return ids, lengths, torch.tensor([rows[row][1] for row in batch])


def accuracy(net, rows):
    net.eval()
    with torch.no_grad():
        right = 0
        for batch in batches(rows, False):
            ids, lengths, classes = tensors(rows, batch)
            right += int((net(ids, lengths).argmax(1) == classes).sum())
    net.train()
    return right / len(rows)


def main():
    random.seed(SEED)
    torch.manual_seed(SEED)
    parts = [read(path) for path in (TRAIN, DEV, TEST)]
    counts = Counter(word for text, _ in parts[0] for word in text)
    known = {word: at + 2 for at, (word, count) in enumerate(counts.most_common(20_000)) if count >= 2}
    labels = sorted({label for _, label in parts[0]})
    train, dev, test = ([([known.get(word, 1) for word in text], labels.index(label)) for text, label in part] for part in parts)
    net = Net(len(known) + 2, len(labels))
    plain = [p for name, p in net.named_parameters() if name.endswith("bias") or "bias_" in name]
    decayed = [p for name, p in net.named_parameters() if not (name.endswith("bias") or "bias_" in name)]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=RATE)
    steps = EPOCHS * len(batches(train, False))
    warm = max(1, int(WARMUP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda at: min((at + 1) / warm, (steps - at) / max(1, steps - warm)))
    began, best = time.time(), (0.0, 0.0, 0)
    for epoch in range(EPOCHS):
        for batch in batches(train, True):
            ids, lengths, classes = tensors(train, batch)
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(ids, lengths), classes).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        best = max(best, (accuracy(net, dev), accuracy(net, test), epoch + 1), key=lambda of: of[0])
    print(json.dumps({"kind": KIND, "seed": SEED, "dev": best[0], "test": best[1], "epoch": best[2], "vocabulary": len(known) + 2, "seconds": time.time() - began}))


main()
