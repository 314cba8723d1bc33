#include "data/formats/document_labels.h"

#include "data/formats/cells.h"
#include "data/formats/inference.h"
#include "data/formats/line_table.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxLabelBytes = 1024;

// The name of the folder that a document lies in; empty: none, or that of a split.
std::string FolderOf(const std::string& path) {
  const auto components = Components(path);
  if (components.size() < 2 || SplitFromWord(components[components.size() - 2])) {
    return "";
  }
  return std::string(components[components.size() - 2]);
}

}  // namespace

bool DocumentLabels::IsList(std::string_view path) { return LowerAscii(FileName(path)) == "cats.txt"; }

Status DocumentLabels::ReadList(FormatContext& context, const SourceFile& file) {
  has_list_ = true;
  return ForEachLine(context, file, [&](std::string_view line, int64_t /*number*/) -> Status {
    line = Trim(line);
    const size_t end = line.find_first_of(" \t");
    std::string_view label = end == std::string_view::npos ? std::string_view() : Trim(line.substr(end));
    label = label.substr(0, label.find_first_of(" \t"));  // the first of several
    if (label.empty() || label.size() > kMaxLabelBytes) {
      return InvalidArgument("this is no document with a class behind it", "files", "invalid_text");
    }
    listed_.emplace(FileName(line.substr(0, end)), label);
    return {};
  });
}

std::string DocumentLabels::LabelOf(const SourceFile& file) const {
  if (!has_list_) {
    return FolderOf(file.path);
  }
  const auto found = listed_.find(FileName(file.path));
  return found == listed_.end() ? "" : found->second;
}

Result<DocumentLabels> DocumentLabels::Find(FormatContext& context) {
  DocumentLabels out;
  for (const auto& file : context.files) {
    if (IsList(file.path)) {
      ATELIER_TRY(out.ReadList(context, file));
    }
  }
  for (const auto& file : context.files) {
    if (IsList(file.path)) {
      continue;
    }
    const std::string label = out.LabelOf(file);
    if (label.empty() && out.has_list_) {
      return InvalidArgument(file.path + ": cats.txt does not say its class", "files", "invalid_text");
    }
    if (label.empty() || out.codes_.size() > kMaxCategories) {
      out.codes_.clear();
      return out;
    }
    out.codes_.emplace(label, 0);
  }
  if (out.codes_.size() < 2) {
    out.codes_.clear();
  }
  for (auto& [name, code] : out.codes_) {
    code = static_cast<int32_t>(out.categories_.size());
    out.categories_.push_back(name);
  }
  return out;
}

void DocumentLabels::AddTo(Manifest& schema, const ImportOptions& options) const {
  if (!any()) {
    return;
  }
  schema.columns.push_back({.name = "label", .type = ColumnType::kCategory, .categories = categories_});
  if (options.task != "none") {
    schema.target = "label";
    schema.task = Task::kClassification;
  }
}

int32_t DocumentLabels::Of(const SourceFile& file) const {
  const auto found = codes_.find(LabelOf(file));
  return found == codes_.end() ? -1 : found->second;
}

}  // namespace atelier::data
