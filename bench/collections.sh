#!/usr/bin/env bash
# Measure collections that are written to while they are searched: installs the Debian packages that are missing, builds
# build/bench, runs compare's sections steady, natural, rounds and partitions on the GloVe words. Needs two CPUs. Takes
# about an hour with all words; --base and --queries take fewer.
# Usage: bench/collections.sh [--no-install] [FOLDER [ARGUMENTS FOR compare...]]
#   --no-install    only say which packages are missing
#   FOLDER          for NAME.md (tables) and NAME.json; build/bench/collections if not given
# VECDB_BENCH_CPU: the CPU of writers and of searches in turns, 0 if not set; readers are on the next.
# VECDB_BENCH_ROUNDS: 5. VECDB_BENCH_INDEX: "hnsw m=32".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/build.sh

install=yes
if [[ ${1-} == --no-install ]]; then
    install=no
    shift
fi
case ${1-} in
-h | --help) sed -n '2,10s/^# \?//p' bench/collections.sh && exit ;;
-*) stop "$1 is no option; see --help" ;;
esac
folder=${1:-build/bench/collections}
[[ $# == 0 ]] || shift

build_compare $install
mkdir -p "$folder"
common=(--pin "${VECDB_BENCH_CPU:-0}" --index "${VECDB_BENCH_INDEX:-hnsw m=32}" --data words)
rounds=${VECDB_BENCH_ROUNDS:-5}

# compare NAME ROUNDS ARGUMENTS...: one section; its tables go to the terminal and to NAME.md.
compare() {
    local name=$1 rounds=$2
    shift 2
    printf '\n# %s\n\n' "$name"
    build/bench/bench/compare --only "$name" "${common[@]}" --rounds "$rounds" "$@" --json "$folder/$name.json" |
        tee "$folder/$name.md"
}

compare partitions "$rounds"
compare steady 1 "$@"
compare natural "$rounds" --sweep ef=10,12,16,20,24,32,40,48,64,80,96,128,160,192,256,384 "$@"
compare rounds 1 "$@"
