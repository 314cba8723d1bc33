// What a tokeniser must survive once it is taken.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/fuzz.h"
#include "text/tokenizer.h"

namespace atelier::fuzz {

// Makes a tokeniser of `spec`, encodes `text` and texts of its own tokens, and decodes what comes of them.
inline void Tokenize(text::TokenizerSpec spec, std::string_view text) {
  auto made = text::Tokenizer::Make(std::move(spec));
  if (!made.ok()) {
    CheckError(made.error());
    return;
  }
  const text::Tokenizer& tokenizer = **made;
  std::string own;
  for (const auto& token : tokenizer.spec().tokens) {
    own += own.size() < 2000 ? token : "";
  }
  for (const std::string_view each :
       {text, std::string_view(own), std::string_view(" Hello,\n 你好 \xff e\u0301 12345")}) {
    for (const bool special : {false, true}) {
      const auto ids = tokenizer.Encode(each, {.add_special = special, .parse_special = special});
      Require(std::ranges::all_of(ids, [&](int32_t id) { return id >= 0 && id < tokenizer.size(); }));
      size_t bytes = 0;
      for (const int32_t id : ids) {
        bytes += tokenizer.Bytes(id).size();
      }
      Require(tokenizer.Decode(ids).size() <= bytes);
    }
  }
  Require(tokenizer.Bytes(-1).empty() && tokenizer.Bytes(tokenizer.size()).empty());
}

}  // namespace atelier::fuzz
