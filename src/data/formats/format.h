// What a format of data sets is. A new one is one file here and one line in formats.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "data/checkpoint.h"
#include "data/formats/input.h"
#include "data/importer.h"
#include "data/table_builder.h"

namespace atelier::data {

struct FormatContext {
  storage::BlobStore& blobs;
  std::span<const SourceFile> files;  // at least one
  const ImportOptions& options;
  Meter& meter;
  TableBuilder& table;
  const RunHooks& hooks;
  Checkpoint& checkpoint;  // a format may use it to go on after a kill; without, it begins anew
  ArchiveCursor archives{};

  // The text of a file in UTF-8. Only one at a time may be open.
  Result<std::unique_ptr<Input>> Open(const SourceFile& file) {
    return Input::Open(blobs, file, {.meter = &meter, .archives = &archives, .encoding = options.encoding});
  }
  // Its first bytes, at most `max_bytes`; `whole` is whether that is all.
  Result<std::string> Peek(const SourceFile& file, size_t max_bytes, bool& whole);
};

struct Format {
  std::string_view name;
  int passes;                             // how often it reads the bytes, for the progress
  bool (*claims)(std::string_view path);  // by the name alone
  // Begins the table and adds all rows. Errors: kInvalidArgument naming file, row and column.
  Status (*read)(FormatContext& context);
  // By the content of the files, all of which it claims. Absent: always.
  Result<bool> (*accepts)(FormatContext& context) = nullptr;
};

// All texts below are UTF-8 without NUL; that is kInvalidArgument "invalid_text" naming file and line.
extern const Format kIdxFormat;
extern const Format kCsvFormat;
extern const Format kTsvFormat;
extern const Format kJsonlFormat;
extern const Format kJsonFormat;         // the same, for who says "json"
extern const Format kXmlFormat;          // the elements of a list
extern const Format kPatternFormat;      // lines, taken apart by a regular expression
extern const Format kLabelledFormat;     // lines "label text"
extern const Format kConllFormat;        // a token a line
extern const Format kTaggedFormat;       // word/TAG word/TAG
extern const Format kParallelFormat;     // files side by side: train.en, train.de
extern const Format kTuningFormat;       // OpenAI's rows for fine-tuning
extern const Format kPreferencesFormat;  // OpenAI's rows of two answers, of which one is better
extern const Format kTextFormat;         // documents, also in folders that name their labels

}  // namespace atelier::data
