#include "index/product_codebooks.h"

#include "check.h"
#include "index/kmeans.h"
#include "index/parallel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace vecdb::index {
namespace {

/// Elements beyond this many units count as so many: their products stay far inside of floats.
constexpr double kFarthest = 0x1p40;
constexpr std::size_t kTableBytes = 4 * kProductWords;  ///< Of a group of codebooks.
constexpr float kLargestEntry = 255;
constexpr float kLargestSum = 65'535;

Status corrupt(const std::string& what) {
    return {StatusCode::kCorruption, "product codebooks: " + what};
}

/// Return the power of two at or below the largest size of an element.
double unit_of(std::span<const float> vectors) {
    double largest = 0;
    for (const float x : vectors)
        largest = std::max(largest, std::abs(static_cast<double>(x)));
    return largest > 0 ? std::ldexp(1.0, std::ilogb(largest)) : 1.0;
}

/// Write squares[w] - 2 q.w of a codebook to values; squares may be null for zeros.
void compare_words(const float* elements,
                   const float* squares,
                   const float* piece,
                   std::size_t dims,
                   float* values) {
    float sums[kProductWords] = {};
    if (squares != nullptr) std::memcpy(sums, squares, sizeof(sums));
    for (std::size_t d = 0; d < dims; ++d, elements += kProductWords) {
        const float factor = -2 * piece[d];
        for (std::size_t w = 0; w < kProductWords; ++w)
            sums[w] += factor * elements[w];
    }
    std::memcpy(values, sums, sizeof(sums));
}

/// Make the smallest value of a codebook 0 and return the largest one then.
float start_at_zero(float* values) {
    float lowest = values[0];
    float highest = values[0];
    for (std::size_t w = 1; w < kProductWords; ++w) {
        lowest = std::min(lowest, values[w]);
        highest = std::max(highest, values[w]);
    }
    for (std::size_t w = 0; w < kProductWords; ++w)
        values[w] -= lowest;
    return highest - lowest;
}

/// What stands in section product.words before the words.
struct About {
    std::uint32_t version = 1;
    std::uint32_t dim = 0;
    std::uint32_t dims = 0;
    std::uint32_t unused = 0;
    double unit = 0.0;
};

}  // namespace

ProductCodebooks::ProductCodebooks(std::size_t dim, std::size_t dims)
    : dim_(dim),
      dims_(dims),
      count_((dim + dims - 1) / dims),
      words_(count_ * dims * kProductWords),
      squares_(count_ * kProductWords) {}

Result<ProductCodebooks> ProductCodebooks::train(std::span<const float> vectors,
                                                 std::size_t dim,
                                                 const Training& training,
                                                 const IndexBuild& how,
                                                 const ProductCodebooks* start) {
    VECDB_ASSERT(!vectors.empty() && vectors.size() % dim == 0);
    ProductCodebooks books(dim, training.dims);
    books.unit_ = unit_of(vectors);
    if (start != nullptr) {
        books.unit_ = start->unit_;
        books.words_ = start->words_;
        books.squares_ = start->squares_;
    }
    const std::size_t padded = books.count_ * books.dims_;
    std::vector<float> scaled(vectors.size() / dim * padded);
    for (std::size_t i = 0; i * dim < vectors.size(); ++i)
        books.scale(&vectors[i * dim], &scaled[i * padded]);
    // Codebooks are trained side by side, each by one thread: 16 words of few dimensions are
    // compared faster here than by kernels made for long rows.
    std::vector<Status> ends(books.count_);
    parallel_for(books.count_, how.threads, [&](std::size_t m, std::size_t /*worker*/) {
        ends[m] = books.train_codebook(m, scaled, training, how, start != nullptr);
    });
    for (const Status& end : ends)
        VECDB_TRY(end);
    return books;
}

Status ProductCodebooks::train_codebook(std::size_t m,
                                        std::span<const float> scaled,
                                        const Training& training,
                                        const IndexBuild& how,
                                        bool go_on) {
    const std::size_t padded = count_ * dims_;
    const std::size_t rows = scaled.size() / padded;
    std::vector<float> pieces(rows * dims_);
    for (std::size_t i = 0; i < rows; ++i)
        std::copy_n(&scaled[i * padded + m * dims_], dims_, &pieces[i * dims_]);
    if (!go_on) start_codebook(m, pieces, how.seed + m);
    if (rows <= kProductWords) return how.check();
    std::vector<std::uint32_t> labels(rows);
    std::vector<float> words(kProductWords * dims_);
    for (std::size_t i = 0; i < training.iterations; ++i) {
        VECDB_TRY(how.check());
        if (!assign(m, pieces, labels) && i > 0) break;
        for (std::size_t e = 0; e < words.size(); ++e)
            words[e] = word_elements(m)[place_of(e)];
        VECDB_TRY(move_to_means({pieces.data(), dims_, labels}, words));
        for (std::size_t e = 0; e < words.size(); ++e)
            word_elements(m)[place_of(e)] = words[e];
        set_squares(m);
    }
    return {};
}

void ProductCodebooks::start_codebook(std::size_t m,
                                      std::span<const float> pieces,
                                      std::uint64_t seed) {
    const auto chosen = draw_sample(pieces.size() / dims_, kProductWords, seed);
    for (std::size_t e = 0; e < kProductWords * dims_; ++e) {
        const std::size_t row = chosen[e / dims_ % chosen.size()];
        word_elements(m)[place_of(e)] = pieces[row * dims_ + e % dims_];
    }
    set_squares(m);
}

bool ProductCodebooks::assign(std::size_t m,
                              std::span<const float> pieces,
                              std::span<std::uint32_t> labels) const {
    bool changed = false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::uint32_t nearest = nearest_word(m, &pieces[i * dims_]);
        changed = changed || labels[i] != nearest;
        labels[i] = nearest;
    }
    return changed;
}

