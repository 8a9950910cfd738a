#!/bin/sh
# Fades a mix out: adds a ride of the master to a copy of its plan, beside it, and renders that.
# Lines between the points are straight in dB. Fades and rides of tracks are written in the same way,
# under [[tracks.rides]] of a track; automix info processors lists what can be ridden.
#
#   fade-out.sh PLAN START SECONDS MIX
set -eu

if [ $# -ne 4 ]; then
    echo "usage: fade-out.sh PLAN START SECONDS MIX" >&2
    exit 2
fi

end=$(awk "BEGIN { print $2 + $3 }")
faded="${1%.toml}-faded.toml"
cp -- "$1" "$faded"
cat >>"$faded" <<RIDE

[[master.rides]]
setting = "gain_db"
times_s = [$2, $end]
values = [0.0, -60.0]
RIDE
automix render -o "$4" -- "$faded"
