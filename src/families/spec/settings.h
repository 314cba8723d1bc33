// Settings as data: what a training takes, with its ranges and defaults, so that a mistake is refused before a job
// exists, and whoever draws a form can list them.
#pragma once

#include <boost/json.hpp>
#include <span>
#include <string_view>

#include "base/result.h"

namespace atelier::families {

enum class SettingKind {
  kInteger,
  kNumber,
  kFlag,
  kWord,  // one of `words`
  kText,  // any text of at most 64 KiB
  kList,  // an array, or a text that the family reads; the family checks it
};

struct Setting {
  std::string_view name{};
  SettingKind kind = SettingKind::kNumber;
  std::string_view fallback{};  // the default, as JSON
  double min = 0;               // integers and numbers, both ends inclusive
  double max = 0;
  std::string_view words{};  // "adam|sgd"
  std::string_view help{};
};

// A family's own default of a setting that all families have.
struct Default {
  std::string_view name{};
  std::string_view value{};  // as JSON
};

// What is to be read: the tables together are all settings there are.
struct SettingTables {
  std::span<const std::span<const Setting>> tables{};
  std::span<const Default> defaults{};
};

// Every setting with its value, in order of the tables; reads itself back unchanged. A value may be given as text, as
// the command line does ("epochs":"5"); sizes as "28x28" or "28,28". Errors: kInvalidArgument on `settings.<name>`: an
// unknown one (naming the nearest), a wrong type, out of range.
Result<boost::json::object> ReadSettings(const SettingTables& tables, const boost::json::object& user);

}  // namespace atelier::families
