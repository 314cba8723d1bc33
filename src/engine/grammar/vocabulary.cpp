#include "engine/grammar/vocabulary.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace atelier::engine::grammar {

Result<VocabularyPtr> Vocabulary::Make(std::vector<std::string> tokens, std::vector<int32_t> ends) {
  if (tokens.empty() || tokens.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return InvalidArgument("a vocabulary without tokens, or with too many", "tokens");
  }
  for (const int32_t id : ends) {
    if (id < 0 || static_cast<size_t>(id) >= tokens.size()) {
      return InvalidArgument("the end token " + std::to_string(id) + " is not in the vocabulary", "ends");
    }
  }
  auto vocabulary = std::make_shared<Vocabulary>();
  vocabulary->tokens_ = std::move(tokens);
  vocabulary->ends_ = std::move(ends);
  std::sort(vocabulary->ends_.begin(), vocabulary->ends_.end());
  vocabulary->Build();
  return VocabularyPtr(std::move(vocabulary));
}

std::string_view Vocabulary::Bytes(int32_t id) const {
  return id >= 0 && static_cast<size_t>(id) < tokens_.size() ? std::string_view(tokens_[static_cast<size_t>(id)])
                                                             : std::string_view();
}

bool Vocabulary::IsEnd(int32_t id) const { return std::binary_search(ends_.begin(), ends_.end(), id); }

std::string_view Vocabulary::Prefix(size_t node) const {
  // Every node belongs to a token, and the first of its subtree begins with its bytes.
  return std::string_view(tokens_[static_cast<size_t>(order_[first_[node]])]).substr(0, depth_[node]);
}

void Vocabulary::Build() {
  for (size_t id = 0; id < tokens_.size(); ++id) {
    const auto number = static_cast<int32_t>(id);
    if (!tokens_[id].empty() && tokens_[id].size() <= kMaxTokenBytes && !IsEnd(number)) {
      order_.push_back(number);
    }
  }
  std::sort(order_.begin(), order_.end(), [&](int32_t left, int32_t right) {
    const std::string& a = tokens_[static_cast<size_t>(left)];
    const std::string& b = tokens_[static_cast<size_t>(right)];
    return a != b ? a < b : left < right;
  });
  const auto add = [&](uint8_t byte, size_t depth, size_t first) {
    byte_.push_back(byte);
    depth_.push_back(static_cast<uint16_t>(depth));
    first_.push_back(static_cast<uint32_t>(first));
    end_.push_back(0);
  };
  std::vector<uint32_t> path{0};  // the nodes from the root to the last token's
  add(0, 0, 0);
  std::string_view last;
  const auto close_below = [&](size_t depth) {
    while (path.size() > depth + 1) {
      end_[path.back()] = static_cast<uint32_t>(byte_.size());
      path.pop_back();
    }
  };
  for (size_t i = 0; i < order_.size(); ++i) {
    const std::string_view token = tokens_[static_cast<size_t>(order_[i])];
    longest_ = std::max(longest_, token.size());
    const auto common =
        static_cast<size_t>(std::mismatch(last.begin(), last.end(), token.begin(), token.end()).first - last.begin());
    close_below(common);
    for (size_t depth = common; depth < token.size(); ++depth) {
      path.push_back(static_cast<uint32_t>(byte_.size()));
      add(static_cast<uint8_t>(token[depth]), depth + 1, i);
    }
    last = token;
  }
  close_below(0);
  end_[0] = static_cast<uint32_t>(byte_.size());
  first_.push_back(static_cast<uint32_t>(order_.size()));
}

}  // namespace atelier::engine::grammar
