// Lines that a format takes apart into named fields, as the rows of a table. Two passes, as for CSV.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/formats/format.h"

namespace atelier::data {

struct LineFields {
  std::vector<std::string> names;
  std::string text{};  // the column that is a text whatever it looks like; empty: guessed as the others
  // Fills in as many fields as there are names. Errors: what is wrong with the line, without the place.
  std::function<Status(std::string_view line, std::vector<std::string_view>& fields)> split;
};

// Blank lines are left out. Errors: kInvalidArgument naming file and line; no rows.
Status ReadLineTable(FormatContext& context, std::string format, const LineFields& fields);

// Calls `use` with each line of one file that is not blank, and its number; its error gets the place in front.
Status ForEachLine(FormatContext& context, const SourceFile& file,
                   const std::function<Status(std::string_view line, int64_t number)>& use);

}  // namespace atelier::data
