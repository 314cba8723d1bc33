#include "data/steps/schema.h"

#include <algorithm>
#include <numeric>

#include "data/formats/cells.h"

namespace atelier::data::steps {

std::optional<size_t> Schema::Find(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

void Schema::Settle() {
  const auto found = Find(target);
  if (!found) {
    target.clear();
    task = Task::kNone;
    return;
  }
  if (task != Task::kNone) {
    const unsigned kind = KindOf(columns[*found]);
    task = kind == kCategory ? Task::kClassification : kind == kScalar ? Task::kRegression : Task::kNone;
  }
}

Schema SchemaOf(const Manifest& manifest) {
  Schema schema;
  for (const Column& column : manifest.columns) {
    SchemaColumn added;
    static_cast<Column&>(added) = column;
    schema.columns.push_back(std::move(added));
  }
  schema.target = manifest.target;
  schema.task = manifest.task;
  return schema;
}

std::vector<SchemaColumn> ColumnsOf(const Schema& schema, const std::vector<size_t>& columns) {
  std::vector<SchemaColumn> out;
  for (const size_t index : columns) {
    out.push_back(schema.columns[index]);
  }
  return out;
}

unsigned KindOf(const Column& column) {
  switch (column.type) {
    case ColumnType::kNumber:
      return column.shape.empty() ? kScalar : kVector;
    case ColumnType::kCategory:
      return kCategory;
    case ColumnType::kText:
      return kText;
    case ColumnType::kImage:
      return kImage;
    case ColumnType::kAudio:
      return kAudio;
  }
  return 0;
}

SortedLabels SortLabels(const std::vector<std::string>& labels) {
  std::vector<double> numbers(labels.size());
  bool numeric = true;
  for (size_t i = 0; i < labels.size(); ++i) {
    const NumberKind kind = ParseNumber(labels[i], numbers[i]);
    numeric = numeric && kind != NumberKind::kNone && kind != NumberKind::kOverflow;
  }
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    return numeric && numbers[a] != numbers[b] ? numbers[a] < numbers[b] : labels[a] < labels[b];
  });
  SortedLabels out;
  out.places.resize(labels.size());
  for (const size_t i : order) {
    if (out.labels.empty() || out.labels.back() != labels[i]) {
      out.labels.push_back(labels[i]);
    }
    out.places[i] = static_cast<int32_t>(out.labels.size()) - 1;
  }
  return out;
}

}  // namespace atelier::data::steps
