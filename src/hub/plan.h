// What is to be fetched for one model, settled before the first byte of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "hub/choose.h"
#include "hub/options.h"
#include "hub/reference.h"

namespace atelier::hub {

struct PlannedFile {
  std::string name;  // a plain relative path
  std::string url;
  std::optional<uint64_t> size{};
  std::string sha256{};    // empty: not known before
  std::string git_sha1{};  // of small files of a git repository; empty: not known

  bool operator==(const PlannedFile&) const = default;
};

struct Plan {
  Hub hub = Hub::kUrl;
  std::string repository;  // as in the reference
  std::string revision;    // what the files belong to: a commit, a tag; empty: none
  std::string license;     // as the hub says; may be empty
  std::vector<PlannedFile> files;

  bool operator==(const Plan&) const = default;
};

inline constexpr size_t kMaxPlannedFiles = 2000;

// What a hub answers and cannot be used: kInvalidArgument "hub_listing_invalid".
Error BadListing(const std::string& what);
// Names plain and each there once, hashes well-formed, not too many files, not too many bytes.
// Errors: kInvalidArgument "hub_listing_invalid" | "too_many_files"; kOutOfRange "model_too_large".
Status CheckPlan(const Plan& plan, uint64_t max_bytes);

json::object ToJson(const Plan& plan);
// Errors: kInvalidArgument.
Result<Plan> PlanFromJson(const json::object& object);

// The plan that a hub's answer gives. `base` is the endpoint. Pure. Errors: kInvalidArgument "hub_listing_invalid" (the
// answer is not of the hub's form), those of ChooseFiles; CheckPlan is the caller's.
Result<Plan> PlanHuggingFace(const Reference& reference, const std::string& base, std::string_view answer);
Result<Plan> PlanModelScope(const Reference& reference, const std::string& base, std::string_view answer);
// kUnimplemented for models of more than one file, and for adapters.
Result<Plan> PlanOllama(const Reference& reference, const std::string& base, std::string_view answer);
// One file, or all parts of a split one.
Result<Plan> PlanUrl(const Reference& reference);

// Where the hub says what it has.
std::string ListingUrl(const Reference& reference, const std::string& base);

}  // namespace atelier::hub
