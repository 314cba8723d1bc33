#include "engine/service/constraint.h"

#include <algorithm>
#include <utility>

namespace atelier::engine {
namespace {

void SetBit(std::vector<uint64_t>& bits, int32_t token, bool value) {
  const auto index = static_cast<size_t>(token);
  if (index / 64 >= bits.size()) {
    return;
  }
  const uint64_t bit = uint64_t{1} << (index % 64);
  bits[index / 64] = value ? bits[index / 64] | bit : bits[index / 64] & ~bit;
}

}  // namespace

Constraint::Constraint(const Language& language, std::optional<grammar::Matcher> matcher,
                       const std::optional<Thoughts>& thoughts)
    : language_(language), matcher_(std::move(matcher)) {
  if (matcher_ && thoughts) {
    thoughts_ = *thoughts;
    place_ = thoughts_.opened ? Place::kThinking : thoughts_.open_token ? Place::kStart : Place::kBound;
  }
}

Result<std::span<const uint64_t>> Constraint::Mask(std::vector<uint64_t>& buffer) const {
  if (!matcher_) {
    return std::span<const uint64_t>();
  }
  buffer.assign(matcher_->vocabulary().mask_words(), ~uint64_t{0});
  if (place_ == Place::kThinking) {
    for (const int32_t end : language_.ends()) {
      SetBit(buffer, end, false);
    }
    return std::span<const uint64_t>(buffer);
  }
  bool any = matcher_->FillMask(buffer);
  if (place_ == Place::kStart) {
    SetBit(buffer, *thoughts_.open_token, true);
    any = true;
  }
  if (!any) {
    return FailedPrecondition("the model's vocabulary cannot spell what the grammar demands", "no_allowed_token");
  }
  return std::span<const uint64_t>(buffer);
}

Status Constraint::Think(int32_t token) {
  tail_ += language_.Spelling(token);
  const size_t found = tail_.find(thoughts_.close);
  if (found == std::string::npos) {
    tail_.erase(0, tail_.size() - std::min(tail_.size(), thoughts_.close.size() - 1));
    return {};
  }
  place_ = Place::kBound;
  const std::string rest = tail_.substr(found + thoughts_.close.size());
  const size_t first = rest.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && !matcher_->AcceptBytes(std::string_view(rest).substr(first))) {
    return Internal("the model's thoughts ended inside of a token that the grammar does not allow");
  }
  return {};
}

Status Constraint::Accept(int32_t token) {
  if (!matcher_) {
    return {};
  }
  if (place_ == Place::kThinking) {
    return Think(token);
  }
  if (place_ == Place::kStart && token == *thoughts_.open_token) {
    place_ = Place::kThinking;
    return {};
  }
  place_ = Place::kBound;
  if (!matcher_->Accept(token)) {
    return Internal("a token was drawn that the grammar does not allow");
  }
  return {};
}

}  // namespace atelier::engine
