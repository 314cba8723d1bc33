// The columns of a table as the steps change them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"

namespace atelier::data::steps {

struct SchemaColumn : Column {
  bool open = false;  // category: its labels are known only when an earlier step has looked at all the rows
};

struct Schema {
  std::vector<SchemaColumn> columns;
  std::string target;
  Task task = Task::kNone;

  std::optional<size_t> Find(std::string_view name) const;
  // After columns went, came or changed: no target that is gone, and the task that fits its type.
  void Settle();
};

Schema SchemaOf(const Manifest& manifest);
// Copies of some of its columns.
std::vector<SchemaColumn> ColumnsOf(const Schema& schema, const std::vector<size_t>& columns);

// The kinds of columns that a parameter may name, as flags.
inline constexpr unsigned kScalar = 1;  // number without a shape
inline constexpr unsigned kVector = 2;  // number with one
inline constexpr unsigned kCategory = 4;
inline constexpr unsigned kText = 8;
inline constexpr unsigned kImage = 16;
inline constexpr unsigned kAudio = 32;
inline constexpr unsigned kAnyColumn = 63;
unsigned KindOf(const Column& column);

inline constexpr size_t kMaxColumns = 4096;
inline constexpr size_t kMaxNameBytes = 256;

// Labels in the order of a manifest (by number where all are numbers, else by bytes), each once, and for each of the
// old labels its place in the new list.
struct SortedLabels {
  std::vector<std::string> labels;
  std::vector<int32_t> places;
};
SortedLabels SortLabels(const std::vector<std::string>& labels);

}  // namespace atelier::data::steps
