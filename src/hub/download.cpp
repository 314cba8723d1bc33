#include "hub/download.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "hub/digest.h"
#include "hub/part_file.h"
#include "hub/retry.h"

namespace atelier::hub {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kReportEveryMs = 250;
constexpr int64_t kSaveEveryMs = 1000;

std::optional<uint64_t> ToNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// "bytes 0-99/1234" (RFC 9110, 14.4)
struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t size = 0;
};
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  const auto dash = text.find('-');
  const auto slash = text.find('/');
  if (!text.starts_with(kUnit) || dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = ToNumber(text.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = ToNumber(text.substr(dash + 1, slash - dash - 1));
  const auto size = ToNumber(text.substr(slash + 1));
  if (!first || !last || !size || *first > *last || *last >= *size) {
    return std::nullopt;
  }
  return ContentRange{*first, *last, *size};
}

// What tells one content of a URL from the next.
std::string TagOf(const HttpAnswer& answer) {
  const std::string tag = answer.Header("etag");
  return tag.empty() ? answer.Header("last-modified") : tag;
}

// An entity tag without weakness mark and quotes.
std::string BareTag(std::string tag) {
  if (tag.starts_with("W/")) {
    tag.erase(0, 2);
  }
  std::erase(tag, '"');
  return tag;
}

Error Changed(const Url& url) {
  return MakeError(Code::kAborted, "the file changed while it was fetched: " + url.ForPeople(), "source_changed");
}

Error TooLarge(const Url& url) {
  return MakeError(Code::kOutOfRange, url.ForPeople() + " is larger than the setting hub.max_bytes allows",
                   "model_too_large");
}

Status Acceptable(const HttpAnswer& answer, const Url& url) {
  const std::string encoding = answer.Header("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    return MakeError(Code::kUnimplemented, "the hub sent " + url.ForPeople() + " with an encoding nobody asked for",
                     "hub_refused");
  }
  return {};
}

// What a first look says of a file.
struct Source {
  Identity identity{};
  bool ranges = false;
  std::string sha256{};
};

// The work on one file. Its threads share it.
class Download {
 public:
  Download(const Http& http, const PlannedFile& file, const fs::path& path, const DownloadOptions& options)
      : http_(http), file_(file), path_(path), options_(options) {}

  // The file is under its name, not yet verified.
  Status Run();
  const std::string& linked_sha256() const { return source_.sha256; }

 private:
  bool Stopped() const { return stopped_ || (options_.cancelled && options_.cancelled()); }
  template <class Attempt>
  Status Insist(const Attempt& attempt);
  Status Look();
  Status LookOnce();
  Status FetchInParts();
  void FetchParts(PartFile& file);
  Status FetchPart(PartFile& file, Part& part);
  Status FetchWhole();
  Status FetchWholeOnce();
  void Report(uint64_t done) const {
    if (options_.progress) {
      options_.progress(done, source_.identity.size);
    }
  }

  const Http& http_;
  const PlannedFile& file_;
  const fs::path& path_;
  const DownloadOptions& options_;
  Url url_;
  Source source_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> working_{0};
  std::mutex mutex_;
  std::optional<Error> error_;  // the first
};

// Attempts until it works or nothing helps. An attempt gives its status and whether it brought anything.
template <class Attempt>
Status Download::Insist(const Attempt& attempt) {
  Backoff backoff;
  while (true) {
    bool progress = false;
    Status status = attempt(progress);
    if (status.ok()) {
      return {};
    }
    const auto wait_ms = backoff.After(status.error(), progress);
    if (!wait_ms.has_value()) {
      return status;
    }
    if (!Sleep(*wait_ms, [this] { return Stopped(); })) {
      return MakeError(Code::kCancelled, "the transfer was cancelled");
    }
  }
}

Status Download::Look() {
  return Insist([this](bool& /*progress*/) { return LookOnce(); });
}

