// Plain texts: a row is a document, a paragraph or a line. Folders may name the documents' classes, as in
// train/pos/1.txt.
#include <algorithm>

#include "data/formats/cells.h"
#include "data/formats/document_labels.h"
#include "data/formats/line_reader.h"
#include "data/formats/paths.h"
#include "data/formats/text_columns.h"

namespace atelier::data {
namespace {

class TextImport {
 public:
  explicit TextImport(FormatContext& context) : context_(context) {}

  Status Run() {
    ATELIER_ASSIGN(labels, DocumentLabels::Find(context_));
    labels_ = std::move(labels);
    ATELIER_TRY(CheckFixedColumns(context_.options, "text", labels_.any() ? "label" : ""));
    ATELIER_ASSIGN(schema, TextSchema(context_.options, "text", {"text"}));
    labels_.AddTo(schema, context_.options);
    ATELIER_TRY(context_.table.Begin(std::move(schema)));
    for (const auto& file : context_.files) {
      if (!DocumentLabels::IsList(file.path)) {
        label_ = labels_.Of(file);
        split_ = SplitFromPath(file.path);
        ATELIER_TRY(context_.options.unit == "line" || context_.options.unit == "paragraph" ? ReadLines(file)
                                                                                            : ReadDocument(file));
      }
    }
    if (empty_ > 0) {
      context_.table.Warn(std::to_string(empty_) + " empty documents were left out");
    }
    return context_.table.rows() > 0
               ? Status()
               : Status(InvalidArgument(context_.files.front().path + ": there is no text", "files", "invalid_text"));
  }

 private:
  Status ReadDocument(const SourceFile& file) {
    ATELIER_ASSIGN(input, context_.Open(file));
    std::string text;
    while (true) {
      ATELIER_ASSIGN(chunk, input->Next());
      if (chunk.empty()) {
        break;
      }
      text.append(chunk);
      if (text.size() > kMaxDocumentBytes) {
        return InvalidArgument(
            file.path + ": a document of more than 64 MiB; the option unit makes rows of its " + "paragraphs or lines",
            "files", "invalid_text");
      }
    }
    if (text.starts_with("\xEF\xBB\xBF")) {
      text.erase(0, 3);
    }
    if (!IsText(text)) {
      return InvalidArgument(file.path + std::string(kNoText), "files", "invalid_text");
    }
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      ++empty_;
      return {};
    }
    return Add(text);
  }

  Status ReadLines(const SourceFile& file) {
    const bool paragraphs = context_.options.unit == "paragraph";
    ATELIER_ASSIGN(input, context_.Open(file));
    LineReader reader(input->Source(), file.path, "invalid_text");
    std::string_view line;
    std::string paragraph;
    while (true) {
      ATELIER_ASSIGN(more, reader.NextText(line));
      if (!more) {
        return paragraph.empty() ? Status() : Add(paragraph);
      }
      const bool blank = Trim(line).empty();
      if (paragraphs && !blank) {
        paragraph.append(paragraph.empty() ? "" : "\n").append(line);
        if (paragraph.size() > kMaxDocumentBytes) {
          return InvalidArgument(file.path + ": a paragraph of more than 64 MiB", "files", "invalid_text");
        }
      } else if (paragraphs && !paragraph.empty()) {
        ATELIER_TRY(Add(paragraph));
        paragraph.clear();
      } else if (!blank) {
        ATELIER_TRY(Add(line));
      }
    }
  }

  Status Add(std::string_view text) {
    context_.table.SetBytes(0, text);
    if (labels_.any()) {
      context_.table.SetCategory(1, label_);
    }
    return context_.table.EndRow(split_);
  }

  FormatContext& context_;
  DocumentLabels labels_;
  int32_t label_ = -1;
  std::optional<Split> split_;
  int64_t empty_ = 0;
};

bool Claims(std::string_view path) {
  const std::string extension = DataExtension(path);
  return extension == "txt" || extension == "text" || extension == "md" || extension.empty();
}

Status Read(FormatContext& context) { return TextImport(context).Run(); }

}  // namespace

const Format kTextFormat{.name = "text", .passes = 1, .claims = Claims, .read = Read};

}  // namespace atelier::data
