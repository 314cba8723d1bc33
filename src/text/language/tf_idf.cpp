#include "text/language/tf_idf.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

namespace atelier::text::language {

TfIdf::TfIdf(const std::vector<std::vector<std::string>>& documents, size_t least_documents) {
  std::map<std::string_view, size_t> frequencies;  // of documents
  for (const auto& document : documents) {
    for (const std::string_view term : std::set<std::string_view>(document.begin(), document.end())) {
      ++frequencies[term];
    }
  }
  for (const auto& [term, count] : frequencies) {
    if (count >= least_documents) {
      terms_.emplace_back(term);
      idf_.push_back(std::log((1.0 + static_cast<double>(documents.size())) / (1.0 + static_cast<double>(count))) + 1);
    }
  }
}

std::vector<TfIdf::Weight> TfIdf::Transform(const std::vector<std::string>& document) const {
  std::map<uint32_t, double> counts;
  for (const auto& term : document) {
    const auto found = std::ranges::lower_bound(terms_, term);
    if (found != terms_.end() && *found == term) {
      counts[static_cast<uint32_t>(found - terms_.begin())] += 1;
    }
  }
  double squares = 0;
  std::vector<Weight> weights;
  for (const auto& [term, count] : counts) {
    weights.push_back({term, count * idf_[term]});
    squares += weights.back().value * weights.back().value;
  }
  for (auto& weight : weights) {
    weight.value /= std::sqrt(squares);
  }
  return weights;
}

}  // namespace atelier::text::language
