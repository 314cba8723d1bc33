// What a format of data sets is. A new one is one file here and one line in formats.cpp.
#pragma once

#include <span>
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
};

struct Format {
  std::string_view name;
  int passes;                             // how often it reads the bytes, for the progress
  bool (*claims)(std::string_view path);  // by the name alone
  // Begins the table and adds all rows. Errors: kInvalidArgument naming file, row and column.
  Status (*read)(FormatContext& context);
};

extern const Format kIdxFormat;
extern const Format kCsvFormat;
extern const Format kTsvFormat;
extern const Format kJsonlFormat;

}  // namespace atelier::data
