#!/usr/bin/env bash
# Compare vecdb with its rivals: installs the Debian packages that are missing, builds build/bench, runs vecdb_compare
# with one thread on one CPU, then its machine and batch sections with two threads on two. Tables go to the terminal,
# all figures to build/bench/one_thread.json and two_threads.json.
# Usage: bench/run.sh [--no-install] [ARGUMENTS FOR vecdb_compare, other than --threads and --json...]
#   --no-install    only say which packages are missing
#   --only LIST     of vecdb_compare: these sections alone, and the run with one thread alone
# VECDB_BENCH_CPUS: the two CPUs to use, 0,1 if not set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/packages.sh

install=yes two=yes
if [[ ${1-} == --no-install ]]; then
    install=no
    shift
fi
for argument in "$@"; do
    case $argument in
    -h | --help) sed -n '2,9s/^# \?//p' bench/run.sh && exit ;;
    --only*) two=no ;;
    esac
done

need_packages $install "${packages_bench[@]}"
cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=Release -DVECDB_BUILD_BENCH=ON -DVECDB_BUILD_TESTS=OFF \
    -DVECDB_BUILD_EXAMPLES=OFF -DVECDB_BUILD_TOOLS=OFF >/dev/null || stop "cmake failed, see above"
cmake --build build/bench || stop "the build failed, see above"

cpus=${VECDB_BENCH_CPUS:-0,1}
compare=build/bench/bench/vecdb_compare
echo "# One thread, CPU ${cpus%%,*}"
taskset -c "${cpus%%,*}" $compare --threads 1 --json build/bench/one_thread.json "$@"
if [[ $two == yes && $(nproc) -ge 2 ]]; then
    printf '\n# Two threads, CPUs %s\n' "$cpus"
    taskset -c "$cpus" $compare --threads 2 --only machine,batch --json build/bench/two_threads.json "$@"
fi
