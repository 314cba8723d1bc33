// Texts whose words carry their tags, as in the Brown corpus: "The/at Fulton/np-tl County/nn-tl". A row is a line, or a
// document; tokens and tags are joined by single spaces, as for CoNLL's columns.
#include <algorithm>

#include "data/formats/csv_sniff.h"
#include "data/formats/document_labels.h"
#include "data/formats/line_reader.h"
#include "data/formats/paths.h"
#include "data/formats/text_columns.h"

namespace atelier::data {
namespace {

constexpr std::string_view kSpaces = " \t";

// Calls `use` with token and tag of each word, which stand before and behind its last '/'; false where a word is none.
template <class Use>
bool ForEachWord(std::string_view line, const Use& use) {
  size_t at = 0;
  while (true) {
    const size_t begin = line.find_first_not_of(kSpaces, at);
    if (begin == std::string_view::npos) {
      return true;
    }
    at = std::min(line.find_first_of(kSpaces, begin), line.size());
    const std::string_view word = line.substr(begin, at - begin);
    const size_t slash = word.rfind('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == word.size()) {
      return false;
    }
    use(word.substr(0, slash), word.substr(slash + 1));
  }
}

class TaggedImport {
 public:
  explicit TaggedImport(FormatContext& context) : context_(context) {}

  Status Run() {
    ATELIER_ASSIGN(labels, DocumentLabels::Find(context_));
    ATELIER_TRY(CheckFixedColumns(context_.options, "tagged", labels.any() ? "label" : ""));
    ATELIER_ASSIGN(schema, TextSchema(context_.options, "tagged", {"tokens", "tags"}));
    labels.AddTo(schema, context_.options);
    ATELIER_TRY(context_.table.Begin(std::move(schema)));
    for (const auto& file : context_.files) {
      if (!DocumentLabels::IsList(file.path)) {
        label_ = labels.any() ? std::optional(labels.Of(file)) : std::nullopt;
        ATELIER_TRY(ReadFile(file));
      }
    }
    return {};
  }

 private:
  Status ReadFile(const SourceFile& file) {
    ATELIER_ASSIGN(input, context_.Open(file));
    LineReader reader(input->Source(), file.path, "invalid_text");
    const auto split = SplitFromPath(file.path);
    std::string_view line;
    while (true) {
      ATELIER_ASSIGN(more, reader.NextText(line));
      if (!more) {
        return End(split);
      }
      const bool good = ForEachWord(line, [&](std::string_view token, std::string_view tag) {
        tokens_.append(tokens_.empty() ? "" : " ").append(token);
        tags_.append(tags_.empty() ? "" : " ").append(tag);
      });
      if (!good || tokens_.size() > kMaxDocumentBytes) {
        return InvalidArgument(file.path + ": line " + std::to_string(reader.number()) +
                                   (good ? " ends a document of more than 64 MiB" : " has a word that is no word/TAG"),
                               "files", "invalid_text");
      }
      if (context_.options.unit != "document") {
        ATELIER_TRY(End(split));
      }
    }
  }

  Status End(std::optional<Split> split) {
    if (tokens_.empty()) {
      return {};
    }
    context_.table.SetBytes(0, tokens_);
    context_.table.SetBytes(1, tags_);
    if (label_) {
      context_.table.SetCategory(2, *label_);
    }
    tokens_.clear();
    tags_.clear();
    return context_.table.EndRow(split);
  }

  FormatContext& context_;
  std::optional<int32_t> label_;
  std::string tokens_;
  std::string tags_;
};

bool Claims(std::string_view path) {
  const std::string extension = DataExtension(path);
  return extension == "txt" || extension == "pos" || extension.empty();
}

// The first lines that are not blank are words with tags, several of them.
Result<bool> Accepts(FormatContext& context) {
  const auto document =
      std::ranges::find_if(context.files, [](const auto& file) { return !DocumentLabels::IsList(file.path); });
  if (document == context.files.end()) {
    return false;
  }
  bool whole = false;
  ATELIER_ASSIGN(sample, context.Peek(*document, kSniffBytes, whole));
  std::string_view text = sample;
  text = text.substr(0, whole ? text.size() : text.rfind('\n') + 1);
  int64_t words = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    if (!ForEachWord(text.substr(0, end), [&](std::string_view, std::string_view) { ++words; })) {
      return false;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words >= 3;
}

Status Read(FormatContext& context) { return TaggedImport(context).Run(); }

}  // namespace

const Format kTaggedFormat{.name = "tagged", .passes = 1, .claims = Claims, .read = Read, .accepts = Accepts};

}  // namespace atelier::data
