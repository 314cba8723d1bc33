// Lines "label text", as for TREC's questions, or "__label__x text" as fastText has them. A label "COARSE:fine" makes
// two columns of it: `label` is COARSE, `fine` is all of it.
#include <algorithm>

#include "data/formats/cells.h"
#include "data/formats/csv_sniff.h"
#include "data/formats/line_table.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr std::string_view kPrefix = "__label__";

// The first word of a line, or what stands before the delimiter.
std::string_view Label(std::string_view line, const std::string& delimiter) {
  return line.substr(0, delimiter.empty() ? line.find_first_of(" \t") : line.find(delimiter.front()));
}

Status TakeApart(std::string_view line, const std::string& delimiter, bool fine,
                 std::vector<std::string_view>& fields) {
  if (delimiter.empty()) {
    line = Trim(line);
  }
  const std::string_view label = Label(line, delimiter);
  std::string_view text = line.substr(std::min(label.size() + 1, line.size()));
  std::string_view name = Trim(label);
  if (name.starts_with(kPrefix)) {
    name.remove_prefix(kPrefix.size());
    if (Trim(text).starts_with(kPrefix)) {
      return InvalidArgument("the line has more than one label", "files", "invalid_text");
    }
  }
  if (name.empty() || Trim(text).empty()) {
    return InvalidArgument("the line is no label with a text behind it", "files", "invalid_text");
  }
  fields.clear();
  fields.push_back(fine ? name.substr(0, name.find(':')) : name);
  if (fine) {
    fields.push_back(name);
  }
  fields.push_back(Trim(text));
  return {};
}

Result<std::string> FirstLine(FormatContext& context) {
  bool whole = false;
  ATELIER_ASSIGN(sample, context.Peek(context.files.front(), kSniffBytes, whole));
  std::string_view rest = sample;
  if (rest.starts_with("\xEF\xBB\xBF")) {
    rest.remove_prefix(3);
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  return std::string(rest.substr(0, rest.find('\n')));
}

Status Read(FormatContext& context) {
  ATELIER_ASSIGN(first, FirstLine(context));
  const std::string& delimiter = context.options.delimiter;
  const std::string_view label = Label(first, delimiter);
  const size_t colon = label.find(':');
  const bool fine = colon != std::string_view::npos && colon > 0 && colon + 1 < label.size();
  LineFields fields;
  fields.names = fine ? std::vector<std::string>{"label", "fine", "text"} : std::vector<std::string>{"label", "text"};
  fields.text = "text";
  fields.split = [&](std::string_view line, std::vector<std::string_view>& out) {
    return TakeApart(line, delimiter, fine, out);
  };
  return ReadLineTable(context, "labelled", fields);
}

bool Claims(std::string_view path) {
  const std::string extension = DataExtension(path);
  return extension == "txt" || extension == "ft" || extension == "train" || extension == "valid" ||
         extension == "test" || extension.empty();
}

Result<bool> Accepts(FormatContext& context) {
  ATELIER_ASSIGN(first, FirstLine(context));
  return first.starts_with(kPrefix);
}

}  // namespace

const Format kLabelledFormat{.name = "labelled", .passes = 2, .claims = Claims, .read = Read, .accepts = Accepts};

}  // namespace atelier::data
