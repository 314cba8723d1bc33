// Recorded exchanges as rows that models learn from.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/traffic/store.h"

namespace atelier::data {

// Columns that a row may have beside what models learn from.
inline constexpr std::string_view kExtraColumns[] = {"id", "created_at", "deployment", "model", "score", "comment"};

// One row an answer, or one an input of a prediction:
//   chat:       {"messages": [..., {"role": "assistant", "content"}]}
//   completion: {"instruction": prompt, "output": text}
//   predict:    {"text": input} of a text, {"input": numbers}, or the fields of a record; and "label" or "value", or
//               "answer", as the model gave it
// A correction stands in the place of the answer (of a prediction: where it had one input; the row is left out where
// its value is a number and the correction none). An extra column whose name the row has already is called
// "traffic_NAME". None where the record has another form.
std::vector<boost::json::object> RowsOf(const TrafficRecord& record, const std::vector<std::string>& extra_columns);

}  // namespace atelier::data
