#include "families/sequence/preprocessor.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr size_t kMaxColumns = 4096;
constexpr size_t kMaxLabels = 65536;

Result<std::vector<double>> Numbers(Fields& fields, std::string_view key) {
  std::vector<double> out;
  ATELIER_ASSIGN(array, fields.ArrayOr(key, kMaxColumns));
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    boost::system::error_code code;
    const auto number = (*array)[i].to_number<double>(code);
    if (code || !std::isfinite(number)) {
      return InvalidArgument("'" + fields.Path(key) + "' must hold finite numbers");
    }
    out.push_back(number);
  }
  return out;
}

Result<SequencePreprocessor> Read(const json::object& object, const json::object* words, const SequenceConfig& config) {
  Fields fields(object);
  SequencePreprocessor out;
  ATELIER_ASSIGN(columns, fields.StringsOr("columns", {}, kMaxColumns));
  ATELIER_ASSIGN(target, fields.String("target"));
  ATELIER_ASSIGN(steps, fields.Int("steps", 0, 65536));
  out.data = {.input = config.input, .task = config.task, .columns = std::move(columns), .target = target};
  out.data.features = config.reads_words() ? 0 : config.features;
  out.data.steps = steps;
  ATELIER_ASSIGN(labels, fields.StringsOr("labels", {}, kMaxLabels));
  ATELIER_ASSIGN(mean, Numbers(fields, "mean"));
  ATELIER_ASSIGN(std, Numbers(fields, "std"));
  ATELIER_ASSIGN(target_mean, fields.Number("target_mean", -1e300, 1e300));
  ATELIER_ASSIGN(target_std, fields.Number("target_std", 1e-300, 1e300));
  ATELIER_ASSIGN(text, fields.ObjectOr("text"));
  if (config.reads_words()) {
    if (text == nullptr || words == nullptr) {
      return InvalidArgument("'text' is missing");
    }
    ATELIER_ASSIGN(vocabulary, Vocabulary::FromJson(*text, *words));
    out.vocabulary = std::move(vocabulary);
  }
  out.labels = std::move(labels);
  out.mean = std::move(mean);
  out.std = std::move(std);
  out.target_mean = target_mean;
  out.target_std = target_std;
  return out;
}

Status Check(const SequencePreprocessor& preprocessor, const SequenceConfig& config) {
  const bool classes = config.task == "classification" || config.task == "token-classification";
  const auto features = static_cast<size_t>(preprocessor.data.features);
  const bool tags = config.input == "tokens";
  if (preprocessor.data.columns.empty() || std::ssize(preprocessor.labels) != (classes ? config.outputs : 0) ||
      preprocessor.mean.size() != features || preprocessor.std.size() != features ||
      (preprocessor.vocabulary.has_value() &&
       (preprocessor.vocabulary->size() != config.vocabulary || preprocessor.vocabulary->options().features != tags)) ||
      (tags && config.features != kTokenFeatures) || (config.input == "steps" && preprocessor.data.steps < 1) ||
      (config.input == "series" && preprocessor.data.columns.size() != features)) {
    return InvalidArgument("it does not fit config.json");
  }
  return {};
}

// Numbers divided by white space or commas.
Result<std::vector<float>> ParseNumbers(const std::string& field, std::string_view text) {
  std::vector<float> values;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    if (*at == ' ' || *at == ',' || *at == '\t' || *at == '\n' || *at == '\r') {
      ++at;
      continue;
    }
    float value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || std::isinf(value)) {
      return InvalidArgument("the field '" + field.substr(0, 128) + "' must be numbers divided by spaces", field);
    }
    values.push_back(value);
    at = next;
  }
  return values;
}

using Prepared = Result<std::unique_ptr<PreparedInstance>>;

class Preparer {
 public:
  Preparer(const SequencePreprocessor& preprocessor, const SequenceConfig& config)
      : preprocessor_(preprocessor), config_(config) {}

  Prepared operator()(const InstanceText& text) const {
    if (!config_.reads_words()) {
      return InvalidArgument("the model reads numbers, not text", "inputs");
    }
    return FromTokens(preprocessor_.vocabulary->Tokens(text.text));
  }

