#include "fuzz/calls/choices.h"

#include <vecdb/half.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace vecdb::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr Id kLargestId = std::numeric_limits<Id>::max();

void store(std::span<std::byte> row, std::size_t element, ElementType type, float value) {
    const auto put = [&](auto stored) {
        std::memcpy(row.data() + element * sizeof(stored), &stored, sizeof(stored));
    };
    switch (type) {
        case ElementType::kFloat16:
            return put(to_float16(value));
        case ElementType::kBFloat16:
            return put(to_bfloat16(value));
        case ElementType::kInt8:
            return put(static_cast<std::int8_t>(value));
        default:
            return put(value);
    }
}

}  // namespace

VectorView Batch::row(std::size_t i) const {
    const MatrixView one = view().slice(i, 1);
    switch (type) {
        case ElementType::kFloat16:
            return {one.row<Float16>(0), dim};
        case ElementType::kBFloat16:
            return {one.row<BFloat16>(0), dim};
        case ElementType::kInt8:
            return {one.row<std::int8_t>(0), dim};
        case ElementType::kBit:
            return VectorView::bits(static_cast<const std::uint8_t*>(one.data()), dim);
        default:
            return {one.row<float>(0), dim};
    }
}

std::uint8_t Choices::byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
}

std::size_t Choices::perhaps_wrong(std::size_t good) {
    constexpr std::size_t kWrong[] = {0,
                                      1,
                                      257,
                                      kMaxThreads,
                                      kMaxThreads + 1,
                                      kMaxK,
                                      kMaxK + 1,
                                      65'536,
                                      65'537,
                                      kMaxRowsPerSegment,
                                      kMaxRowsPerSegment + 1,
                                      std::numeric_limits<std::size_t>::max()};
    return one_in(32) ? one_of(kWrong) : good;
}

Name Choices::name() {
    const std::size_t kind = below(32);
    if (kind < 28) return {std::string(1, static_cast<char>('a' + kind % 4))};
    if (kind == 28) return {"../x"};
    if (kind == 29) return {"", false};
    if (kind == 30) return {std::string(kMaxNameBytes + 1, 'n'), false};
    return {std::string("a\0b", 3), false};
}

Name Choices::partition_name() {
    const std::size_t kind = below(16);
    if (kind < 9) return {"p" + std::to_string(kind % 3)};
    if (kind < 11) return {"default"};
    if (kind < 14) return {std::to_string(kind - 11)};  // of a rule
    return kind == 14 ? Name{"", false} : Name{"\xFF", false};
}

/// Choose metric and element type.
void Choices::choose_pair(VectorField& field) {
    constexpr std::pair<Metric, ElementType> kPairs[] = {
        {Metric::kL2, ElementType::kFloat32},
        {Metric::kInnerProduct, ElementType::kFloat32},
        {Metric::kCosine, ElementType::kFloat32},
        {Metric::kL2, ElementType::kFloat16},
        {Metric::kCosine, ElementType::kFloat16},
        {Metric::kInnerProduct, ElementType::kBFloat16},
        {Metric::kCosine, ElementType::kBFloat16},
        {Metric::kL2, ElementType::kInt8},
        {Metric::kInnerProduct, ElementType::kInt8},
        {Metric::kHamming, ElementType::kBit},
        {Metric::kJaccard, ElementType::kBit},
    };
    const auto& [metric, type] = kPairs[below(std::size(kPairs))];
    field.metric = metric;
    field.element_type = type;
    if (!one_in(16)) return;
    field.metric = static_cast<Metric>(below(8));
    field.element_type = static_cast<ElementType>(below(8));
}

