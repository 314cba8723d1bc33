// Word and character error rates of speech and text recognition.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace atelier::learning {

// Substitutions, insertions and deletions that make the prediction of the reference (V. Levenshtein, 1966).
struct Edits {
  int64_t edits = 0;
  int64_t reference = 0;  // its words or characters

  Edits& operator+=(const Edits& other) {
    edits += other.edits;
    reference += other.reference;
    return *this;
  }
  // May be above 1. Of an empty reference: 0 where the prediction is empty, too, else 1.
  double Rate() const;
};

// Words are what stands between white space. Case and punctuation count.
Edits WordEdits(std::string_view reference, std::string_view prediction);
// All characters but the white space around the text.
Edits CharacterEdits(std::string_view reference, std::string_view prediction);

// {"wer","cer"} over all rows. The spans must be of one length.
boost::json::object RecognitionMetrics(std::span<const std::string> references,
                                       std::span<const std::string> predictions);

}  // namespace atelier::learning
