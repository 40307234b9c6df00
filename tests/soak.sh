#!/usr/bin/env bash
# The long campaign: writers killed, power lost at every call, random calls beside a model, one seed after the other, until
# it is stopped or something fails. It goes on where it ended: the next seed stands in STATE.
# Usage: tests/soak.sh [--build FOLDER] [--state STATE] [--rounds N]
#   --build FOLDER   with the test programs; build/dev if not given
#   --state STATE    build/soak.seed if not given; it may be set to begin at a seed
#   --rounds N       end after so many; without it there is no end
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build/dev state=build/soak.seed rounds=0
while [[ $# -gt 0 ]]; do
    case $1 in
    --build | --state | --rounds)
        [[ $# -gt 1 ]] || { echo "soak.sh: $1 needs a value" >&2 && exit 2; }
        declare "${1#--}=$2"
        shift 2
        ;;
    -h | --help) sed -n '2,7s/^# \?//p' tests/soak.sh && exit ;;
    *) echo "soak.sh: $1 is no option; see --help" >&2 && exit 2 ;;
    esac
done
[[ -x $build/tests/power_test ]] || { echo "soak.sh: no test programs in $build; build them first" >&2 && exit 2; }
mkdir -p "$(dirname "$state")"
[[ -f $state ]] || echo 1000 >"$state"

# run NAME VARIABLE=VALUE...: one program; its output only when it fails.
run() {
    local name=$1 log
    shift
    log=$(mktemp)
    if ! env "$@" "$build/tests/$name" >"$log" 2>&1; then
        echo "FAILED: $* $build/tests/$name"
        cat "$log"
        exit 1
    fi
    rm -f "$log"
}

for ((round = 1; rounds == 0 || round <= rounds; ++round)); do
    seed=$(<"$state")
    echo "$(date -u +%FT%TZ) seed $seed"
    run power_test VECDB_POWER_SEED="$seed" VECDB_POWER_SEEDS=1
    run kill_test VECDB_KILL_SEED="$seed" VECDB_KILL_CYCLES=2000 VECDB_KILL_SECONDS=600
    run model_test VECDB_MODEL_SEED="$seed" VECDB_MODEL_SEEDS=1 VECDB_MODEL_OPS=100000
    echo $((seed + 1)) >"$state"
done
