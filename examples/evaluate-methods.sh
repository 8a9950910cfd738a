#!/bin/sh
# Mixes a song by three methods and compares the mixes with a human one: distances, loudness,
# dynamics, spectrum and stereo image side by side. Options of `automix stems` may follow.
#
#   evaluate-methods.sh SONG_FOLDER HUMAN_MIX OUTPUT_FOLDER
#   evaluate-methods.sh songs/one songs/one.wav mixes --mode full
set -eu

if [ $# -lt 3 ]; then
    echo "usage: evaluate-methods.sh SONG_FOLDER HUMAN_MIX OUTPUT_FOLDER [OPTIONS]" >&2
    exit 2
fi
song=$1 human=$2 mixes=$3
shift 3

for method in rules equal-loudness mono; do
    automix stems "$song" -o "$mixes/$method.wav" --method "$method" --skip-existing -f -q "$@"
done
automix evaluate mixes --target "$human" \
    "$mixes/rules.wav" "$mixes/equal-loudness.wav" "$mixes/mono.wav"
