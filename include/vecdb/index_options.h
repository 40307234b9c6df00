#pragma once

/// \file
/// Which index serves a vector field, and its parameters at build time.

#include <vecdb/export.h>
#include <vecdb/status.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace vecdb {

/// The short codes that an index compares first. The floats always stay and have the last word.
/// Only float32 fields have codes.
enum class Codes : std::uint8_t {
    kDefault = 0,  ///< What the index does best with.
    kNone = 1,     ///< The vectors themselves.
    kSq4 = 2,      ///< 4 bits a dimension.
    kSq5 = 3,      ///< 5 bits a dimension; hnsw only.
    kSq7 = 4,      ///< 7 bits a dimension; hnsw only.
    kSq8 = 5,      ///< 8 bits a dimension; hnsw only.
    kPq4 = 6,      ///< Products of codebooks of 16 words, 4 bits each; ivf only.
    kOpq4 = 7,     ///< The same after a learnt rotation: fewest bytes; ivf only.
};

/// Compare the query with every allowed row: exact.
struct FlatOptions {
    /// kDefault and kSq4: sealed rows are compared by 4-bit codes with a proved bound first, and
    /// only those that can be among the nearest by their floats; same answers. kNone: by floats
    /// alone.
    Codes codes = Codes::kDefault;

    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Walk a graph of near neighbours.
struct HnswOptions {
    /// Neighbours kept per node of the base layer are up to 2 m; 2 to 256. More: better recall,
    /// more memory (8 m bytes a row), slower build. 16 for easy data, 32 for most, 48 for hard
    /// data.
    std::size_t m = 32;
    /// Candidates considered while building, m to 65,536. More: better graph, slower build.
    std::size_t ef_construction = 200;
    /// How much longer a way round may be before a link is kept beside it, as a factor on squared
    /// distances; 1 to 2. More: denser graph.
    float alpha = 1.2F;
    /// What the walk compares; kDefault is chosen by the dimension and the spread of the data.
    Codes codes = Codes::kDefault;

    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Search only the lists whose centroids are nearest.
struct IvfOptions {
    /// Number of lists, 1 to 2^24; 0 chooses by the number of rows when the index is built: about 3
    /// times its square root, lists of at least 100 rows. Building over fewer rows than lists (and
    /// not none) fails with kFailedPrecondition.
    std::size_t nlist = 0;
    /// What the lists hold: kDefault and kSq4, kNone, kPq4 or kOpq4. The products take half a byte
    /// for each `pq_dims` dimensions. They have no error bound, so `SearchOptions::rerank` says how
    /// many rows the floats decide about, and `bound` nothing. kOpq4 sees only the leading
    /// principal components with 92 % of the variance where these are 60 % of the dimensions or
    /// less, and 512 at most. It learns from twice as many rows as there are dimensions, up to
    /// 1,536 of these; otherwise it is kPq4.
    Codes codes = Codes::kDefault;
    /// kPq4 and kOpq4: dimensions that share a codebook, 1 to 64. More: fewer bytes, faster,
    /// coarser. Others do not look at it. Codebooks are trained on a sample of the rows; up to 16
    /// rows become their own words.
    std::size_t pq_dims = 2;

    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// Use an index that the program registered under `name` (vecdb/index.h).
struct CustomOptions {
    std::string name;
    std::map<std::string, std::string> parameters;
    [[nodiscard]] VECDB_EXPORT Status validate() const;
};

/// The choice of index for one vector field.
using IndexOptions = std::variant<FlatOptions, HnswOptions, IvfOptions, CustomOptions>;

/// Check the parameters of whichever index is chosen.
/// Returns kInvalidArgument naming parameter, value and limit.
[[nodiscard]] VECDB_EXPORT Status validate(const IndexOptions& options);

}  // namespace vecdb
