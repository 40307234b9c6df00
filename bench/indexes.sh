#!/usr/bin/env bash
# Measure approximate indexes beside hnswlib on the GloVe words (cosine) and MNIST (l2), masks and exact search with
# codes included: installs the Debian packages that are missing, builds build/bench, runs compare. One thread on one
# CPU. Takes about an hour; rivals' indexes are kept in build/bench/rivals for the next time, but for those of the two
# runs that compare the times of builds.
# Usage: bench/indexes.sh [--no-install] [FOLDER]
#   --no-install    only say which packages are missing
#   FOLDER          for NAME.md (all tables), NAME.csv, NAME.json and NAME.svg; build/bench/indexes if not given
# VECDB_BENCH_CPU: the CPU to use, 0 if not set. VECDB_BENCH_ROUNDS: 5. VECDB_BENCH_QUERIES: 2000.
# VECDB_BENCH_RIVALS: hnswlib; hnswlib,faiss adds Faiss, whose builds take as long as all the rest.
# VECDB_HNSWLIB_DIR: a folder with newer headers of hnswlib.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/build.sh

install=yes
if [[ ${1-} == --no-install ]]; then
    install=no
    shift
fi
case ${1-} in
-h | --help) sed -n '2,13s/^# \?//p' bench/indexes.sh && exit ;;
-*) stop "$1 is no option; see --help" ;;
esac
folder=${1:-build/bench/indexes}

build_compare $install
if [[ -n ${VECDB_HNSWLIB_DIR-} ]]; then
    cmake -B build/bench -DVECDB_HNSWLIB_DIR="$VECDB_HNSWLIB_DIR" >/dev/null
    cmake --build build/bench --target compare
fi
mkdir -p "$folder"

common=(--rounds "${VECDB_BENCH_ROUNDS:-5}" --pin "${VECDB_BENCH_CPU:-0}")
queries=(--query-count "${VECDB_BENCH_QUERIES:-2000}")
cached=(--cache build/bench/rivals)
rivals=(--rivals "${VECDB_BENCH_RIVALS:-hnswlib}")
efs=--sweep=ef=10,12,16,20,24,32,40,48,64,80,96,128,160,192,256,384,512
probes=--sweep=nprobe=1,2,4,8,12,16,24,32,48,64,96,128,192
bounds=--sweep=bound=0.2,0.3,0.5

# compare NAME ARGUMENTS...: one run; its tables go to the terminal and to NAME.md.
compare() {
    local name=$1
    shift
    printf '\n# %s\n\n' "$name"
    build/bench/bench/compare "${common[@]}" "$@" --json "$folder/$name.json" | tee "$folder/$name.md"
}

# sweep NAME SET ARGUMENTS...: with a table and a drawing.
sweep() {
    local name=$1 set=$2
    shift 2
    compare "$name" --only machine,sweep --data "$set" "${queries[@]}" "${rivals[@]}" --csv "$folder/$name.csv" \
        --plot "$folder/$name.svg" "$@"
}

# Each of vecdb's indexes has a run of its own with the rival that it is held against, so that their turns are near; the
# first of a set builds the rival, for the times of builds, and shows a small setting too.
sweep words_hnsw words --index "hnsw m=48 ef_construction=200" --index "hnsw m=32 ef_construction=200" "$efs"
sweep words_hnsw_f32 words --index "hnsw m=48 ef_construction=200 codes=none" "$efs" "${cached[@]}"
sweep words_ivf words --index "ivf codes=sq4" "$probes" "$bounds" "${cached[@]}"
sweep mnist_hnsw mnist --index "hnsw m=16 ef_construction=200" --index "hnsw m=8 ef_construction=200" "$efs"
sweep mnist_hnsw_f32 mnist --index "hnsw m=16 ef_construction=200 codes=none" "$efs" "${cached[@]}"
sweep mnist_ivf mnist --index "ivf codes=sq4" "$probes" "$bounds" "${cached[@]}"
compare exact --only machine,exact --data words,mnist --query-count 1000
compare masks --only masks --data words --index flat --index "hnsw m=48 ef_construction=200" "$efs" "${queries[@]}" \
    "${rivals[@]}" "${cached[@]}"

printf '\n# Speed at recalls\n'
grep -hE '^(vecdb |recall |mask )' "$folder"/*.md | tee "$folder/summary.txt"
