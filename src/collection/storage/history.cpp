#include "collection/storage/history.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <variant>

namespace vecdb::collection {
namespace {

using std::chrono::system_clock;

bool is_after(const Version& version, std::uint64_t sequence) {
    return version.sequence > sequence;
}
bool is_after(const Version& version, system_clock::time_point time) {
    return version.time > time;
}

Status too_old(std::uint64_t sequence, const Version& oldest) {
    return {StatusCode::kNotFound,
            "as_of is sequence number " + std::to_string(sequence) + "; the oldest kept is " +
                std::to_string(oldest.sequence)};
}
Status too_old(system_clock::time_point time, const Version& oldest) {
    using std::chrono::milliseconds;
    const auto rounded = [](system_clock::time_point each) {
        return std::chrono::duration_cast<milliseconds>(each.time_since_epoch()).count();
    };
    const auto before = rounded(oldest.time) - rounded(time);
    return {StatusCode::kNotFound,
            "as_of is " + std::to_string(before) +
                " ms before the oldest state that is kept, sequence number " +
                std::to_string(oldest.sequence)};
}

}  // namespace

History::Dropped History::forget(std::size_t more) {
    Dropped dropped;
    if (retention_.window.count() == 0) {
        dropped.swap(versions_);
        return dropped;
    }
    // A version was the present until the next one came.
    const auto begin = system_clock::now() - retention_.window;
    while (versions_.size() > 1 &&
           (versions_.size() + more > retention_.max_writes + 1 || versions_[1]->time <= begin)) {
        dropped.push_back(std::move(versions_.front()));
        versions_.pop_front();
    }
    return dropped;
}

void History::set(const Retention& retention, const Pointer& current) {
    Dropped dropped;
    const Lock lock(mutex_);
    if (versions_.empty() && retention.window.count() > 0) versions_.push_back(current);
    retention_ = retention;
    dropped = forget(0);
}

void History::add(const Pointer& version) {
    Dropped dropped;
    const Lock lock(mutex_);
    if (retention_.window.count() == 0) return;
    if (!versions_.empty() && versions_.back()->sequence == version->sequence) {
        dropped.push_back(version);
        versions_.back().swap(dropped.back());
        return;
    }
    dropped = forget(1);
    versions_.push_back(version);
}

Result<History::Pointer> History::find(const Moment& moment, const Pointer& current) {
    const auto* sequence = std::get_if<std::uint64_t>(&moment);
    if (sequence != nullptr && *sequence > current->sequence) {
        return Status(StatusCode::kInvalidArgument,
                      "as_of is sequence number " + std::to_string(*sequence) + "; the last is " +
                          std::to_string(current->sequence));
    }
    return std::visit(
        [&](const auto& then) -> Result<Pointer> {
            if (!is_after(*current, then)) return current;
            Dropped dropped;
            const Lock lock(mutex_);
            dropped = forget(0);
            const auto later =
                std::partition_point(versions_.begin(), versions_.end(), [&](const Pointer& each) {
                    return !is_after(*each, then);
                });
            if (later != versions_.begin()) return *std::prev(later);
            return too_old(then, versions_.empty() ? *current : *versions_.front());
        },
        moment);
}

}  // namespace vecdb::collection
