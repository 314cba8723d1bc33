// What people write on the command line, turned into JSON.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atelier::cli {

// What people must write differently: kInvalidArgument "usage", the reason of all errors here.
Error Usage(std::string message, std::string param = "");

// Without what stands around it.
std::string_view Trim(std::string_view text, std::string_view space = " \t");

// "key=value": the value is JSON where it is well-formed JSON (numbers, true, lists, objects, quoted strings), else the
// text itself. The value of `layers` is text unless it is a list, since "128" means one layer there.
Result<std::pair<std::string, boost::json::value>> ParseSetting(std::string_view text);
Result<boost::json::object> ParseSettings(const std::vector<std::string>& texts);

// "0.8,0.1,0.1" -> fractions of train, validation, test (one to three; the missing ones are 0), which add up to 1.
Result<boost::json::array> ParseFractions(std::string_view text);

// "3=90,4=10" -> [{"version":3,"weight":90},...]; the weights add up to 100.
Result<boost::json::array> ParseTraffic(std::string_view text);

// What a search tries: "rate=0.01,0.1" (values; separated by '|' where a value holds commas), "rate=1e-4..1e-1:log" and
// "epochs=2..10" (ranges; whole numbers where both ends are), or JSON after the '='.
Result<boost::json::object> ParseSpace(const std::vector<std::string>& texts);

// "accuracy>=0.9" or "mae<=2" -> {"metric","at_least"|"at_most"}; "none" -> null.
Result<boost::json::value> ParseGate(std::string_view text);

// "NAME@REFERENCE" -> both; without '@' the reference is `fallback`.
struct Reference {
  std::string name;
  std::string reference;
};
Reference ParseReference(std::string_view text, std::string_view fallback);

// Seconds of "90s", "15m", "12h", "30d".
Result<int64_t> ParseDuration(std::string_view text);

}  // namespace atelier::cli
