#pragma once

/// \file
/// What is checked: a way to make an index, the rows it is built over, and what it promises there.

#include "index/conformance/segment.h"

#include <vecdb/index.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vecdb::test {

/// How a search is asked to run, and what it must then reach.
struct Effort {
    std::string name;
    std::size_t ef = 0;
    std::size_t nprobe = 0;
    float bound = 0.0F;
    bool exact = false;  ///< Every answer equals the truth bit for bit.
    double floor = 0.0;  ///< Otherwise: mean recall over k, under every mask.
    std::size_t rerank = 0;
};

/// One index of one variant over one segment.
struct Subject {
    std::string name;
    std::function<Result<std::unique_ptr<Index>>()> make;
    const Segment* segment = nullptr;
    std::vector<Effort> efforts;
    bool may_want_more_rows = false;  ///< build() may refuse so few with a clear error.
    std::uint64_t seed = 1;
};

/// Take down what was found wrong.
/// Threads: single-threaded.
class Findings {
  public:
    void complain(const std::string& what) {
        ++count_;
        if (texts_.size() < kMostTexts) texts_.push_back(what);
    }
    /// Complain unless the condition holds; returns it.
    bool expect(bool condition, const std::string& what) {
        if (!condition) complain(what);
        return condition;
    }
    bool expect(const Status& status, const std::string& what) {
        return expect(status.ok(), what + ": " + status.to_string());
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] const std::vector<std::string>& texts() const noexcept { return texts_; }

  private:
    static constexpr std::size_t kMostTexts = 200;
    std::size_t count_ = 0;
    std::vector<std::string> texts_;
};

/// An index and its rows in the order that it asked for.
struct Built {
    std::unique_ptr<Index> index;
    Segment segment;
};

/// Build over the first `rows` rows; those after them keep their places. The rows that build() saw
/// are overwritten afterwards. An index that is null was refused in a way that is allowed, or
/// complained about.
[[nodiscard]] Built build(const Subject& subject,
                          std::size_t rows,
                          const IndexBuild& how,
                          Findings& findings);
[[nodiscard]] Built build(const Subject& subject, Findings& findings);

/// Build with an index that was made before; as above.
[[nodiscard]] Built build_with(std::unique_ptr<Index> index,
                               const Subject& subject,
                               std::size_t rows,
                               const IndexBuild& how,
                               Findings& findings);

/// Make the index, complaining if that fails.
[[nodiscard]] std::unique_ptr<Index> make(const Subject& subject, Findings& findings);

}  // namespace vecdb::test
