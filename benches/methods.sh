#!/usr/bin/env bash
# What each method of fine-tuning brings: the same training and test rows, one setting changed at a time, several seeds.
#
#   methods.sh GLOSS TABLE TEXT LABEL [TRAIN_ROWS] [TEST_ROWS] [SEEDS]
#
# TABLE is a CSV or TSV file; TEXT and LABEL are its columns by name, or by number where no row names them. Rows are drawn
# by a seeded shuffle. Prints a table: mean of the accuracy on the test rows and of its difference to plain fine-tuning on
# the same seed, each with the spread (standard deviation over seeds), and the seconds of a run. BASE holds settings of all
# runs. LIST=presets compares Quick, Balanced and Thorough with a grid of rates and epochs instead, by score and minutes.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,11p' "$0"; exit 2; }
gloss=$1 table=$2 text=$3 label=$4 train=${5:-300} test=${6:-500} seeds=${7:-3}
base=${BASE:---set epochs=6 --set max_length=128}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export GLOSS_CONFIG_DIR=$work
"${PYTHON:-python3}" - "$table" "$train" "$test" "$work" "$text" <<'PY'
import csv, random, sys
table, train, test, work, text = sys.argv[1:]
tabs = not table.endswith("csv")
rows = [row for row in csv.reader(open(table, encoding="utf-8-sig"), delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL) if row]
head = [] if text.isdigit() else [rows.pop(0)]
random.Random(0).shuffle(rows)
parts = {"train": rows[: int(train)], "test": rows[int(train) : int(train) + int(test)]}
for name, part in parts.items():
    csv.writer(open(f"{work}/{name}.csv", "w", encoding="utf-8", newline="")).writerows(head + part)
PY
"$gloss" new "$work/p.gloss" --classes "" >/dev/null 2>&1 || "$gloss" new "$work/p.gloss" >/dev/null
case $text in *[!0-9]*) header= ;; *) header=--no-header ;; esac
for part in test train; do
  "$gloss" import "$work/p.gloss" "$work/$part.csv" --text "$text" --label "$label" --split $part $header >/dev/null
done
methods() {
  cat <<'LIST'
plain fine-tuning|
heads only|--set tuned=head
LoRA, rank 8, all parts|--set tuned=lora --set lr=1e-3 --set lora_targets=query,key,value,output,feed
BitFit|--set tuned=bitfit --set lr=1e-3
adapters|--set tuned=adapters --set lr=7e-4
prefixes|--set tuned=prefix --set lr=5e-3
frozen lower half|--set freeze_layers=6
gradual unfreezing|--set unfreeze_every=1
rates falling by layer (.85)|--set layer_decay=0.85
label smoothing .1|--set label_smoothing=0.1
focal loss (2)|--set focal_gamma=2
class weights|--set class_weights=true
moving average (.99)|--set ema=0.99
mean of the last 3|--set average_last=3
FGM|--set adversarial=fgm
R-Drop (1)|--set r_drop=1
other wordings|--set augment=1
LIST
}
presets() {
  cat <<'LIST'
Quick|--set epochs=2
Balanced|--set epochs=6
Thorough|--set epochs=12 --set patience=5
half the encoder, 4 epochs|--set layers=6 --set epochs=4
the same, rate 1e-4|--set layers=6 --set epochs=4 --set lr=1e-4
3 epochs|--set epochs=3
rate 1e-4, 2 epochs|--set lr=1e-4 --set epochs=2
rate 1e-4, 6 epochs|--set lr=1e-4 --set epochs=6
LIST
}
${LIST:-methods} | while IFS='|' read -r name settings; do
  for seed in $(seq 0 $((seeds - 1))); do
    # shellcheck disable=SC2086 # The settings are several words.
    "$gloss" train "$work/p.gloss" --json $base --set seed="$seed" $settings 2>/dev/null | tail -n 1 |
      sed -E 's/.*"accuracy":([0-9.]+).*"seconds":([0-9.]+).*/\1 \2/' | sed "s/^/$seed /;s/\$/ $name/"
    rm -rf "$work/p.runs"
  done
done | awk '
  { seed = $1; score = $2; seconds = $3; $1 = $2 = $3 = ""; name = substr($0, 4)
    if (!(name in count)) order[++kinds] = name
    if (kinds == 1) plain[seed] = score
    gain = score - plain[seed]; count[name]++; time[name] += seconds
    sum[name] += score; square[name] += score * score; gains[name] += gain; gain_squares[name] += gain * gain }
  function spread(squares, sum, n) { v = n > 1 ? (squares - sum * sum / n) / (n - 1) : 0; return sqrt(v > 0 ? v : 0) }
  END { print "| | accuracy | spread | gain | spread | seconds |\n|---|---|---|---|---|---|"
    for (at = 1; at <= kinds; at++) { name = order[at]; n = count[name]
      printf "| %s | %.3f | %.3f | %+.3f | %.3f | %.0f |\n", name, sum[name] / n, spread(square[name], sum[name], n), gains[name] / n, spread(gain_squares[name], gains[name], n), time[name] / n } }'
