# shellcheck shell=bash disable=SC2034
# Debian packages by purpose, and how they get onto the machine. Sourced by examples/demo.sh, tests/run.sh, .ci/run
# and bench/run.sh; nothing else names packages.

packages_build=(g++ cmake ninja-build libxsimd-dev libcli11-dev nlohmann-json3-dev
    libeigen3-dev libfaiss-dev libopenblas-dev liblapack-dev libxxhash-dev)
packages_test=("${packages_build[@]}" catch2 pkg-config binutils clang qemu-user g++-aarch64-linux-gnu strace)
packages_bench=("${packages_build[@]}" libbenchmark-dev)
packages_ci=("${packages_test[@]}" "${packages_bench[@]}" clang-format-14 clang-tidy-14 libclang-rt-14-dev libomp-dev)

# stop MESSAGE: one line that says what to do, and the end.
stop() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# need_packages INSTALL PACKAGE...: return when all are there. What is missing is listed and installed; with INSTALL
# "no" the script stops instead. Touches the network only when something is missing.
need_packages() {
    local install=$1 package missing=()
    shift
    if ! command -v dpkg-query >/dev/null; then
        echo "No Debian system: taking for granted what these packages hold: $*"
        return
    fi
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] ||
            [[ " ${missing[*]-} " == *" $package "* ]] || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0

    local command="apt-get install --no-install-recommends ${missing[*]}" as_root=()
    [[ $install != no ]] || stop "packages are missing; run as root: $command"
    if [[ $(id -u) != 0 ]]; then
        command -v sudo >/dev/null || stop "packages are missing and there is no sudo; run as root: $command"
        sudo -n true 2>/dev/null || [[ -t 0 ]] ||
            stop "packages are missing and sudo wants a password; run as root: $command"
        as_root=(sudo)
    fi
    echo "Installing: ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    local log
    log=$(mktemp)
    { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        stop "apt-get failed (log: $log); with a network, run as root: apt-get update && $command"
    }
    rm -f "$log"
}
