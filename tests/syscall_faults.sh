#!/usr/bin/env bash
# While a program writes to a database, let calls of the system fail: each call by itself, and each with all that follow.
# What is left must be the writes that returned, or one more, and the program must have said why it stopped.
# Usage: tests/syscall_faults.sh PROGRAM [--occurrences N] [--seed N] [--keep]
#   PROGRAM          the test program faulty_work
#   --occurrences N  let the first N calls of each kind fail (default 40)
#   --seed N         of the writes (default 1)
#   --keep           leave the directory with all runs where it is
# Needs strace. Exit code 77: this user may not trace programs, nothing was tested.
set -euo pipefail

stop() {
    echo "${0##*/}: $1" >&2
    exit "${2:-1}"
}

# Two ways to begin: there is no database; one was left by a writer that did not close it.
scenarios=(new left)
declare -A first=([new]=0 [left]=40) count=([new]=40 [left]=20)

# The calls, with the errors that they may give. One that EINTR interrupts is made again, and what cannot be mapped is
# read, so that nobody sees either.
declare -A errors=([openat]='EIO ENOSPC EINTR' [write]='EIO ENOSPC EINTR' [fdatasync]='EIO ENOSPC EINTR'
    [fsync]='EIO EINTR' [ftruncate]='EIO EINTR' [pread64]='EIO EINTR' [flock]='ENOLCK EINTR' [mmap]='ENOMEM'
    [rename]='EIO ENOSPC' [unlink]='EIO' [mkdir]='ENOSPC' [getdents64]='EIO' [newfstatat]='EIO' [fstat]='EIO')

# paths DIRECTORY: -P and a path, for all that a database may have there; only calls on these fail.
paths() {
    local kind number
    printf -- '-P\n%s\n' "$1" "$1/CURRENT" "$1/CURRENT.new" "$1/LOCK"
    for kind in manifest log rows index growing; do
        for number in {1..40}; do
            printf -- '-P\n%s/%s-%016x\n' "$1" "$kind" "$number"
        done
    done
}

# run_one RUN SCENARIO STRACE_ARGUMENT...: let the program write, traced. Prints its output, and fails if it crashes.
run_one() {
    local run=$1 scenario=$2 only code=0
    shift 2
    mkdir "$run"
    [[ $scenario == new ]] || cp -r "$work/base" "$run/database"
    mapfile -t only < <(paths "$run/database")
    timeout 60 strace -qq -f --seccomp-bpf -o "$run/trace" "${only[@]}" "$@" \
        "$program" write "$run/database" "$seed" "${first[$scenario]}" "${count[$scenario]}" >"$run/output" 2>"$run/errors" ||
        code=$?
    [[ $code == 0 ]] || echo "FAILED: $run ended with $code: $(tail -n 3 "$run/errors")"
    return "$code"
}

# A job is a line: SCENARIO CALL ERROR WHEN. This is what xargs starts.
if [[ ${1-} == --job ]]; then
    program=$2 work=$3 seed=$4 scenario=$5 call=$6 error=$7 when=$8
    run=$work/$scenario-$call-$error-$when
    run_one "$run" "$scenario" -e "trace=$call" -e "inject=$call:error=$error:when=$when" || exit 1
    grep -q INJECTED "$run/trace" || { echo "FAILED: $run had no fault" && exit 1; }
    exit 0
fi

program=${1:-} occurrences=40 seed=1 keep=no
[[ -x $program ]] || stop "usage: ${0##*/} PROGRAM [--occurrences N] [--seed N] [--keep]"
shift
while [[ $# -gt 0 ]]; do
    case $1 in
    --occurrences) occurrences=${2:?"--occurrences needs a number"} && shift ;;
    --seed) seed=${2:?"--seed needs a number"} && shift ;;
    --keep) keep=yes ;;
    *) stop "no option '$1'" ;;
    esac
    shift
done
command -v strace >/dev/null || stop "SKIPPED: strace is not there; Debian package strace" 77
strace -qq -f --seccomp-bpf -o /dev/null true 2>/dev/null || stop "SKIPPED: this user may not trace programs" 77

work=$(mktemp -d)
[[ $keep == yes ]] || trap 'rm -rf "$work"' EXIT
"$program" leave "$work/base" "$seed" 0 "${first[left]}" >/dev/null
printf 'torn' >>"$(printf '%s\n' "$work"/base/log-* | tail -n 1)"

# Which calls there are, when none fails.
jobs=$work/jobs all=$(IFS=, && echo "${!errors[*]}")
for scenario in "${scenarios[@]}"; do
    run_one "$work/$scenario" "$scenario" -e "trace=$all"
    ! grep ': ' "$work/$scenario/output" || stop "without a fault a write fails"
    for call in "${!errors[@]}"; do
        calls=$(grep -cE "^[0-9]+ +$call\(" "$work/$scenario/trace" || true)
        echo "$scenario: $call is called $calls times"
        for ((i = 1; i <= calls && i <= occurrences; ++i)); do
            for error in ${errors[$call]}; do
                # A disk that is full stays full.
                [[ $error == ENOSPC ]] || echo "$scenario $call $error $i"
                [[ $error == EINTR ]] || echo "$scenario $call $error $i+"
            done >>"$jobs"
        done
    done
done

failed=0
xargs -P 2 -L 1 "$0" --job "$program" "$work" "$seed" <"$jobs" || failed=1
for scenario in "${scenarios[@]}"; do
    echo "$scenario:"
    while read -r at call error when; do
        [[ $at == "$scenario" ]] || continue
        expected=fail
        [[ $error != EINTR && $call != mmap ]] || expected=pass
        run=$work/$scenario-$call-$error-$when
        echo "$run/database $run/output $expected"
    done <"$jobs" | "$program" check "$seed" "${first[$scenario]}" "${count[$scenario]}" || failed=1
done
[[ $keep == no ]] || echo "The runs are in $work"
exit "$failed"