IndexOptions Choices::index() {
    // The last is none of them.
    const auto codes = static_cast<Codes>(one_in(3) ? below(9) : 0);
    switch (below(8)) {
        case 0:
        case 1:
        case 2: {
            constexpr std::size_t kSizes[] = {2, 3, 4, 16};
            const std::size_t m = perhaps_wrong(one_of(kSizes));
            const std::size_t ef = perhaps_wrong(4 + below(32));
            return HnswOptions{.m = m,
                               .ef_construction = ef,
                               .alpha = one_in(8) ? kNaN : 1.0F + 0.1F * float(below(11)),
                               .codes = codes};
        }
        case 3:
        case 4:
        case 5: {
            const std::size_t lists = perhaps_wrong(below(6));
            return IvfOptions{
                .nlist = lists, .codes = codes, .pq_dims = perhaps_wrong(1 + below(8))};
        }
        case 6:
            return FlatOptions{.codes = codes};
        default:
            if (one_in(8)) return CustomOptions{.name = "none", .parameters = {}};
            return FlatOptions{};
    }
}

Schema Choices::schema() {
    Schema schema = Schema::single(perhaps_wrong(1 + below(32)));
    VectorField& field = schema.vectors.front();
    // Not as many as take long.
    if (field.dim > 1'024 && field.dim <= kMaxDimension) field.dim = kMaxDimension + 1;
    choose_pair(field);
    field.index = index();
    field.zero_vector = static_cast<ZeroVector>(1 + below(one_in(16) ? 4 : 2));
    constexpr std::size_t kSealRows[] = {0, 0, 0, 0, 0, 0, 64, 63};
    schema.segments.seal_rows = one_of(kSealRows);
    schema.segments.merge_segments = perhaps_wrong(2 + below(4));
    if (one_in(16)) schema.segments.max_removed = kNaN;
    if (one_in(4)) schema.rule = {Routing::kIdModulo, 1 + below(5)};
    if (one_in(32)) schema.rule.partitions = one_in(2) ? 0 : kMaxPartitions + 1;
    if (one_in(32)) schema.rule.routing = static_cast<Routing>(below(4));
    if (one_in(64)) schema.vectors.resize(below(3));
    if (one_in(64)) schema.scalars.push_back({.name = name().text});
    return schema;
}

std::vector<Id> Choices::ids(std::size_t most) {
    const std::size_t count = below(most + 1);
    const std::size_t spread = one_in(2) ? 1'024 : 64;
    auto draw = random();
    std::vector<Id> ids(count);
    for (Id& id : ids)
        id = static_cast<Id>(draw() % spread);
    constexpr Id kOdd[] = {
        -1, std::numeric_limits<Id>::min(), kLargestId, kLargestId - 1, Id{1} << 32U, 0};
    if (one_in(8) && count > 0) ids[draw() % count] = one_of(kOdd);
    return ids;
}

/// Choose the elements.
void Choices::fill(Batch& batch) {
    const std::size_t size = vector_bytes(batch.type, batch.dim);
    batch.bytes.assign(std::max<std::size_t>(batch.rows * size, 8), std::byte{});
    auto draw = random();
    const bool bits = batch.type == ElementType::kBit;
    for (std::size_t r = 0; r < batch.rows; ++r) {
        const auto row = std::span(batch.bytes).subspan(r * size, size);
        for (std::size_t i = 0; bits && i < size; ++i)
            row[i] = static_cast<std::byte>(draw());
        if (bits && batch.dim % 8 != 0) row.back() &= std::byte((1U << batch.dim % 8) - 1);
        for (std::size_t i = 0; !bits && i < batch.dim; ++i) {
            // The first is not 0, so that the row has a direction.
            const auto value = static_cast<float>(static_cast<int>(draw() % 9) - (i > 0 ? 4 : 9));
            store(row, i, batch.type, value);
        }
    }
    const std::size_t kind = below(16);
    if (kind < 13 || batch.rows == 0 || batch.dim == 0) return;
    const std::size_t at = draw() % batch.rows, element = draw() % batch.dim;
    const auto row = std::span(batch.bytes).subspan(at * size, size);
    if (bits) {
        if (batch.dim % 8 == 0) return;
        row.back() |= std::byte{0x80};
        batch.elements = Elements::kRefused;
    } else if (kind == 13 && batch.type != ElementType::kInt8) {
        constexpr float kWrong[] = {kNaN, kInfinity, -kInfinity};
        store(row, element, batch.type, one_of(kWrong));
        batch.elements = Elements::kRefused;
    } else if (batch.type != ElementType::kInt8) {
        // The last two round to infinity where elements are short.
        constexpr float kOdd[] = {
            0.0F, -0.0F, 1e-45F, 1e-30F, 3e19F, 60'000.0F, -kLargest, kLargest};
        const bool all = one_in(2);
        const float value = one_of(kOdd);
        for (std::size_t i = 0; i < batch.dim; ++i)
            if (all || i == element) store(row, i, batch.type, value);
        batch.elements = Elements::kOdd;
    }
}

/// Choose dimension, type and elements of rows.
void Choices::make_rows(const VectorField& field, Batch& batch) {
    const std::size_t kind = below(32);
    batch.dim = kind == 30 ? below(34) : field.dim;
    batch.type = kind == 31 ? static_cast<ElementType>(1 + below(5)) : field.element_type;
    fill(batch);
}

Batch Choices::batch(const VectorField& field, std::size_t most) {
    Batch batch;
    batch.ids = ids(most);
    batch.rows = one_in(32) ? below(most + 1) : batch.ids.size();
    make_rows(field, batch);
    return batch;
}

Batch Choices::query(const VectorField& field) {
    Batch batch;
    batch.rows = 1;
    make_rows(field, batch);
    return batch;
}

SearchOptions Choices::search_options() {
    SearchOptions options;
    options.k = perhaps_wrong(below(20));
    options.threads = perhaps_wrong(1);
    options.exact = one_in(4);
    options.ef = perhaps_wrong(below(40));
    options.nprobe = perhaps_wrong(below(6));
    options.rerank = perhaps_wrong(below(40));
    constexpr float kBounds[] = {0.0F, 0.0F, 0.0F, 1.0F, 0.5F, 1.0F, 2.0F, kNaN};
    if (one_in(4)) options.bound = one_of(kBounds);
    options.allow_partial = one_in(4);
    for (std::size_t many = one_in(8) ? 1 + below(2) : 0; many > 0; --many)
        options.partitions.push_back(partition_name().text);
    return options;
}

Restriction Choices::restriction() {
    switch (below(6)) {
        case 0: {
            auto draw = random();
            Bitset bits(below(200));
            for (std::size_t i = 0; i < bits.size(); ++i)
                bits.set(i, draw() % 3 != 0);
            const auto allows = [bits](Id id) {
                return id >= 0 && bits.test(static_cast<std::size_t>(id));
            };
            return {Filter::allow(bits), allows};
        }
        case 1: {
            const std::vector<Id> list = ids(64);
            const auto allows = [list](Id id) {
                return std::find(list.begin(), list.end(), id) != list.end();
            };
            return {Filter::allow_ids(list), allows};
        }
        case 2:
        case 3: {
            const auto divisor = static_cast<Id>(1 + below(5));
            const auto allows = [divisor](Id id) {
                return id % divisor == 0;
            };
            return {Filter::where(allows), allows};
        }
        case 4: {
            if (!one_in(8)) return {};
            const auto thrown = [](Id id) -> bool {
                if (id % 3 == 0) throw std::runtime_error("no answer");
                return true;
            };
            return {Filter::where(thrown), [](Id id) { return id % 3 != 0; }, true};
        }
        default:
            return {Filter::where({}), [](Id /*id*/) {
                        return true;
                    }};
    }
}

float Choices::radius() {
    constexpr float kRadii[] = {0.0F,
                                1.0F,
                                -1.0F,
                                20.0F,
                                100.0F,
                                0.5F,
                                -20.0F,
                                -0.0F,
                                kLargest,
                                -kLargest,
                                kInfinity,
                                -kInfinity,
                                kNaN,
                                0.9F,
                                3.0F,
                                1'000.0F};
    return one_of(kRadii);
}

}  // namespace vecdb::test
