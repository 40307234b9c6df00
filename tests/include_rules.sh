#!/usr/bin/env bash
# Who may include whom, and which flags stand where, checked by grep over the source tree.
# Usage: include_rules.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
failed=0

# refuse RULE GREP_OPTIONS...: every line that grep finds breaks the rule.
refuse() {
    local rule=$1
    shift
    local found
    if found=$(grep -rnE "$@" 2>/dev/null); then
        printf 'FAILED: %s\n%s\n' "$rule" "$found"
        failed=1
    fi
}

# may_not FOLDER PART...: nothing in src/FOLDER includes anything from src/PART.
may_not() {
    local folder=$1 part
    shift
    for part in "$@"; do
        refuse "src/$folder may not include src/$part" "^ *# *include +[\"<]([^\">]*/)?$part/" "src/$folder" --include='*.[hc]*'
    done
}

# only_in RULE PATTERN FILES: PATTERN stands in src/ only in files whose path matches FILES.
only_in() {
    local rule=$1 pattern=$2 files=$3 found
    if found=$(grep -rnE "$pattern" include src | grep -vE "^$files"); then
        printf 'FAILED: %s\n%s\n' "$rule" "$found"
        failed=1
    fi
}

[[ -d include/vecdb && -d src/simd ]] || { echo "FAILED: no source tree in $PWD"; exit 1; }

found=$(grep -rnE '^ *# *include' include/vecdb | grep -vE '# *include <(vecdb/[a-z_]+\.h|[a-z_0-9]+)>' || true)
if [[ -n $found ]]; then
    printf 'FAILED: include/vecdb includes the standard library and itself only\n%s\n' "$found"
    failed=1
fi

may_not simd persist index gpu collection
may_not persist simd index gpu collection
may_not index gpu collection
may_not gpu collection
refuse "src/ may not include tests, bench or examples" '# *include +["<]([^">]*/)?(tests|bench|examples|support)/' src
refuse "examples include <vecdb/...> only" '# *include +["<]([^">]*/)?(simd|persist|index|gpu|collection|check\.h|mutex\.h)[/"]' \
    examples --include='*.[hc]*'
refuse "src/ includes its own files from the root of src/" '# *include +"\.\.?/' src

only_in "only src/index/faiss_bridge.* includes Faiss" '# *include +["<]faiss/' 'src/index/faiss_bridge\.'
only_in "only src/persist/archive.* includes cereal" '# *include +["<]cereal/' 'src/persist/archive\.'
only_in "only src/index/parallel.* knows OpenMP" '# *pragma +omp|# *include +["<]omp\.h|\bomp_[a-z_]+ *\(' \
    'src/index/parallel\.'
only_in "only src/index/rotation.* includes Eigen" '# *include +["<](Eigen|eigen3|unsupported)/' 'src/index/rotation\.'
only_in "only src/simd/xsimd_compat.h includes xsimd" '# *include +["<]xsimd' 'src/simd/xsimd_compat\.h'
only_in "intrinsics stay in src/simd" '# *include +["<]([a-z0-9]+intrin|arm_neon|cpuid)\.h' 'src/simd/'
only_in "the library does not use the tool's libraries" '# *include +["<](CLI|nlohmann)/' 'nowhere'
only_in "the library does not print" '\b(std::cout|std::cerr|printf|fprintf|puts) *[(<]' 'nowhere'

only_in "the library does not end the program" '\b(abort|exit|_Exit|quick_exit|terminate) *\(' 'nowhere'

# Rivals are modules of their own, compiled as their users compile them.
machine_flags='-m(arch|tune|cpu|avx|fma|f16c|bmi|sse)|-ffast-math|-Ofast|-funsafe-math|-ffinite-math'
cmake_files=(CMakeLists.txt CMakePresets.json)
for folder in cmake src examples bench tests packaging; do
    [[ ! -d $folder ]] || mapfile -t -O "${#cmake_files[@]}" cmake_files < <(
        find "$folder" \( -name CMakeLists.txt -o -name '*.cmake' -o -name '*.in' \) ! -path cmake/arch.cmake \
            ! -path 'bench/rivals/*')
done
refuse "flags of an instruction set stand in cmake/arch.cmake only" -- "(^|[^a-z])($machine_flags)" "${cmake_files[@]}"
refuse "no -march=native and no -ffast-math at all" -- '-march=native|-ffast-math|-Ofast' cmake

[[ $failed == 0 ]] && echo "include rules: all kept"
exit "$failed"
