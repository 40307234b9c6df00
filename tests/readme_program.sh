#!/usr/bin/env bash
# The first C++ block of the README is examples/quickstart.cpp, which is compiled and run by other tests.
# Usage: readme_program.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

block=$(awk '/^```cpp *$/ { inside = 1; next } inside && /^```/ { exit } inside' README.md)
[[ -n $block ]] || { echo "FAILED: README.md has no block that starts with \`\`\`cpp"; exit 1; }
if ! diff <(printf '%s\n' "$block") examples/quickstart.cpp; then
    echo "FAILED: the program in README.md (<) is not examples/quickstart.cpp (>)"
    exit 1
fi
echo "the README's program is examples/quickstart.cpp"
