// Measures of sequence tagging: entities as the CoNLL-2000 script conlleval and seqeval
// (https://github.com/chakki-works/seqeval, its default mode) find them, leniently, in IOB1, IOB2, IOE and BIOES tags.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace atelier::learning {

struct Entity {
  std::string type;  // "PER" of "B-PER"; "_" of a bare "B"
  size_t first = 0;  // token
  size_t last = 0;   // token, included

  bool operator==(const Entity&) const = default;
  auto operator<=>(const Entity&) const = default;
};

// In order of their first token.
std::vector<Entity> Entities(std::span<const std::string> tags);

// {"entity_precision","entity_recall","entity_f1" (micro), "entity_f1_macro","entity_f1_weighted","token_accuracy",
//  "per_type":[{"type","precision","recall","f1","support"}]}
// An entity is right where type and both ends are. Averages run over the types that occur; an undefined ratio is 0.
// Sentence by sentence; the tags of each must be as many on both sides.
boost::json::object TaggingMetrics(std::span<const std::vector<std::string>> truth,
                                   std::span<const std::vector<std::string>> predicted);

}  // namespace atelier::learning
