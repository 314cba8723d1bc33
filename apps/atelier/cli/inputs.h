// What `predict` is asked about: pictures, records, numbers, text.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::cli {

// One argument, read. `file` is set where the argument names a file to be sent as it is; otherwise `values` holds one
// or (from @file.json) several inputs.
struct Input {
  std::string label;  // how the argument is shown in the answer's table
  std::string file;
  std::vector<boost::json::value> values;
};

// The forms, tried in this order:
//   @FILE.json    the JSON of the file: {"inputs":[...]}, or a list of records or texts, is several inputs; else one
//   [..] or {..}  JSON
//   FILE          an existing file: sent as it is
//   1,2.5,3       a list of numbers
//   a=1,b=x y     a record; a value in double quotes may hold commas, and is text
//   anything else text
// Errors: kInvalidArgument "usage" (malformed JSON, a file that cannot be read, a picture's name without a file).
Result<Input> ParseInput(const std::string& argument);

// The numbers of "1,2.5,3", or an error.
Result<boost::json::array> ParseNumbers(std::string_view text);
// The fields of `a=1,b="x,y"`, or an error.
Result<boost::json::object> ParseRecord(std::string_view text);

}  // namespace atelier::cli
