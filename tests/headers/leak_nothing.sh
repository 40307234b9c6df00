#!/usr/bin/env bash
# A program that includes <vecdb/vecdb.h> sees our headers, the standard library and nothing else: no file of a
# dependency, no intrinsics, no macro without our prefix.
# Usage: leak_nothing.sh COMPILER INCLUDE_DIR GENERATED_INCLUDE_DIR
set -euo pipefail
compiler=$1 include=$2 generated=$3
preprocess=("$compiler" -std=c++20 -x c++ -I"$include" -I"$generated" -E)
source='#include <vecdb/vecdb.h>'
failed=0

foreign='/(xsimd|Eigen|eigen3|unsupported|faiss|cereal|CLI|nlohmann|openblas|cuda)[/._]|/(xxhash|cblas|lapacke?|omp|'
foreign+='immintrin|x86intrin|[a-z]mmintrin|avx[a-z0-9]*intrin|arm_neon|cpuid|windows|fcntl|dlfcn)\.h$'
files=$(echo "$source" | "${preprocess[@]}" -M - | tr -d '\\' | tr ' ' '\n' | grep '/' | sort -u)
if leaked=$(grep -E "$foreign" <<<"$files"); then
    echo "FAILED: <vecdb/vecdb.h> includes"
    echo "$leaked"
    failed=1
fi

# Line markers tell which file each #define comes from.
macros=$(echo "$source" | "${preprocess[@]}" -dD - | awk -v ours="$include/vecdb/" -v made="$generated/vecdb/" '
    /^# [0-9]+ "/ { file = $3; gsub(/"/, "", file) }
    /^#define / && (index(file, ours) == 1 || index(file, made) == 1) {
        name = $2; sub(/\(.*/, "", name); print name
    }' | sort -u)
if ! grep -q '^VECDB_VERSION_MAJOR$' <<<"$macros"; then
    echo "FAILED: the macros of our headers were not found, so this test checks nothing"
    failed=1
fi
if leaked=$(grep -v '^VECDB_' <<<"$macros"); then
    echo "FAILED: macros without the prefix VECDB_:"
    echo "$leaked"
    failed=1
fi
exit "$failed"
