#include "atelier/cli/dataset_version.h"

#include "atelier/cli/follow.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/url.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

std::string SplitText(const json::object& manifest) {
  const auto& rows = ObjectIn(manifest, "split_rows");
  return "train " + std::to_string(GetInt(rows, "train")) + ", validation " +
         std::to_string(GetInt(rows, "validation")) + ", test " + std::to_string(GetInt(rows, "test"));
}

std::string ShapeText(const json::object& column) {
  std::string text;
  if (const auto& labels = ArrayIn(column, "categories"); !labels.empty()) {
    for (size_t i = 0; i < labels.size() && i < 8; ++i) {
      text += (i == 0 ? "" : ", ") + CellOf(labels[i]);
    }
    return std::to_string(labels.size()) + ": " + text + (labels.size() > 8 ? ", \u2026" : "");
  }
  for (const auto& size : ArrayIn(column, "shape")) {
    text += (text.empty() ? "" : "x") + CellOf(size);
  }
  return text;
}

// Where a version comes from: recorded answers, or its parent and each step with its rows in and out.
std::string LineageText(const json::object& lineage) {
  if (lineage.empty()) {
    return "";
  }
  if (lineage.contains("traffic")) {
    return "from served traffic: " + Escape(json::serialize(ObjectIn(lineage, "traffic"))) + "\n";
  }
  const auto& parent = ObjectIn(lineage, "parent");
  std::string out = "from " + GetString(parent, "dataset") + "@" + Cell(parent, "version") + ", seed " +
                    Cell(lineage, "seed") + ":\n";
  const auto& counts = ArrayIn(ObjectIn(lineage, "report"), "steps");
  const auto& steps = ArrayIn(lineage, "steps");
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].is_object()) {
      continue;
    }
    json::object parameters;
    for (const auto& member : steps[i].get_object()) {
      if (member.key() != "step" && !member.value().is_null()) {
        parameters.emplace(member.key(), member.value());
      }
    }
    out += "  " + Escape(GetString(steps[i].get_object(), "step") + "  " + json::serialize(parameters));
    if (i < counts.size() && counts[i].is_object()) {
      out +=
          "  " + Cell(counts[i].get_object(), "rows_in") + " -> " + Cell(counts[i].get_object(), "rows_out") + " rows";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

void PrintVersion(const json::object& version) {
  const auto& manifest = ObjectIn(version, "manifest");
  std::string head = GetString(version, "name", GetString(version, "dataset")) + "@" + Cell(version, "version") + "  " +
                     std::to_string(GetInt(version, "rows")) + " rows (" + SplitText(manifest) + ")  " +
                     GetString(manifest, "format") + "  " + GetString(manifest, "task");
  if (const std::string target = GetString(manifest, "target"); !target.empty()) {
    head += " of '" + target + "'";
  }
  Table table({"COLUMN", "TYPE", "VALUES", "MISSING", "MINIMUM", "MAXIMUM", "MEAN", "DEVIATION"});
  for (const auto& value : ArrayIn(manifest, "columns")) {
    if (const auto* column = value.if_object()) {
      const auto& statistics = ObjectIn(*column, "statistics");
      const bool counted = GetString(*column, "type") == "number" || statistics.contains("maximum");
      const auto number = [&](std::string_view key) { return counted ? Cell(statistics, key) : std::string(); };
      table.Add({Cell(*column, "name"), Cell(*column, "type"), ShapeText(*column), Cell(statistics, "missing"),
                 number("minimum"), number("maximum"), number("mean"), number("standard_deviation")});
    }
  }
  PrintText(Escape(head) + "\n" + LineageText(ObjectIn(manifest, "lineage")) + "\n" + table.Text());
}

Result<json::object> GetVersion(Session& session, const std::string& name, const std::string& version) {
  return session.api.Get("/v1/datasets/" + PercentEncode(name) + "/versions/" + PercentEncode(version));
}

Status FinishVersion(Session& session, const json::object& job, const std::string& name) {
  Progress progress(stderr);
  ATELIER_ASSIGN(done, FollowJob(session.api, GetString(job, "id"), progress));
  const auto& result = ObjectIn(done, "result");
  if (session.json) {
    PrintJson(done);
    return {};
  }
  for (const auto& warning : ArrayIn(result, "warnings")) {
    std::fprintf(stderr, "warning: %s\n", Escape(CellOf(warning)).c_str());
  }
  ATELIER_ASSIGN(version, GetVersion(session, name, Cell(result, "version")));
  PrintVersion(version);
  return {};
}

}  // namespace atelier::cli
