#include "engine/prefix_index.h"

#include <algorithm>

namespace atelier::engine {
namespace {

constexpr size_t kLeastAlike = 2;  // tokens: fewer are not worth a copy
constexpr size_t kMostAlike = 32;  // pages that are compared

std::span<const int32_t> Start(std::span<const int32_t> tokens) {
  return tokens.first(std::min(kLeastAlike, tokens.size()));
}

}  // namespace

uint64_t PrefixIndex::Hash(const PrefixSpace& space, PrefixNode before, std::span<const int32_t> tokens) {
  uint64_t hash = (space.tenant ^ space.adapter) * 0x9E3779B97F4A7C15ULL + before;
  for (const int32_t token : tokens) {
    hash = (hash ^ static_cast<uint32_t>(token)) * 0xFF51AFD7ED558CCDULL;
    hash ^= hash >> 32U;
  }
  return hash;
}

PrefixIndex::Found PrefixIndex::Find(const PrefixSpace& space, PrefixNode before,
                                     std::span<const int32_t> tokens) const {
  const auto [first, last] = by_hash_.equal_range(Hash(space, before, tokens));
  for (auto candidate = first; candidate != last; ++candidate) {
    const Node& node = nodes_.at(candidate->second);
    if (node.space == space && node.before == before && std::ranges::equal(node.tokens, tokens)) {
      return {candidate->second, node.page};
    }
  }
  return {};
}

PrefixIndex::Alike PrefixIndex::FindAlike(const PrefixSpace& space, PrefixNode before,
                                          std::span<const int32_t> tokens) const {
  Alike best;
  const uint64_t hash = Hash(space, before, Start(tokens));
  auto candidate = by_start_.find(hash);  // equal_range would walk over all of them
  for (size_t i = 0; i < kMostAlike && candidate != by_start_.end() && candidate->first == hash; ++i, ++candidate) {
    const Node& node = nodes_.at(candidate->second);
    if (node.space == space && node.before == before) {
      const auto same = static_cast<size_t>(std::ranges::mismatch(node.tokens, tokens).in1 - node.tokens.begin());
      if (same >= kLeastAlike && same > best.tokens) {
        best = {candidate->second, node.page, same};
      }
    }
  }
  return best;
}

void PrefixIndex::Erase(ByHash& map, uint64_t hash, PrefixNode node) {
  const auto [first, last] = map.equal_range(hash);
  map.erase(std::find_if(first, last, [node](const auto& entry) { return entry.second == node; }));
}

PrefixNode PrefixIndex::Add(const PrefixSpace& space, PrefixNode before, std::span<const int32_t> tokens, PageId page) {
  const PrefixNode id = ++last_;
  Node node{.hash = Hash(space, before, tokens),
            .space = space,
            .before = before,
            .tokens = {tokens.begin(), tokens.end()},
            .page = page,
            .behind = 0,
            .place = order_.insert(order_.end(), id)};
  by_hash_.emplace(node.hash, id);
  by_start_.emplace(Hash(space, before, Start(tokens)), id);
  by_page_.emplace(page, id);
  nodes_.emplace(id, std::move(node));
  if (before != kNoPrefix) {
    ++nodes_.at(before).behind;
  }
  Touch(id);
  return id;
}

void PrefixIndex::Touch(PrefixNode node) {
  // From the leaf to the root, so that the leaf is evicted before what it needs.
  for (PrefixNode id = node; id != kNoPrefix;) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) {
      return;
    }
    order_.splice(order_.end(), order_, found->second.place);
    id = found->second.before;
  }
}

bool PrefixIndex::Evict(const std::function<bool(PageId)>& may_go, PageId& page) {
  for (const PrefixNode id : order_) {
    const auto found = nodes_.find(id);
    const Node& node = found->second;
    if (node.behind != 0 || !may_go(node.page)) {
      continue;
    }
    page = node.page;
    if (node.before != kNoPrefix) {
      --nodes_.at(node.before).behind;
    }
    Erase(by_hash_, node.hash, id);
    Erase(by_start_, Hash(node.space, node.before, Start(node.tokens)), id);
    by_page_.erase(node.page);
    order_.erase(node.place);
    nodes_.erase(found);
    return true;
  }
  return false;
}

}  // namespace atelier::engine
