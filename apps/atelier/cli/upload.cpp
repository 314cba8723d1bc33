#include "atelier/cli/upload.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr int kTries = 3;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<std::string> SendWhole(Api& api, const std::string& name, Source& source, Progress& progress) {
  Multipart form;
  form.Field("purpose", "dataset");
  form.File("file", BaseName(name), source, 0, source.size());
  HttpRequest request{.method = "POST", .target = "/v1/files"};
  form.Finish(request);
  const Rate rate;
  request.on_sent = [&](uint64_t sent) {
    progress.Update("uploading " + name + " " + rate.Describe(std::min(sent, source.size()), source.size()));
  };
  ATELIER_ASSIGN(file, api.Call(request));
  return GetString(file, "id");
}

Result<std::string> HashWhole(const std::string& name, Source& source, Progress& progress) {
  // In one stream, so that the sum is that of the file; the progress is a courtesy.
  class Watched final : public Source {
   public:
    Watched(Source& inner, std::function<void(uint64_t)> on_read) : inner_(inner), on_read_(std::move(on_read)) {}
    uint64_t size() const override { return inner_.size(); }
    Status Read(uint64_t offset, std::span<char> out) override {
      if (Interrupted()) {
        return MakeError(Code::kCancelled, "interrupted", "interrupted");
      }
      on_read_(offset);
      return inner_.Read(offset, out);
    }

   private:
    Source& inner_;
    std::function<void(uint64_t)> on_read_;
  };
  const Rate rate;
  Watched watched(source, [&](uint64_t offset) {
    progress.Update("reading " + name + " " + rate.Describe(offset, source.size()));
  });
  return HashRange(watched, 0, source.size());
}

// One upload in parts.
class PartsUpload {
 public:
  PartsUpload(Api& api, std::string name, Source& source, Progress& progress)
      : api_(api), name_(std::move(name)), source_(source), progress_(progress) {}

  Result<std::string> Run() {
    ATELIER_ASSIGN(sha256, HashWhole(name_, source_, progress_));
    ATELIER_TRY(Open(sha256));
    const Rate rate(done_);
    while (done_ < source_.size()) {
      ATELIER_TRY(SendPart(rate));
    }
    const json::object body{{"part_ids", parts_}, {"sha256", sha256}};
    ATELIER_ASSIGN(upload, api_.Post("/v1/uploads/" + id_ + "/complete", body));
    const auto* file = upload.if_contains("file");
    if (file == nullptr || !file->is_object()) {
      return Unavailable("the server completed the upload without a file", "connection_failed");
    }
    return GetString(file->get_object(), "id");
  }

 private:
  // Creates the upload, or finds the pending one of the same content and what it holds already.
  Status Open(const std::string& sha256) {
    const json::object body{
        {"filename", BaseName(name_)}, {"purpose", "dataset"}, {"bytes", source_.size()}, {"sha256", sha256}};
    ATELIER_ASSIGN(upload, api_.Post("/v1/uploads", body));
    id_ = GetString(upload, "id");
    ATELIER_ASSIGN(usable, TakeParts(upload));
    if (!usable) {
      // Parts that are not ours would make the sum wrong for ever: begin anew.
      ATELIER_TRY(Forget(api_.Post("/v1/uploads/" + id_ + "/cancel", {})));
      ATELIER_ASSIGN(fresh, api_.Post("/v1/uploads", body));
      id_ = GetString(fresh, "id");
      parts_.clear();
      done_ = 0;
    }
    if (done_ > 0) {
      progress_.Print("going on with " + name_ + " at " + HumanBytes(static_cast<double>(done_)));
    }
    return {};
  }

  static Status Forget(Result<json::object> result) {
    return result.ok() ? Status() : Status(std::move(result).error());
  }

  // Whether the parts that the server has are, in order, the beginning of the source.
  Result<bool> TakeParts(const json::object& upload) {
    const auto* parts = upload.if_contains("parts");
    if (parts == nullptr || !parts->is_array()) {
      return true;
    }
    for (const auto& value : parts->get_array()) {
      if (!value.is_object()) {
        return false;
      }
      const auto& part = value.get_object();
      const int64_t bytes = GetInt(part, "bytes");
      if (bytes < 1 || static_cast<uint64_t>(bytes) > source_.size() - done_) {
        return false;
      }
      ATELIER_ASSIGN(sha256, HashRange(source_, done_, static_cast<uint64_t>(bytes)));
      if (sha256 != GetString(part, "sha256")) {
        return false;
      }
      parts_.emplace_back(GetString(part, "id"));
      done_ += static_cast<uint64_t>(bytes);
    }
    return true;
  }

  Status SendPart(const Rate& rate) {
    const uint64_t length = std::min(kPartBytes, source_.size() - done_);
    ATELIER_ASSIGN(sha256, HashRange(source_, done_, length));
    for (int attempt = 1;; ++attempt) {
      Multipart form;
      form.File("data", "part", source_, done_, length);
      HttpRequest request{.method = "POST", .target = "/v1/uploads/" + id_ + "/parts"};
      form.Finish(request);
      request.on_sent = [&](uint64_t sent) {
        progress_.Update("uploading " + name_ + " " + rate.Describe(done_ + std::min(sent, length), source_.size()));
      };
      auto part = api_.Call(request);
      if (part.ok()) {
        if (GetString(*part, "sha256") != sha256) {
          return DataLoss("a part of '" + name_ + "' arrived changed");
        }
        parts_.emplace_back(GetString(*part, "id"));
        done_ += length;
        return {};
      }
      const std::string& reason = part.error().reason;
      if ((reason != "connection_failed" && reason != "no_server") || attempt == kTries) {
        return std::move(part).error();
      }
      // The server may have kept the part although its answer got lost.
      std::this_thread::sleep_for(std::chrono::seconds(attempt));
      if (auto upload = api_.Get("/v1/uploads/" + id_); upload.ok()) {
        const uint64_t before = done_;
        parts_.clear();
        done_ = 0;
        ATELIER_ASSIGN(usable, TakeParts(*upload));
        if (!usable || done_ < before) {
          return DataLoss("the server lost parts of '" + name_ + "'");
        }
        if (done_ > before) {
          return {};
        }
      }
    }
  }

  Api& api_;
  std::string name_;
  Source& source_;
  Progress& progress_;
  std::string id_;
  json::array parts_;
  uint64_t done_ = 0;
};

}  // namespace

Result<std::string> SendFile(Api& api, const std::string& name, Source& source, Progress& progress) {
  return source.size() <= kWholeUpTo ? SendWhole(api, name, source, progress)
                                     : PartsUpload(api, name, source, progress).Run();
}

}  // namespace atelier::cli
