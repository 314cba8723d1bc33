#include "hub/pull.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "hub/address.h"
#include "hub/digest.h"
#include "hub/download.h"
#include "hub/retry.h"

namespace atelier::hub {
namespace {

namespace fs = std::filesystem;

HttpOptions HttpOptionsOf(const PullOptions& options) {
  HttpOptions http;
  http.private_addresses = options.hub.private_addresses;
  http.cancelled = options.cancelled;
  for (const std::string& endpoint : {options.hub.huggingface, options.hub.modelscope, options.hub.ollama}) {
    if (const auto url = ParseUrl(endpoint); url.ok()) {
      http.trusted.push_back(url->origin());
    }
  }
  return http;
}

std::string BaseOf(const Reference& reference, const Options& options) {
  switch (reference.hub) {
    case Hub::kHuggingFace:
      return options.huggingface;
    case Hub::kModelScope:
      return options.modelscope;
    case Hub::kOllama:
      return reference.host.empty() ? options.ollama : "https://" + reference.host;
    case Hub::kUrl:
      break;
  }
  return "";
}

// Whether a host is, by its looks alone, none of the open internet.
bool IsLocalHost(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    return !IsPublicAddress(reinterpret_cast<const sockaddr*>(&v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    return !IsPublicAddress(reinterpret_cast<const sockaddr*>(&v6));
  }
  return host == "localhost" || host.ends_with(".localhost");
}

// The small documents that say what there is.
Result<std::string> GetText(const Http& http, const HttpRequest& request, const std::string& what,
                            const std::function<bool()>& cancelled) {
  Backoff backoff;
  while (true) {
    auto answer = http.Get(request);
    if (answer.ok() && answer->status == 200) {
      return std::move(answer->body);
    }
    Error error = answer.ok() ? ErrorOfStatus(*answer, what) : std::move(answer).error();
    const auto wait_ms = backoff.After(error, false);
    if (!wait_ms.has_value()) {
      return error;
    }
    if (!Sleep(*wait_ms, cancelled)) {
      return MakeError(Code::kCancelled, "the pull was cancelled");
    }
  }
}

}  // namespace

Result<std::string> CheckEndpoint(std::string text) {
  while (text.ends_with('/')) {
    text.pop_back();
  }
  ATELIER_ASSIGN(url, ParseUrl(text));
  if (text.find('?') != std::string::npos || text.find('#') != std::string::npos) {
    return InvalidArgument("an endpoint has no query and no fragment: " + url.ForPeople());
  }
  return text;
}

Status CheckSource(const Reference& reference, const Options& options) {
  const std::string text = reference.hub == Hub::kUrl ? reference.url : BaseOf(reference, options);
  const bool endpoint = reference.hub != Hub::kUrl && reference.host.empty();
  if (endpoint || options.private_addresses) {
    return {};
  }
  ATELIER_ASSIGN(url, ParseUrl(text));
  if (url.scheme != "https" || IsLocalHost(url.host)) {
    return InvalidArgument("the URL must be https:// and lead to a public address", "source", "url_not_allowed");
  }
  return {};
}

Puller::Puller(PullOptions options) : options_(std::move(options)), http_(HttpOptionsOf(options_)) {}

Credential Puller::CredentialOf(Hub hub) const {
  const Tokens& tokens = options_.tokens;
  if (hub == Hub::kHuggingFace && !tokens.huggingface.empty()) {
    return {"Authorization", Secret("Bearer " + tokens.huggingface.Reveal())};
  }
  if (hub == Hub::kModelScope && !tokens.modelscope.empty()) {
    return {"Cookie", Secret("m_session_id=" + tokens.modelscope.Reveal())};
  }
  return {};
}

// Says what a person can do about a refusal.
Error Puller::Explain(Error error, Hub hub, const std::string& repository) const {
  if (error.reason != "hub_access_denied") {
    return error;
  }
  const bool has_token = !CredentialOf(hub).header.empty();
  if (hub == Hub::kHuggingFace) {
    error.message += has_token ? "; the server's token (HF_TOKEN) gives no access to it: accept the terms at "
                               : "; accept the terms at ";
    error.message += options_.hub.huggingface + "/" + repository;
    error.message += has_token ? "" : " and start the server with a token in HF_TOKEN";
  } else if (hub == Hub::kModelScope) {
    error.message += has_token ? "; the server's token (MODELSCOPE_API_TOKEN) gives no access to it"
                               : "; start the server with a token in MODELSCOPE_API_TOKEN";
  }
  return error;
}

Result<Plan> Puller::MakePlan(const Reference& reference) {
  if (reference.hub == Hub::kUrl) {
    return PlanUrl(reference);
  }
  const std::string base = BaseOf(reference, options_.hub);
  ATELIER_ASSIGN(url, ParseUrl(ListingUrl(reference, base)));
  const Credential credential = CredentialOf(reference.hub);
  HttpRequest request{std::move(url), {}, &credential};
  if (reference.hub == Hub::kOllama) {
    request.headers.emplace_back("Accept", "application/vnd.docker.distribution.manifest.v2+json");
  }
  const std::string what = reference.repository + (reference.revision.empty() ? "" : " at " + reference.revision);
  auto text = GetText(http_, request, what, options_.cancelled);
  if (!text.ok()) {
    return Explain(std::move(text).error(), reference.hub, reference.repository);
  }
  switch (reference.hub) {
    case Hub::kHuggingFace:
      return PlanHuggingFace(reference, base, *text);
    case Hub::kModelScope:
      return PlanModelScope(reference, base, *text);
    default:
      return PlanOllama(reference, base, *text);
  }
}

Result<std::vector<PulledFile>> Puller::Fetch(const Plan& plan, const fs::path& folder) {
  ATELIER_TRY(CheckPlan(plan, options_.hub.max_bytes));
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) {
    return Internal("the folder of a pull cannot be made: " + ec.message());
  }
  PullProgress sum;
  for (const auto& file : plan.files) {
    sum.total += file.size.value_or(0);
  }
  std::vector<PulledFile> files;
  for (size_t i = 0; i < plan.files.size(); ++i) {
    auto file = FetchOne(plan, i, folder, sum);
    if (!file.ok()) {
      return Explain(std::move(file).error(), plan.hub, plan.repository);
    }
    files.push_back(std::move(*file));
  }
  return files;
}

Result<PulledFile> Puller::FetchOne(const Plan& plan, size_t index, const fs::path& folder, PullProgress& sum) {
  const PlannedFile& file = plan.files[index];
  const uint64_t before = sum.done;
  const uint64_t others = sum.total - file.size.value_or(0);
  const auto report = [&](uint64_t done, uint64_t total) {
    sum.name = file.name;
    sum.sha256 = file.sha256;
    sum.file_done = done;
    sum.file_total = std::max(total, done);
    sum.done = before + done;
    sum.total = std::max(others + sum.file_total, sum.done);
    if (options_.progress) {
      options_.progress(sum);
    }
  };
  report(0, file.size.value_or(0));
  if (auto cached = FindCached(plan, file); cached.ok()) {
    std::error_code ec;
    const uint64_t size = fs::file_size(*cached, ec);
    report(size, size);
    return PulledFile{file.name, std::move(*cached), file.url, size, file.sha256, true};
  }
  const Credential credential = CredentialOf(plan.hub);
  DownloadOptions options;
  options.connections = options_.hub.connections;
  options.part_bytes = options_.hub.part_bytes;
  options.max_bytes = options_.hub.max_bytes - std::min(options_.hub.max_bytes, before);
  options.credential = &credential;
  options.foreign = plan.hub == Hub::kUrl;
  options.cancelled = options_.cancelled;
  options.progress = report;
  // Numbers, so that no name from outside becomes one here.
  const fs::path path = folder / std::to_string(index);
  ATELIER_ASSIGN(done, DownloadFile(http_, file, path, options));
  report(done.size, done.size);
  return PulledFile{file.name, path, file.url, done.size, std::move(done.sha256), false};
}

// What Hugging Face's or Ollama's own programs have of it, if its hash is right.
Result<fs::path> Puller::FindCached(const Plan& plan, const PlannedFile& file) const {
  std::vector<fs::path> places;
  const std::string& id = file.sha256.empty() ? file.git_sha1 : file.sha256;
  if (plan.hub == Hub::kHuggingFace && !id.empty() && !options_.caches.huggingface.empty()) {
    std::string name = "models--";
    for (const char c : plan.repository) {
      name += c == '/' ? "--" : std::string(1, c);
    }
    places.push_back(fs::path(options_.caches.huggingface) / name / "blobs" / id);
  }
  if (!file.sha256.empty() && !options_.caches.ollama.empty()) {
    places.push_back(fs::path(options_.caches.ollama) / "blobs" / ("sha256-" + file.sha256));
  }
  for (const fs::path& place : places) {
    std::error_code ec;
    const bool there = fs::is_regular_file(fs::symlink_status(place, ec)) &&
                       (!file.size.has_value() || fs::file_size(place, ec) == *file.size);
    if (!there) {
      continue;
    }
    const auto digests = DigestFile(place, options_.cancelled);
    if (digests.ok() && (digests->sha256 == id || digests->git_sha1 == id)) {
      return place;
    }
  }
  return NotFound("no cache has it");
}

}  // namespace atelier::hub