  Prepared operator()(const InstanceRecord& record) const {
    ATELIER_TRY(CheckFields(record));
    if (!config_.reads_words()) {
      return FromFields(record);
    }
    const auto& [name, value] = *record.begin();
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
      return InvalidArgument("the field '" + name + "' must be a text", name);
    }
    return config_.input == "tokens" ? FromTokens(SplitSpaces(*text)) : (*this)(InstanceText{*text});
  }

  Prepared operator()(const InstanceTensor& tensor) const {
    if (config_.reads_words()) {
      return InvalidArgument("the model reads text, not numbers", "inputs");
    }
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      if (!std::isfinite(tensor.values[i])) {
        return InvalidArgument("value " + std::to_string(i) + " of the input is not a finite number", "inputs");
      }
    }
    const auto width = config_.features;
    const bool flat = tensor.shape.size() == 1 && (width == 1 || config_.input == "steps");
    if (!flat && !(tensor.shape.size() == 2 && tensor.shape[1] == width)) {
      return BadSteps("its shape is not [steps" + (width == 1 ? "" : ", " + std::to_string(width)) + "]");
    }
    return FromValues(tensor.values);
  }

  Prepared operator()(const InstanceImage& /*image*/) const {
    return InvalidArgument("the model reads texts or numbers, not pictures", "inputs");
  }

 private:
  static Error BadSteps(const std::string& what) {
    return InvalidArgument("the input does not fit: " + what, "inputs", "invalid_shape");
  }

  Status CheckFields(const InstanceRecord& record) const {
    const auto& columns = preprocessor_.data.columns;
    for (const auto& column : columns) {
      if (!record.contains(column)) {
        return InvalidArgument("the field '" + column + "' is missing", column, "missing_required_parameter");
      }
    }
    for (const auto& [name, value] : record) {
      if (std::ranges::find(columns, name) == columns.end()) {
        return InvalidArgument("the model has no field '" + name.substr(0, 128) + "'", name.substr(0, 128),
                               "unknown_parameter");
      }
    }
    return {};
  }

  Prepared FromTokens(std::vector<std::string> tokens) const {
    if (tokens.size() > static_cast<size_t>(preprocessor_.vocabulary->options().max_length)) {
      tokens.resize(static_cast<size_t>(preprocessor_.vocabulary->options().max_length));
    }
    auto prepared = std::make_unique<PreparedSequence>();
    prepared->ids = preprocessor_.vocabulary->Ids(tokens);
    prepared->length = std::ssize(prepared->ids) / config_.features;
    if (config_.input == "tokens") {
      prepared->tokens = std::move(tokens);
    }
    return std::unique_ptr<PreparedInstance>(std::move(prepared));
  }

  // A row of columns, or a column's numbers as text.
  Prepared FromFields(const InstanceRecord& record) const {
    const auto& columns = preprocessor_.data.columns;
    std::vector<std::vector<float>> lists;
    for (const auto& column : columns) {
      const auto& value = record.at(column);
      if (const auto* number = std::get_if<double>(&value)) {
        lists.push_back({static_cast<float>(*number)});
      } else {
        ATELIER_ASSIGN(list, ParseNumbers(column, std::get<std::string>(value)));
        lists.push_back(std::move(list));
      }
    }
    const bool series = config_.input == "series";
    std::vector<float> values;
    for (size_t step = 0; step < lists[0].size(); ++step) {
      for (size_t i = 0; i < lists.size(); ++i) {
        if (lists[i].size() != lists[0].size()) {
          return BadSteps("'" + columns[i] + "' has other steps than '" + columns[0] + "'");
        }
        // The columns of a row are its steps, each with one number.
        values.push_back(lists[i][step]);
      }
    }
    if (!series && lists.size() > 1 && lists[0].size() != 1) {
      return BadSteps("a field is one number");
    }
    return FromValues(std::move(values));
  }

  Prepared FromValues(std::vector<float> values) const {
    const bool series = config_.input == "series";
    const auto wanted = static_cast<size_t>((series ? config_.context : preprocessor_.data.steps) * config_.features);
    if (series ? values.size() < wanted : values.size() != wanted) {
      return BadSteps("it has " + std::to_string(values.size() / static_cast<size_t>(config_.features)) +
                      " steps, the model needs " + (series ? "at least " : "") +
                      std::to_string(wanted / static_cast<size_t>(config_.features)));
    }
    auto prepared = std::make_unique<PreparedSequence>();
    if (series) {
      CarryForward(values, config_.features);
    }
    prepared->values.assign(values.end() - static_cast<std::ptrdiff_t>(wanted), values.end());
    Standardise(preprocessor_, prepared->values);
    prepared->length = static_cast<int64_t>(wanted) / config_.features;
    return std::unique_ptr<PreparedInstance>(std::move(prepared));
  }

  const SequencePreprocessor& preprocessor_;
  const SequenceConfig& config_;
};

}  // namespace

json::object ToJson(const SequencePreprocessor& preprocessor) {
  json::object object{{"columns", json::value_from(preprocessor.data.columns)},
                      {"target", preprocessor.data.target},
                      {"steps", preprocessor.data.steps},
                      {"labels", json::value_from(preprocessor.labels)},
                      {"mean", json::value_from(preprocessor.mean)},
                      {"std", json::value_from(preprocessor.std)},
                      {"target_mean", preprocessor.target_mean},
                      {"target_std", preprocessor.target_std}};
  if (preprocessor.vocabulary.has_value()) {
    object["text"] = preprocessor.vocabulary->OptionsJson();
  }
  return object;
}

Result<SequencePreprocessor> SequencePreprocessorFromJson(const json::object& object, const json::object* words,
                                                          const SequenceConfig& config) {
  auto preprocessor = Read(object, words, config);
  const Status status = preprocessor.ok() ? Check(*preprocessor, config) : Status(preprocessor.error());
  if (!status.ok()) {
    return InvalidArgument("preprocessor_config.json: " + status.error().message, "", "invalid_model_file");
  }
  return preprocessor;
}

void Standardise(const SequencePreprocessor& preprocessor, std::span<float> values) {
  const size_t features = preprocessor.mean.size();
  for (size_t i = 0; i < values.size(); ++i) {
    const double scaled =
        (static_cast<double>(values[i]) - preprocessor.mean[i % features]) / preprocessor.std[i % features];
    values[i] = std::isfinite(scaled) ? static_cast<float>(scaled) : 0.0F;
  }
}

void CarryForward(std::span<float> series, int64_t features) {
  const auto width = static_cast<size_t>(features);
  for (size_t i = width; i < series.size(); ++i) {
    if (!std::isfinite(series[i])) {
      series[i] = series[i - width];
    }
  }
}

Result<std::unique_ptr<PreparedInstance>> PrepareSequence(const SequencePreprocessor& preprocessor,
                                                          const SequenceConfig& config, const Instance& instance) {
  return std::visit(Preparer(preprocessor, config), instance);
}

}  // namespace atelier::families
