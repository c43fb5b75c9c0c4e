#!/usr/bin/env bash
# Scoring beside ONNX Runtime and PyTorch: the same model and texts, in turns, on the same cores.
#
#   beside_scoring.sh GLOSS PREDICT_PY MODEL_FOLDER TEXTS.csv [ROWS] [TURNS]
#
# MODEL_FOLDER is what `gloss export --run` writes; TEXTS.csv has a header and the text in its last column. PREDICT_PY
# prints a JSON line with texts a second and the median milliseconds of one text for each peer; PYTHON chooses the
# interpreter.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,8p' "$0"; exit 2; }
gloss=$1 predict=$2 model=$3 texts=$4 rows=${5:-400} turns=${6:-2}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
"$python" - "$texts" "$rows" "$work" <<'PY'
import csv, sys
rows = [row for row in list(csv.reader(open(sys.argv[1], encoding="utf-8-sig")))[1:] if row][: int(sys.argv[2])]
open(sys.argv[3] + "/texts", "w", encoding="utf-8").write("".join(" ".join(row[-1].split()) + "\n" for row in rows))
PY
for turn in $(seq "$turns"); do
  for precision in float32 bfloat16 int8; do
    echo "Gloss $precision: $("$gloss" predict "$model" --precision "$precision" --time <"$work/texts" 2>&1 >/dev/null | tail -n 1)"
    "$python" - "$gloss" "$model" "$precision" "$work/texts" <<'PY'
import statistics, subprocess, sys, time
gloss, model, precision, texts = sys.argv[1:]
asked = open(texts, encoding="utf-8").read().splitlines()[:100]
process = subprocess.Popen([gloss, "predict", model, "--precision", precision], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
def milliseconds(text):
    start = time.perf_counter()
    process.stdin.write(text.encode() + b"\n")
    process.stdout.readline()
    return (time.perf_counter() - start) * 1e3
for text in asked[:3]:
    milliseconds(text)
print(f"  one text at a time, median: {statistics.median(map(milliseconds, asked)):.1f} ms")
process.stdin.close()
PY
  done
  "$python" "$predict" --model "$model" --texts "$texts" --limit "$rows" 2>/dev/null | tail -n 1
done
