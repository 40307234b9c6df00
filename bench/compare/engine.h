#pragma once

/// \file
/// What takes part in a comparison: vecdb and its rivals behind one small interface.

#include "cli/sweep.h"
#include "compare/dataset.h"

#include <vecdb/bitset.h>
#include <vecdb/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vecdb::bench {

/// The answers to some queries: queries x k places, nearest first.
struct Answers {
    std::size_t k = 0;
    std::vector<Id> ids;
    /// In the metric's own terms, as vecdb reports them.
    std::vector<float> scores;

    void resize(std::size_t queries, std::size_t wanted) {
        k = wanted;
        ids.resize(queries * wanted);
        scores.resize(queries * wanted);
    }
};

/// One way to find nearest rows.
/// Threads: one caller at a time.
class Engine {
  public:
    virtual ~Engine() = default;
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// As tables show it, for example "faiss Flat".
    [[nodiscard]] virtual std::string name() const = 0;
    /// Versions and libraries beneath, as pairs of a title and a value.
    [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> about() const = 0;

    /// Make the engine empty, for rows of `dim` elements.
    virtual void reset(std::size_t dim, Metric metric) = 0;
    /// Append rows; ids are row numbers, counted over all calls.
    virtual void add(const float* rows, std::size_t count) = 0;
    /// Make the index over the rows added so far, where add() does not.
    virtual void build() {}
    /// Put rows that are kept in several segments in one, where there are such.
    virtual void compact() {}
    /// Set what a sweep varies; what `setting` does not name is not changed.
    virtual void set(const cli::Setting& setting) = 0;
    /// Write the index to a file, or replace it by what was written. Returns false if the engine
    /// has no such thing.
    [[nodiscard]] virtual bool save(const std::filesystem::path&) { return false; }
    [[nodiscard]] virtual bool load(const std::filesystem::path&) { return false; }
    /// Use this many threads from now on.
    virtual void set_threads(std::size_t threads) = 0;
    /// Return only ids whose bit is set, until called with nullptr. Work that need be done once per
    /// filter is done here. Returns false if the engine has no such thing. `allowed` outlives its
    /// use.
    [[nodiscard]] virtual bool set_filter(const Bitset* allowed) = 0;
    /// Answer `count` queries in one call.
    virtual void search(const float* queries, std::size_t count, std::size_t k, Answers& out) = 0;
    /// Return the bytes that the engine says it holds, 0 if it does not say.
    [[nodiscard]] virtual std::size_t memory_bytes() const { return 0; }
};

/// The one that is judged, and those it is judged by.
struct Engines {
    std::unique_ptr<Engine> subject;
    std::vector<std::unique_ptr<Engine>> rivals;

    /// List the subject, then the rivals.
    [[nodiscard]] std::vector<Engine*> all() const {
        std::vector<Engine*> list = {subject.get()};
        for (const auto& rival : rivals)
            list.push_back(rival.get());
        return list;
    }
};

/// Make vecdb and every rival of exact search that was built.
[[nodiscard]] Engines exact_engines();

/// Empty `engine` and add all rows of `set` in batches of 1,000.
void fill(Engine& engine, const Dataset& set);

}  // namespace vecdb::bench
