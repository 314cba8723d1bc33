#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

namespace atelier {
namespace {

// Builds a value as boost::json::parser does, and counts the members it was given, so that duplicates show.
struct CountingHandler {
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = 1U << 20U;
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();

  using ErrorCode = boost::system::error_code;

  json::value_stack stack{};
  size_t members = 0;

  bool on_document_begin(ErrorCode& /*ec*/) {
    stack.reset();
    return true;
  }
  bool on_document_end(ErrorCode& /*ec*/) { return true; }
  bool on_object_begin(ErrorCode& /*ec*/) { return true; }
  bool on_object_end(size_t count, ErrorCode& /*ec*/) {
    members += count;
    stack.push_object(count);
    return true;
  }
  bool on_array_begin(ErrorCode& /*ec*/) { return true; }
  bool on_array_end(size_t count, ErrorCode& /*ec*/) {
    stack.push_array(count);
    return true;
  }
  bool on_key_part(json::string_view part, size_t /*size*/, ErrorCode& /*ec*/) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, size_t /*size*/, ErrorCode& /*ec*/) {
    stack.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, size_t /*size*/, ErrorCode& /*ec*/) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, size_t /*size*/, ErrorCode& /*ec*/) {
    stack.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view /*part*/, ErrorCode& /*ec*/) { return true; }
  bool on_int64(int64_t value, json::string_view /*text*/, ErrorCode& /*ec*/) {
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(uint64_t value, json::string_view /*text*/, ErrorCode& /*ec*/) {
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double value, json::string_view /*text*/, ErrorCode& ec) {
    if (!std::isfinite(value)) {
      ec = json::error::exponent_overflow;
      return false;
    }
    stack.push_double(value);
    return true;
  }
  bool on_bool(bool value, ErrorCode& /*ec*/) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(ErrorCode& /*ec*/) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view /*part*/, ErrorCode& /*ec*/) { return true; }
  bool on_comment(json::string_view /*part*/, ErrorCode& /*ec*/) { return true; }
};

// Recursion is bounded by the parser's depth limit.
size_t CountMembers(const json::value& value) {
  size_t count = 0;
  if (const auto* object = value.if_object()) {
    count += object->size();
    for (const auto& member : *object) {
      count += CountMembers(member.value());
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) {
      count += CountMembers(item);
    }
  }
  return count;
}

// A JSON number without loss as an int64: an integer, or a double such as 3.0.
bool AsInt64(const json::value& value, int64_t& out) {
  if (value.is_int64()) {
    out = value.get_int64();
    return true;
  }
  if (value.is_double()) {
    const double number = value.get_double();
    if (std::abs(number) <= 9007199254740992.0 && std::trunc(number) == number) {
      out = static_cast<int64_t>(number);
      return true;
    }
  }
  return false;
}

std::string Plain(double number) {
  return std::trunc(number) == number && std::abs(number) < 1e15 ? std::to_string(static_cast<int64_t>(number))
                                                                 : std::to_string(number);
}

}  // namespace

Result<json::value> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return MakeError(
        Code::kOutOfRange,
        "the JSON has " + std::to_string(text.size()) + " bytes, the limit is " + std::to_string(limits.max_bytes),
        "request_too_large");
  }
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<CountingHandler> parser(options);
  boost::system::error_code ec;
  const size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) {
    ec = json::error::extra_data;
  }
  if (ec) {
    return InvalidArgument("the JSON is malformed at byte " + std::to_string(used) + ": " + ec.message(), "",
                           "invalid_json");
  }
  json::value value = parser.handler().stack.release();
  if (CountMembers(value) != parser.handler().members) {
    return InvalidArgument("the JSON has an object with a duplicate key", "", "invalid_json");
  }
  return value;
}

