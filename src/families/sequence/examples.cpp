#include "families/sequence/examples.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace atelier::families {
namespace {

// A whole column, a shard after another.
template <class T>
Result<std::vector<T>> ReadColumn(const data::Reader& reader, const std::string& name, data::ColumnType type,
                                  tensor::DataType data_type) {
  const auto* column = reader.manifest().Find(name);
  if (column == nullptr || column->type != type) {
    return Unfit("the data set has no " + std::string(Name(type)) + " column '" + name + "', which the model needs");
  }
  ATELIER_ASSIGN(views, reader.Tensors(name));
  std::vector<T> values;
  for (const auto& view : views) {
    if (view.type != data_type || view.bytes.size() % sizeof(T) != 0) {
      return DataLoss("the column '" + name + "' does not have the type of its manifest");
    }
    const size_t before = values.size();
    values.resize(before + view.bytes.size() / sizeof(T));
    std::memcpy(values.data() + before, view.bytes.data(), view.bytes.size());
  }
  const auto rows = static_cast<size_t>(reader.manifest().rows());
  if (rows == 0 || values.size() % rows != 0) {
    return DataLoss("the column '" + name + "' does not have the rows of its manifest");
  }
  return values;
}

Result<std::vector<float>> ReadNumbers(const data::Reader& reader, const std::string& name) {
  return ReadColumn<float>(reader, name, data::ColumnType::kNumber, tensor::DataType::kF32);
}

// All rows, [rows, columns] or, of one column, as it is.
Result<std::vector<float>> ReadTable(const data::Reader& reader, const std::vector<std::string>& columns) {
  if (columns.size() == 1) {
    return ReadNumbers(reader, columns[0]);
  }
  const auto rows = static_cast<size_t>(reader.manifest().rows());
  std::vector<float> table(rows * columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    ATELIER_ASSIGN(values, ReadNumbers(reader, columns[i]));
    if (values.size() != rows) {
      return Unfit("the column '" + columns[i] + "' is not a number a row");
    }
    for (size_t row = 0; row < rows; ++row) {
      table[row * columns.size() + i] = values[row];
    }
  }
  return table;
}

Result<std::string_view> ReadText(const data::Reader& reader, const std::string& column, int64_t row) {
  const auto* found = reader.manifest().Find(column);
  if (found == nullptr || found->type != data::ColumnType::kText) {
    return Unfit("the data set has no text column '" + column + "', which the model needs");
  }
  return reader.Bytes(column, row);
}

struct Moments {
  double sum = 0;
  double squares = 0;
  int64_t count = 0;

  void Add(double value, double shift) {
    if (std::isfinite(value)) {
      sum += value - shift;
      squares += (value - shift) * (value - shift);
      ++count;
    }
  }
  double Mean(double shift) const { return count > 0 ? shift + sum / static_cast<double>(count) : 0; }
  double Std() const {
    if (count == 0) {
      return 1;
    }
    const double mean = sum / static_cast<double>(count);
    const double variance = squares / static_cast<double>(count) - mean * mean;
    return variance > 1e-18 * (1 + mean * mean) ? std::sqrt(variance) : 1;
  }
};

// Of each feature over the training rows, [rows, width].
void FitNumbers(const std::vector<float>& table, size_t width, std::span<const int64_t> train,
                SequencePreprocessor& preprocessor) {
  const auto features = static_cast<size_t>(preprocessor.data.features);
  for (size_t feature = 0; feature < features; ++feature) {
    // The first finite number as origin keeps the squares small.
    double shift = 0;
    Moments moments;
    for (const int64_t row : train) {
      for (size_t i = feature; i < width; i += features) {
        const double value = table[static_cast<size_t>(row) * width + i];
        shift = moments.count == 0 && std::isfinite(value) ? value : shift;
        moments.Add(value, shift);
      }
    }
    preprocessor.mean.push_back(moments.Mean(shift));
    preprocessor.std.push_back(moments.Std());
  }
}

Status FitWords(const data::Reader& reader, std::span<const int64_t> train, const VocabularyOptions& options,
                SequencePreprocessor& preprocessor) {
  const auto& data = preprocessor.data;
  ATELIER_ASSIGN(cutter, WordCutter::Make(options.cut));
  Vocabulary::Learner learner(options);
  std::map<std::string, int64_t> tags;
  for (const int64_t row : train) {
    ATELIER_ASSIGN(text, ReadText(reader, data.columns[0], row));
    learner.Add(options.features ? SplitSpaces(text) : cutter->Tokens(text, static_cast<size_t>(options.max_length)));
    if (options.features) {
      ATELIER_ASSIGN(line, ReadText(reader, data.target, row));
      for (auto& tag : SplitSpaces(line)) {
        ++tags[std::move(tag)];
      }
    }
  }
  for (const auto& [tag, count] : tags) {
    preprocessor.labels.push_back(tag);
  }
  if (options.features && tags.size() < 2) {
    return Unfit("the training rows have " + std::string(tags.empty() ? "no tag" : "only one tag") +
                 ": there is nothing to learn");
  }
  ATELIER_ASSIGN(vocabulary, std::move(learner).Make());
  preprocessor.vocabulary = std::move(vocabulary);
  return {};
}

std::map<std::string_view, int32_t> IndexOf(const std::vector<std::string>& labels) {
  std::map<std::string_view, int32_t> index;
  for (size_t i = 0; i < labels.size(); ++i) {
    index.emplace(labels[i], static_cast<int32_t>(i));
  }
  return index;
}

class Loader {
 public:
  Loader(const data::Reader& reader, const SequenceConfig& config, const SequencePreprocessor& preprocessor)
      : reader_(reader), config_(config), preprocessor_(preprocessor), labels_(IndexOf(preprocessor.labels)) {}

