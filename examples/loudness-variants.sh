#!/bin/sh
# Writes one mix at three loudness targets: -14 LUFS for streaming, -16 for podcasts and phones,
# -23 for broadcast (EBU R 128). The plans differ only in the master: its gain, and a true-peak
# limiter where the target needs one.
#
#   loudness-variants.sh VOCAL BEAT FOLDER
set -eu

if [ $# -ne 3 ]; then
    echo "usage: loudness-variants.sh VOCAL BEAT FOLDER" >&2
    exit 2
fi

for lufs in -14 -16 -23; do
    result=$(automix vocal -o "$3/mix$lufs.wav" --loudness "$lufs" --json -q -- "$1" "$2")
    printf '%s' "$result" | python3 -c '
import json, sys
mix = json.load(sys.stdin)
loudness, peak = mix["loudness"]["integrated_lufs"], mix["loudness"]["true_peak_dbtp"]
print(mix["output"], f"{loudness:.1f} LUFS", f"{peak:.1f} dBTP", sep="  ")
'
done
