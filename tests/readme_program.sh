#!/usr/bin/env bash
# The C++ programs in the README are those in examples/, which are compiled and run by other tests. With TOOL, the vecdb
# tool, the commands of their sections are run too.
# Usage: readme_program.sh [ROOT [TOOL]]
set -euo pipefail
tool=${2:+$(realpath "$2")}
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

stop() { echo "FAILED: $*"; exit 1; }

# Print the first block of a language under a heading.
block() {
    awk -v heading="## $2" -v fence="\`\`\`$1" '$0 == heading { here = 1 } inside && /^```/ { exit } inside
        here && $0 == fence { inside = 1 }' README.md
}

check_program() {
    local program
    program=$(block cpp "$1")
    [[ -n $program ]] || stop "the section '$1' of README.md has no block that starts with \`\`\`cpp"
    diff <(printf '%s\n' "$program") "$2" || stop "the program in the section '$1' of README.md (<) is not $2 (>)"
    echo "the program in the section '$1' of the README is $2"
}

# Write 3 x 2 vectors, the numbers from 1 to 6, to a file.
write_vectors() {
    { printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"
      printf '\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40\0\0\xc0\x40'; } >"$1"
}

# Run the commands of a section on the files that they name.
check_commands() {
    local commands
    commands=$(block sh "$1")
    [[ $commands == *"vecdb $2"* ]] || stop "the section '$1' of README.md has no commands"
    scratch=$(mktemp -d)
    (
        cd "$scratch"
        write_vectors products.npy
        write_vectors images.npy
        write_vectors titles.npy
        printf '%s\n' price:int64,brand:string?,sold_out:bool 20,acme,false 30,,false 60,zenith,true >products.csv
        PATH=$(dirname "$tool"):$PATH bash -euxo pipefail -c "$commands"
    ) || stop "the commands in the section '$1' of README.md"
    rm -rf "$scratch"
}

check_program 'A first program' examples/quickstart.cpp
check_program Filtering examples/filters.cpp
check_program 'Several vectors' examples/hybrid_search.cpp
[[ -z $tool ]] || check_commands Filtering count
[[ -z $tool ]] || check_commands 'Several vectors' info
