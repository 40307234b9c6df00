#pragma once

/// \file
/// Words and their row numbers, from a text file of one word a line.

#include <vecdb/types.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

class WordList {
  public:
    /// Read the file; throws std::runtime_error unless it has `rows` words.
    WordList(const std::filesystem::path& path, std::size_t rows) {
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) {
            ids_.emplace(line, static_cast<vecdb::Id>(words_.size()));
            words_.push_back(line);
        }
        if (words_.size() != rows) {
            throw std::runtime_error(path.string() + ": read " + std::to_string(words_.size()) +
                                     " words, there are " + std::to_string(rows) + " vectors");
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }
    [[nodiscard]] const std::string& name(vecdb::Id id) const {
        return words_[static_cast<std::size_t>(id)];
    }
    /// Return the row of a word; throws std::runtime_error if the list lacks it.
    [[nodiscard]] vecdb::Id id(const std::string& word) const {
        const auto found = ids_.find(word);
        if (found == ids_.end()) throw std::runtime_error("the word list lacks '" + word + "'");
        return found->second;
    }

  private:
    std::vector<std::string> words_;
    std::unordered_map<std::string, vecdb::Id> ids_;
};
