# shellcheck shell=bash
# How the scripts of this folder build. Sourced by them, at the top level of the tree.

source cmake/packages.sh

# build_compare INSTALL: packages (see need_packages) and build/bench/bench/compare with its rivals.
build_compare() {
    need_packages "$1" "${packages_bench[@]}"
    cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=Release -DVECDB_BUILD_BENCH=ON -DVECDB_BUILD_TESTS=OFF \
        -DVECDB_BUILD_EXAMPLES=OFF -DVECDB_BUILD_TOOLS=OFF >/dev/null || stop "cmake failed, see above"
    cmake --build build/bench || stop "the build failed, see above"
}
