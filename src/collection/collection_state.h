#pragma once

/// \file
/// What the handles on one collection share.

#include "collection/storage/growing_segment.h"
#include "collection/storage/seal.h"
#include "collection/version.h"
#include "simd/kernel_table.h"

#include <vecdb/collection.h>
#include <vecdb/rebuild.h>
#include <vecdb/schema.h>
#include <vecdb/status.h>
#include <vecdb/types.h>
#include <vecdb/views.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace vecdb {

/// The rows of one collection: a writer side that builds the next version aside, and the version
/// that readers work on.
///
/// A write goes: check the whole batch, reserve all memory, fill rows that no reader sees yet, then
/// publish (which cannot fail). New rows go to the growing segment; rows of sealed segments are
/// only marked as removed. build_index() makes one sealed segment of all live rows.
/// Threads: internally synchronised.
class CollectionState {
  public:
    /// What a write does with ids that exist.
    enum class Mode : std::uint8_t { kInsert, kUpsert };

    CollectionState(std::string name, Schema schema, const simd::KernelTable& kernels);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const Schema& schema() const noexcept { return schema_; }
    [[nodiscard]] const VectorField& field() const noexcept { return schema_.vectors.front(); }
    [[nodiscard]] const simd::KernelTable& kernels() const noexcept { return kernels_; }

    [[nodiscard]] std::shared_ptr<const collection::Version> version() const noexcept {
        const std::lock_guard lock(publishing_);
        return version_;
    }

    /// As Collection::insert and Collection::upsert; may throw std::bad_alloc and then changes
    /// nothing.
    Status write(std::span<const Id> ids, MatrixView vectors, Mode mode);
    Result<std::size_t> remove(std::span<const Id> ids);
    Result<FetchedRows> get(std::span<const Id> ids) const;
    /// As Collection::build_index; may throw what a custom index throws.
    Status build_index(const BuildOptions& options);
    [[nodiscard]] CollectionStats stats() const noexcept;

  private:
    using Rows = std::vector<std::uint32_t>;

    /// Where a live row stands: segment as in Version::segment().
    struct Place {
        std::uint32_t segment;
        std::uint32_t row;
        friend auto operator<=>(const Place&,
                                const Place&) = default;  // NOLINT(modernize-use-nullptr)
    };
    using Places = std::vector<Place>;

    class Build;

    Status check_batch(std::span<const Id> ids, MatrixView vectors) const;
    Result<Rows> rows_to_write(std::span<const Id> ids, Mode mode) const;
    [[nodiscard]] std::optional<Place> find(const collection::Version& version, Id id) const;
    Result<Places> rows_to_replace(std::span<const Id> ids, const Rows& chosen, Mode mode) const;
    Status fill(std::span<const Id> ids, MatrixView vectors, const Rows& chosen);
    std::shared_ptr<collection::Version> next_version(std::size_t rows, Places removed) const;
    void publish(std::shared_ptr<const collection::Version> version) noexcept;
    void compact_if_hollow();
    void adopt(const collection::Version& frozen, const collection::Seal& seal);
    void replace_growing(std::size_t first, std::shared_ptr<collection::Version> next);

    const std::string name_;
    const Schema schema_;
    const std::string index_name_;
    const simd::KernelTable& kernels_;

    std::mutex writer_;              // held for a whole write
    bool building_ = false;          // guarded by writer_; rows keep their numbers while it is set
    mutable std::shared_mutex map_;  // held by writers while they change growing_'s map and publish
    std::shared_ptr<collection::GrowingSegment> growing_;  // changed under both
    // Held to copy or swap one pointer. std::atomic<std::shared_ptr> would do, but that of
    // libstdc++ 12 lets a reader's access slip past its unlocking.
    mutable std::mutex publishing_;
    std::shared_ptr<const collection::Version> version_;  // guarded by publishing_
};

}  // namespace vecdb
