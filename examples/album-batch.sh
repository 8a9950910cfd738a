#!/bin/sh
# Mixes an album, several songs at a time, all at one loudness: every folder below ALBUM that holds
# a vocal and a beat, or the tracks of a song. Run it again after it was interrupted, or after
# replacing a take: only what is not done, or differs, is mixed. Prints the loudness and the true
# peak of each mix from the journal. Options of `automix batch` may follow.
#
#   album-batch.sh ALBUM MIXES
#   album-batch.sh ALBUM MIXES -j 4 --loudness -16 --mode full
set -eu

if [ $# -lt 2 ]; then
    echo "usage: album-batch.sh ALBUM MIXES [OPTIONS]" >&2
    exit 2
fi
album=$1 mixes=$2
shift 2

status=0
automix batch -o "$mixes" --resume --loudness -14 "$@" -q -- "$album" || status=$?
if [ -f "$mixes/automix-batch.jsonl" ]; then
    python3 -c '
import json, sys
last = {}
for line in open(sys.argv[1]):
    try:
        record = json.loads(line)
    except ValueError:
        continue  # a run was killed while it wrote this
    last[record["item"]] = record
for item, record in sorted(last.items()):
    figures = [record.get(name) for name in ("loudness_lufs", "true_peak_dbtp")]
    cells = ["-" if figure is None else f"{figure:.1f}" for figure in figures]
    print(ascii(item)[1:-1], record["status"], *cells, sep="\t")
' "$mixes/automix-batch.jsonl"
fi
exit "$status"
