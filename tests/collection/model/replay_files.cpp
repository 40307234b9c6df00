#include "collection/model/replay.h"

#include <array>
#include <utility>

namespace vecdb::test {

OpenOptions Replay::open_options() const {
    OpenOptions options;
    options.sync = sync_;
    options.sync_interval = std::chrono::milliseconds(1);
    options.checkpoint_bytes = std::uint64_t{64} << 10U;
    options.keep_replaced = std::chrono::seconds(0);
    options.storage = files_;
    return options;
}

Fault Replay::checkpoint() {
    const Errors errors = settings_.durable ? Errors() : Errors{StatusCode::kFailedPrecondition};
    return judge("checkpoint", database_.checkpoint(), errors);
}

/// Close the database, or let its process end, and open it again. Handles of before are let go.
Fault Replay::reopen(Random& random) {
    constexpr std::array kModes = {
        SyncMode::kEach, SyncMode::kOs, SyncMode::kInterval, SyncMode::kOff};
    const bool close = one_in(random, 2);
    const std::size_t mode = below(random, kModes.size());
    if (!settings_.durable) return judge("close", database_.close(), {});
    Fault fault = sync_ == SyncMode::kOff ? "" : audit_reader();
    if (!fault.empty()) return "a reader: " + fault;
    held_.clear();
    pins_.clear();
    // What was not saved is lost without a log.
    if (close || sync_ == SyncMode::kOff) {
        fault = judge("close", database_.close(), {});
        if (!fault.empty()) return fault;
    } else {
        files_ = files_->copy();
    }
    database_ = Database::in_memory().value();  // the lock goes with the old one
    sync_ = kModes[mode];
    auto opened = Database::open("d", open_options());
    fault = judge("open", opened.status(), {});
    if (!fault.empty()) return fault;
    database_ = *std::move(opened);
    if (!database_.open_report().damage.empty()) return database_.open_report().damage.front();
    if (!database_.open_report().dropped_collections.empty()) return "a collection was dropped";
    return find_again();
}

/// Open the files beside the writer and look at everything.
Fault Replay::audit_reader() {
    OpenOptions options = open_options();
    options.mode = OpenMode::kReadOnly;
    const auto reader = Database::open("d", options);
    Fault fault = judge("open to read", reader.status(), {});
    if (!fault.empty()) return fault;
    sequences_differ_ = true;
    fault = audit(*reader);
    sequences_differ_ = false;
    return fault;
}

/// Take over the numbers of writes, which may be higher than before, and forget the past.
Fault Replay::find_again() {
    for (const auto& [name, expected] : names_.collections) {
        const auto found = database_.collection(name);
        Fault fault = judge("collection", found.status(), {});
        if (!fault.empty()) return fault;
        if (found->sequence() < expected->sequence()) {
            return "sequence " + std::to_string(found->sequence()) + " after " +
                   std::to_string(expected->sequence());
        }
        expected->keep(0);
        expected->set_sequence(found->sequence());
    }
    return audit();
}

}  // namespace vecdb::test
