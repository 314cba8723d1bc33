#include "families/bert/batch.h"

#include <algorithm>

namespace atelier::families::bert {

Result<Encoder> Encoder::Make(const text::Tokenizer& tokenizer, int64_t max_length, bool masks) {
  const auto& spec = tokenizer.spec();
  if (!spec.classification || !spec.separator || !spec.unknown || (masks && !spec.mask)) {
    return InvalidArgument("the tokeniser has no [CLS], [SEP], [UNK] or [MASK]", "tokenizer.json", "invalid_tokenizer");
  }
  return Encoder(tokenizer, max_length);
}

std::vector<int32_t> Encoder::Pieces(std::string_view text) const {
  return tokenizer_->Encode(text, {.add_special = false, .parse_special = false});
}

Text Encoder::Join(std::vector<int32_t> first, const std::vector<int32_t>* second) const {
  const auto room = static_cast<size_t>(std::max<int64_t>(0, max_length_ - (second == nullptr ? 2 : 3)));
  size_t rest = second == nullptr ? 0 : second->size();
  if (first.size() + rest > room) {  // each has half of the room, and what the other leaves of its half
    const size_t kept = std::max(room - room / 2, room - std::min(room, rest));
    first.resize(std::min(first.size(), second == nullptr ? room : kept));
    rest = std::min(rest, room - first.size());
  }
  const auto& spec = tokenizer_->spec();
  Text text;
  text.ids.push_back(*spec.classification);
  text.ids.insert(text.ids.end(), first.begin(), first.end());
  text.ids.push_back(*spec.separator);
  text.first = std::ssize(text.ids);
  if (second != nullptr) {
    text.ids.insert(text.ids.end(), second->begin(), second->begin() + static_cast<int64_t>(rest));
    text.ids.push_back(*spec.separator);
  }
  return text;
}

Text Encoder::One(std::string_view text) const { return Join(Pieces(text), nullptr); }

Text Encoder::Pair(std::string_view first, std::string_view second) const {
  const auto rest = Pieces(second);
  return Join(Pieces(first), &rest);
}

Encoder::Words Encoder::Tagged(std::span<const std::string> words) const {
  Words out;
  std::vector<int32_t> all;
  for (const auto& word : words) {
    auto pieces = Pieces(word);
    if (pieces.empty()) {
      pieces.push_back(*tokenizer_->spec().unknown);
    }
    if (std::ssize(all) + 2 >= max_length_) {
      break;
    }
    out.places.push_back(static_cast<int32_t>(all.size()) + 1);
    all.insert(all.end(), pieces.begin(), pieces.end());
  }
  out.text = Join(std::move(all), nullptr);
  return out;
}

Encoder::Masked Encoder::WithMask(std::string_view text) const {
  const auto mask = *tokenizer_->spec().mask;
  const std::string_view spelling = tokenizer_->spec().tokens[static_cast<size_t>(mask)];
  const size_t at = text.find(spelling);
  if (at == std::string_view::npos || text.find(spelling, at + spelling.size()) != std::string_view::npos) {
    return {};
  }
  auto pieces = Pieces(text.substr(0, at));
  const auto place = std::ssize(pieces) + 1;
  pieces.push_back(mask);
  const auto after = Pieces(text.substr(at + spelling.size()));
  pieces.insert(pieces.end(), after.begin(), after.end());
  return {.text = Join(std::move(pieces), nullptr), .place = place + 1 < max_length_ ? place : -1};
}

Batch MakeBatch(std::span<const Text* const> texts, int64_t padding) {
  size_t longest = 1;
  bool pairs = false;
  bool padded = false;
  for (const Text* text : texts) {
    padded = padded || text->ids.size() != texts.front()->ids.size();
    longest = std::max(longest, text->ids.size());
    pairs = pairs || text->first < std::ssize(text->ids);
  }
  const std::vector<int64_t> shape{std::ssize(texts), static_cast<int64_t>(longest)};
  Batch batch;
  batch.tokens = torch::full(shape, padding, torch::kInt64);
  batch.types = pairs ? torch::zeros(shape, torch::kInt64) : torch::Tensor();
  batch.present = padded ? torch::zeros(shape, torch::kBool) : torch::Tensor();
  for (size_t i = 0; i < texts.size(); ++i) {
    const Text& text = *texts[i];
    std::ranges::copy(text.ids, batch.tokens.data_ptr<int64_t>() + i * longest);
    if (pairs) {
      std::fill(batch.types.data_ptr<int64_t>() + i * longest + text.first,
                batch.types.data_ptr<int64_t>() + i * longest + text.ids.size(), 1);
    }
    if (padded) {
      std::fill_n(batch.present.data_ptr<bool>() + i * longest, text.ids.size(), true);
    }
  }
  return batch;
}

MaskOptions MaskOptionsOf(const text::Tokenizer& tokenizer, double share) {
  const auto& spec = tokenizer.spec();
  MaskOptions options{.share = share, .vocabulary = tokenizer.size(), .mask = spec.mask.value_or(0)};
  for (const auto& id : {spec.classification, spec.separator, spec.padding, spec.mask}) {
    if (id) {
      options.special.push_back(*id);
    }
  }
  return options;
}

Masking MaskTokens(const torch::Tensor& tokens, const MaskOptions& options, c10::optional<torch::Generator> generator) {
  const auto flat = tokens.reshape({-1});
  auto free = torch::ones({flat.numel()}, torch::kBool);
  for (const int64_t id : options.special) {
    free = free.logical_and(flat.ne(id));
  }
  const auto draw = [&] { return torch::rand({flat.numel()}, generator, torch::kFloat32); };
  const auto chance = torch::where(free, draw(), torch::full({1}, 2.0F));
  auto chosen = chance.lt(options.share);
  if (!chosen.any().item<bool>()) {
    chosen = chance.eq(chance.min()).logical_and(free);
  }
  const auto kind = draw();
  const auto others = torch::randint(0, options.vocabulary, {flat.numel()}, generator, torch::kInt64);
  auto masked = torch::where(chosen.logical_and(kind.lt(0.8)), torch::full({1}, options.mask, torch::kInt64), flat);
  masked = torch::where(chosen.logical_and(kind.ge(0.9)), others, masked);
  const auto places = chosen.nonzero().view({-1});
  return {.tokens = masked.view_as(tokens), .places = places, .targets = flat.index_select(0, places)};
}

}  // namespace atelier::families::bert
