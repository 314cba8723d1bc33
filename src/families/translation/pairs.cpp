#include "families/translation/pairs.h"

#include <algorithm>

namespace atelier::families {
namespace {

// Reads cells of one column by row number.
class Cells {
 public:
  static Result<Cells> Open(const data::Reader& reader, const std::string& name) {
    const data::Column* column = reader.manifest().Find(name);
    if (column == nullptr || (column->type != data::ColumnType::kText && column->type != data::ColumnType::kCategory)) {
      return InvalidArgument("the data set has no column of texts '" + name + "'", "dataset", "dataset_unsuitable");
    }
    Cells out(reader, *column);
    if (column->type == data::ColumnType::kCategory) {
      ATELIER_ASSIGN(views, reader.Tensors(name));
      for (const auto& view : views) {
        const auto* codes = reinterpret_cast<const int32_t*>(view.bytes.data());
        out.codes_.insert(out.codes_.end(), codes, codes + view.bytes.size() / sizeof(int32_t));
      }
    }
    return out;
  }

  Result<std::string> At(int64_t row) const {
    if (column_->type == data::ColumnType::kText) {
      ATELIER_ASSIGN(text, reader_->Bytes(column_->name, row));
      return std::string(text);
    }
    const int32_t code = codes_.at(static_cast<size_t>(row));
    return code < 0 ? std::string() : column_->categories.at(static_cast<size_t>(code));
  }

 private:
  Cells(const data::Reader& reader, const data::Column& column) : reader_(&reader), column_(&column) {}

  const data::Reader* reader_;
  const data::Column* column_;
  std::vector<int32_t> codes_;
};

}  // namespace

Result<std::vector<TextPair>> ReadPairs(const data::Reader& reader, std::span<const int64_t> rows,
                                        const TranslationConfig& config) {
  ATELIER_ASSIGN(sources, Cells::Open(reader, config.source));
  ATELIER_ASSIGN(targets, Cells::Open(reader, config.target));
  std::vector<TextPair> out;
  out.reserve(rows.size());
  for (const int64_t row : rows) {
    ATELIER_ASSIGN(source, sources.At(row));
    ATELIER_ASSIGN(target, targets.At(row));
    out.push_back({std::move(source), std::move(target)});
  }
  return out;
}

std::vector<int32_t> Encoded(const text::Tokenizer& tokenizer, const std::string& text, int64_t end) {
  auto ids = tokenizer.Encode(text, {.add_special = false, .parse_special = false});
  ids.push_back(static_cast<int32_t>(end));
  return ids;
}

TokenPairs EncodePairs(const std::vector<TextPair>& texts, const text::Tokenizer& tokenizer,
                       const TranslationConfig& config) {
  TokenPairs out;
  const auto fits = [&](const std::vector<int32_t>& ids) {
    return ids.size() > 1 && static_cast<int64_t>(ids.size()) <= config.max_length;
  };
  for (const auto& text : texts) {
    TokenPair pair{Encoded(tokenizer, text.source, config.end), Encoded(tokenizer, text.target, config.end)};
    if (fits(pair.source) && fits(pair.target)) {
      out.pairs.push_back(std::move(pair));
    } else {
      ++out.dropped;
    }
  }
  return out;
}

Padded Pad(const std::vector<std::vector<int32_t>>& texts, int64_t padding) {
  size_t longest = 0;
  for (const auto& text : texts) {
    longest = std::max(longest, text.size());
  }
  const std::vector<int64_t> shape{std::ssize(texts), static_cast<int64_t>(longest)};
  Padded out{torch::full(shape, padding, torch::kInt64), torch::zeros(shape, torch::kBool)};
  for (size_t i = 0; i < texts.size(); ++i) {
    std::copy(texts[i].begin(), texts[i].end(), out.tokens.data_ptr<int64_t>() + i * longest);
    std::fill_n(out.present.data_ptr<bool>() + i * longest, texts[i].size(), true);
  }
  return out;
}

PairBatch MakeBatch(const std::vector<TokenPair>& pairs, std::span<const int64_t> chosen,
                    const TranslationConfig& config) {
  std::vector<std::vector<int32_t>> sources;
  std::vector<std::vector<int32_t>> inputs;
  std::vector<int64_t> places;
  std::vector<int64_t> targets;
  size_t longest = 0;
  for (const int64_t i : chosen) {
    const TokenPair& pair = pairs[static_cast<size_t>(i)];
    sources.push_back(pair.source);
    inputs.push_back({static_cast<int32_t>(config.end)});
    inputs.back().insert(inputs.back().end(), pair.target.begin(), pair.target.end() - 1);
    longest = std::max(longest, pair.target.size());
  }
  for (size_t row = 0; row < chosen.size(); ++row) {
    const auto& target = pairs[static_cast<size_t>(chosen[row])].target;
    for (size_t at = 0; at < target.size(); ++at) {
      places.push_back(static_cast<int64_t>(row * longest + at));
      targets.push_back(target[at]);
    }
  }
  return {.source = Pad(sources, config.padding),
          .inputs = Pad(inputs, config.padding).tokens,
          .places = torch::tensor(places),
          .targets = torch::tensor(targets)};
}

}  // namespace atelier::families
