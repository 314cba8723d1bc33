#include "jobs/error_json.h"

#include <algorithm>

#include "base/codes.h"
#include "base/json.h"

namespace atelier::jobs {

json::object ErrorToJson(const Error& error) {
  json::object object;
  object["code"] = CodeName(error.code);
  object["message"] = error.message;
  if (!error.reason.empty()) {
    object["reason"] = error.reason;
  }
  if (!error.param.empty()) {
    object["param"] = error.param;
  }
  if (error.retry_after_s) {
    object["retry_after_s"] = *error.retry_after_s;
  }
  return object;
}

Error ErrorFromJson(const json::object& object) {
  Error error = MakeError(CodeFromName(GetString(object, "code", "unknown")), GetString(object, "message"),
                          GetString(object, "reason"), GetString(object, "param"));
  if (error.code == Code::kOk) {
    error.code = Code::kUnknown;
  }
  if (object.contains("retry_after_s")) {
    error.retry_after_s = static_cast<int>(std::clamp<int64_t>(GetInt(object, "retry_after_s", 1), 0, 86400));
  }
  return error;
}

}  // namespace atelier::jobs
