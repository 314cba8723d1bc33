#include "families/bert/examples.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "families/sequence/words.h"
#include "families/spec/families.h"
#include "families/words/texts.h"

namespace atelier::families::bert {
namespace {

class Loader {
 public:
  Loader(const Config& config, const Encoder& encoder, Examples& out) : config_(config), encoder_(encoder), out_(out) {
    for (size_t i = 0; i < config.labels.size(); ++i) {
      labels_.emplace(config.labels[i], static_cast<int64_t>(i));
    }
  }

  Status Load(const data::Reader& reader, std::span<const int64_t> rows) {
    for (const auto& name : config_.columns) {
      ATELIER_ASSIGN(column, TextColumn::Open(reader, name));
      columns_.push_back(std::move(column));
    }
    std::vector<float> numbers;
    if (NeedsNumbers()) {
      ATELIER_ASSIGN(read, NumberColumn(reader, config_.target));
      numbers = std::move(read);
    } else if (!config_.target.empty()) {
      ATELIER_ASSIGN(column, TextColumn::Open(reader, config_.target));
      columns_.push_back(std::move(column));
    }
    for (const int64_t row : rows) {
      std::vector<std::string_view> cells;
      for (const auto& column : columns_) {
        ATELIER_ASSIGN(cell, column.At(row));
        cells.push_back(cell);
      }
      const double number = numbers.empty() ? 0 : numbers.at(static_cast<size_t>(row));
      ATELIER_ASSIGN(taken, std::isfinite(number) ? Take(cells, number) : Result<bool>(false));
      if (taken) {
        out_.rows.push_back(row);
      }
    }
    return {};
  }

 private:
  bool NeedsNumbers() const {
    return config_.task == Task::kRegression || (config_.task == Task::kEmbedding && !config_.target.empty());
  }

  // Whether there is something to learn; cells: the texts, and a class or tags.
  Result<bool> Take(const std::vector<std::string_view>& cells, double number) {
    switch (config_.task) {
      case Task::kTagging:
        return TakeTags(cells[0], cells[1]);
      case Task::kEmbedding:
        return TakePair(cells, number);
      case Task::kMaskedLm:
        out_.texts.push_back(encoder_.One(cells[0]));
        if (std::ssize(out_.texts.back().ids) <= 2) {
          out_.texts.pop_back();
          return false;
        }
        return true;
      case Task::kRegression:
        out_.numbers.push_back(number);
        break;
      case Task::kClassification: {
        if (cells.back().empty()) {
          return false;
        }
        const auto found = labels_.find(cells.back());
        if (found == labels_.end()) {
          return Unfit("the model does not know the label '" + std::string(cells.back().substr(0, 100)) + "'");
        }
        out_.classes.push_back(found->second);
        break;
      }
    }
    out_.texts.push_back(config_.columns.size() == 2 ? encoder_.Pair(cells[0], cells[1]) : encoder_.One(cells[0]));
    return true;
  }

  bool TakePair(const std::vector<std::string_view>& cells, double number) {
    if (cells[0].empty() || cells[1].empty()) {
      return false;
    }
    out_.texts.push_back(encoder_.One(cells[0]));
    out_.seconds.push_back(encoder_.One(cells[1]));
    if (!config_.target.empty()) {
      out_.numbers.push_back(number);
    }
    return true;
  }

  Result<bool> TakeTags(std::string_view line, std::string_view tags) {
    const auto words = SplitSpaces(line);
    const auto names = SplitSpaces(tags);
    if (words.size() != names.size()) {
      return Unfit("a row has " + std::to_string(words.size()) + " tokens and " + std::to_string(names.size()) +
                   " tags");
    }
    if (words.empty()) {
      return false;
    }
    auto encoded = encoder_.Tagged(words);
    std::vector<int64_t> known;
    for (size_t i = 0; i < encoded.places.size(); ++i) {
      const auto found = labels_.find(names[i]);
      known.push_back(found == labels_.end() ? -1 : found->second);
    }
    out_.texts.push_back(std::move(encoded.text));
    out_.places.push_back(std::move(encoded.places));
    out_.tags.push_back(std::move(known));
    out_.tag_lines.emplace_back(tags);
    return true;
  }

  const Config& config_;
  const Encoder& encoder_;
  Examples& out_;
  std::vector<TextColumn> columns_;
  std::map<std::string_view, int64_t> labels_;
};

}  // namespace

std::vector<int64_t> Examples::Lengths() const {
  std::vector<int64_t> lengths;
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t other = seconds.empty() ? 0 : seconds[i].ids.size();
    lengths.push_back(static_cast<int64_t>(std::max(texts[i].ids.size(), other)));
  }
  return lengths;
}

Result<std::vector<std::string>> LabelsOf(const data::Reader& reader, std::span<const int64_t> train,
                                          const Config& config) {
  if (config.task == Task::kClassification) {
    const auto* column = reader.manifest().Find(config.target);
    return column == nullptr ? std::vector<std::string>() : column->categories;
  }
  if (config.task != Task::kTagging) {
    return std::vector<std::string>();
  }
  ATELIER_ASSIGN(lines, TextColumn::Open(reader, config.target));
  std::set<std::string> tags;
  for (const int64_t row : train) {
    ATELIER_ASSIGN(line, lines.At(row));
    for (auto& tag : SplitSpaces(line)) {
      tags.insert(std::move(tag));
    }
  }
  if (tags.size() < 2) {
    return Unfit("the training rows have fewer than two tags: there is nothing to learn");
  }
  return std::vector<std::string>(tags.begin(), tags.end());
}

Result<Examples> LoadExamples(const data::Reader& reader, std::span<const int64_t> rows, const Config& config,
                              const Encoder& encoder) {
  Examples out;
  ATELIER_TRY(Loader(config, encoder, out).Load(reader, rows));
  return out;
}

}  // namespace atelier::families::bert
