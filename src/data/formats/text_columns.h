// Tables of texts that are put together row by row: documents, sentences, pairs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/formats/format.h"

namespace atelier::data {

inline constexpr size_t kMaxDocumentBytes = size_t{64} << 20U;

// What the options may say about columns that a format fixes itself. Errors: kInvalidArgument (types, a target other
// than `target`, which may be empty for none, regression).
Status CheckFixedColumns(const ImportOptions& options, const std::string& format, const std::string& target);

// A schema of text columns under these names, or under those of the option columns, without a target. Errors:
// kInvalidArgument (the option names another number of columns, or one twice).
Result<Manifest> TextSchema(const ImportOptions& options, std::string format, std::vector<std::string> names);

}  // namespace atelier::data
