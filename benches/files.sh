#!/usr/bin/env bash
# Import and export of so many reviews, made of the sample's: seconds and peak memory of the whole command.
#     benches/files.sh target/release/gloss [ROWS]
set -e
gloss=$(realpath "$1") rows=${2:-100000} here=$(dirname "$(realpath "$0")")
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
export GLOSS_CONFIG_DIR=$folder/config
python3 - "$here/../sample-data/reviews.jsonl" "$rows" > "$folder/a.csv" <<'MAKE'
import csv, json, sys
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
out = csv.writer(sys.stdout)
out.writerow(["text", "label", "city"])
for at in range(int(sys.argv[2])):
    out.writerow([f"{texts[at * 2654435761 % len(texts)]} #{at}", ["negative", "neutral", "positive"][at % 3], ["北京", "Leeds"][at % 2]])
MAKE
cd "$folder"
timed() { # NAME COMMAND...
  local name=$1
  shift
  /usr/bin/time -o time -f '%e %U %S %M' "$@" > said 2>&1 || { cat said && exit 1; }
  awk -v name="$name" '{ printf "%-14s %6.2f s, %6.2f s of a processor, %5.0f MB\n", name, $1, $2 + $3, $4 / 1024 }' time
}
echo "$rows reviews, $(($(stat -c %s a.csv) >> 20)) MB as CSV"
"$gloss" new a.gloss
timed "import csv" "$gloss" import a.gloss a.csv --label label
head -n 1 said
for format in csv jsonl hf; do
  timed "export $format" "$gloss" export a.gloss --format "$format" "out.$format"
done
for file in out.jsonl out.hf; do
  "$gloss" new b.gloss
  timed "import ${file#out.}" "$gloss" import b.gloss "$file"
  head -n 1 said
  rm -f b.gloss*
done
