#include "persist/schema_archive.h"

#include <cstdint>
#include <string>
#include <variant>

namespace vecdb::persist {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMostText = 65'536;  // names, and parameters of custom indexes
// One more than the largest number of each enumeration.
constexpr std::uint8_t kMetrics = 6;
constexpr std::uint8_t kElementTypes = 6;
constexpr std::uint8_t kZeroVectors = 3;
constexpr std::uint8_t kScalarTypes = 6;
constexpr std::uint8_t kRoutings = 2;
constexpr std::uint8_t kCodes = 8;

enum class IndexKind : std::uint8_t { kFlat = 0, kHnsw = 1, kIvf = 2, kCustom = 3, kEnd = 4 };

template <class T>
void write_size(ArchiveWriter& to, T size) {
    to.number(static_cast<std::uint64_t>(size));
}

std::size_t read_size(ArchiveReader& from) {
    return static_cast<std::size_t>(from.number<std::uint64_t>());
}

struct IndexWriter {
    ArchiveWriter& to;

    void operator()(const FlatOptions& options) const {
        to.number(IndexKind::kFlat);
        to.number(options.codes);
    }
    void operator()(const HnswOptions& options) const {
        to.number(IndexKind::kHnsw);
        to.number(options.codes);
        write_size(to, options.m);
        write_size(to, options.ef_construction);
        to.number(options.alpha);
    }
    void operator()(const IvfOptions& options) const {
        to.number(IndexKind::kIvf);
        to.number(options.codes);
        write_size(to, options.nlist);
        write_size(to, options.pq_dims);
    }
    void operator()(const CustomOptions& options) const {
        to.number(IndexKind::kCustom);
        to.text(options.name);
        to.list(options.parameters, [&](const auto& parameter) {
            to.text(parameter.first);
            to.text(parameter.second);
        });
    }
};

HnswOptions read_hnsw(ArchiveReader& from) {
    HnswOptions options;
    options.codes = from.choice<Codes>(kCodes);
    options.m = read_size(from);
    options.ef_construction = read_size(from);
    options.alpha = from.number<float>();
    return options;
}

IvfOptions read_ivf(ArchiveReader& from) {
    IvfOptions options;
    options.codes = from.choice<Codes>(kCodes);
    options.nlist = read_size(from);
    options.pq_dims = read_size(from);
    return options;
}

CustomOptions read_custom(ArchiveReader& from) {
    CustomOptions options;
    options.name = from.text(kMostText);
    from.list(8, [&] {
        std::string name = from.text(kMostText);
        std::string value = from.text(kMostText);
        if (!options.parameters.emplace(std::move(name), std::move(value)).second)
            from.fail("a parameter twice");
    });
    return options;
}

IndexOptions read_index(ArchiveReader& from) {
    switch (from.choice<IndexKind>(static_cast<std::uint8_t>(IndexKind::kEnd))) {
        case IndexKind::kHnsw:
            return read_hnsw(from);
        case IndexKind::kIvf:
            return read_ivf(from);
        case IndexKind::kCustom:
            return read_custom(from);
        default:
            return FlatOptions{.codes = from.choice<Codes>(kCodes)};
    }
}

void write_vector(ArchiveWriter& to, const VectorField& field) {
    to.text(field.name);
    write_size(to, field.dim);
    to.number(field.metric);
    to.number(field.element_type);
    to.number(field.zero_vector);
    std::visit(IndexWriter{to}, field.index);
}

VectorField read_vector(ArchiveReader& from) {
    VectorField field;
    field.name = from.text(kMostText);
    field.dim = read_size(from);
    field.metric = from.choice<Metric>(kMetrics);
    field.element_type = from.choice<ElementType>(kElementTypes);
    field.zero_vector = from.choice<ZeroVector>(kZeroVectors);
    field.index = read_index(from);
    return field;
}

// What a scalar field has, as bits.
constexpr std::uint8_t kNullable = 1;
constexpr std::uint8_t kHasFallback = 2;

void write_value(ArchiveWriter& to, const Scalar& value) {
    if (const auto* truth = std::get_if<bool>(&value)) to.number(*truth);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) to.number(*integer);
    if (const auto* real = std::get_if<double>(&value)) to.number(*real);
    if (const auto* text = std::get_if<std::string>(&value)) to.text(*text);
}

Scalar read_value(ArchiveReader& from, ScalarType type) {
    switch (type) {
        case ScalarType::kBool:
            return from.choice<bool>(2);
        case ScalarType::kInt64:
            return from.number<std::int64_t>();
        case ScalarType::kDouble:
            return from.number<double>();
        default:
            return from.text(kMaxTextBytes);
    }
}

void write_scalar(ArchiveWriter& to, const ScalarField& field) {
    to.text(field.name);
    to.number(field.type);
    const bool fallback = !std::holds_alternative<std::monostate>(field.fallback);
    to.number(static_cast<std::uint8_t>((field.nullable ? kNullable : 0U) |
                                        (fallback ? kHasFallback : 0U)));
    if (fallback) write_value(to, field.fallback);
}

ScalarField read_scalar(ArchiveReader& from) {
    ScalarField field;
    field.name = from.text(kMostText);
    field.type = from.choice<ScalarType>(kScalarTypes);
    const auto flags = from.number<std::uint8_t>();
    if (flags > (kNullable | kHasFallback)) from.fail("a scalar field that cannot be");
    field.nullable = (flags & kNullable) != 0;
    if ((flags & kHasFallback) != 0) field.fallback = read_value(from, field.type);
    return field;
}

void write_segments(ArchiveWriter& to, const SegmentPolicy& policy) {
    write_size(to, policy.seal_rows);
    write_size(to, policy.merge_segments);
    to.number(policy.max_removed);
    write_size(to, policy.max_growing_rows);
}

SegmentPolicy read_segments(ArchiveReader& from) {
    SegmentPolicy policy;
    policy.seal_rows = read_size(from);
    policy.merge_segments = read_size(from);
    policy.max_removed = from.number<float>();
    policy.max_growing_rows = read_size(from);
    return policy;
}

}  // namespace

void write_schema(ArchiveWriter& to, const Schema& schema) {
    to.number(kVersion);
    to.list(schema.vectors, [&](const VectorField& field) { write_vector(to, field); });
    to.list(schema.scalars, [&](const ScalarField& field) { write_scalar(to, field); });
    to.number(schema.rule.routing);
    write_size(to, schema.rule.partitions);
    write_segments(to, schema.segments);
}

Schema read_schema(ArchiveReader& from) {
    Schema schema;
    const auto version = from.number<std::uint32_t>();
    if (version != kVersion) {
        from.fail("a schema of version " + std::to_string(version));
        return schema;
    }
    constexpr std::size_t kLeastVector = 4 + 8 + 3 + 2;
    constexpr std::size_t kLeastScalar = 4 + 2;
    from.list(kLeastVector, [&] { schema.vectors.push_back(read_vector(from)); });
    from.list(kLeastScalar, [&] { schema.scalars.push_back(read_scalar(from)); });
    schema.rule.routing = from.choice<Routing>(kRoutings);
    schema.rule.partitions = read_size(from);
    schema.segments = read_segments(from);
    return schema;
}

}  // namespace vecdb::persist
