// The job process's side: reading the specification, reporting, noticing a cancellation.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace atelier::jobs {

// Thread-safe.
class Host {
 public:
  // Reads `directory`/spec.json and takes over SIGTERM.
  static Result<std::unique_ptr<Host>> Open(const std::filesystem::path& directory);
  virtual ~Host() = default;

  virtual const boost::json::object& spec() const = 0;
  virtual const std::filesystem::path& directory() const = 0;
  virtual int threads() const = 0;  // how many this job may use, at least 1
  virtual bool cancelled() const = 0;
  virtual void Progress(boost::json::object data) = 0;
  virtual void Message(std::string_view level, std::string_view text) = 0;
};

using Body = std::function<Result<boost::json::object>(Host&)>;

// The whole of a job process: opens the host, runs the body, reports its result or its error.
// Returns the exit status: 0 success, 1 failure, 2 cancelled.
int RunJob(const std::filesystem::path& directory, const std::function<Result<Body>(const std::string& kind)>& find);

}  // namespace atelier::jobs
