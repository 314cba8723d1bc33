// What a model answered, row by row, kept as a file so that it can be analysed without the model.
//
// The file is safetensors. Its metadata: "format" = "atelier.predictions/1", "kind", and as JSON "labels" and "keys"
// [{"name","labels"}] (no labels: a number). Its tensors: "row" I64 [rows];
//   kind label  : "truth" and "predicted" I32 [rows], "probabilities" F32 [rows, labels] (may be absent)
//   kind number : "truth" and "predicted" F64 [rows]
//   kind text   : "truth" and "predicted" as texts;  kind tags: the same, tags separated by a space
//   all         : "loss" F32 [rows] (may be absent), "key.0", "key.1" ... I32 (index of a label, -1 missing) or F32
//   (NaN
//                 missing) [rows], "input" as texts (may be absent)
// A text `t` is `t.bytes` U8 [total], UTF-8, and `t.offsets` I64 [rows + 1].
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::learning {

enum class AnswerKind { kLabel, kNumber, kText, kTags };
std::string_view Name(AnswerKind kind);  // "label" | "number" | "text" | "tags"

// Something that rows can be grouped by: a column of the data set, or what was made of one.
struct Key {
  std::string name;
  std::vector<std::string> labels{};  // of a category; empty: a number
  std::vector<int32_t> codes{};       // [rows], -1 where missing
  std::vector<float> numbers{};       // [rows], NaN where missing

  bool is_number() const { return labels.empty(); }
};

struct Predictions {
  AnswerKind kind = AnswerKind::kLabel;
  std::vector<int64_t> rows;  // their numbers in the data set's version

  std::vector<std::string> labels{};  // of kLabel
  std::vector<int32_t> truth{};       // [rows], each in [0, labels)
  std::vector<int32_t> predicted{};
  std::vector<float> probabilities{};  // [rows, labels], or empty

  std::vector<double> true_values{};  // of kNumber, [rows]
  std::vector<double> predicted_values{};

  std::vector<std::string> true_texts{};  // of kText and kTags, [rows]
  std::vector<std::string> predicted_texts{};

  std::vector<float> losses{};  // [rows], or empty
  std::vector<Key> keys{};
  std::vector<std::string> inputs{};  // the beginning of each row's text, [rows], or empty

  size_t size() const { return rows.size(); }
  const Key* Find(std::string_view key) const;  // nullptr where there is none
};

// Whether every list has as many members as `rows`, and every code and label is in range. Errors: kInvalidArgument.
Status Check(const Predictions& predictions);

// Errors: Check's, the sink's.
Status WritePredictions(const Predictions& predictions, const std::function<Status(std::span<const std::byte>)>& sink);

// Errors: kDataLoss where the file is none of ours.
Result<Predictions> ReadPredictions(const std::filesystem::path& file);

// The rows with these places, in that order; a place may come several times.
Predictions Select(const Predictions& predictions, std::span<const uint32_t> places);

// The tags of one row of kTags.
std::vector<std::string> SplitTags(std::string_view text);

}  // namespace atelier::learning
