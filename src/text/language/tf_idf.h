// Weights of terms in documents, as scikit-learn's TfidfVectorizer by default: tf is the count, idf is
// ln((1 + n) / (1 + df)) + 1, and each document has the Euclidean length 1.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace atelier::text::language {

// Immutable after construction, thread-safe.
class TfIdf {
 public:
  // From the terms of each document. Terms in fewer than `least_documents` documents are left out.
  explicit TfIdf(const std::vector<std::vector<std::string>>& documents, size_t least_documents = 1);

  struct Weight {
    uint32_t term;  // an index of terms()
    double value;
  };
  // In ascending order of the terms; unknown terms are left out.
  std::vector<Weight> Transform(const std::vector<std::string>& document) const;

  const std::vector<std::string>& terms() const { return terms_; }  // in ascending order of their bytes
  const std::vector<double>& idf() const { return idf_; }           // [terms]

 private:
  std::vector<std::string> terms_;
  std::vector<double> idf_;
};

}  // namespace atelier::text::language
