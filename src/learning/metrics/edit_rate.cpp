#include "learning/metrics/edit_rate.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "learning/metrics/words.h"

namespace atelier::learning {
namespace {

template <class Sequence>
Edits EditsBetween(const Sequence& reference, const Sequence& prediction) {
  std::vector<int64_t> row(prediction.size() + 1);
  std::iota(row.begin(), row.end(), int64_t{0});
  for (const auto& wanted : reference) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < prediction.size(); ++j) {
      const int64_t replaced = diagonal + (wanted == prediction[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return {row.back(), static_cast<int64_t>(reference.size())};
}

}  // namespace

double Edits::Rate() const {
  if (reference == 0) {
    return edits == 0 ? 0 : 1;
  }
  return static_cast<double>(edits) / static_cast<double>(reference);
}

Edits WordEdits(std::string_view reference, std::string_view prediction) {
  return EditsBetween(SplitWords(ToCharacters(reference)), SplitWords(ToCharacters(prediction)));
}

Edits CharacterEdits(std::string_view reference, std::string_view prediction) {
  const std::u32string wanted = ToCharacters(reference);
  const std::u32string predicted = ToCharacters(prediction);
  return EditsBetween(Strip(wanted), Strip(predicted));
}

boost::json::object RecognitionMetrics(std::span<const std::string> references,
                                       std::span<const std::string> predictions) {
  Edits words;
  Edits characters;
  for (size_t i = 0; i < references.size(); ++i) {
    words += WordEdits(references[i], predictions[i]);
    characters += CharacterEdits(references[i], predictions[i]);
  }
  return {{"wer", words.Rate()}, {"cer", characters.Rate()}};
}

}  // namespace atelier::learning
