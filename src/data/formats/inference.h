// From what a first pass over the rows has seen to the columns of the data set.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "data/checkpoint.h"
#include "data/importer.h"
#include "data/manifest.h"
#include "data/table_builder.h"

namespace atelier::data {

inline constexpr size_t kMaxCategories = 65536;

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// A cell to show in a message.
struct Sighting {
  std::string place;  // "data.csv: row 3"; empty: not seen
  std::string text;
};

// What one column has shown. The distinct values are kept while they are few enough to be categories.
struct ColumnScan {
  std::string name;
  int64_t missing = 0;
  int64_t numbers = 0;
  int64_t words = 0;
  int64_t arrays = 0;    // of numbers
  int64_t nested = 0;    // of other things, and objects: JSON text
  bool texts = false;    // there were strings, even if only empty ones
  bool integers = true;  // all numbers are whole
  Sighting first_word;
  Sighting first_overflow;
  std::vector<int64_t> shape;  // of arrays
  std::unordered_set<std::string, TextHash, std::equal_to<>> distinct;
  bool prose = false;  // a value is too long to be meant as a category
  bool many = false;   // too many or too long to be categories

  // `budget`: bytes that all columns together may still keep. `place` is called for messages only.
  void AddCell(std::string_view cell, size_t& budget, const std::function<std::string()>& place);
  void AddNumber(double value, size_t& budget);
  void AddWord(std::string_view word, size_t& budget, const std::function<std::string()>& place);

 private:
  void Keep(std::string_view text, size_t& budget);
};

inline constexpr size_t kDistinctBudget = size_t{256} << 20U;

using Codes = std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>>;

struct TablePlan {
  Manifest schema;
  std::vector<Codes> codes;  // a column: its categories' numbers by the text of the cell; empty for other types
  std::vector<bool> lines;   // a column: a text of lines, as which lists of strings are written
  std::vector<std::string> warnings;
};

// Types, target and task, by the options or by guess. Errors: kInvalidArgument (an option names no column, a column
// does not have the type that is asked of it).
Result<TablePlan> PlanTable(std::vector<ColumnScan> scans, const ImportOptions& options, std::string format);

// Keeps a plan for a run that goes on after a kill, and finds it again.
Status KeepPlan(Checkpoint& checkpoint, const TablePlan& plan);
std::optional<TablePlan> ReadPlan(const Checkpoint& checkpoint);

// Puts a text cell into the row, as the plan has it. Errors: kInternal where the first pass did not see it.
Status PutCell(TableBuilder& table, const TablePlan& plan, size_t column, std::string_view raw);

}  // namespace atelier::data
