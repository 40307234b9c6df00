#!/usr/bin/env bash
# Code that would leave a view dangling does not compile; the same code on a named container does.
# Usage: refuse_temporaries.sh COMPILER INCLUDE_DIR GENERATED_INCLUDE_DIR
set -euo pipefail
compiler=$1 include=$2 generated=$3
failed=0

accepted=(
    'vecdb::VectorView view(rows); (void)view;'
    'vecdb::VectorView view(fixed); (void)view;'
    'vecdb::MatrixView view(rows, 2); (void)view;'
    'vecdb::BitsetView view = bits; (void)view;'
)
refused=(
    'vecdb::VectorView view(std::vector<float>(4)); (void)view.dim();'
    'vecdb::VectorView view = std::move(rows); (void)view.dim();'
    'vecdb::VectorView view = std::move(fixed); (void)view.dim();'
    'vecdb::MatrixView view(std::vector<float>(4), 2); (void)view;'
    'vecdb::MatrixView view(std::move(fixed), 2); (void)view;'
    'vecdb::BitsetView view = vecdb::Bitset(8); (void)view;'
    'vecdb::BitsetView view = std::move(bits); (void)view;'
)

compile() {  # compile BODY...: each body becomes a function on a line of its own, the first on line 101
    local containers='std::vector<float> rows(4); const std::vector<float> fixed(4); vecdb::Bitset bits(8);'
    {
        printf '#include <utility>\n#include <vecdb/vecdb.h>\n#line 101 "cases"\n'
        local number=0
        for body in "$@"; do
            echo "void case_$((number++))() { $containers $body }"
        done
    } | LC_ALL=C "$compiler" -std=c++20 -x c++ -fsyntax-only -I"$include" -I"$generated" - 2>&1
}

if ! output=$(compile "${accepted[@]}"); then
    printf 'FAILED: code that is right does not compile:\n%s\n' "$output"
    failed=1
fi

output=$(compile "${refused[@]}") || true
for i in "${!refused[@]}"; do
    if ! grep -q "^cases:$((101 + i)):.*error: .*deleted" <<<"$output"; then
        printf 'FAILED: not refused as a deleted function: %s\n' "${refused[i]}"
        failed=1
    fi
done
[[ $failed == 0 ]] || printf 'The compiler said:\n%s\n' "$output"
exit "$failed"