// Asks for one byte: the answer tells size, entity tag and whether parts can be had.
Status Download::LookOnce() {
  const HttpRequest request{url_, {{"Range", "bytes=0-0"}}, options_.credential, options_.foreign};
  source_ = {};
  bool whole = false;
  auto answer = http_.Get(request, [&](const HttpAnswer& head, std::string_view) -> Status {
    whole = head.status != 206;
    return whole ? Status(MakeError(Code::kAborted, "enough", "enough")) : Status();
  });
  if (!answer.ok()) {
    return whole ? Status() : Status(std::move(answer).error());
  }
  const bool empty = answer->status == 416 && answer->Header("content-range") == "bytes */0";
  if (empty || answer->status == 200) {
    return {};
  }
  if (answer->status != 206) {
    return ErrorOfStatus(*answer, url_.ForPeople());
  }
  ATELIER_TRY(Acceptable(*answer, url_));
  const auto range = ParseContentRange(answer->Header("content-range"));
  if (!range.has_value() || range->first != 0 || range->last != 0) {
    return FailedPrecondition("the hub answers with a range that nobody asked for: " + url_.ForPeople(), "hub_refused");
  }
  source_ = {{range->size, TagOf(*answer)}, true, ""};
  if (const auto tag = answer->linked.find("x-linked-etag"); tag != answer->linked.end()) {
    source_.sha256 = IsSha256(BareTag(tag->second)) ? BareTag(tag->second) : "";
  }
  return {};
}

Status Download::Run() {
  ATELIER_ASSIGN(url, ParseUrl(file_.url));
  url_ = std::move(url);
  for (int attempt = 0;; ++attempt) {
    ATELIER_TRY(Look());
    if (source_.identity.size > options_.max_bytes) {
      return TooLarge(url_);
    }
    if (source_.ranges && file_.size.has_value() && *file_.size != source_.identity.size) {
      return DataLoss("the hub announced " + std::to_string(*file_.size) + " bytes and has " +
                      std::to_string(source_.identity.size) + ": " + url_.ForPeople());
    }
    Status fetched = source_.ranges ? FetchInParts() : FetchWhole();
    if (fetched.ok() || fetched.error().reason != "source_changed" || attempt > 0) {
      return fetched;
    }
    PartFile::Remove(path_);
    stopped_ = false;
    error_.reset();
  }
}

Status Download::FetchInParts() {
  ATELIER_ASSIGN(file, PartFile::Open(path_, source_.identity, options_.part_bytes));
  ATELIER_TRY(file->Save());
  std::vector<std::jthread> threads;
  const uint64_t parts = source_.identity.size / options_.part_bytes + 1;
  working_ = static_cast<int>(std::min(parts, static_cast<uint64_t>(options_.connections)));
  for (int i = working_; i > 0; --i) {
    threads.emplace_back([this, &file = *file] {
      FetchParts(file);
      --working_;
    });
  }
  Status saved;
  int64_t since_save_ms = 0;
  while (working_ > 0) {
    Sleep(kReportEveryMs, [this] { return working_ == 0; });
    Report(file->done_bytes());
    since_save_ms += kReportEveryMs;
    if (since_save_ms >= kSaveEveryMs && saved.ok()) {
      saved = file->Save();
      since_save_ms = 0;
      stopped_ = stopped_ || !saved.ok();
    }
  }
  threads.clear();
  ATELIER_TRY(std::move(saved));
  if (error_.has_value()) {
    static_cast<void>(file->Save());  // best effort: the error is the news
    return *error_;
  }
  Report(file->done_bytes());
  return file->Finish();
}

void Download::FetchParts(PartFile& file) {
  while (!Stopped()) {
    auto part = file.Take();
    if (!part.has_value()) {
      return;
    }
    Status fetched = Insist([&](bool& progress) {
      const uint64_t before = part->begin;
      Status status = FetchPart(file, *part);
      progress = part->begin > before;
      return status;
    });
    file.Return(*part);
    if (!fetched.ok()) {
      const std::lock_guard lock(mutex_);
      if (!error_.has_value()) {
        error_ = std::move(fetched).error();
      }
      stopped_ = true;
    }
  }
  const std::lock_guard lock(mutex_);
  if (!error_.has_value() && Stopped()) {
    error_ = MakeError(Code::kCancelled, "the transfer was cancelled");
  }
}

