#!/usr/bin/env bash
# Training beside PyTorch: the same rows, encoder and settings, in turns, on the same cores.
#
#   beside_pytorch.sh GLOSS FINETUNE_PY ENCODER_FOLDER TRAIN.csv [ROWS] [TURNS] [FINETUNE OPTIONS...]
#
# TRAIN.csv has a header `label,review`. FINETUNE_PY prints a JSON line with `real_tokens_per_s`, as `gloss train --json`
# does; PYTHON chooses the interpreter, SETTINGS holds more --set options of Gloss. Prints tokens a second of each turn, the medians and their ratio.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,8p' "$0"; exit 2; }
gloss=$1 finetune=$2 encoder=$3 rows=${5:-320} turns=${6:-3}
train=$(realpath "$4"); shift $(( $# < 6 ? $# : 6 ))
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
# The first rows learn, sixteen others are scored: what is timed is training.
"${PYTHON:-python3}" - "$train" "$rows" "$work" <<'PY'
import csv, sys
path, rows, work = sys.argv[1], int(sys.argv[2]), sys.argv[3]
table = list(csv.reader(open(path, encoding="utf-8-sig")))
for name, part in [("train", table[1:1 + rows]), ("test", table[1 + rows:17 + rows])]:
    with open(f"{work}/{name}.csv", "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([table[0]] + part)
PY
"$gloss" new "$work/p.gloss" --classes 0,1 >/dev/null
for part in train test; do "$gloss" import "$work/p.gloss" "$work/$part.csv" --text review --label label --split $part >/dev/null; done
for turn in $(seq "$turns"); do
  "$gloss" train "$work/p.gloss" --set epochs=1 --set lr=5e-5 --set head_lr_factor=1 --set batch_examples=16 \
    --set batch_tokens=100000 --set max_length=128 --set tune_embeddings=true ${SETTINGS:-} --json 2>/dev/null | tail -n 1 >>"$work/gloss"
  "${PYTHON:-python3}" "$finetune" --model "$encoder" --train "$work/train.csv" --eval "$work/test.csv" --epochs 1 --lr 5e-5 \
    --batch 16 --max-len 128 "$@" 2>/dev/null | tail -n 1 >>"$work/peer"
done
"${PYTHON:-python3}" - "$work" <<'PY'
import json, statistics, sys
rate = lambda name: [json.loads(line)["real_tokens_per_s"] for line in open(f"{sys.argv[1]}/{name}")]
gloss, peer = rate("gloss"), rate("peer")
print("Gloss  ", *(f"{x:.0f}" for x in gloss), "tokens a second")
print("PyTorch", *(f"{x:.0f}" for x in peer), "tokens a second")
print(f"medians {statistics.median(gloss):.0f} and {statistics.median(peer):.0f}: {statistics.median(gloss) / statistics.median(peer):.2f} times")
PY
