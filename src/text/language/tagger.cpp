#include "text/language/tagger.h"

#include <algorithm>
#include <cmath>

#include "text/language/characters.h"
#include "text/language/tagger_features.h"

namespace atelier::text::language {
namespace {

constexpr std::string_view kFormat = "atelier-tagger-1";
constexpr size_t kMaxTags = 4096;

Error Invalid(const std::string& message) { return InvalidArgument(message, "tagger", "invalid_tagger"); }

// The index of a tag in the ascending list; -1: not there.
int IndexOf(const std::vector<std::string>& tags, std::string_view tag) {
  const auto found = std::ranges::lower_bound(tags, tag);
  return found == tags.end() || *found != tag ? -1 : static_cast<int>(found - tags.begin());
}

}  // namespace

std::vector<std::string> Tagger::Tags(const std::vector<std::string>& words) const {
  const auto context = tagging::ContextOf(words);
  std::vector<std::string> found;
  std::vector<std::string> features;
  std::vector<double> scores(tags_.size());
  std::string_view previous = tagging::kStart;
  std::string_view second = tagging::kStart2;
  for (size_t i = 0; i < words.size(); ++i) {
    size_t best = 0;
    if (const auto known = words_.find(words[i]); known != words_.end()) {
      best = known->second;
    } else {
      tagging::FeaturesOf({context, i, words[i], previous, second}, features);
      std::ranges::fill(scores, 0);
      for (const auto& feature : features) {
        if (const auto weights = weights_.find(feature); weights != weights_.end()) {
          for (const auto& weight : weights->second) {
            scores[weight.tag] += static_cast<double>(weight.value);
          }
        }
      }
      for (size_t tag = 0; tag < scores.size(); ++tag) {
        best = scores[tag] >= scores[best] ? tag : best;  // of equals the last in the alphabet
      }
    }
    found.push_back(tags_[best]);
    second = previous;
    previous = tags_[best];
  }
  return found;
}

json::object Tagger::ToJson() const {
  json::object words;
  for (const auto& [word, tag] : words_) {
    words[word] = tags_[tag];
  }
  json::object weights;
  for (const auto& [feature, list] : weights_) {
    json::object by_tag;
    for (const auto& weight : list) {
      by_tag[tags_[weight.tag]] = std::round(static_cast<double>(weight.value) * 1000) / 1000;
    }
    weights[feature] = std::move(by_tag);
  }
  return {{"format", kFormat},
          {"tags", json::value_from(tags_)},
          {"words", std::move(words)},
          {"weights", std::move(weights)}};
}

Result<Tagger> Tagger::FromJson(const json::object& object) {
  Fields fields(object);
  ATELIER_ASSIGN(format, fields.String("format"));
  ATELIER_ASSIGN(tags, fields.StringsOr("tags", {}, kMaxTags));
  ATELIER_ASSIGN(words, fields.ObjectOr("words"));
  ATELIER_ASSIGN(weights, fields.ObjectOr("weights"));
  if (format != kFormat || tags.empty() || words == nullptr || weights == nullptr) {
    return Invalid("this is no tagger: it lacks the format " + std::string(kFormat) + ", tags, words or weights");
  }
  Tagger tagger;
  tagger.tags_ = std::move(tags);
  std::ranges::sort(tagger.tags_);
  for (const auto& [word, tag] : *words) {
    const auto* name = tag.if_string();
    const int index = name == nullptr ? -1 : IndexOf(tagger.tags_, std::string_view(*name));
    if (index < 0) {
      return Invalid("the tagger gives a word a tag that is not among its tags");
    }
    tagger.words_.emplace(std::string(word), static_cast<uint16_t>(index));
  }
  for (const auto& [feature, by_tag] : *weights) {
    if (!by_tag.is_object()) {
      return Invalid("the weights of a feature must be an object");
    }
    auto& list = tagger.weights_[std::string(feature)];
    for (const auto& [tag, value] : by_tag.get_object()) {
      const int index = IndexOf(tagger.tags_, std::string_view(tag));
      if (index < 0 || !value.is_number() || !std::isfinite(value.to_number<double>())) {
        return Invalid("a weight of the tagger is no number, or its tag is not among the tags");
      }
      list.push_back({static_cast<uint16_t>(index), value.to_number<float>()});
    }
  }
  return tagger;
}

}  // namespace atelier::text::language
