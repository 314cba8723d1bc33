// What the hubs answer, as plans.
#include <algorithm>

#include "base/ids.h"
#include "hub/plan.h"
#include "hub/url.h"

namespace atelier::hub {
namespace {

constexpr JsonLimits kLimits{.max_bytes = 16U << 20U, .max_depth = 32};
constexpr size_t kMaxListed = 100'000;
constexpr size_t kMaxLicense = 200;

Result<json::object> ParseAnswer(std::string_view answer) {
  auto value = ParseJson(answer, kLimits);
  if (!value.ok() || !value->is_object()) {
    return BadListing("is not a JSON object");
  }
  return std::move(value->get_object());
}

const json::object* ObjectIn(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

Result<const json::array*> ListIn(const json::object* object, std::string_view key) {
  const auto* value = object == nullptr ? nullptr : object->if_contains(key);
  if (value == nullptr || !value->is_array() || value->get_array().size() > kMaxListed) {
    return BadListing("has no list '" + std::string(key) + "'");
  }
  return &value->get_array();
}

std::optional<uint64_t> SizeIn(const json::object& object, std::string_view key) {
  const int64_t size = GetInt(object, key, -1);
  return size < 0 ? std::nullopt : std::optional(static_cast<uint64_t>(size));
}

// Names of the last part of their path where the model is one file or its parts; whole paths in a folder.
std::string NameIn(const std::vector<ListedFile>& files, size_t index, bool folder) {
  const std::string& path = files[index].path;
  return folder ? path : path.substr(path.rfind('/') + 1);
}

// The chosen of the listed files, each at `url_of` its path.
template <class UrlOf>
Status AddChosen(const std::vector<ListedFile>& listed, const std::string& wanted, const UrlOf& url_of, Plan& plan) {
  ATELIER_ASSIGN(chosen, ChooseFiles(listed, wanted));
  const bool folder = std::ranges::any_of(chosen, [&](size_t i) { return listed[i].path == "config.json"; });
  for (const size_t i : chosen) {
    const ListedFile& file = listed[i];
    if (!IsPlainPath(file.path)) {
      return BadListing("names a file '" + file.path.substr(0, 200) + "', which is refused");
    }
    plan.files.push_back({NameIn(listed, i, folder), url_of(file.path), file.size, file.sha256,
                          file.sha256.empty() ? file.git_sha1 : ""});
  }
  return {};
}

// Names may have several media types behind their prefix.
constexpr std::string_view kOllamaLayer = "application/vnd.ollama.image.";

}  // namespace

std::string ListingUrl(const Reference& reference, const std::string& base) {
  const std::string repository = EncodeUrl(reference.repository, true);
  switch (reference.hub) {
    case Hub::kHuggingFace:
      return base + "/api/models/" + repository + "/revision/" +
             EncodeUrl(reference.revision.empty() ? "main" : reference.revision) + "?blobs=true";
    case Hub::kModelScope:
      return base + "/api/v1/models/" + repository +
             "/repo/files?Revision=" + EncodeUrl(reference.revision.empty() ? "master" : reference.revision) +
             "&Recursive=true";
    case Hub::kOllama:
      return base + "/v2/" + repository + "/manifests/" + EncodeUrl(reference.revision);
    case Hub::kUrl:
      break;
  }
  return reference.url;
}

Result<Plan> PlanHuggingFace(const Reference& reference, const std::string& base, std::string_view answer) {
  ATELIER_ASSIGN(info, ParseAnswer(answer));
  ATELIER_ASSIGN(siblings, ListIn(&info, "siblings"));
  const std::string commit = GetString(info, "sha", reference.revision.empty() ? "main" : reference.revision);
  Plan plan{reference.hub, reference.repository, commit, "", {}};
  if (const auto* card = ObjectIn(info, "cardData"); card != nullptr) {
    const std::string license = GetString(*card, "license");
    plan.license = license.size() <= kMaxLicense ? license : "";
  }
  std::vector<ListedFile> listed;
  for (const auto& item : *siblings) {
    const auto* sibling = item.if_object();
    if (sibling == nullptr) {
      return BadListing("lists what is no file");
    }
    ListedFile file{GetString(*sibling, "rfilename"), SizeIn(*sibling, "size"), "", GetString(*sibling, "blobId")};
    if (const auto* lfs = ObjectIn(*sibling, "lfs"); lfs != nullptr) {
      file.sha256 = GetString(*lfs, "sha256");
      file.size = SizeIn(*lfs, "size");
    }
    listed.push_back(std::move(file));
  }
  const std::string front = base + "/" + EncodeUrl(reference.repository, true) + "/resolve/" + EncodeUrl(commit) + "/";
  ATELIER_TRY(AddChosen(
      listed, reference.file, [&](const std::string& path) { return front + EncodeUrl(path, true); }, plan));
  return plan;
}

Result<Plan> PlanModelScope(const Reference& reference, const std::string& base, std::string_view answer) {
  ATELIER_ASSIGN(object, ParseAnswer(answer));
  if (GetInt(object, "Code", 200) != 200) {
    return NotFound("ModelScope says: " + GetString(object, "Message").substr(0, 300), "hub_not_found");
  }
  ATELIER_ASSIGN(files, ListIn(ObjectIn(object, "Data"), "Files"));
  const std::string revision = reference.revision.empty() ? "master" : reference.revision;
  std::vector<ListedFile> listed;
  for (const auto& item : *files) {
    const auto* file = item.if_object();
    if (file == nullptr) {
      return BadListing("lists what is no file");
    }
    if (GetString(*file, "Type") != "tree") {
      listed.push_back({GetString(*file, "Path"), SizeIn(*file, "Size"), GetString(*file, "Sha256"), ""});
    }
  }
  Plan plan{reference.hub, reference.repository, revision, "", {}};
  const std::string front = base + "/api/v1/models/" + EncodeUrl(reference.repository, true) +
                            "/repo?Revision=" + EncodeUrl(revision) + "&FilePath=";
  ATELIER_TRY(AddChosen(
      listed, reference.file, [&](const std::string& path) { return front + EncodeUrl(path); }, plan));
  return plan;
}

Result<Plan> PlanOllama(const Reference& reference, const std::string& base, std::string_view answer) {
  ATELIER_ASSIGN(manifest, ParseAnswer(answer));
  ATELIER_ASSIGN(layers, ListIn(&manifest, "layers"));
  Plan plan{reference.hub, reference.repository, reference.revision, "", {}};
  for (const auto& item : *layers) {
    const auto* layer = item.if_object();
    const std::string media = layer == nullptr ? "" : GetString(*layer, "mediaType");
    if (!media.starts_with(kOllamaLayer)) {
      return BadListing("lists a layer of an unknown kind");
    }
    const std::string kind = media.substr(kOllamaLayer.size());
    if (kind == "adapter" || kind == "tensor" || kind == "draft") {
      return MakeError(Code::kUnimplemented, "the model has a layer '" + kind + "', which is not supported",
                       "unsupported_model");
    }
    if (kind != "model") {
      continue;  // templates, parameters, projectors: the model file has its own template
    }
    const std::string digest = GetString(*layer, "digest");
    if (!digest.starts_with("sha256:") || !IsSha256(digest.substr(7))) {
      return BadListing("has a digest that is no SHA-256");
    }
    plan.files.push_back({PlainName(ModelNameOf(reference)) + ".gguf",
                          base + "/v2/" + EncodeUrl(reference.repository, true) + "/blobs/" + digest,
                          SizeIn(*layer, "size"), digest.substr(7), ""});
  }
  if (plan.files.size() != 1) {
    return MakeError(Code::kUnimplemented,
                     "the model has " + std::to_string(plan.files.size()) + " files of weights; only one is supported",
                     "unsupported_model");
  }
  return plan;
}

}  // namespace atelier::hub
