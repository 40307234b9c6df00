#!/usr/bin/env bash
# Use vecdb as another project would: check.sh WAY static|shared [FINISHED_BUILD]
# The environment gives CMAKE, CXX, GENERATOR, SOURCE (of vecdb), WORK (a folder to build in) and OPENMP.
set -euo pipefail
way=$1 kind=$2 built=${3:-}
program=$SOURCE/examples/consumer
first=$WORK/first_prefix_$kind  # installed here, then moved
prefix=$WORK/prefix_$kind
shared=OFF
[[ $kind == static ]] || shared=ON

fail() {
    echo "FAILED: $*"
    exit 1
}

configure() {  # configure SOURCE_DIR BUILD_DIR OPTIONS...
    local source=$1 build=$2
    shift 2
    rm -rf "$build"
    "$CMAKE" -S "$source" -B "$build" -G "$GENERATOR" -DCMAKE_CXX_COMPILER="$CXX" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
}

no_flag_of_ours() {  # no_flag_of_ours BUILD_DIR: the consumer is compiled with its own flags
    local command
    command=$(grep '"command"' "$1/compile_commands.json" | grep 'consumer/main.cpp')
    ! grep -oE ' -(m[a-z0-9.=-]+|f(openmp|sanitize|no-|visibility|fast)[^ ]*|W[^ ]*|O[^ ]*|pthread)' <<<"$command" ||
        fail "these flags reach the consumer"
}

case $way in
install)
    if [[ -z $built ]]; then
        built=$WORK/build_$kind
        configure "$SOURCE" "$built" -DCMAKE_BUILD_TYPE=Debug -DVECDB_SHARED=$shared -DVECDB_WITH_OPENMP="$OPENMP" \
            -DVECDB_BUILD_TESTS=OFF -DVECDB_BUILD_TOOLS=OFF -DVECDB_BUILD_EXAMPLES=OFF
        "$CMAKE" --build "$built"
    fi
    rm -rf "$first" "$prefix"
    "$CMAKE" --install "$built" --prefix "$first" >"$WORK/install_$kind.log"
    mv "$first" "$prefix"
    ;;
installed_files)
    expected=$( (cd "$SOURCE/include/vecdb" && ls && echo export.h) | sort)
    [[ $(ls "$prefix/include/vecdb" | sort) == "$expected" ]] ||
        fail "installed are other headers than the public ones: $(ls "$prefix/include/vecdb")"
    [[ $(ls "$prefix/include") == vecdb ]] || fail "include/ holds more than vecdb: $(ls "$prefix/include")"
    mapfile -t texts < <(find "$prefix" -name '*.cmake' -o -name '*.pc' -o -name '*.h')
    ! grep -nF -e "$first" -e "$SOURCE" -e "$WORK" "${texts[@]}" || fail "installed files name folders of the build"
    ! grep -niE 'xsimd|catch2|cli11|nlohmann' "${texts[@]}" || fail "installed files name private dependencies"
    [[ $kind == static ]] || ! grep -nE 'OpenMP|Threads::' "${texts[@]}" ||
        fail "a shared library's consumer need not know what it is linked with"
    ;;
find_package)
    configure "$program" "$WORK/find_package_$kind" -DCMAKE_PREFIX_PATH="$prefix"
    no_flag_of_ours "$WORK/find_package_$kind"
    "$CMAKE" --build "$WORK/find_package_$kind"
    "$WORK/find_package_$kind/consumer"
    configure "$SOURCE/tests/consumers/other_version" "$WORK/other_version_$kind" -DCMAKE_PREFIX_PATH="$prefix"
    ;;
pkg_config)
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name vecdb.pc)")
    export PKG_CONFIG_PATH
    options=()
    [[ $kind == shared ]] || options=(--static)
    [[ $(pkg-config --modversion vecdb) == "$(sed -n 's/.*_VERSION_[A-Z]* \([0-9]*\)$/\1/p' \
        "$SOURCE/include/vecdb/version.h" | paste -sd.)" ]] || fail "pkg-config gives another version"
    read -ra flags < <(pkg-config "${options[@]}" --cflags --libs vecdb)
    echo "flags: ${flags[*]}"
    "$CXX" -std=c++20 "$program/main.cpp" "${flags[@]}" -o "$WORK/pkg_config_$kind"
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir vecdb) "$WORK/pkg_config_$kind"
    ;;
subdirectory)
    build=$WORK/subdirectory_$kind
    configure "$SOURCE/tests/consumers/subdirectory" "$build" -DVECDB_DIR="$SOURCE" -DBUILD_SHARED_LIBS=$shared \
        -DVECDB_WITH_OPENMP="$OPENMP"
    no_flag_of_ours "$build"
    "$CMAKE" --build "$build"
    "$build/consumer"
    [[ -z $(find "$build" -name "libvecdb.$([[ $kind == shared ]] && echo a || echo so)*") ]] ||
        fail "BUILD_SHARED_LIBS=$shared was not followed"
    ;;
*) fail "no such way: $way" ;;
esac
