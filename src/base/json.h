// JSON with limits, and checked reading of its objects.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier {

namespace json = boost::json;

struct JsonLimits {
  size_t max_bytes = 8U << 20U;
  size_t max_depth = 64;
};

// Parses one strict JSON text (RFC 8259, UTF-8). Errors: kInvalidArgument "invalid_json" (malformed, too deep,
// duplicate key, invalid UTF-8, lone surrogate), kOutOfRange "request_too_large".
Result<json::value> ParseJson(std::string_view text, const JsonLimits& limits = {});

// Checked reader of one object. Every getter gives kInvalidArgument naming the field (with its path) when the value
// is missing, of the wrong type or out of range. `Or` getters take the default when the field is absent or null.
// Remembers what was asked for, so that RejectUnknown can refuse the rest. Borrows the object.
class Fields {
 public:
  explicit Fields(const json::object& object, std::string path = "") : object_(object), path_(std::move(path)) {}

  bool Has(std::string_view key);  // present and not null
  Result<std::string> String(std::string_view key, size_t max_bytes = 65536);
  Result<std::string> StringOr(std::string_view key, std::string fallback, size_t max_bytes = 65536);
  Result<int64_t> Int(std::string_view key, int64_t min, int64_t max);
  Result<int64_t> IntOr(std::string_view key, int64_t fallback, int64_t min, int64_t max);
  Result<double> Number(std::string_view key, double min, double max);
  Result<double> NumberOr(std::string_view key, double fallback, double min, double max);
  Result<bool> BoolOr(std::string_view key, bool fallback);
  Result<std::vector<std::string>> StringsOr(std::string_view key, std::vector<std::string> fallback, size_t max_items);
  // The pointers borrow from the object; nullptr when absent or null.
  Result<const json::object*> ObjectOr(std::string_view key);
  Result<const json::array*> ArrayOr(std::string_view key, size_t max_items);
  Status RejectUnknown() const;

  std::string Path(std::string_view key) const;

 private:
  const json::value* Find(std::string_view key);
  Error Wrong(std::string_view key, std::string_view expected) const;

  const json::object& object_;
  std::string path_;
  std::set<std::string, std::less<>> asked_;
};

// Shorthands for JSON that this program wrote itself: the value, or the fallback when absent or of another type.
std::string GetString(const json::object& object, std::string_view key, std::string fallback = "");
int64_t GetInt(const json::object& object, std::string_view key, int64_t fallback = 0);
double GetNumber(const json::object& object, std::string_view key, double fallback = 0);
bool GetBool(const json::object& object, std::string_view key, bool fallback = false);
// The object, or an empty one; it must outlive the reference.
const json::object& GetObject(const json::object& object, std::string_view key);

}  // namespace atelier
