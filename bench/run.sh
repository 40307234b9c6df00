#!/usr/bin/env bash
# Compare exact search with its rivals: installs the Debian packages that are missing, builds build/bench, runs compare
# with one thread on one CPU, then its machine and batch sections with two threads on two. Tables go to the terminal,
# all figures to build/bench/one_thread.json and two_threads.json. For approximate indexes: bench/indexes.sh.
# Usage: bench/run.sh [--no-install] [ARGUMENTS FOR compare, other than --threads and --json...]
#   --no-install    only say which packages are missing
#   --only LIST     of compare: these sections alone, and the run with one thread alone
# VECDB_BENCH_CPUS: the two CPUs to use, 0,1 if not set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/build.sh

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

build_compare $install

cpus=${VECDB_BENCH_CPUS:-0,1}
compare=build/bench/bench/compare
echo "# One thread, CPU ${cpus%%,*}"
only=()
[[ $two == no ]] || only=(--only machine,insert,single,batch,filter --rounds 7)
taskset -c "${cpus%%,*}" $compare "${only[@]}" --threads 1 --json build/bench/one_thread.json "$@"
if [[ $two == yes && $(nproc) -ge 2 ]]; then
    printf '\n# Two threads, CPUs %s\n' "$cpus"
    taskset -c "$cpus" $compare --threads 2 --rounds 7 --only machine,batch --json build/bench/two_threads.json "$@"
fi
