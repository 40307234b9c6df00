#!/usr/bin/env bash
# Each public header compiles alone, twice in one file, with exceptions and without, warnings as errors.
# Usage: compile_alone.sh COMPILER INCLUDE_DIR GENERATED_INCLUDE_DIR
set -euo pipefail
compiler=$1 include=$2 generated=$3
flags=(-std=c++20 -x c++ -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Werror
       -I"$include" -I"$generated")

failed=0
for header in "$include"/vecdb/*.h "$generated"/vecdb/*.h; do
    name=${header##*/}
    for exceptions in -fexceptions -fno-exceptions; do
        if ! printf '#include <vecdb/%s>\n#include <vecdb/%s>\n' "$name" "$name" |
            "$compiler" "${flags[@]}" "$exceptions" -; then
            echo "FAILED: vecdb/$name with $exceptions"
            failed=1
        fi
    done
done
exit "$failed"
