#!/usr/bin/env bash
# Every test case that docs/promises.md and docs/reliability.md name exists, in the file that they name.
# Usage: promises.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
failed=0 named=0 pages=(docs/promises.md docs/reliability.md)

# test_cases FILE: the names of its test cases, one a line; literals that follow each other are one.
test_cases() {
    tr '\n' ' ' <"$1" | sed -E 's/" +"//g' | grep -oE 'TEST_CASE\( *"[^"]*"' | sed -E 's/^[^"]*"(.*)"$/\1/'
}

# `path/file.cpp` says where the "test cases" behind it on its line are.
while IFS= read -r line; do
    file=
    while IFS= read -r token; do
        if [[ $token == \`* ]]; then
            file=tests/${token//\`/}
            [[ -f $file ]] || { echo "FAILED: no file $file" && failed=1; }
            continue
        fi
        name=${token//\"/}
        named=$((named + 1))
        if [[ -z $file || ! -f $file ]] || ! grep -qxF -- "$name" <<<"$(test_cases "$file")"; then
            printf 'FAILED: no test case "%s" in %s\n' "$name" "${file:-any file}"
            failed=1
        fi
    done < <(grep -oE '`[^` ]+\.cpp`|"[^"]+"' <<<"$line")
done < <(grep -h '^|' "${pages[@]}")

[[ $named -gt 0 ]] || { echo "FAILED: ${pages[*]} name no test case" && failed=1; }
[[ $failed == 0 ]] && echo "promises: $named test cases named, all there"
exit "$failed"
