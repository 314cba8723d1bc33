// The REST API as the commands see it: JSON in, JSON or an error out.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "atelier/cli/http.h"
#include "base/result.h"

namespace atelier::cli {

// The error of an answer that is not 2xx: the server's message, `code` as reason (or "http_STATUS"), and `param`.
Error ErrorOfAnswer(const HttpResponse& response);

// Not thread-safe. Errors of all calls: what the server refused, as ErrorOfAnswer; those of Http::Send.
class Api {
 public:
  explicit Api(Http http) : http_(std::move(http)) {}

  Http& http() { return http_; }

  Result<boost::json::object> Get(const std::string& target);
  Result<boost::json::object> Post(const std::string& target, const boost::json::object& body);
  Result<boost::json::object> Put(const std::string& target, const boost::json::object& body);
  Result<boost::json::object> Delete(const std::string& target);
  // Sends what the caller composed; 2xx with a JSON object, or an error.
  Result<boost::json::object> Call(const HttpRequest& request);
  // All items of a list, page after page, at most `limit`. `query` is "a=b&c=d" or empty.
  Result<boost::json::array> List(const std::string& path, const std::string& query = "", size_t limit = 10000);

 private:
  Result<boost::json::object> SendJson(std::string method, const std::string& target, const boost::json::object& body);

  Http http_;
};

// multipart/form-data (RFC 7578), put together piece by piece.
class Multipart {
 public:
  Multipart();

  void Field(std::string_view name, std::string_view value);
  void File(std::string_view name, std::string_view filename, Source& source, uint64_t offset, uint64_t length);
  // Fills content type and body of a request; call once, last.
  void Finish(HttpRequest& request);

 private:
  std::string boundary_;
  std::vector<Piece> pieces_;
};

}  // namespace atelier::cli
