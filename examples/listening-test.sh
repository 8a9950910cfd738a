#!/bin/sh
# A listening test of a song: how good are the mixes of four methods? Makes the mixes and the test,
# lets people take part in their browsers, and analyzes what they said.
#
#   listening-test.sh make SONG FOLDER    SONG is a folder of tracks, as for `automix stems`
#   listening-test.sh serve FOLDER        until Ctrl-C; options of `automix listen serve` may follow
#   listening-test.sh analyze FOLDER      options of `automix evaluate ratings` may follow
#
# Two passages are compared, from second START (10) and from second START + 8; both last LENGTH (8)
# seconds. `listening-test.sh serve FOLDER --host 0.0.0.0` invites everyone on your network.
set -eu

usage() {
    echo "usage: listening-test.sh make SONG FOLDER | serve FOLDER | analyze FOLDER" >&2
    exit 2
}

[ $# -ge 2 ] || usage
step=$1
shift

case $step in
make)
    [ $# -eq 2 ] || usage
    song=$1 folder=$2
    mkdir -p "$folder/mixes"
    for method in rules equal-loudness random mono; do
        automix stems -o "$folder/mixes/$method.wav" --method "$method" -q -- "$song"
    done
    {
        echo 'title = "Four mixes of a song"'
        echo 'type = "ape"'
        echo "duration_s = ${LENGTH:-8}"
        for passage in 0 1; do
            echo '[[passage]]'
            echo "name = \"passage $((passage + 1))\""
            echo "start_s = $((${START:-10} + 8 * passage))"
            echo '[passage.mixes]'
            for method in rules equal-loudness random mono; do
                echo "$method = \"mixes/$method.wav\""
            done
        done
        echo '[training]'
        echo 'good = "mixes/rules.wav"'
        echo 'poor = "mixes/random.wav"'
    } >"$folder/test.toml"
    automix listen make "$folder/test.toml" -o "$folder/test"
    ;;
serve)
    folder=$1
    shift
    exec automix listen serve "$folder/test" "$@"
    ;;
analyze)
    folder=$1
    shift
    automix listen export "$folder/test" -o "$folder/ratings.csv" -f
    automix evaluate ratings "$folder/ratings.csv" "$@"
    ;;
*)
    usage
    ;;
esac
