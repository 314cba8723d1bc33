#include "hub/plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/ids.h"
#include "hub/url.h"

namespace atelier::hub {
namespace {

constexpr std::pair<Hub, std::string_view> kNames[] = {
    {Hub::kHuggingFace, "huggingface"}, {Hub::kModelScope, "modelscope"}, {Hub::kOllama, "ollama"}, {Hub::kUrl, "url"}};

bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Error BadListing(const std::string& what) {
  return InvalidArgument("the hub's answer " + what, "source", "hub_listing_invalid");
}

Status CheckPlan(const Plan& plan, uint64_t max_bytes) {
  if (plan.files.empty() || plan.files.size() > kMaxPlannedFiles) {
    return InvalidArgument("the model has " + std::to_string(plan.files.size()) + " files", "source", "too_many_files");
  }
  std::set<std::string> names;
  uint64_t total = 0;
  for (const auto& file : plan.files) {
    if (!IsPlainPath(file.name) || !names.insert(file.name).second) {
      return BadListing("names a file '" + file.name.substr(0, 200) + "', which is refused");
    }
    const bool sound = (file.sha256.empty() || IsSha256(file.sha256)) &&
                       (file.git_sha1.empty() || IsHex(file.git_sha1, 40)) && ParseUrl(file.url).ok();
    if (!sound) {
      return BadListing("holds a broken hash or URL of '" + file.name + "'");
    }
    const uint64_t size = file.size.value_or(0);
    if (size > max_bytes - total) {
      return MakeError(Code::kOutOfRange, "the model is larger than the setting hub.max_bytes allows",
                       "model_too_large");
    }
    total += size;
  }
  return {};
}

json::object ToJson(const Plan& plan) {
  json::array files;
  for (const auto& file : plan.files) {
    json::object object{{"name", file.name}, {"url", file.url}, {"sha256", file.sha256}, {"git_sha1", file.git_sha1}};
    if (file.size.has_value()) {
      object["size"] = static_cast<int64_t>(*file.size);
    }
    files.push_back(std::move(object));
  }
  const auto* name = std::ranges::find(kNames, plan.hub, &std::pair<Hub, std::string_view>::first);
  return {{"hub", name->second},
          {"repository", plan.repository},
          {"revision", plan.revision},
          {"license", plan.license},
          {"files", std::move(files)}};
}

Result<Plan> PlanFromJson(const json::object& object) {
  Plan plan;
  Fields fields(object);
  ATELIER_ASSIGN(hub, fields.String("hub"));
  const auto* name = std::ranges::find(kNames, std::string_view(hub), &std::pair<Hub, std::string_view>::second);
  if (name == std::end(kNames)) {
    return InvalidArgument("'" + hub + "' is no hub", "hub");
  }
  plan.hub = name->first;
  plan.repository = GetString(object, "repository");
  plan.revision = GetString(object, "revision");
  plan.license = GetString(object, "license");
  ATELIER_ASSIGN(files, fields.ArrayOr("files", kMaxPlannedFiles));
  for (size_t i = 0; files != nullptr && i < files->size(); ++i) {
    const auto* item = (*files)[i].if_object();
    if (item == nullptr) {
      return InvalidArgument("a file is no object", "files");
    }
    PlannedFile file{GetString(*item, "name"), GetString(*item, "url"), std::nullopt, GetString(*item, "sha256"),
                     GetString(*item, "git_sha1")};
    if (item->contains("size")) {
      file.size = static_cast<uint64_t>(GetInt(*item, "size"));
    }
    plan.files.push_back(std::move(file));
  }
  return plan;
}

Result<Plan> PlanUrl(const Reference& reference) {
  ATELIER_ASSIGN(url, ParseUrl(reference.url));
  const std::string name = LastSegment(url.path);
  Plan plan{reference.hub, "", "", "", {}};
  const auto split = ParseSplitName(name);
  if (!split.has_value()) {
    plan.files.push_back({name, url.text, std::nullopt, reference.sha256, ""});
    return plan;
  }
  if (!reference.sha256.empty()) {
    return InvalidArgument("#sha256= is for one file, not for one of several parts", "source", "invalid_reference");
  }
  const size_t end = std::min(url.text.find_first_of("?#"), url.text.size());  // of the path
  const std::string folder = url.text.substr(0, url.text.rfind('/', end) + 1);
  const std::string query = url.text.substr(end);
  for (int part = 1; part <= split->count; ++part) {
    const std::string part_name = PartName(*split, part);
    plan.files.push_back({part_name, folder + EncodeUrl(part_name) + query, std::nullopt, "", ""});
  }
  return plan;
}

}  // namespace atelier::hub
