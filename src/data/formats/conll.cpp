// The columns of the CoNLL shared tasks (https://www.clips.uantwerpen.be/conll2002/ner): a token a line, its tags
// behind it, a blank line between sentences. A row is a sentence; its tokens are joined by single spaces, which no
// token holds, and so are its tags, so that the n-th of one column belongs to the n-th of another. Lines "-DOCSTART-"
// are left out.
#include <algorithm>
#include <array>

#include "data/formats/cells.h"
#include "data/formats/csv_sniff.h"
#include "data/formats/line_reader.h"
#include "data/formats/paths.h"
#include "data/formats/text_columns.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxFields = 64;
constexpr size_t kMaxSentenceBytes = size_t{8} << 20U;
constexpr std::string_view kDocumentStart = "-DOCSTART-";

// The words of a line, between tabs where there are any, else between spaces.
void SplitLine(std::string_view line, std::vector<std::string_view>& out) {
  out.clear();
  const std::string_view separators = line.find('\t') == std::string_view::npos ? " " : "\t";
  size_t at = 0;
  while (at < line.size()) {
    const size_t begin = line.find_first_not_of(separators, at);
    if (begin == std::string_view::npos) {
      return;
    }
    at = std::min(line.find_first_of(separators, begin), line.size());
    out.push_back(line.substr(begin, at - begin));
  }
}

std::vector<std::string> DefaultNames(size_t count) {
  std::vector<std::string> names{"tokens"};
  static constexpr std::array<std::string_view, 3> kBetween{"", "pos", "chunks"};
  for (size_t i = 1; i + 1 < count; ++i) {
    names.push_back(count <= 4 ? std::string(kBetween.at(i)) : "column_" + std::to_string(i + 1));
  }
  if (count > 1) {
    names.emplace_back("tags");
  }
  return names;
}

class ConllImport {
 public:
  explicit ConllImport(FormatContext& context) : context_(context) {}

  Status Run() {
    ATELIER_TRY(CheckFixedColumns(context_.options, "conll", ""));
    for (const auto& file : context_.files) {
      ATELIER_TRY(ReadFile(file));
    }
    return columns_.empty() ? Status(InvalidArgument(context_.files.front().path + ": there are no sentences", "files",
                                                     "invalid_text"))
                            : Status();
  }

 private:
  Status ReadFile(const SourceFile& file) {
    ATELIER_ASSIGN(input, context_.Open(file));
    LineReader reader(input->Source(), file.path, "invalid_text");
    split_ = SplitFromPath(file.path);
    std::string_view line;
    while (true) {
      ATELIER_ASSIGN(more, reader.NextText(line));
      if (!more) {
        return EndSentence();
      }
      SplitLine(line, fields_);
      if (fields_.empty() || fields_[0] == kDocumentStart) {
        ATELIER_TRY(EndSentence());
        continue;
      }
      if (auto added = AddToken(); !added.ok()) {
        Error error = std::move(added).error();
        error.message = file.path + ": line " + std::to_string(reader.number()) + " " + error.message;
        return error;
      }
    }
  }

  Status AddToken() {
    if (columns_.empty()) {
      if (fields_.size() > kMaxFields) {
        return InvalidArgument("has more than " + std::to_string(kMaxFields) + " columns", "files", "invalid_text");
      }
      ATELIER_ASSIGN(schema, TextSchema(context_.options, "conll", DefaultNames(fields_.size())));
      ATELIER_TRY(context_.table.Begin(std::move(schema)));
      columns_.resize(fields_.size());
    }
    if (fields_.size() != columns_.size()) {
      return InvalidArgument(
          "has " + std::to_string(fields_.size()) + " columns, the first has " + std::to_string(columns_.size()),
          "files", "invalid_text");
    }
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].find(' ') != std::string_view::npos) {
        return InvalidArgument("has a space within a token or tag", "files", "invalid_text");
      }
      columns_[i].append(columns_[i].empty() ? "" : " ").append(fields_[i]);
    }
    return columns_[0].size() > kMaxSentenceBytes
               ? Status(InvalidArgument("is in a sentence of more than 8 MiB; blank lines end sentences", "files",
                                        "invalid_text"))
               : Status();
  }

  Status EndSentence() {
    if (columns_.empty() || columns_[0].empty()) {
      return {};
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      context_.table.SetBytes(i, columns_[i]);
      columns_[i].clear();
    }
    return context_.table.EndRow(split_);
  }

  FormatContext& context_;
  std::optional<Split> split_;
  std::vector<std::string_view> fields_;
  std::vector<std::string> columns_;  // of the sentence so far
};

Status Read(FormatContext& context) { return ConllImport(context).Run(); }

bool Claims(std::string_view path) {
  static constexpr std::array<std::string_view, 12> kExtensions{"conll", "bio", "bioes", "iob",  "iob2",  "ner",
                                                                "txt",   "dev", "train", "test", "testa", "testb"};
  return std::ranges::find(kExtensions, DataExtension(path)) != kExtensions.end();
}

// Lines of one number of words, at least two, the last of which is no number, with blank lines between some of them.
bool LooksLikeTokens(std::string_view text, bool whole) {
  if (!whole) {
    text = text.substr(0, text.rfind('\n') + 1);
  }
  std::vector<std::string_view> fields;
  size_t columns = 0;
  size_t tokens = 0;
  bool blank = false;
  bool sentences = false;  // a token came behind a blank line
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    SplitLine(text.substr(0, end - (end > 0 && text[end - 1] == '\r' ? 1 : 0)), fields);
    text.remove_prefix(std::min(end + 1, text.size()));
    double number = 0;
    if (fields.empty() || fields[0] == kDocumentStart) {
      blank = blank || tokens > 0;
      continue;
    }
    columns = tokens == 0 ? fields.size() : columns;
    if (fields.size() < 2 || fields.size() != columns || ParseNumber(fields.back(), number) != NumberKind::kNone) {
      return false;
    }
    sentences = sentences || blank;
    ++tokens;
  }
  return sentences;
}

Result<bool> Accepts(FormatContext& context) {
  const std::string extension = DataExtension(context.files.front().path);
  if (extension == "conll" || extension == "ner" || extension.starts_with("bio") || extension.starts_with("iob")) {
    return true;
  }
  for (const auto& file : context.files) {
    bool whole = false;
    ATELIER_ASSIGN(sample, context.Peek(file, kSniffBytes, whole));
    if (!LooksLikeTokens(sample, whole)) {
      return false;
    }
  }
  return true;
}

}  // namespace

const Format kConllFormat{.name = "conll", .passes = 1, .claims = Claims, .read = Read, .accepts = Accepts};

}  // namespace atelier::data
