// Which model families there are, and what each takes. The part that needs no LibTorch: the gateway checks with it.
#pragma once

#include <boost/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"
#include "families/spec/settings.h"

namespace atelier::families {

struct FitInput {
  std::string_view family{};
  const boost::json::object& settings;  // every setting, common ones too, each checked by itself
  const data::Manifest& manifest;
  const boost::json::object* base = nullptr;  // atelier.json of the model to go on from; null: from scratch
};

struct Family {
  std::string_view name{};
  std::string_view summary{};
  std::span<const Setting> settings{};       // its own, besides those that every training has (learning/spec)
  std::span<const Default> defaults{};       // of those
  bool takes_base = false;                   // whether it can go on from a model
  std::span<const Default> base_defaults{};  // as `defaults`, where it does; empty: the same
  // Whether settings and data set fit together. Returns the settings with what only the data set could fill in. Errors:
  // kInvalidArgument on `settings.<name>`, or "dataset_unsuitable".
  Result<boost::json::object> (*fit)(const FitInput& input) = nullptr;
};

// The list: families.cpp.
std::span<const Family> Families();
std::vector<std::string> FamilyNames();
// Errors: kInvalidArgument "unknown_family", naming the known ones.
Result<const Family*> FindFamily(std::string_view name);

// kInvalidArgument "dataset_unsuitable".
Error Unfit(std::string message, std::string param = "dataset");
// Whether there are rows to train on, and for the share of them that `settings.validation` takes.
Status CheckTrainRows(const FitInput& input);
// Whether the target fits the data set's task: a category of two classes or more, or a number that varies.
Status CheckTarget(const data::Manifest& manifest);

}  // namespace atelier::families
