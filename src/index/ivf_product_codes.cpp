#include "index/ivf_product_codes.h"

#include "check.h"
#include "index/ivf_codes.h"
#include "index/kmeans.h"
#include "index/opq.h"
#include "index/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

namespace vecdb::index {
namespace {

/// Rows of the sample on which codebooks are trained: more change 16 words hardly any more; fewer
/// where they are so long that the sample would have more than kSampleFloats.
constexpr std::size_t kSampleRows = 8'192;
constexpr std::size_t kFewestSampleRows = 1'024;
constexpr std::size_t kSampleFloats = std::size_t{1} << 23U;
/// Blocks of one task of coding.
constexpr std::size_t kTaskBlocks = 16;

}  // namespace

Result<IvfProductCodes> IvfProductCodes::build(const IndexRows& rows,
                                               const IvfLists& lists,
                                               const Wish& wish,
                                               const IndexBuild& how) {
    IvfProductCodes codes;
    if (rows.count == 0) return codes;
    codes.space_ = CodeSpace(rows.dim);
    if (wish.rotates) {
        VECDB_ASSIGN(codes.space_, learn_product_space(rows, wish.dims, how));
    }
    VECDB_TRY(codes.train(rows, wish.dims, how));
    VECDB_TRY(codes.code_rows(rows, how));
    VECDB_ASSIGN(codes.centroids_, coded_centroids(codes.space_, rows.metric, lists, how));
    return codes;
}

Status IvfProductCodes::train(const IndexRows& rows, std::size_t dims, const IndexBuild& how) {
    const std::size_t head = space_.head();
    const std::size_t wanted = std::clamp(kSampleFloats / head, kFewestSampleRows, kSampleRows);
    const auto sample = draw_sample(rows.count, wanted, how.seed);
    std::vector<float> heads(sample.size() * head);
    for (std::size_t i = 0; i < sample.size(); ++i)
        space_.project(static_cast<const float*>(rows.row(sample[i])), &heads[i * head]);
    VECDB_ASSIGN(codebooks_, ProductCodebooks::train(heads, head, {.dims = dims}, how));
    return {};
}

Status IvfProductCodes::code_rows(const IndexRows& rows, const IndexBuild& how) {
    rows_ = rows.count;
    bytes_ = simd::AlignedBuffer<std::uint8_t>(bytes_of_rows());
    const std::size_t blocks = bytes_.size() / block_bytes();
    std::atomic<bool> stop{false};
    const auto code = [&](std::size_t task, std::size_t /*worker*/) {
        if (stop.load(std::memory_order_relaxed)) return;
        if (!how.check().ok()) stop.store(true, std::memory_order_relaxed);
        const std::size_t first = task * kTaskBlocks;
        for (std::size_t block = first; block < std::min(blocks, first + kTaskBlocks); ++block)
            code_block(rows, block);
    };
    parallel_for((blocks + kTaskBlocks - 1) / kTaskBlocks, how.threads, code);
    return how.check();
}

void IvfProductCodes::code_block(const IndexRows& rows, std::size_t block) const {
    constexpr std::size_t kHalf = simd::kBlockRows / 2;
    const std::size_t first = block * simd::kBlockRows;
    const std::size_t count = std::min(simd::kBlockRows, rows_ - first);
    std::vector<float> heads(count * space_.head());
    CodeSpace::Measures measures[simd::kBlockRows];
    space_.project(rows, first, count, heads.data(), measures);
    std::vector<std::uint8_t> words(codebooks_.count());
    std::uint8_t* const bytes = bytes_.data() + block * block_bytes();
    std::fill_n(bytes, block_bytes(), std::uint8_t{0});
    for (std::size_t r = 0; r < count; ++r) {
        codebooks_.encode(&heads[r * space_.head()], words.data());
        const unsigned shift = r < kHalf ? 0 : 4;
        for (std::size_t m = 0; m < words.size(); ++m) {
            std::uint8_t& byte = bytes[m * kHalf + r % kHalf];
            byte = static_cast<std::uint8_t>(byte | words[m] << shift);
        }
    }
}

Status IvfProductCodes::save(SectionWriter& to) const {
    if (empty()) return {};
    VECDB_TRY(space_.save(to));
    VECDB_TRY(codebooks_.save(to));
    return to.write("product.rows", std::as_bytes(std::span(bytes_.data(), bytes_.size())));
}

Result<IvfProductCodes> IvfProductCodes::load(SectionReader& from,
                                              const IndexRows& rows,
                                              const IvfLists& lists,
                                              const Wish& wish) {
    IvfProductCodes codes;
    if (rows.count == 0) return codes;
    VECDB_ASSIGN(codes.space_, CodeSpace::load(from, rows.dim));
    if (!codes.space_.mean().empty() || (codes.space_.rotates() && !wish.rotates)) {
        return Status(StatusCode::kCorruption, "ivf index: its rows are turned or centred");
    }
    VECDB_ASSIGN(codes.codebooks_, ProductCodebooks::load(from, codes.space_.head(), wish.dims));
    codes.rows_ = rows.count;
    VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read("product.rows"));
    if (bytes.size() != codes.bytes_of_rows()) {
        return Status(StatusCode::kCorruption,
                      "ivf index: " + std::to_string(bytes.size()) +
                          " bytes of product codes instead of " +
                          std::to_string(codes.bytes_of_rows()));
    }
    // Any word is one of 16: there is nothing to check in them.
    codes.bytes_ = simd::AlignedBuffer<std::uint8_t>(bytes.size());
    std::memcpy(codes.bytes_.data(), bytes.data(), bytes.size());
    VECDB_ASSIGN(codes.centroids_, coded_centroids(codes.space_, rows.metric, lists, {}));
    return codes;
}

}  // namespace vecdb::index
