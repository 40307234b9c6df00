#!/bin/sh
# Proves that code for one instruction set cannot end up in a program's other paths:
# an arch object exports one table and no weak code, uses only its level's registers, and no other object of the
# library uses the wide ones. Also proves that the kernels of listed code rows ask for rows ahead: prefetches have no
# effect that a compiler must keep, and GCC 12 has removed them with the function they stood in.
# usage: symbols.sh READELF OBJDUMP OBJECTS     OBJECTS: a file that names one object a line
set -eu

readelf=$1 objdump=$2 objects=$3
faults=0
checked=0

fault() {
    echo "symbols.sh: $1" >&2
    faults=$((faults + 1))
}

# Print the defined symbols of an object as "type bind name".
symbols() {
    "$readelf" --symbols --wide "$1" | awk '$1 ~ /^[0-9]+:$/ && $7 != "UND" && NF >= 8 { print $4, $5, $8 }'
}

# Succeed if the disassembly of an object names a register that matches.
uses() {
    "$objdump" --disassemble --no-show-raw-insn "$1" | grep -E -q "$2"
}

level_of() {
    printf '%s\n' "$1" | sed -n 's|.*vecdb_arch_\([a-z0-9]*\)\.dir/.*|\1|p'
}

# Print the functions of an object whose names match and which prefetch nothing.
not_prefetching() {
    "$objdump" --disassemble --no-show-raw-insn "$1" | awk -v wanted="$2" '
        /^[0-9a-f]+ </ { if (name != "" && !found) print name; found = 0; name = $2 ~ wanted ? $2 : "" }
        /prefetch/ { found = 1 }
        END { if (name != "" && !found) print name }'
}

check_arch() {
    weak=$(symbols "$1" | awk '($1 == "FUNC" || $1 == "IFUNC") && $2 != "LOCAL"')
    [ -z "$weak" ] || fault "$2: code that the linker may share: $weak"
    table=$(symbols "$1" | awk '$2 != "LOCAL" { print $1, $3 }')
    [ "$(printf '%s\n' "$table" | wc -l)" -eq 1 ] || fault "$2: not one exported symbol: $table"
    case $table in
        "OBJECT "*Table*) ;;
        *) fault "$2: the exported symbol is no table: $table" ;;
    esac
    case $2 in
        neon) ;;
        *)
            idle=$(not_prefetching "$1" '(wide|plain)_rows')
            [ -z "$idle" ] || fault "$2: asks for no row ahead: $idle"
            uses "$1" '_rows' || fault "$2: no kernel of listed code rows"
            ;;
    esac
    case $2 in
        scalar | sse2) ! uses "$1" '%[yz]mm|%k[0-7]' || fault "$2: uses AVX registers" ;;
        avx2)
            uses "$1" '%ymm' || fault "$2: no ymm register in its disassembly"
            ! uses "$1" '%zmm|%k[0-7]' || fault "$2: uses AVX-512 registers"
            ;;
        avx512*) uses "$1" '%zmm' || fault "$2: no zmm register in its disassembly" ;;
    esac
}

while IFS= read -r object; do
    [ -f "$object" ] || { fault "$object is missing"; continue; }
    checked=$((checked + 1))
    level=$(level_of "$object")
    if [ -n "$level" ]; then
        check_arch "$object" "$level"
    elif uses "$object" '%[yz]mm|%k[0-7]'; then
        fault "$object: uses AVX registers outside src/simd/arch"
    fi
done < "$objects"

[ "$checked" -gt 0 ] || fault "no objects to check"
[ "$faults" -eq 0 ] || exit 1
echo "symbols.sh: $checked objects are clean"
