#include "families/words/texts.h"

#include <cstring>

#include "families/spec/families.h"

namespace atelier::families {
namespace {

template <class T>
Result<std::vector<T>> Joined(const data::Reader& reader, const std::string& name) {
  ATELIER_ASSIGN(shards, reader.Tensors(name));
  std::vector<T> all;
  for (const auto& shard : shards) {
    const size_t before = all.size();
    all.resize(before + shard.bytes.size() / sizeof(T));
    std::memcpy(all.data() + before, shard.bytes.data(), (all.size() - before) * sizeof(T));
  }
  return all;
}

}  // namespace

Result<TextColumn> TextColumn::Open(const data::Reader& reader, const std::string& name) {
  const auto* column = reader.manifest().Find(name);
  if (column == nullptr || (column->type != data::ColumnType::kText && column->type != data::ColumnType::kCategory)) {
    return Unfit("the data set has no column '" + name + "' of text");
  }
  TextColumn texts(reader, *column);
  if (column->type == data::ColumnType::kCategory) {
    ATELIER_ASSIGN(codes, Joined<int32_t>(reader, name));
    texts.codes_ = std::move(codes);
  }
  return texts;
}

Result<std::string_view> TextColumn::At(int64_t row) const {
  if (column_->type == data::ColumnType::kText) {
    return reader_->Bytes(column_->name, row);
  }
  if (row < 0 || row >= std::ssize(codes_)) {
    return MakeError(Code::kOutOfRange, "there is no row " + std::to_string(row));
  }
  const int32_t code = codes_[static_cast<size_t>(row)];  // the reader has checked it
  return code < 0 ? std::string_view() : std::string_view(column_->categories[static_cast<size_t>(code)]);
}

Result<std::vector<float>> NumberColumn(const data::Reader& reader, const std::string& name) {
  const auto* column = reader.manifest().Find(name);
  if (column == nullptr || column->type != data::ColumnType::kNumber || !column->shape.empty()) {
    return Unfit("the data set has no column '" + name + "' of numbers");
  }
  return Joined<float>(reader, name);
}

}  // namespace atelier::families
