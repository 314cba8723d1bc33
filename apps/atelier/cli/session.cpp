#include "atelier/cli/session.h"

#include <algorithm>
#include <cstdio>

#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr size_t kMaxConfusionLabels = 20;

bool IsPlain(const json::value& value) { return !value.is_object() && !value.is_array(); }

// The depth is bounded by the parser that read the value.
void Pretty(const json::value& value, size_t depth, std::string& out) {
  const std::string inner(2 * (depth + 1), ' ');
  const std::string outer(2 * depth, ' ');
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    std::string_view separator = "{\n";
    for (const auto& member : *object) {
      out += separator;
      out += inner + json::serialize(json::string(member.key())) + ": ";
      Pretty(member.value(), depth + 1, out);
      separator = ",\n";
    }
    out += "\n" + outer + "}";
    return;
  }
  const auto* array = value.if_array();
  if (array == nullptr || std::all_of(array->begin(), array->end(), IsPlain)) {
    out += json::serialize(value);
    return;
  }
  std::string_view separator = "[\n";
  for (const auto& item : *array) {
    out += separator;
    out += inner;
    Pretty(item, depth + 1, out);
    separator = ",\n";
  }
  out += "\n" + outer + "]";
}

// The labels of a confusion matrix, or their numbers.
std::vector<std::string> ConfusionLabels(const json::object& metrics, size_t count) {
  const auto& given = ArrayIn(metrics, "labels");
  std::vector<std::string> labels;
  for (size_t i = 0; i < count; ++i) {
    labels.push_back(i < given.size() ? CellOf(given[i]) : std::to_string(i));
  }
  return labels;
}

std::string ConfusionTable(const json::object& metrics) {
  const auto& matrix = ArrayIn(metrics, "confusion_matrix");
  if (matrix.empty() || matrix.size() > kMaxConfusionLabels) {
    return "";
  }
  const auto labels = ConfusionLabels(metrics, matrix.size());
  std::vector<std::string> header{"TRUE \\ PREDICTED"};
  for (const auto& label : labels) {
    header.push_back(Escape(label));
  }
  Table table(std::move(header));
  for (size_t r = 0; r < matrix.size(); ++r) {
    std::vector<std::string> row{labels[r]};
    if (const auto* counts = matrix[r].if_array()) {
      for (const auto& count : *counts) {
        row.push_back(CellOf(count));
      }
    }
    table.Add(std::move(row));
  }
  return table.Text();
}

}  // namespace

void PrintJson(const json::value& value) { PrintText(PrettyJson(value)); }

void PrintText(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string PrettyJson(const json::value& value) {
  std::string out;
  Pretty(value, 0, out);
  return out + "\n";
}

std::string CellOf(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "-";
    case json::kind::string:
      return std::string(value.get_string());
    case json::kind::double_:
      return HumanNumber(value.get_double());
    default:
      return json::serialize(value);
  }
}

std::string Cell(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? "-" : CellOf(*value);
}

std::string TimeCell(const json::object& object, std::string_view key) { return HumanTime(GetInt(object, key)); }

const json::object& ObjectIn(const json::object& object, std::string_view key) {
  static const json::object kEmpty;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

const json::array& ArrayIn(const json::object& object, std::string_view key) {
  static const json::array kEmpty;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : kEmpty;
}

std::string MetricsLine(const json::object& metrics, size_t limit) {
  std::string line;
  size_t count = 0;
  for (const auto& member : metrics) {
    if (member.value().is_number() && count < limit) {
      line += (line.empty() ? "" : "  ") + std::string(member.key()) + " " + CellOf(member.value());
      ++count;
    }
  }
  return line.empty() ? "-" : line;
}

std::string MetricsTable(const json::object& metrics) {
  const auto& intervals = ObjectIn(metrics, "intervals");
  Table table(intervals.empty() ? std::vector<std::string>{"METRIC", "VALUE"}
                                : std::vector<std::string>{"METRIC", "VALUE", "95 %"});
  for (const auto& member : metrics) {
    if (member.value().is_number()) {
      const auto& interval = ArrayIn(intervals, member.key());
      const bool known = interval.size() == 2;
      table.Add({std::string(member.key()), CellOf(member.value()),
                 known ? CellOf(interval[0]) + " to " + CellOf(interval[1]) : ""});
    } else if (member.value().is_object()) {
      for (const auto& inner : member.value().get_object()) {
        if (inner.value().is_number()) {
          table.Add({std::string(member.key()) + "." + std::string(inner.key()), CellOf(inner.value())});
        }
      }
    }
  }
  const std::string confusion = ConfusionTable(metrics);
  return table.Text() + (confusion.empty() ? "" : "\n" + confusion);
}

}  // namespace atelier::cli
