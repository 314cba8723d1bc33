// A model from a hub: first the plan, then its files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "hub/http.h"
#include "hub/options.h"
#include "hub/plan.h"
#include "hub/reference.h"

namespace atelier::hub {

// How far a pull is. Totals grow while sizes become known.
struct PullProgress {
  std::string name;    // the file that is fetched
  std::string sha256;  // its, where it is known
  uint64_t file_done = 0;
  uint64_t file_total = 0;
  uint64_t done = 0;  // of all files
  uint64_t total = 0;
};

struct PullOptions {
  Options hub{};
  Tokens tokens{};
  Caches caches{};
  std::function<bool()> cancelled{};                    // may be empty
  std::function<void(const PullProgress&)> progress{};  // may be empty
};

struct PulledFile {
  std::string name;
  std::filesystem::path file;  // in the folder, or in another program's cache: never to be written to
  std::string url;
  uint64_t size = 0;
  std::string sha256;
  bool cached = false;
};

// Not thread-safe.
class Puller {
 public:
  explicit Puller(PullOptions options);

  // Errors: those of the listing (plan.h), of Http::Get and of ErrorOfStatus; where the hub refuses, the message says
  // how to give a token.
  Result<Plan> MakePlan(const Reference& reference);
  // All files of the plan, each verified. `folder` is made where absent and belongs to the plan: what an earlier call
  // left there is gone on with. Errors: those of CheckPlan and DownloadFile.
  Result<std::vector<PulledFile>> Fetch(const Plan& plan, const std::filesystem::path& folder);

 private:
  Credential CredentialOf(Hub hub) const;
  Result<PulledFile> FetchOne(const Plan& plan, size_t index, const std::filesystem::path& folder, PullProgress& sum);
  Result<std::filesystem::path> FindCached(const Plan& plan, const PlannedFile& file) const;
  Error Explain(Error error, Hub hub, const std::string& repository) const;

  const PullOptions options_;
  const Http http_;
};

// Refuses at once what Http would refuse later: plain HTTP and hosts that are written as addresses which are not
// public, where the options allow neither. Errors: kInvalidArgument "url_not_allowed" on `source`.
Status CheckSource(const Reference& reference, const Options& options);

// Whether `text` can be an endpoint; gives it without a slash at its end. Errors: kInvalidArgument.
Result<std::string> CheckEndpoint(std::string text);

}  // namespace atelier::hub
