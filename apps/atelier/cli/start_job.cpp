#include "atelier/cli/start_job.h"

#include "atelier/cli/follow.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {

Result<std::optional<json::object>> StartJob(Session& session, const json::object& request, const JobWish& wish) {
  ATELIER_ASSIGN(job, session.api.Post("/v1/jobs", request));
  const std::string id = GetString(job, "id");
  if (!wish.follow) {
    if (session.json) {
      PrintJson(job);
    } else {
      PrintText(Escape(id) + "\n");
      std::fprintf(stderr, "follow it with: atelier job follow %s\n", Escape(id).c_str());
    }
    return std::optional<json::object>();
  }
  Progress progress(session.json ? stderr : stdout);
  progress.Print(wish.what + " (" + id + ")");
  ATELIER_ASSIGN(done, FollowJob(session.api, id, progress));
  if (session.json) {
    PrintJson(done);
    return std::optional<json::object>();
  }
  return std::optional<json::object>(std::move(done));
}

}  // namespace atelier::cli
