#!/bin/sh
# Mixes a song in every way that automix knows, all at one loudness, for listening side by side, and
# prints how loud vocal and beat are in each: studio, paper and poster are presets of the rules;
# random settings and the plain sum are the usual anchors of a listening test.
#
#   compare-presets.sh VOCAL BEAT FOLDER
set -eu

if [ $# -ne 3 ]; then
    echo "usage: compare-presets.sh VOCAL BEAT FOLDER" >&2
    exit 2
fi

mix() { # name, options
    name=$1
    shift
    result=$(automix vocal -o "$folder/$name.wav" --loudness -23 --json -q "$@" -- "$vocal" "$beat")
    printf '%s' "$result" | python3 -c '
import json, sys
mix = json.load(sys.stdin)
levels, loudness = mix["levels_lufs"], mix["loudness"]
row = levels["vocal"], levels["beat"], loudness["integrated_lufs"], loudness["true_peak_dbtp"]
cells = ["silent" if value is None else f"{value:.2f}" for value in row]
print(f"{sys.argv[1]:8}" + "".join(f"{cell:>9}" for cell in cells))
' "$name"
}

vocal=$1 beat=$2 folder=$3
echo "            vocal     beat      mix     peak   (LUFS, LUFS, LUFS, dBTP)"
mix studio
mix paper --preset paper
mix poster --preset poster
mix random --method random --seed 1
mix sum --method sum
