#include "learning/spec/train_settings.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "base/json.h"
#include "families/spec/families.h"

namespace atelier::learning {
namespace {

enum class Kind { kNumber, kFlag, kWord, kList };

struct Setting {
  std::string_view name;
  Kind kind;
};
constexpr std::array<Setting, 26> kSettings{{
    {"layers", Kind::kList},
    {"activation", Kind::kWord},
    {"dropout", Kind::kNumber},
    {"batch_norm", Kind::kFlag},
    {"input_size", Kind::kList},
    {"channels", Kind::kNumber},
    {"epochs", Kind::kNumber},
    {"batch_size", Kind::kNumber},
    {"optimizer", Kind::kWord},
    {"learning_rate", Kind::kNumber},
    {"momentum", Kind::kNumber},
    {"weight_decay", Kind::kNumber},
    {"l1", Kind::kNumber},
    {"l2", Kind::kNumber},
    {"loss", Kind::kWord},
    {"schedule", Kind::kWord},
    {"warmup_steps", Kind::kNumber},
    {"step_epochs", Kind::kNumber},
    {"step_factor", Kind::kNumber},
    {"gradient_clip", Kind::kNumber},
    {"early_stopping", Kind::kNumber},
    {"validation", Kind::kNumber},
    {"seed", Kind::kNumber},
    {"precision", Kind::kWord},
    {"checkpoint_every_steps", Kind::kNumber},
    {"checkpoint_every_epochs", Kind::kNumber},
}};

// Levenshtein distance (V. Levenshtein, 1966) in two rows.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

Error UnknownSetting(std::string_view key) {
  const std::string name(key.substr(0, 64));
  std::string_view nearest = kSettings[0].name;
  size_t best = EditDistance(name, nearest);
  for (const auto& setting : kSettings) {
    const size_t distance = EditDistance(name, setting.name);
    if (distance < best) {
      best = distance;
      nearest = setting.name;
    }
  }
  return InvalidArgument("there is no training setting '" + name + "'; did you mean '" + std::string(nearest) + "'?",
                         "settings." + name, "unknown_parameter");
}

// A value given as text ("5", "true", "[28,28]") becomes what it says. "28x28" and "28,28" are sizes.
json::value FromText(const Setting& setting, std::string_view text) {
  if (setting.kind == Kind::kWord || (setting.name == "layers" && !text.starts_with('['))) {
    return json::value(text);
  }
  std::string plain(text);
  if (setting.kind == Kind::kList && !text.starts_with('[')) {
    std::ranges::replace(plain, 'x', ',');
    plain = "[" + plain + "]";
  }
  auto parsed = ParseJson(plain);
  return parsed.ok() ? std::move(parsed).value() : json::value(text);
}

Result<json::object> Normalise(const json::object& user) {
  json::object plain;
  for (const auto& member : user) {
    const std::string_view key = member.key();
    const auto* setting = std::ranges::find(kSettings, key, &Setting::name);
    if (setting == kSettings.end()) {
      return UnknownSetting(key);
    }
    const auto& value = member.value();
    plain[key] = value.is_string() ? FromText(*setting, std::string_view(value.get_string())) : value;
  }
  return plain;
}

// Reads into members, remembering the first error, so that each setting is one line below.
class SettingsReader {
 public:
  explicit SettingsReader(const json::object& object) : fields_(object, "settings") {}

  void Int(std::string_view key, int64_t& out, int64_t min, int64_t max) {
    Take(out, fields_.IntOr(key, out, min, max));
  }
  void Number(std::string_view key, double& out, double min, double max) {
    Take(out, fields_.NumberOr(key, out, min, max));
  }
  void Flag(std::string_view key, bool& out) { Take(out, fields_.BoolOr(key, out)); }
  void Word(std::string_view key, std::string& out, std::initializer_list<std::string_view> known) {
    Take(out, fields_.StringOr(key, out, 64));
    if (std::ranges::find(known, std::string_view(out)) == known.end()) {
      std::string list;
      for (const auto word : known) {
        list += (list.empty() ? "" : ", ") + std::string(word);
      }
      Fail(InvalidArgument("'" + fields_.Path(key) + "' must be one of " + list + "; got \"" + out + "\"",
                           fields_.Path(key)));
    }
  }
  void Fail(Error error) {
    if (status_.ok()) {
      status_ = std::move(error);
    }
  }
  Fields& fields() { return fields_; }
  Status status() const { return status_; }

 private:
  template <class T>
  void Take(T& out, Result<T> result) {
    if (result.ok()) {
      out = std::move(result).value();
    } else {
      Fail(std::move(result).error());
    }
  }