std::uint32_t ProductCodebooks::nearest_word(std::size_t m, const float* piece) const {
    float values[kProductWords];
    compare_words(word_elements(m), &squares_[m * kProductWords], piece, dims_, values);
    return static_cast<std::uint32_t>(std::min_element(values, values + kProductWords) - values);
}

void ProductCodebooks::scale(const float* vector, float* pieces) const {
    const double factor = 1 / unit_;
    for (std::size_t d = 0; d < dim_; ++d) {
        // In this order an element that is no number, of an overflowed projection, is an end too.
        const double element = std::max(-kFarthest, vector[d] * factor);
        pieces[d] = static_cast<float>(std::min(element, kFarthest));
    }
    std::fill(pieces + dim_, pieces + count_ * dims_, 0.0F);
}

void ProductCodebooks::set_squares(std::size_t m) {
    const float* const elements = word_elements(m);
    for (std::size_t w = 0; w < kProductWords; ++w) {
        float square = 0;
        for (std::size_t d = 0; d < dims_; ++d)
            square += elements[d * kProductWords + w] * elements[d * kProductWords + w];
        squares_[m * kProductWords + w] = square;
    }
}

void ProductCodebooks::encode(const float* vector, std::uint8_t* words) const {
    thread_local std::vector<float> pieces;
    pieces.resize(count_ * dims_);
    scale(vector, pieces.data());
    for (std::size_t m = 0; m < count_; ++m)
        words[m] = static_cast<std::uint8_t>(nearest_word(m, &pieces[m * dims_]));
}

void ProductCodebooks::decode(const std::uint8_t* words, float* vector) const {
    for (std::size_t d = 0; d < dim_; ++d) {
        const std::size_t m = d / dims_;
        const float element = word_elements(m)[d % dims_ * kProductWords + words[m]];
        vector[d] = static_cast<float>(element * unit_);
    }
}

void ProductCodebooks::look_at(const float* vector, Metric metric, ProductQuery& query) const {
    if (query.tables.size() < groups() * kTableBytes) {
        query.tables = simd::AlignedBuffer<std::uint8_t>(groups() * kTableBytes);
    }
    query.values.resize(count_ * kProductWords);
    query.pieces.resize(count_ * dims_);
    scale(vector, query.pieces.data());
    float widest = 0;
    float sum = 0;
    for (std::size_t m = 0; m < count_; ++m) {
        float* const values = &query.values[m * kProductWords];
        compare_words(word_elements(m),
                      metric == Metric::kL2 ? &squares_[m * kProductWords] : nullptr,
                      &query.pieces[m * dims_],
                      dims_,
                      values);
        const float width = start_at_zero(values);
        widest = std::max(widest, width);
        sum += width;
    }
    // Rounding adds up to half a step to each entry; a sum of floats is not exact.
    const float room = kLargestSum - static_cast<float>(count_);
    const float step = std::max(widest / kLargestEntry, sum * 1.001F / room);
    const float factor = step >= std::numeric_limits<float>::min() ? 1 / step : 0;
    std::uint8_t* const tables = query.tables.data();
    for (std::size_t i = 0; i < query.values.size(); ++i) {
        const float entry = std::min(query.values[i] * factor + 0.5F, kLargestEntry);
        tables[i] = static_cast<std::uint8_t>(static_cast<int>(entry));
    }
    std::fill(tables + query.values.size(), tables + groups() * kTableBytes, std::uint8_t{0});
}

Status ProductCodebooks::save(SectionWriter& to) const {
    About about;
    about.dim = static_cast<std::uint32_t>(dim_);
    about.dims = static_cast<std::uint32_t>(dims_);
    about.unit = unit_;
    std::vector<std::byte> bytes(sizeof(about) + words_.size() * sizeof(float));
    std::memcpy(bytes.data(), &about, sizeof(about));
    std::memcpy(bytes.data() + sizeof(about), words_.data(), bytes.size() - sizeof(about));
    return to.write("product.words", bytes);
}

Result<ProductCodebooks> ProductCodebooks::load(SectionReader& from,
                                                std::size_t dim,
                                                std::size_t dims) {
    VECDB_ASSIGN(const std::span<const std::byte> bytes, from.read("product.words"));
    About about;
    if (bytes.size() < sizeof(about)) return corrupt("a heading of another size");
    std::memcpy(&about, bytes.data(), sizeof(about));
    if (about.version != 1) {
        return corrupt("version " + std::to_string(about.version) + "; this library reads 1");
    }
    if (about.dim != dim || about.dims != dims || about.unused != 0) {
        return corrupt("pieces of " + std::to_string(about.dims) + " of " +
                       std::to_string(about.dim) + " dimensions, not " + std::to_string(dims) +
                       " of " + std::to_string(dim));
    }
    int exponent = 0;
    if (!std::isfinite(about.unit) || std::frexp(about.unit, &exponent) != 0.5 ||
        std::abs(exponent) > 160) {
        return corrupt("the unit is no power of two in the range of floats");
    }
    ProductCodebooks books(dim, dims);
    if (bytes.size() != sizeof(about) + books.words_.size() * sizeof(float)) {
        return corrupt(std::to_string(bytes.size()) + " bytes for " + std::to_string(books.count_) +
                       " codebooks");
    }
    std::memcpy(books.words_.data(), bytes.data() + sizeof(about), bytes.size() - sizeof(about));
    for (const float element : books.words_) {
        if (!(std::abs(element) <= kFarthest)) return corrupt("an element of a word is too large");
    }
    books.unit_ = about.unit;
    for (std::size_t m = 0; m < books.count_; ++m)
        books.set_squares(m);
    return books;
}

}  // namespace vecdb::index
