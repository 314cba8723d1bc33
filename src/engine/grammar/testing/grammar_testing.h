// What the tests of grammars share.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "engine/grammar/automaton.h"
#include "engine/grammar/matcher.h"

namespace atelier::engine::grammar::testing {

inline bool Accepts(const Grammar& grammar, std::string_view text) {
  const Automaton automaton(grammar);
  ConfigSet set = automaton.Start();
  ConfigSet next;
  for (const char byte : text) {
    automaton.Step(set, static_cast<uint8_t>(byte), next);
    if (next.empty()) {
      return false;
    }
    std::swap(set, next);
  }
  return set.complete;
}

enum class Spacing { kCompact, kSpaced, kIndented };

inline std::string NumberText(double number) {
  std::array<char, 400> buffer{};
  const bool plain = number == 0 || (std::abs(number) < 1e16 && std::abs(number) > 1e-5);
  const auto end = plain ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed)
                         : std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  std::string text(buffer.data(), end.ptr);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

// As the usual serialisers write it: 2.5, not 2.5E0.
inline void Serialize(const json::value& value, Spacing spacing, size_t depth, std::string& out) {
  const bool object = value.is_object();
  if (!object && !value.is_array()) {
    out += value.is_double() ? NumberText(value.get_double()) : json::serialize(value);
    return;
  }
  const auto line = [&](size_t indent) {
    if (spacing == Spacing::kIndented) {
      out += "\n" + std::string(2 * indent, ' ');
    }
  };
  out += object ? '{' : '[';
  const size_t size = object ? value.get_object().size() : value.get_array().size();
  auto member = object ? value.get_object().begin() : nullptr;
  for (size_t i = 0; i < size; ++i) {
    out += i > 0 ? "," : "";
    out += i > 0 && spacing == Spacing::kSpaced ? " " : "";
    line(depth + 1);
    if (object) {
      out += json::serialize(json::string(member->key())) + (spacing == Spacing::kCompact ? ":" : ": ");
      Serialize(member->value(), spacing, depth + 1, out);
      ++member;
    } else {
      Serialize(value.get_array()[i], spacing, depth + 1, out);
    }
  }
  if (size > 0) {
    line(depth);
  }
  out += object ? '}' : ']';
}
inline std::string Serialized(const json::value& value, Spacing spacing) {
  std::string out;
  Serialize(value, spacing, 0, out);
  return out;
}

// Every byte, then some tokens of several bytes, then an empty control token and the end: the last id.
inline VocabularyPtr SmallVocabulary() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) {
    tokens.emplace_back(1, static_cast<char>(byte));
  }
  for (const char* token : {"{\"",
                            "\":",
                            "\": ",
                            "\",",
                            "\", \"",
                            "\"}",
                            "\"]",
                            "}}",
                            "]}",
                            "},",
                            "], ",
                            "[{\"",
                            "true",
                            "false",
                            "null",
                            "tru",
                            "12",
                            "0.5",
                            "-1",
                            "e+",
                            ".0",
                            "ab",
                            "abc",
                            "name",
                            "na",
                            "type",
                            "id",
                            "value",
                            " the",
                            "the ",
                            "\n  ",
                            "\n    ",
                            "\\u",
                            "\\u00",
                            "\\n",
                            "\\\"",
                            "\xE4\xBD\xA0",
                            "\xE5\xA5\xBD",
                            "\xE4\xBD",
                            "\xA0",
                            "\xF0\x9F\x98\x80",
                            "\xC3\xA9",
                            "2024",
                            "-01",
                            "T00:",
                            "http://",
                            "://",
                            "@",
                            ".com",
                            "a\"",
                            "a\",\"",
                            "\":\"",
                            "\":[",
                            "\":{\"",
                            "[\"",
                            "[[",
                            "]]"}) {
    tokens.emplace_back(token);
  }
  tokens.emplace_back("");
  tokens.emplace_back("</s>");
  const auto end = static_cast<int32_t>(tokens.size()) - 1;
  return Vocabulary::Make(std::move(tokens), {end}).value();
}

inline std::vector<int32_t> Allowed(const Matcher& matcher) {
  std::vector<uint64_t> mask(matcher.vocabulary().mask_words());
  matcher.FillMask(mask);
  std::vector<int32_t> ids;
  for (size_t id = 0; id < matcher.vocabulary().size(); ++id) {
    if ((mask[id / 64] >> (id % 64) & 1U) != 0) {
      ids.push_back(static_cast<int32_t>(id));
    }
  }
  return ids;
}

// Generates by random allowed tokens; after `patience` tokens it prefers what closes. Returns the text, and whether it
// came to its end within `max_tokens`; "dead end" where nothing was allowed before that.
struct Generated {
  std::string text;
  bool ended = false;
  bool dead_end = false;
};
inline Generated Generate(Matcher matcher, SeededRng& rng, size_t patience, size_t max_tokens) {
  Generated out;
  for (size_t i = 0; i < max_tokens; ++i) {
    const auto ids = Allowed(matcher);
    if (ids.empty()) {
      out.dead_end = true;
      return out;
    }
    int32_t id = ids[rng.Below(static_cast<uint32_t>(ids.size()))];
    if (matcher.IsComplete() && rng.Below(2) == 0) {
      id = matcher.vocabulary().ends().front();
    } else if (i > patience) {
      for (const std::string_view closing : {"\"", "}", "]", ":", ",", "0", "n"}) {
        const auto found = std::find_if(ids.begin(), ids.end(),
                                        [&](int32_t one) { return matcher.vocabulary().Bytes(one) == closing; });
        if (found != ids.end() && !(closing == "," && rng.Below(2) == 0)) {
          id = *found;
          break;
        }
      }
    }
    if (!matcher.Accept(id)) {
      out.dead_end = true;
      return out;
    }
    if (matcher.vocabulary().IsEnd(id)) {
      out.ended = true;
      return out;
    }
    out.text += matcher.vocabulary().Bytes(id);
  }
  return out;
}

}  // namespace atelier::engine::grammar::testing
