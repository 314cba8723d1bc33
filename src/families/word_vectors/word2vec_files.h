// The files in which word vectors are passed around:
//   text (word2vec's -binary 0, fastText's .vec): a line "WORDS DIMENSIONS", then a line "word number number ..." each;
//     GloVe's has no first line
//   binary (word2vec's -binary 1): that first line, then a word, a space and its floats, little-endian, each; some
//     programs end each with a line feed
// A word of the text form is all before the last DIMENSIONS numbers, so it may hold spaces.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>

#include "base/result.h"
#include "families/word_vectors/index.h"

namespace atelier::families::word_vectors {

inline constexpr size_t kMaxDimensions = 4096;

// Either form; which one it is, the file shows. Words that are no UTF-8 are made so, and of words that then are the
// same, the first stays. Counts are unknown: 0. Errors: kInvalidArgument "invalid_model_file", naming line or word
// (fewer words than it says, a number that is none or not finite, too many dimensions ...).
Result<WordVectors> ParseWordVectors(std::span<const std::byte> bytes);
// Errors: kNotFound, and those above.
Result<WordVectors> ReadWordVectors(const std::filesystem::path& file);

using Sink = std::function<Status(std::string_view)>;
// Errors: kFailedPrecondition where a word holds white space; the sink's.
Status WriteText(const WordIndex& vectors, const Sink& sink);
Status WriteBinary(const WordIndex& vectors, const Sink& sink);

}  // namespace atelier::families::word_vectors
