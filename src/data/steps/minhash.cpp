#include "data/steps/minhash.h"

#include <cmath>
#include <limits>
#include <string>

#include "data/steps/batch.h"

namespace atelier::data::steps {
namespace {

constexpr uint64_t kFamily = 0x6D696E68617368ULL;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string Folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!IsSpace(c)) {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

// Where the characters begin, and the end.
std::vector<size_t> Starts(std::string_view text) {
  std::vector<size_t> out;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      out.push_back(i);
    }
  }
  out.push_back(text.size());
  return out;
}

double Candidate(double similarity, size_t bands, size_t rows) {
  return 1 - std::pow(1 - std::pow(similarity, static_cast<double>(rows)), static_cast<double>(bands));
}

double WrongArea(double threshold, size_t bands, size_t rows) {
  constexpr int kSteps = 200;
  double area = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double similarity = (i + 0.5) / kSteps;
    const double found = Candidate(similarity, bands, rows);
    area += (similarity < threshold ? found : 1 - found) / kSteps;
  }
  return area;
}

}  // namespace

MinHash::MinHash(size_t permutations, size_t shingle) : shingle_(shingle) {
  for (size_t i = 0; i < permutations; ++i) {
    factors_.push_back(RowHash(kFamily, static_cast<int64_t>(2 * i)) | 1U);
    terms_.push_back(RowHash(kFamily, static_cast<int64_t>(2 * i + 1)));
  }
}

std::vector<uint32_t> MinHash::Signature(std::string_view text) const {
  const std::string folded = Folded(text);
  if (folded.empty()) {
    return {};
  }
  const std::vector<size_t> starts = Starts(folded);
  const size_t characters = starts.size() - 1;
  const size_t count = characters > shingle_ ? characters - shingle_ + 1 : 1;
  std::vector<uint32_t> signature(size(), std::numeric_limits<uint32_t>::max());
  for (size_t i = 0; i < count; ++i) {
    const size_t end = starts[std::min(i + shingle_, characters)];
    const uint64_t hash = HashBytes(std::string_view(folded).substr(starts[i], end - starts[i])).low;
    for (size_t k = 0; k < signature.size(); ++k) {
      const auto value = static_cast<uint32_t>((factors_[k] * hash + terms_[k]) >> 32U);
      signature[k] = value < signature[k] ? value : signature[k];
    }
  }
  return signature;
}

double Similarity(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    equal += a[i] == b[i] ? 1 : 0;
  }
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

Bands ChooseBands(double threshold, size_t permutations) {
  Bands best;
  double least = std::numeric_limits<double>::max();
  for (size_t bands = 1; bands <= permutations; ++bands) {
    for (size_t rows = 1; rows * bands <= permutations; ++rows) {
      const double area = WrongArea(threshold, bands, rows);
      if (area < least) {
        least = area;
        best = {bands, rows};
      }
    }
  }
  return best;
}

}  // namespace atelier::data::steps
