#include "learning/metrics/tagging.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

namespace atelier::learning {
namespace {

struct Tag {
  char part = 'O';  // B, I, E, S, O, or what else stands first
  std::string_view type;
};

Tag ParseTag(std::string_view text) {
  if (text.empty()) {
    return {'O', "_"};
  }
  std::string_view type = text.substr(1);
  if (const size_t dash = type.find('-'); dash != std::string_view::npos) {
    type.remove_prefix(dash + 1);
  }
  return {text.front(), type.empty() ? std::string_view("_") : type};
}

bool IsOutside(char part) { return part == 'O' || part == '.'; }

bool Ends(const Tag& before, const Tag& now) {
  if (before.part == 'E' || before.part == 'S') {
    return true;
  }
  const bool open = before.part == 'B' || before.part == 'I';
  if (open && (now.part == 'B' || now.part == 'S' || now.part == 'O')) {
    return true;
  }
  return !IsOutside(before.part) && before.type != now.type;
}

bool Starts(const Tag& before, const Tag& now) {
  if (now.part == 'B' || now.part == 'S') {
    return true;
  }
  const bool closed = before.part == 'E' || before.part == 'S' || before.part == 'O';
  if (closed && (now.part == 'E' || now.part == 'I')) {
    return true;
  }
  return !IsOutside(now.part) && before.type != now.type;
}

struct Counts {
  int64_t hits = 0, predicted = 0, support = 0;
};

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}
double F1(const Counts& counts) { return Ratio(2 * counts.hits, counts.predicted + counts.support); }

}  // namespace

std::vector<Entity> Entities(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  Tag before{'O', ""};
  size_t first = 0;
  for (size_t i = 0; i <= tags.size(); ++i) {
    const Tag now = i < tags.size() ? ParseTag(tags[i]) : Tag{'O', "_"};
    if (Ends(before, now)) {
      entities.push_back({std::string(before.type), first, i - 1});
    }
    if (Starts(before, now)) {
      first = i;
    }
    before = now;
  }
  return entities;
}

boost::json::object TaggingMetrics(std::span<const std::vector<std::string>> truth,
                                   std::span<const std::vector<std::string>> predicted) {
  std::map<std::string, Counts> types;
  int64_t tokens = 0;
  int64_t right = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    for (size_t j = 0; j < truth[i].size(); ++j) {
      right += truth[i][j] == predicted[i][j] ? 1 : 0;
    }
    tokens += static_cast<int64_t>(truth[i].size());
    const auto wanted = Entities(truth[i]);
    for (const auto& entity : wanted) {
      ++types[entity.type].support;
    }
    for (const auto& entity : Entities(predicted[i])) {
      auto& counts = types[entity.type];
      ++counts.predicted;
      counts.hits += std::ranges::find(wanted, entity) != wanted.end() ? 1 : 0;
    }
  }
  Counts all;
  double macro = 0;
  double weighted = 0;
  boost::json::array rows;
  for (const auto& [type, counts] : types) {
    all.hits += counts.hits;
    all.predicted += counts.predicted;
    all.support += counts.support;
    macro += F1(counts);
    weighted += F1(counts) * static_cast<double>(counts.support);
    rows.push_back({{"type", type},
                    {"precision", Ratio(counts.hits, counts.predicted)},
                    {"recall", Ratio(counts.hits, counts.support)},
                    {"f1", F1(counts)},
                    {"support", counts.support}});
  }
  return {{"entity_precision", Ratio(all.hits, all.predicted)},
          {"entity_recall", Ratio(all.hits, all.support)},
          {"entity_f1", F1(all)},
          {"entity_f1_macro", types.empty() ? 0.0 : macro / static_cast<double>(types.size())},
          {"entity_f1_weighted", all.support == 0 ? 0.0 : weighted / static_cast<double>(all.support)},
          {"token_accuracy", Ratio(right, tokens)},
          {"per_type", std::move(rows)}};
}

}  // namespace atelier::learning
