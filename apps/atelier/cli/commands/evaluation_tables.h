// What the server says of an evaluation, as tables.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace atelier::cli {

// Of GET /v1/evaluations/{id}/errors; `slice` is what was asked for, empty: the weakest parts.
std::string SlicesTable(const boost::json::object& errors, const std::string& slice);
std::string WorstTable(const boost::json::object& errors);
// Of GET /v1/evaluations/{id}/bias.
std::string BiasTable(const boost::json::object& bias);
// Of POST /v1/evaluations/compare.
std::string ComparisonTable(const boost::json::object& comparison);

}  // namespace atelier::cli
