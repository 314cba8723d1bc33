#include "atelier/cli/commands/evaluation_tables.h"

#include "atelier/cli/session.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr int kCellWidth = 48;

std::string Short(const json::object& object, std::string_view key) { return Fit(Cell(object, key), kCellWidth); }

std::string IntervalOf(const json::object& figure) {
  const auto& interval = ArrayIn(figure, "interval");
  return interval.size() == 2 ? CellOf(interval[0]) + " to " + CellOf(interval[1]) : "-";
}

}  // namespace

std::string SlicesTable(const json::object& errors, const std::string& slice) {
  const std::string metric = Cell(errors, "metric");
  std::string heading = slice.empty() ? "Parts of the data that are answered worse" : "By " + slice;
  heading += "; " + metric + " of all rows: " + Cell(errors, "overall");
  const auto& slices = ArrayIn(errors, "slices");
  if (slices.empty()) {
    return Escape(heading) + "\nnone\n";
  }
  Table table({"BY", "VALUE", "ROWS", metric, "TO THE OTHERS", "P"});
  for (const auto& item : slices) {
    const auto& one = item.as_object();
    table.Add({Cell(one, "slice"), Short(one, "value"), Cell(one, "rows"), Cell(one, "score"), Cell(one, "difference"),
               Cell(one, "p")});
  }
  return Escape(heading) + "\n" + table.Text();
}

std::string WorstTable(const json::object& errors) {
  Table table({"ROW", "TRUE", "PREDICTED", "CONFIDENCE", "SCORE", "INPUT"});
  for (const auto& item : ArrayIn(errors, "worst")) {
    const auto& one = item.as_object();
    table.Add({Cell(one, "row"), Short(one, "truth"), Short(one, "predicted"), Cell(one, "confidence"),
               Cell(one, "score"), Short(one, "input")});
  }
  return "Worst rows\n" + (table.empty() ? "none\n" : table.Text());
}

std::string BiasTable(const json::object& bias) {
  Table groups({"GROUP", "ROWS", Cell(bias, "metric"), "POSITIVE", "PREDICTED SO", "OF THE TRULY SO", "OF THE OTHERS"});
  for (const auto& item : ArrayIn(bias, "groups")) {
    const auto& one = item.as_object();
    const auto& outcomes = ArrayIn(one, "outcomes");
    if (outcomes.empty()) {
      groups.Add({Short(one, "value"), Cell(one, "rows"), Cell(one, "score"), "-", "-", "-", "-"});
    }
    for (const auto& outcome : outcomes) {
      const auto& rates = outcome.as_object();
      groups.Add({Short(one, "value"), Cell(one, "rows"), Cell(one, "score"), Short(rates, "positive"),
                  Cell(rates, "selection_rate"), Cell(rates, "true_positive_rate"),
                  Cell(rates, "false_positive_rate")});
    }
  }
  Table gaps({"GAP", "VALUE", "LOWEST", "HIGHEST", "POSITIVE"});
  for (const auto& item : ArrayIn(bias, "gaps")) {
    const auto& one = item.as_object();
    gaps.Add(
        {Cell(one, "name"), Cell(one, "value"), Short(one, "lowest"), Short(one, "highest"), Short(one, "positive")});
  }
  return Escape("Groups by " + Cell(bias, "group")) + "\n" + groups.Text() + "\n" + gaps.Text();
}

std::string ComparisonTable(const json::object& comparison) {
  const auto name = [&](const char* side) {
    const auto& one = ObjectIn(comparison, side);
    return std::string(side) + ": " + Cell(one, "model") + " (" + Cell(one, "id") + ")";
  };
  std::string text = name("a") + "\n" + name("b") + "\n" + Cell(comparison, "rows") + " rows of " +
                     Cell(ObjectIn(comparison, "a"), "dataset");
  Table table({"METRIC", "A", "B", "B - A", "95 %", "P", "BETTER"});
  for (const auto& item : ArrayIn(comparison, "figures")) {
    const auto& one = item.as_object();
    table.Add({Cell(one, "metric"), Cell(one, "a"), Cell(one, "b"), Cell(one, "difference"), IntervalOf(one),
               Cell(one, "p"), Cell(one, "better")});
  }
  text = Escape(text, Lines::kKeep) + "\n\n" + table.Text();
  if (comparison.contains("mcnemar")) {
    text += "\nonly b is right on " + Cell(comparison, "fixed") + " rows, only a on " + Cell(comparison, "broken") +
            "; McNemar's p " + Cell(ObjectIn(comparison, "mcnemar"), "p") + "\n";
  }
  return text;
}

}  // namespace atelier::cli