// What is missing of one part, in one request. If-Range lets a changed file come whole, which is noticed.
Status Download::FetchPart(PartFile& file, Part& part) {
  const Identity& identity = file.identity();
  HttpRequest request{url_,
                      {{"Range", "bytes=" + std::to_string(part.begin) + "-" + std::to_string(part.end - 1)}},
                      options_.credential,
                      options_.foreign};
  const bool strong = identity.etag.starts_with('"');
  if (strong) {
    request.headers.emplace_back("If-Range", identity.etag);
  }
  bool looked = false;
  auto answer = http_.Get(request, [&](const HttpAnswer& head, std::string_view bytes) -> Status {
    if (!looked) {
      ATELIER_TRY(Acceptable(head, url_));
      const auto range = ParseContentRange(head.Header("content-range"));
      if (head.status != 206 || !range.has_value() || range->size != identity.size || TagOf(head) != identity.etag) {
        return Changed(url_);
      }
      if (range->first != part.begin) {
        return FailedPrecondition("the hub answers with a range that nobody asked for", "hub_refused");
      }
      looked = true;
    }
    if (bytes.size() > part.end - part.begin) {
      return FailedPrecondition("the hub sends more bytes than it was asked for", "hub_refused");
    }
    ATELIER_TRY(file.Write(part, bytes));
    return Stopped() ? Status(MakeError(Code::kCancelled, "the transfer was cancelled")) : Status();
  });
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  if (answer->status == 416) {
    return Changed(url_);
  }
  if (answer->status >= 300) {
    return ErrorOfStatus(*answer, url_.ForPeople());
  }
  return part.begin == part.end
             ? Status()
             : Status(Unavailable("the connection to " + url_.host + " ended early", "connection_failed"));
}

Status Download::FetchWhole() {
  return Insist([this](bool& /*progress*/) { return FetchWholeOnce(); });
}

// From a source without ranges: what is cut off begins again.
Status Download::FetchWholeOnce() {
  uint64_t done = 0;
  PartFile::Remove(path_);
  // The size may not be known: the file grows with its one part.
  ATELIER_ASSIGN(file, PartFile::Open(path_, {0, ""}, 1));
  auto last_report = std::chrono::steady_clock::now();
  auto answer = http_.Get(
      {url_, {}, options_.credential, options_.foreign}, [&](const HttpAnswer& head, std::string_view bytes) -> Status {
        if (done == 0) {
          ATELIER_TRY(Acceptable(head, url_));
          source_.identity.size = ToNumber(head.Header("content-length")).value_or(0);
        }
        if (bytes.size() > options_.max_bytes - done || (file_.size.has_value() && bytes.size() > *file_.size - done)) {
          return TooLarge(url_);
        }
        ATELIER_TRY(file->WriteAt(done, bytes));
        done += bytes.size();
        const auto now = std::chrono::steady_clock::now();
        if (now - last_report > std::chrono::milliseconds(kReportEveryMs)) {
          Report(done);
          last_report = now;
        }
        return {};
      });
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  if (answer->status >= 300) {
    return ErrorOfStatus(*answer, url_.ForPeople());
  }
  if (file_.size.has_value() && done != *file_.size) {
    return Unavailable("the connection to " + url_.host + " ended early", "connection_failed");
  }
  return file->Finish();
}

Error Mismatch(const std::string& name) {
  return MakeError(Code::kDataLoss, "'" + name + "' arrived changed: its hash is not the one that the hub names",
                   "checksum_mismatch");
}

}  // namespace

Result<Downloaded> DownloadFile(const Http& http, const PlannedFile& file, const fs::path& path,
                                const DownloadOptions& options) {
  std::error_code ec;
  std::string expected = file.sha256;
  if (!fs::is_regular_file(fs::symlink_status(path, ec))) {
    Download download(http, file, path, options);
    ATELIER_TRY(download.Run());
    expected = expected.empty() ? download.linked_sha256() : expected;
  }
  auto digests = DigestFile(path, options.cancelled);
  if (!digests.ok()) {
    return std::move(digests).error();
  }
  const bool right = (expected.empty() || expected == digests->sha256) &&
                     (file.git_sha1.empty() || file.git_sha1 == digests->git_sha1);
  if (!right) {
    fs::remove(path, ec);
    return Mismatch(file.name);
  }
  return Downloaded{fs::file_size(path, ec), std::move(digests->sha256)};
}

}  // namespace atelier::hub
