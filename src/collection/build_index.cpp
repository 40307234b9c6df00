#include "check.h"
#include "collection/collection_state.h"
#include "collection/storage/seal.h"

#include <memory>
#include <mutex>
#include <utility>

namespace vecdb {

using collection::SealedList;
using collection::SegmentVersion;
using collection::Version;

/// The time from freezing the rows to adopting the sealed segment: no other build, and rows keep
/// their numbers, so that removals can be found again.
class CollectionState::Build {
  public:
    explicit Build(CollectionState& state) : state_(state) {
        const std::lock_guard writer(state_.writer_);
        if (state_.building_) return;
        state_.building_ = true;
        frozen_ = state_.version();
    }
    ~Build() {
        if (frozen_ == nullptr) return;
        frozen_.reset();
        const std::lock_guard writer(state_.writer_);
        state_.building_ = false;
        state_.compact_if_hollow();
    }
    Build(const Build&) = delete;
    Build& operator=(const Build&) = delete;

    /// Return the rows to build over, or null when another build is under way.
    [[nodiscard]] const Version* frozen() const noexcept { return frozen_.get(); }

  private:
    CollectionState& state_;
    std::shared_ptr<const Version> frozen_;
};

Status CollectionState::build_index(const BuildOptions& options) {
    VECDB_TRY(options.validate());
    {
        const Build build(*this);
        if (build.frozen() == nullptr) {
            return {StatusCode::kFailedPrecondition,
                    "an index of collection '" + name_ + "' is being built; 1 build at a time"};
        }
        VECDB_ASSIGN(const collection::Seal seal,
                     collection::seal(*build.frozen(), field(), options));
        const std::lock_guard writer(writer_);
        adopt(*build.frozen(), seal);
    }
    options.control.report(1.0);
    return {};
}

/// Publish the sealed segment in place of the rows of `frozen`. Rows that were added meanwhile are
/// the growing segment's; rows that were removed are removed here too.
void CollectionState::adopt(const Version& frozen, const collection::Seal& seal) {
    const auto current = version();
    auto next = std::make_shared<Version>(*current);
    SealedList sealed;
    if (seal.segment != nullptr) {
        auto segment = SegmentVersion::of(seal.segment);
        const Rows gone = collection::removed_since(frozen, *current, seal);
        segment->tombstones = segment->tombstones->with(gone, segment->chunk_rows());
        segment->live_rows -= gone.size();
        if (segment->live_rows > 0) sealed.push_back(std::move(segment));
    }
    next->sealed = std::make_shared<SealedList>(std::move(sealed));
    replace_growing(frozen.growing.rows, std::move(next));
}

}  // namespace vecdb
