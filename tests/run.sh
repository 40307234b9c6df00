#!/usr/bin/env bash
# Build and run all tests: installs the Debian packages that are missing, builds build/<preset>, ends with ctest's
# summary.
# Usage: tests/run.sh [--fast] [--no-install] [--preset NAME] [ARGUMENTS FOR CTEST...]
#   --fast          leave out the tests labelled slow
#   --no-install    only say which packages are missing
#   --preset NAME   a test preset of CMakePresets.json: dev (default), asan, tsan, fuzz, coverage, ci
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/packages.sh

install=yes preset=dev select=()
while [[ $# -gt 0 ]]; do
    case $1 in
    --fast) select=(-LE '^slow$') ;;
    --no-install) install=no ;;
    --preset) preset=${2:?"--preset needs a name"} && shift ;;
    -h | --help) sed -n '2,8s/^# \?//p' tests/run.sh && exit ;;
    *) break ;;
    esac
    shift
done

packages=("${packages_test[@]}")
[[ $preset == dev ]] || packages=("${packages_ci[@]}")
need_packages $install "${packages[@]}"

cmake --preset "$preset" >/dev/null || stop "cmake --preset $preset failed, see above"
cmake --build --preset "$preset" || stop "the build failed, see above"
exec ctest --preset "$preset" -j "$(nproc)" --no-label-summary "${select[@]}" "$@"
