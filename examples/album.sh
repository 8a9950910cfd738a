#!/bin/sh
# Mixes an album: every folder in ALBUM that holds vocal.wav and beat.wav gets a mix.wav and its
# plan, mix.toml, all at one loudness. Run it again after replacing a vocal or changing an option:
# only what differs is mixed again. Options of `automix vocal` may follow.
#
#   album.sh ALBUM
#   album.sh ALBUM --loudness -16 --preset paper
set -eu

if [ $# -lt 1 ]; then
    echo "usage: album.sh ALBUM [OPTIONS]" >&2
    exit 2
fi
album=$1
shift

failed=0
for song in "$album"/*/; do
    if [ -f "${song}vocal.wav" ] && [ -f "${song}beat.wav" ]; then
        # -f lets --skip-existing replace a mix that differs; the last --loudness given counts.
        automix vocal -o "${song}mix.wav" --skip-existing -f --loudness -14 "$@" -- \
            "${song}vocal.wav" "${song}beat.wav" || failed=1
    fi
done
exit "$failed"
