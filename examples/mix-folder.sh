#!/bin/sh
# Mixes every pair NAME_vox.wav and NAME_beat.wav below a folder to NAME.wav in another folder.
# Folders below it are kept; names may hold spaces, newlines, anything. What is mixed already, from
# the same files with the same settings, is skipped.
#
#   mix-folder.sh SONGS MIXES
#   JOBS=4 mix-folder.sh SONGS MIXES     four mixes at a time
set -eu

if [ $# -ne 2 ]; then
    echo "usage: mix-folder.sh SONGS MIXES" >&2
    exit 2
fi
case $1 in -*) SONGS=./$1 ;; *) SONGS=$1 ;; esac
MIXES=$2
export SONGS MIXES

# shellcheck disable=SC2016  # expanded by the inner shell
find "$SONGS" -type f -name '*_vox.wav' -print0 | xargs -0 -n 1 -P "${JOBS:-1}" sh -c '
    for vox do
        name=${vox%_vox.wav}
        automix vocal -o "$MIXES/${name#"$SONGS"/}.wav" --skip-existing -q -- \
            "$vox" "${name}_beat.wav" || exit 1
    done
' sh || {
    echo "mix-folder.sh: some pairs were not mixed; see above" >&2
    exit 1
}