  Result<Examples> Load(std::span<const int64_t> rows) {
    if (config_.input == "series") {
      ATELIER_TRY(LoadWindows(rows));
    } else if (config_.input == "tokens") {
      ATELIER_TRY(LoadTagged(rows));
    } else {
      ATELIER_TRY(config_.task == "classification" ? KeepClasses(rows) : KeepTargets(rows));
      ATELIER_TRY(config_.input == "text" ? LoadTexts() : LoadSteps());
    }
    out_.dropped = static_cast<int64_t>(rows.size() - out_.rows.size());
    return std::move(out_);
  }

 private:
  Status KeepClasses(std::span<const int64_t> rows) {
    const auto& name = preprocessor_.data.target;
    ATELIER_ASSIGN(codes, ReadColumn<int32_t>(reader_, name, data::ColumnType::kCategory, tensor::DataType::kI32));
    const auto& categories = reader_.manifest().Find(name)->categories;
    for (const int64_t row : rows) {
      const int32_t code = codes[static_cast<size_t>(row)];
      if (code < 0) {
        continue;
      }
      if (static_cast<size_t>(code) >= categories.size()) {
        return DataLoss("row " + std::to_string(row + 1) + " has a category that its manifest does not list");
      }
      const auto found = labels_.find(categories[static_cast<size_t>(code)]);
      if (found == labels_.end()) {
        return Unfit("the model does not know the label '" + categories[static_cast<size_t>(code)] + "' of row " +
                     std::to_string(row + 1));
      }
      out_.rows.push_back(row);
      out_.classes.push_back(found->second);
    }
    return {};
  }

  Status KeepTargets(std::span<const int64_t> rows) {
    ATELIER_ASSIGN(values, ReadNumbers(reader_, preprocessor_.data.target));
    for (const int64_t row : rows) {
      const double value = values[static_cast<size_t>(row)];
      if (std::isfinite(value)) {
        out_.rows.push_back(row);
        AppendTarget(value);
      }
    }
    return {};
  }

  void AppendTarget(double value) {
    out_.truth.push_back(value);
    out_.targets.push_back(static_cast<float>((value - preprocessor_.target_mean) / preprocessor_.target_std));
  }

  void AppendIds(const std::vector<std::string>& tokens) {
    out_.id_rows.push_back(preprocessor_.vocabulary->Ids(tokens));
    const auto& ids = out_.id_rows.back();
    out_.sequences.push_back({.ids = ids, .length = std::ssize(ids) / config_.features});
  }

  Status LoadTexts() {
    for (const int64_t row : out_.rows) {
      ATELIER_ASSIGN(text, ReadText(reader_, preprocessor_.data.columns[0], row));
      AppendIds(preprocessor_.vocabulary->Tokens(text));
    }
    return {};
  }

  Status LoadTagged(std::span<const int64_t> rows) {
    for (const int64_t row : rows) {
      ATELIER_ASSIGN(text, ReadText(reader_, preprocessor_.data.columns[0], row));
      ATELIER_ASSIGN(line, ReadText(reader_, preprocessor_.data.target, row));
      auto tokens = SplitSpaces(text);
      auto tags = SplitSpaces(line);
      if (tokens.size() != tags.size()) {
        return Unfit("row " + std::to_string(row + 1) + " has " + std::to_string(tokens.size()) + " tokens but " +
                     std::to_string(tags.size()) + " tags");
      }
      if (tokens.empty()) {
        continue;
      }
      tokens.resize(std::min(tokens.size(), static_cast<size_t>(preprocessor_.vocabulary->options().max_length)));
      out_.rows.push_back(row);
      AppendIds(tokens);
      std::vector<int32_t> numbers;
      for (size_t i = 0; i < tokens.size(); ++i) {
        const auto found = labels_.find(tags[i]);
        numbers.push_back(found == labels_.end() ? -1 : found->second);
      }
      out_.tag_rows.push_back(std::move(numbers));
      out_.sequences.back().tags = out_.tag_rows.back();
    }
    return {};
  }

