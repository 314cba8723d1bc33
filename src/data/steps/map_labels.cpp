// map_labels: other names for labels and texts.
#include <limits>

#include "data/steps/kinds.h"
#include "data/steps/labels.h"
#include "data/steps/text_step.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

class RecodeStep final : public Step {
 public:
  RecodeStep(size_t column, std::vector<int32_t> codes)
      : Step(kChangesLayout), column_(column), codes_(std::move(codes)) {}

  Status Apply(Batch& batch) override {
    for (int32_t& code : batch.columns[column_].codes) {
      code = code < 0 ? -1 : codes_[static_cast<size_t>(code)];
    }
    return {};
  }

 private:
  size_t column_;
  std::vector<int32_t> codes_;
};

// The new name; "" for one that is to be missing. Errors: an unknown one, where that is not wanted.
Result<std::string> NewName(const Arguments& arguments, std::string_view old) {
  const json::object& map = arguments.Map("labels");
  const std::string other = arguments.Text("other");
  if (const json::value* found = map.if_contains(old); found != nullptr) {
    return found->is_string() ? std::string(found->get_string()) : std::string();
  }
  if (other == "fail") {
    return InvalidArgument("'" + std::string(old.substr(0, 100)) + "' has no entry in 'labels'", "labels");
  }
  return other == "keep" ? std::string(old) : std::string();
}

Result<std::unique_ptr<Step>> MapTexts(const Arguments& arguments) {
  return MakeTextMap(
      arguments.Columns("column"), [arguments](std::string_view text, int64_t row, std::string& out) -> Status {
        auto name = NewName(arguments, text);
        if (!name.ok()) {
          return InvalidArgument("row " + std::to_string(row + 1) + ": " + name.error().message, name.error().param);
        }
        out = *std::move(name);
        return {};
      });
}

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& schema) {
  SchemaColumn& column = schema.columns[arguments.Column("column")];
  if (column.type == ColumnType::kText) {
    return MapTexts(arguments);
  }
  const LabelIndex known(column.categories);
  for (const auto& member : arguments.Map("labels")) {
    if (!column.open && known.Find(member.key()) < 0) {
      const std::string label(member.key().substr(0, 100));
      return arguments.Wrong("labels." + label, "column '" + column.name + "' has no label '" + label + "'");
    }
  }
  std::vector<std::string> names;
  std::vector<size_t> from;  // the old code of each
  for (size_t code = 0; code < column.categories.size(); ++code) {
    auto name = NewName(arguments, column.categories[code]);
    if (!name.ok()) {
      return arguments.Wrong("labels", name.error().message);
    }
    if (!name->empty()) {
      names.push_back(*std::move(name));
      from.push_back(code);
    }
  }
  SortedLabels sorted = SortLabels(names);
  std::vector<int32_t> codes(column.categories.size(), -1);
  for (size_t i = 0; i < from.size(); ++i) {
    codes[from[i]] = sorted.places[i];
  }
  column.categories = std::move(sorted.labels);
  return std::unique_ptr<Step>(std::make_unique<RecodeStep>(arguments.Column("column"), std::move(codes)));
}

constexpr Parameter kParameters[] = {{.name = "column",
                                      .type = ParameterType::kColumn,
                                      .help = "A category or text column",
                                      .fallback = "",
                                      .columns = kCategory | kText},
                                     {.name = "labels",
                                      .type = ParameterType::kMap,
                                      .help = "Old value: new value, or null for a missing one; several may become one",
                                      .fallback = ""},
                                     {.name = "other",
                                      .type = ParameterType::kChoice,
                                      .help = "What happens to values that are not listed",
                                      .fallback = "\"keep\"",
                                      .choices = "keep|missing|fail"}};

}  // namespace

const StepKind kMapLabelsStep{"map_labels", "Give labels or texts other names", kParameters, Make};

}  // namespace atelier::data::steps
