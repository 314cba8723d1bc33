// Texts and words in the rows of a data set, whether a column keeps them as text or as categories.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/reader.h"

namespace atelier::families {

// One column's texts. Borrows the reader. Thread-safe.
class TextColumn {
 public:
  // Errors: kInvalidArgument "dataset_unsuitable" where there is no such column of texts or categories.
  static Result<TextColumn> Open(const data::Reader& reader, const std::string& name);

  // Empty where the cell is. Errors: kOutOfRange.
  Result<std::string_view> At(int64_t row) const;

 private:
  TextColumn(const data::Reader& reader, const data::Column& column) : reader_(&reader), column_(&column) {}

  const data::Reader* reader_;
  const data::Column* column_;
  std::vector<int32_t> codes_;  // of all rows; empty for text
};

// The numbers of a column, of all rows. Errors: as TextColumn::Open.
Result<std::vector<float>> NumberColumn(const data::Reader& reader, const std::string& name);

}  // namespace atelier::families