  Status LoadSteps() {
    ATELIER_ASSIGN(table, ReadTable(reader_, preprocessor_.data.columns));
    const auto width = static_cast<size_t>(preprocessor_.data.steps * config_.features);
    if (table.size() != width * static_cast<size_t>(reader_.manifest().rows())) {
      return Unfit("the sequences of the data set do not have " + std::to_string(preprocessor_.data.steps) +
                   " steps, which the model needs");
    }
    out_.numbers = std::move(table);
    Standardise(preprocessor_, out_.numbers);
    for (const int64_t row : out_.rows) {
      out_.sequences.push_back({.values = std::span(out_.numbers).subspan(static_cast<size_t>(row) * width, width),
                                .length = preprocessor_.data.steps});
    }
    return {};
  }

  Status LoadWindows(std::span<const int64_t> rows) {
    ATELIER_ASSIGN(table, ReadTable(reader_, preprocessor_.data.columns));
    const auto width = static_cast<size_t>(config_.features);
    const auto all = reader_.manifest().rows();
    if (table.size() != width * static_cast<size_t>(all)) {
      return Unfit("the column '" + preprocessor_.data.columns[0] + "' is not a number a row");
    }
    std::vector<bool> wanted(static_cast<size_t>(all), false);
    for (const int64_t row : rows) {
      wanted[static_cast<size_t>(row)] = std::isfinite(table[static_cast<size_t>(row) * width]);
    }
    out_.numbers = table;
    CarryForward(out_.numbers, config_.features);
    Standardise(preprocessor_, out_.numbers);
    for (const int64_t row : rows) {
      const auto first = wanted.begin() + row;
      if (row < config_.context || row + config_.outputs > all ||
          std::find(first, first + config_.outputs, false) != first + config_.outputs) {
        continue;
      }
      const auto begin = static_cast<size_t>(row - config_.context) * width;
      out_.rows.push_back(row);
      out_.sequences.push_back(
          {.values = std::span(out_.numbers).subspan(begin, static_cast<size_t>(config_.context) * width),
           .length = config_.context});
      for (int64_t ahead = 0; ahead < config_.outputs; ++ahead) {
        AppendTarget(table[static_cast<size_t>(row + ahead) * width]);
      }
    }
    return {};
  }

  const data::Reader& reader_;
  const SequenceConfig& config_;
  const SequencePreprocessor& preprocessor_;
  std::map<std::string_view, int32_t> labels_;
  Examples out_;
};

}  // namespace

std::vector<int64_t> Examples::Lengths() const {
  std::vector<int64_t> lengths;
  lengths.reserve(sequences.size());
  for (const auto& sequence : sequences) {
    lengths.push_back(sequence.length);
  }
  return lengths;
}

Result<SequencePreprocessor> FitPreprocessor(const data::Reader& reader, std::span<const int64_t> train,
                                             const SequenceData& data, const VocabularyOptions& options) {
  SequencePreprocessor preprocessor{.data = data};
  if (data.features == 0) {
    ATELIER_TRY(FitWords(reader, train, options, preprocessor));
  } else {
    ATELIER_ASSIGN(table, ReadTable(reader, data.columns));
    FitNumbers(table, table.size() / static_cast<size_t>(reader.manifest().rows()), train, preprocessor);
  }
  if (data.task == "classification") {
    preprocessor.labels = reader.manifest().Target()->categories;
  } else if (data.task == "forecasting") {
    preprocessor.target_mean = preprocessor.mean[0];
    preprocessor.target_std = preprocessor.std[0];
  } else if (data.task == "regression") {
    ATELIER_ASSIGN(targets, ReadNumbers(reader, data.target));
    SequencePreprocessor own{.data = {.features = 1}};
    FitNumbers(targets, 1, train, own);
    preprocessor.target_mean = own.mean[0];
    preprocessor.target_std = own.std[0];
  }
  return preprocessor;
}

Result<Examples> LoadExamples(const data::Reader& reader, std::span<const int64_t> rows, const SequenceConfig& config,
                              const SequencePreprocessor& preprocessor) {
  return Loader(reader, config, preprocessor).Load(rows);
}

}  // namespace atelier::families
