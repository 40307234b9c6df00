#!/bin/sh
# Runs the quick kernel tests on CPUs that this machine is not.
# usage: emulate.sh x86_64 PROGRAM        the statically linked kernel tests under old and new x86 CPUs
#        emulate.sh aarch64 SOURCE BUILD  cross-build them in BUILD, run neon and scalar
# Ends with 77, which ctest reports as skipped, where the emulator or the cross compiler is missing.
set -eu

need() {
    command -v "$1" > /dev/null || { echo "emulate.sh: left out, $1 is missing" >&2; exit 77; }
}

# run EXPECTED-LEVEL COMMAND...: the level chosen is the expected one, and its kernels pass.
run() {
    expected=$1
    shift
    echo "== $expected: $*"
    VECDB_EXPECT_SIMD=$expected "$@" '[quick]'
}

unset VECDB_SIMD
case $1 in
    x86_64)
        need qemu-x86_64
        run sse2 qemu-x86_64 -cpu Nehalem "$2"
        # What qemu cannot emulate of a CPU it names in warnings, which say nothing about us.
        run avx2 qemu-x86_64 -cpu Haswell "$2" 2> /dev/null
        ;;
    aarch64)
        need qemu-aarch64
        need aarch64-linux-gnu-g++
        cmake -S "$2" -B "$3" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
            -DCMAKE_TOOLCHAIN_FILE="$2/cmake/toolchains/aarch64-linux-gnu.cmake" \
            -DVECDB_BUILD_TESTS=ON -DVECDB_BUILD_TOOLS=OFF -DVECDB_BUILD_EXAMPLES=OFF \
            -DVECDB_INSTALL=OFF -DVECDB_WITH_OPENMP=OFF
        cmake --build "$3" --target vecdb_kernel_tests_static
        run neon qemu-aarch64 "$3/tests/simd/vecdb_kernel_tests_static"
        ;;
    *)
        echo "emulate.sh: no emulator for $1" >&2
        exit 2
        ;;
esac