  Fields fields_;
  Status status_;
};

void ReadNetwork(SettingsReader& reader, TrainSettings& settings) {
  reader.Word("activation", settings.activation,
              {"none", "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"});
  reader.Number("dropout", settings.dropout, 0, 0.99);
  reader.Flag("batch_norm", settings.batch_norm);
  reader.Int("channels", settings.channels, 0, 3);
  if (settings.channels == 2) {
    reader.Fail(InvalidArgument("'settings.channels' must be 1 (grey) or 3 (RGB)", "settings.channels"));
  }
  auto sizes = reader.fields().ArrayOr("input_size", 2);
  if (!sizes.ok()) {
    reader.Fail(sizes.error());
    return;
  }
  if (*sizes == nullptr || (*sizes)->empty()) {
    return;
  }
  for (const auto& size : **sizes) {
    const bool good = size.is_int64() && size.get_int64() >= 1 && size.get_int64() <= 4096;
    settings.input_size.push_back(good ? size.get_int64() : 0);
  }
  if (settings.input_size.size() != 2 || settings.input_size[0] == 0 || settings.input_size[1] == 0) {
    reader.Fail(
        InvalidArgument("'settings.input_size' must be [height, width], each from 1 to 4096", "settings.input_size"));
  }
}

void ReadOptimisation(SettingsReader& reader, TrainSettings& settings) {
  reader.Int("epochs", settings.epochs, 1, 100000);
  reader.Int("batch_size", settings.batch_size, 1, 65536);
  reader.Word("optimizer", settings.optimizer, {"adam", "sgd"});
  reader.Number("learning_rate", settings.learning_rate, 0, 10);
  if (settings.learning_rate <= 0) {
    reader.Fail(InvalidArgument("'settings.learning_rate' must be above 0", "settings.learning_rate"));
  }
  reader.Number("momentum", settings.momentum, 0, 0.9999);
  reader.Number("weight_decay", settings.weight_decay, 0, 10);
  reader.Number("l1", settings.l1, 0, 10);
  reader.Number("l2", settings.l2, 0, 10);
  reader.Word("loss", settings.loss, {"auto", "sparse_cross_entropy", "cross_entropy", "mse"});
  reader.Word("schedule", settings.schedule, {"constant", "cosine", "step"});
  reader.Int("warmup_steps", settings.warmup_steps, 0, 1'000'000'000);
  reader.Int("step_epochs", settings.step_epochs, 1, 100000);
  reader.Number("step_factor", settings.step_factor, 1e-6, 1);
  reader.Number("gradient_clip", settings.gradient_clip, 0, 1e6);
}

void ReadRun(SettingsReader& reader, TrainSettings& settings) {
  reader.Int("early_stopping", settings.early_stopping, 0, 100000);
  reader.Number("validation", settings.validation, 0, 0.9);
  auto seed = static_cast<int64_t>(settings.seed);
  reader.Int("seed", seed, 0, std::numeric_limits<int64_t>::max());
  settings.seed = static_cast<uint64_t>(seed);
  reader.Word("precision", settings.precision, {"auto", "fp32", "bf16"});
  reader.Int("checkpoint_every_steps", settings.checkpoint_every_steps, 0, 1'000'000'000);
  reader.Int("checkpoint_every_epochs", settings.checkpoint_every_epochs, 0, 100000);
}

}  // namespace

Result<TrainSettings> TrainSettingsFromJson(const std::string& family, const json::object& user) {
  ATELIER_ASSIGN(row, families::FindFamily(family));
  ATELIER_ASSIGN(plain, Normalise(user));
  TrainSettings settings;
  SettingsReader reader(plain);
  ReadNetwork(reader, settings);
  ReadOptimisation(reader, settings);
  ReadRun(reader, settings);
  ATELIER_TRY(reader.status());
  if (const auto* layers = plain.if_contains("layers"); layers != nullptr && !layers->is_null()) {
    ATELIER_ASSIGN(list, families::LayersFromJson(*layers, "settings.layers"));
    settings.layers = std::move(list);
  } else {
    ATELIER_ASSIGN(list, families::LayersFromText(row->default_layers, "settings.layers"));
    settings.layers = std::move(list);
  }
  ATELIER_TRY(families::CheckLayerKinds(*row, settings.layers));
  return settings;
}

json::object ToJson(const TrainSettings& settings) {
  return {{"layers", families::ToJson(settings.layers)},
          {"activation", settings.activation},
          {"dropout", settings.dropout},
          {"batch_norm", settings.batch_norm},
          {"input_size", json::value_from(settings.input_size)},
          {"channels", settings.channels},
          {"epochs", settings.epochs},
          {"batch_size", settings.batch_size},
          {"optimizer", settings.optimizer},
          {"learning_rate", settings.learning_rate},
          {"momentum", settings.momentum},
          {"weight_decay", settings.weight_decay},
          {"l1", settings.l1},
          {"l2", settings.l2},
          {"loss", settings.loss},
          {"schedule", settings.schedule},
          {"warmup_steps", settings.warmup_steps},
          {"step_epochs", settings.step_epochs},
          {"step_factor", settings.step_factor},
          {"gradient_clip", settings.gradient_clip},
          {"early_stopping", settings.early_stopping},
          {"validation", settings.validation},
          {"seed", static_cast<int64_t>(settings.seed)},
          {"precision", settings.precision},
          {"checkpoint_every_steps", settings.checkpoint_every_steps},
          {"checkpoint_every_epochs", settings.checkpoint_every_epochs}};
}

}  // namespace atelier::learning
