#include "learning/spec/train_settings.h"

#include <array>

#include "base/json.h"

namespace atelier::learning {
namespace {

using families::Setting;
using families::SettingKind;

constexpr auto kInteger = SettingKind::kInteger;
constexpr auto kWord = SettingKind::kWord;

constexpr std::array<Setting, 23> kSettings{{
    {.name = "epochs", .kind = kInteger, .fallback = "5", .min = 1, .max = 100000, .help = "passes over the data"},
    {.name = "batch_size", .kind = kInteger, .fallback = "64", .min = 1, .max = 65536, .help = "examples in a batch"},
    {.name = "accumulation",
     .kind = kInteger,
     .fallback = "1",
     .min = 1,
     .max = 65536,
     .help = "batches whose gradients make one step"},
    {.name = "optimizer",
     .kind = kWord,
     .fallback = "\"adam\"",
     .words = "adam|adamw|sgd",
     .help = "adam and adamw are one: weight_decay is always decoupled"},
    {.name = "learning_rate", .fallback = "0.002", .min = 1e-12, .max = 10, .help = "the highest rate"},
    {.name = "momentum", .fallback = "0.9", .max = 0.9999, .help = "of sgd"},
    {.name = "beta1", .fallback = "0.9", .max = 0.9999, .help = "of adam"},
    {.name = "beta2", .fallback = "0.999", .max = 0.999999, .help = "of adam"},
    {.name = "weight_decay", .fallback = "0", .max = 10, .help = "decoupled from the gradient"},
    {.name = "l1", .fallback = "0", .max = 10, .help = "penalty on the sum of |w|"},
    {.name = "l2", .fallback = "0", .max = 10, .help = "penalty on the sum of w^2"},
    {.name = "schedule",
     .kind = kWord,
     .fallback = "\"cosine\"",
     .words = "constant|cosine|linear|step",
     .help = "how the rate falls"},
    {.name = "warmup_steps", .kind = kInteger, .fallback = "0", .max = 1e9, .help = "steps in which the rate rises"},
    {.name = "final_rate", .fallback = "0", .max = 1, .help = "cosine, linear: the share of the rate at the end"},
    {.name = "step_epochs", .kind = kInteger, .fallback = "2", .min = 1, .max = 100000, .help = "step: every so often"},
    {.name = "step_factor", .fallback = "0.5", .min = 1e-6, .max = 1, .help = "step: the rate is multiplied by this"},
    {.name = "gradient_clip", .fallback = "0", .max = 1e6, .help = "largest norm of the gradient; 0: none"},
    {.name = "early_stopping",
     .kind = kInteger,
     .fallback = "0",
     .max = 100000,
     .help = "epochs without improvement before it stops; 0: off"},
    {.name = "validation",
     .fallback = "0",
     .max = 0.9,
     .help = "share of train to validate on, where the data set has no validation rows"},
    {.name = "seed", .kind = kInteger, .fallback = "1", .max = 1e19, .help = "of all that is random"},
    {.name = "precision",
     .kind = kWord,
     .fallback = "\"auto\"",
     .words = "auto|fp32|bf16",
     .help = "auto: bf16 where the processor multiplies it in hardware"},
    {.name = "checkpoint_every_steps", .kind = kInteger, .fallback = "0", .max = 1e9, .help = "0: by time"},
    {.name = "checkpoint_every_epochs", .kind = kInteger, .fallback = "0", .max = 100000, .help = "0: by time"},
}};

}  // namespace

std::span<const Setting> CommonSettings() { return kSettings; }

Result<json::object> CompleteSettings(const std::string& family, const json::object& user, bool further) {
  ATELIER_ASSIGN(row, families::FindFamily(family));
  const std::array tables{row->settings, CommonSettings()};
  const bool own = further && !row->base_defaults.empty();
  return families::ReadSettings({.tables = tables, .defaults = own ? row->base_defaults : row->defaults}, user);
}

Result<json::object> MakeTrainSettings(const std::string& family, const json::object& user,
                                       const data::Manifest& manifest, const json::object* base) {
  ATELIER_ASSIGN(row, families::FindFamily(family));
  if (base != nullptr && !row->takes_base) {
    return InvalidArgument("the family " + family + " starts from scratch: it goes on from no model", "base",
                           "model_not_supported");
  }
  ATELIER_ASSIGN(settings, CompleteSettings(family, user, base != nullptr));
  return row->fit({.family = family, .settings = settings, .manifest = manifest, .base = base});
}

TrainSettings TrainSettingsOf(const json::object& settings) {
  return {.epochs = GetInt(settings, "epochs", 1),
          .batch_size = GetInt(settings, "batch_size", 1),
          .accumulation = GetInt(settings, "accumulation", 1),
          .optimizer = GetString(settings, "optimizer", "adam"),
          .learning_rate = GetNumber(settings, "learning_rate"),
          .momentum = GetNumber(settings, "momentum"),
          .beta1 = GetNumber(settings, "beta1", 0.9),
          .beta2 = GetNumber(settings, "beta2", 0.999),
          .weight_decay = GetNumber(settings, "weight_decay"),
          .l1 = GetNumber(settings, "l1"),
          .l2 = GetNumber(settings, "l2"),
          .schedule = GetString(settings, "schedule", "cosine"),
          .warmup_steps = GetInt(settings, "warmup_steps"),
          .final_rate = GetNumber(settings, "final_rate"),
          .step_epochs = GetInt(settings, "step_epochs", 1),
          .step_factor = GetNumber(settings, "step_factor", 1),
          .gradient_clip = GetNumber(settings, "gradient_clip"),
          .early_stopping = GetInt(settings, "early_stopping"),
          .validation = GetNumber(settings, "validation"),
          .seed = static_cast<uint64_t>(GetInt(settings, "seed", 1)),
          .precision = GetString(settings, "precision", "auto"),
          .checkpoint_every_steps = GetInt(settings, "checkpoint_every_steps"),
          .checkpoint_every_epochs = GetInt(settings, "checkpoint_every_epochs")};
}

}  // namespace atelier::learning
