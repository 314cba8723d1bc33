#include "text/end_tokens.h"

#include <algorithm>
#include <array>
#include <set>

namespace atelier::text {
namespace {

constexpr std::array<std::string_view, 18> kEnds{"<|eot_id|>",
                                                 "<|im_end|>",
                                                 "<|end|>",
                                                 "<|return|>",
                                                 "<|call|>",
                                                 "<end_of_turn>",
                                                 "<|endoftext|>",
                                                 "</s>",
                                                 "<eos>",
                                                 "<|eom_id|>",
                                                 "<EOT>",
                                                 "_<EOT>",
                                                 "<|end_of_text|>",
                                                 "[EOT]",
                                                 "[EOS]",
                                                 "<turn|>",
                                                 "<end_of_utterance>",
                                                 "<｜end▁of▁sentence｜>"};

}  // namespace

bool IsKnownEnd(std::string_view spelling) { return std::ranges::find(kEnds, spelling) != kEnds.end(); }

std::vector<int32_t> EndTokens(const TokenizerSpec& spec) {
  std::set<int32_t> ends;
  std::set<std::string_view> spellings;
  for (size_t id = 0; id < spec.kinds.size(); ++id) {
    if (spec.kinds[id] == TokenKind::kControl && IsKnownEnd(spec.tokens[id])) {
      ends.insert(static_cast<int32_t>(id));
      spellings.insert(spec.tokens[id]);
    }
  }
  const bool only_ends_message = spellings.contains("<|return|>") && spellings.contains("<|call|>");
  if (only_ends_message) {
    std::erase_if(ends, [&](int32_t id) { return spec.tokens[static_cast<size_t>(id)] == "<|end|>"; });
  }
  for (const auto& id : {spec.eos, spec.eot}) {
    if (id && !(only_ends_message && spec.tokens[static_cast<size_t>(*id)] == "<|end|>")) {
      ends.insert(*id);
    }
  }
  return {ends.begin(), ends.end()};
}

}  // namespace atelier::text
