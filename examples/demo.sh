#!/usr/bin/env bash
# Build vecdb and find the nearest words: installs the Debian packages that are missing, builds build/release, imports
# examples/data/words.npy and searches it.
# Usage: examples/demo.sh [--no-install]   (--no-install: only say which packages are missing)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/packages.sh

install=yes
for argument in "$@"; do
    case $argument in
    --no-install) install=no ;;
    -h | --help) sed -n '2,4s/^# \?//p' examples/demo.sh && exit ;;
    *) stop "unknown argument '$argument'; usage: examples/demo.sh [--no-install]" ;;
    esac
done

need_packages $install "${packages_build[@]}"
echo "Building in build/release"
log=$(mktemp)
{ cmake --preset release && cmake --build --preset release; } >"$log" 2>&1 || {
    grep -A 10 -m 1 -iE 'error|FAILED' "$log" >&2 || tail -n 20 "$log" >&2
    stop "the build failed; the whole log: $log"
}
rm -f "$log"
exec build/release/examples/word_search examples/data
