#include "data/formats/class_names.h"

#include <algorithm>
#include <array>
#include <set>

#include "data/formats/cells.h"
#include "data/formats/line_reader.h"
#include "data/formats/paths.h"

namespace atelier::data {

bool IsClassNames(std::string_view path) {
  static constexpr std::array<std::string_view, 4> kFiles{"class.txt", "classes.txt", "labels.txt", "class_names.txt"};
  return std::ranges::find(kFiles, LowerAscii(FileName(path))) != kFiles.end();
}

Status ClassNames::Read(FormatContext& context, const SourceFile& file) {
  if (!path_.empty()) {
    return InvalidArgument(file.path + ": there are two files of class names, the other is " + path_, "files");
  }
  path_ = file.path;
  ATELIER_ASSIGN(input, context.Open(file));
  LineReader reader(input->Source(), file.path, "invalid_text");
  std::string_view line;
  std::set<std::string> seen;
  while (true) {
    ATELIER_ASSIGN(more, reader.NextText(line));
    if (!more) {
      break;
    }
    const std::string name(Trim(line));
    if (name.empty()) {
      continue;
    }
    if (names_.size() >= kMaxCategories || !seen.insert(name).second) {
      return InvalidArgument(file.path + ": line " + std::to_string(reader.number()) +
                                 " has a name that is there already, or there are too many",
                             "files", "invalid_text");
    }
    names_.push_back(name);
  }
  return names_.empty() ? Status(InvalidArgument(file.path + ": it names no class", "files", "invalid_text"))
                        : Status();
}

Status ClassNames::Apply(TablePlan& plan) const {
  if (path_.empty()) {
    return {};
  }
  for (size_t i = 0; i < plan.schema.columns.size(); ++i) {
    Column& column = plan.schema.columns[i];
    if (column.name != plan.schema.target || column.type != ColumnType::kCategory) {
      continue;
    }
    std::vector<int32_t> classes;
    for (const auto& category : column.categories) {
      double number = 0;
      if (ParseNumber(category, number) != NumberKind::kInteger || number < 0 ||
          number >= static_cast<double>(names_.size())) {
        return InvalidArgument(path_ + " has " + std::to_string(names_.size()) + " names, but column '" + column.name +
                                   "' has the class '" + category + "'",
                               "files", "invalid_text");
      }
      classes.push_back(static_cast<int32_t>(number));
    }
    for (auto& [text, code] : plan.codes[i]) {
      code = classes[static_cast<size_t>(code)];
    }
    column.categories = names_;
    return {};
  }
  return InvalidArgument(path_ + " names classes, but the table has no target of classes", "files", "invalid_text");
}

}  // namespace atelier::data
