#!/usr/bin/env bash
# Break one rule of durability at a time, in a copy of the tree, and see a named test fail: a test that passes whatever the
# code does shows here. Prints a table. Takes about a minute each.
# Usage: tests/mutants.sh [NAME...]     without names: all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# mutant NAME FILE TEST FROM TO: in FILE the only occurrence of FROM becomes TO; TEST must fail then.
mutants() {
    mutant log-not-synced src/collection/storage/store.h power_test \
        'if (options_.sync == SyncMode::kEach) VECDB_TRY(note(log_->sync()));' ''
    mutant manifest-not-synced src/persist/manifest.cpp power_test \
        'return journal_->sync();' 'return {};'
    mutant directory-not-synced src/collection/storage/store.cpp power_test \
        'VECDB_TRY(note(storage_->sync_directory(directory_)));' ''
    mutant current-not-synced src/persist/manifest.cpp power_test \
        'VECDB_TRY(in_file(path, file->sync()));' ''
    mutant files-not-synced src/persist/section_file.cpp power_test \
        'VECDB_TRY(in_file(path_, file_->sync()));' ''
    mutant log-given-up-early src/collection/storage/store.cpp power_test \
        'VECDB_TRY(note(begin_log(std::move(logs))));' 'VECDB_TRY(note(begin_log({})));'
    mutant commit-ahead-of-the-log src/collection/storage/store.cpp power_test \
        'if (log_ != nullptr) VECDB_TRY(note(log_->sync()));
    return commit_with(' 'return commit_with('
    mutant block-checksum-ignored src/persist/section_file.cpp flips_test \
        'if (found == expected) return {};
    const Status wrong' 'if (found == found) return {};
    const Status wrong'
    mutant record-checksum-ignored src/persist/journal.cpp flips_test \
        'return checksum(payload_, seed_) == head->payload_checksum;' 'return true;'
    mutant seen-before-logged src/collection/storage/store.h io_faults_test \
        'VECDB_TRY(failed_);
        if (log_ != nullptr) {' 'VECDB_TRY(failed_);
        publish();
        if (log_ != nullptr) {'
    mutant failure-forgotten src/collection/storage/store.cpp io_faults_test \
        'if (!status.ok() && failed_.ok()) failed_ = status;' ''
    mutant removal-during-seal-forgotten src/collection/maintenance.cpp sealed_test \
        'segment->live_rows -= gone.size();' 'segment->live_rows -= 0;'
    mutant removed-rows-not-saved src/collection/storage/stored_partition.cpp durable_test \
        '.removed_rows = segment->rows - segment->live_rows};' '.removed_rows = 0};'
    mutant growing-rows-not-saved src/collection/operate/checkpoint.cpp durable_test \
        'VECDB_TRY(saver_.save_growing(partition, stored));' ''
    mutant replayed-twice src/collection/storage/replay.h model_test \
        'return partition < covered.size() && covered[partition] < record;' \
        'return partition < covered.size() && covered[partition] != UINT64_MAX;'
    mutant number-used-again src/collection/storage/store.cpp durable_test \
        'made->partition.covered = last_ + 1;' 'made->partition.covered = 0;'
    mutant half-built-kept src/collection/operate/recovery.cpp durable_test \
        'if (stored.building) {' 'if (false) {'
    mutant lost-rows-unsaid src/collection/query/source.h durable_test \
        'if (partition.lost != nullptr && !options.allow_partial) {' 'if (false) {'
}

tree=$PWD/build/mutants/tree
build=$tree/build/dev
logs=$PWD/build/mutants
wanted=("$@")
survived=0

mutant() {
    local name=$1 file=$2 test=$3 from=$4 to=$5 result
    [[ ${#wanted[@]} == 0 || " ${wanted[*]} " == *" $name "* ]] || return 0
    cp "$file" "$tree/$file"
    if ! FROM=$from TO=$to python3 - "$tree/$file" <<'PYTHON'; then
import os, sys
path = sys.argv[1]
text = open(path).read()
if text.count(os.environ["FROM"]) != 1:
    sys.exit(f"{path} has {text.count(os.environ['FROM'])} times: {os.environ['FROM']}")
open(path, "w").write(text.replace(os.environ["FROM"], os.environ["TO"]))
PYTHON
        survived=1
        return 0
    fi
    if ! cmake --build "$build" --target "$test" >"$logs/$name.log" 2>&1; then
        result="DOES NOT COMPILE"
        survived=1
    elif timeout 600 "$build/tests/$test" >"$logs/$name.log" 2>&1; then
        result="SURVIVED"
        survived=1
    else
        # The first test case that failed is named between two lines of hyphens.
        result=$(grep -m1 -A1 -E '^-{70,}$' "$logs/$name.log" | tail -n 1)
    fi
    printf '| %s | %s | %s |\n' "$name" "$test" "$result"
    cp "$file" "$tree/$file"
}

rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z | xargs -0 cp --parents -t "$tree"
(cd "$tree" && cmake --preset dev >/dev/null)
cmake --build "$build" --target power_test flips_test io_faults_test sealed_test durable_test model_test >/dev/null
printf '| mutant | test | test case that fails |\n|---|---|---|\n'
mutants
exit "$survived"
