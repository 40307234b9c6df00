#pragma once

/// \file
/// The real data that searches are measured on.

#include <vecdb/dataset_io.h>
#include <vecdb/types.h>

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vecdb::bench {

/// Packed rows of floats.
struct Floats : FloatMatrix {
    [[nodiscard]] const float* row(std::size_t i) const noexcept { return values.data() + i * dim; }
    [[nodiscard]] std::size_t bytes() const noexcept { return values.size() * sizeof(float); }
};

/// Rows to search among and queries that are not among them.
struct Dataset {
    std::string name;
    Metric metric = Metric::kL2;
    Floats base;
    /// Under kCosine of length 1, so that an engine that knows inner products alone may use them.
    Floats queries;
};

/// A file is not there; the message is one line that says which script makes it.
class MissingData : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The sets that datasets can be loaded from, by the names --help shows.
enum class Source { kWords, kMnist };

/// Load a set. `directory` holds full/words_full.npy and so on. Words: `queries` rows, evenly
/// spread, are held out as queries. MNIST: the first of its own queries.
/// Throws MissingData, or Error of a file that cannot be read.
[[nodiscard]] Dataset load(Source source,
                           Metric metric,
                           const std::filesystem::path& directory,
                           std::size_t queries = 1'000);

/// Load a set from two files; its name is that of the first. Throws MissingData and Error, and
/// std::runtime_error when the dimensions differ.
[[nodiscard]] Dataset load_files(const std::filesystem::path& base,
                                 const std::filesystem::path& queries,
                                 Metric metric);

/// Scale each row to length 1; rows of zeros stay.
void normalise(Floats& rows);

}  // namespace vecdb::bench