std::string Fields::Path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const json::value* Fields::Find(std::string_view key) {
  asked_.emplace(key);
  const auto* value = object_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Error Fields::Wrong(std::string_view key, std::string_view expected) const {
  const bool missing = object_.if_contains(key) == nullptr;
  return InvalidArgument("'" + Path(key) + "' " + (missing ? "is missing: " : "must be ") + std::string(expected),
                         Path(key), missing ? "missing_required_parameter" : "invalid_value");
}

bool Fields::Has(std::string_view key) { return Find(key) != nullptr; }

Result<std::string> Fields::String(std::string_view key, size_t max_bytes) {
  const auto* value = Find(key);
  if (value == nullptr || !value->is_string()) {
    return Wrong(key, "a string");
  }
  const auto& text = value->get_string();
  if (text.size() > max_bytes) {
    return Wrong(key, "a string of at most " + std::to_string(max_bytes) + " bytes");
  }
  return std::string(text);
}

Result<std::string> Fields::StringOr(std::string_view key, std::string fallback, size_t max_bytes) {
  return Has(key) ? String(key, max_bytes) : Result<std::string>(std::move(fallback));
}

Result<int64_t> Fields::Int(std::string_view key, int64_t min, int64_t max) {
  const auto* value = Find(key);
  int64_t number = 0;
  if (value == nullptr || !AsInt64(*value, number) || number < min || number > max) {
    return Wrong(key, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

Result<int64_t> Fields::IntOr(std::string_view key, int64_t fallback, int64_t min, int64_t max) {
  return Has(key) ? Int(key, min, max) : Result<int64_t>(fallback);
}

Result<double> Fields::Number(std::string_view key, double min, double max) {
  const auto* value = Find(key);
  if (value == nullptr || !value->is_number()) {
    return Wrong(key, "a number");
  }
  const double number = value->to_number<double>();
  if (!(number >= min && number <= max)) {
    return Wrong(key, "a number from " + Plain(min) + " to " + Plain(max));
  }
  return number;
}

Result<double> Fields::NumberOr(std::string_view key, double fallback, double min, double max) {
  return Has(key) ? Number(key, min, max) : Result<double>(fallback);
}

Result<bool> Fields::BoolOr(std::string_view key, bool fallback) {
  const auto* value = Find(key);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_bool()) {
    return Wrong(key, "true or false");
  }
  return value->get_bool();
}

Result<std::vector<std::string>> Fields::StringsOr(std::string_view key, std::vector<std::string> fallback,
                                                   size_t max_items) {
  ATELIER_ASSIGN(array, ArrayOr(key, max_items));
  if (array == nullptr) {
    return fallback;
  }
  std::vector<std::string> strings;
  for (const auto& item : *array) {
    if (!item.is_string()) {
      return Wrong(key, "a list of strings");
    }
    strings.emplace_back(item.get_string());
  }
  return strings;
}

Result<const json::object*> Fields::ObjectOr(std::string_view key) {
  const auto* value = Find(key);
  if (value != nullptr && !value->is_object()) {
    return Wrong(key, "an object");
  }
  return value == nullptr ? nullptr : value->if_object();
}

Result<const json::array*> Fields::ArrayOr(std::string_view key, size_t max_items) {
  const auto* value = Find(key);
  if (value != nullptr && (!value->is_array() || value->get_array().size() > max_items)) {
    return Wrong(key, "a list of at most " + std::to_string(max_items) + " items");
  }
  return value == nullptr ? nullptr : value->if_array();
}

Status Fields::RejectUnknown() const {
  for (const auto& member : object_) {
    if (!asked_.contains(std::string_view(member.key()))) {
      return InvalidArgument("'" + Path(member.key()) + "' is not a known field", Path(member.key()),
                             "unknown_parameter");
    }
  }
  return {};
}

std::string GetString(const json::object& object, std::string_view key, std::string fallback) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::move(fallback);
}

int64_t GetInt(const json::object& object, std::string_view key, int64_t fallback) {
  const auto* value = object.if_contains(key);
  int64_t number = fallback;
  return value != nullptr && AsInt64(*value, number) ? number : fallback;
}

double GetNumber(const json::object& object, std::string_view key, double fallback) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : fallback;
}

bool GetBool(const json::object& object, std::string_view key, bool fallback) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
}
const json::object& GetObject(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

}  // namespace atelier
