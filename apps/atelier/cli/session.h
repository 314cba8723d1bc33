// What a command works with, and how it answers.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "atelier/cli/api.h"
#include "base/result.h"

namespace atelier::cli {

struct Session {
  Api api;
  bool json = false;               // --json: one JSON document on standard output
  std::filesystem::path data_dir;  // of a server on this machine
  std::string key_origin;          // where the key came from, for `doctor`; empty: there is none
};

// The command that the arguments chose.
struct Selection {
  std::function<Status(Session&)> run;
};

// To standard output: a document with indentation; text as it is (already escaped).
void PrintJson(const boost::json::value& value);
void PrintText(std::string_view text);

// JSON with two spaces a level, a line feed at the end; empty containers and lists of plain values stay on one line.
std::string PrettyJson(const boost::json::value& value);

// One cell of a table: text as it is, numbers for people, "-" where absent or null.
std::string Cell(const boost::json::object& object, std::string_view key);
std::string CellOf(const boost::json::value& value);
std::string TimeCell(const boost::json::object& object, std::string_view key);  // Unix seconds

// The member as an object or a list; an empty one where it is absent or of another type.
const boost::json::object& ObjectIn(const boost::json::object& object, std::string_view key);
const boost::json::array& ArrayIn(const boost::json::object& object, std::string_view key);

// "accuracy 0.9733  loss 0.08": the plain numbers of an evaluation, at most `limit`.
std::string MetricsLine(const boost::json::object& metrics, size_t limit);
// A table of all plain numbers of an evaluation, and its confusion matrix where it has a small one.
std::string MetricsTable(const boost::json::object& metrics);

}  // namespace atelier::cli
