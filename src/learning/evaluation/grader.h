// Graders of OpenAI's evals: what a text must be for an item to pass.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::learning {

// A text with places like {{item.question}}, {{sample.output_json.parts[0]}}:
// filled from `values`. Texts stay, other values become JSON. Errors:
// kInvalidArgument where a place names nothing or is not closed.
Result<std::string> FillIn(std::string_view text, const json::object& values);
// What a path such as item.messages is. Errors: as FillIn.
Result<const json::value*> Lookup(std::string_view path, const json::object& values);

// 1 - (insertions and deletions) / (characters of both): rapidfuzz's ratio. 1
// of two empty texts. Takes the product of both lengths.
double FuzzyMatch(std::string_view a, std::string_view b);
// The smaller of precision and recall of all n-grams of one to four words (Y.
// Wu et al., arXiv:1609.08144, section 4.1); ideographs are words.
double Gleu(std::string_view reference, std::string_view prediction);

// Two texts that are compared: a criterion of an eval. Immutable.
class Grader {
 public:
  // {"type": "string_check", "name", "input", "reference", "operation": eq | ne
  // | like | ilike}, or
  // {"type": "text_similarity", "name", "input", "reference",
  // "evaluation_metric", "pass_threshold"}. `like` asks for the reference
  // within the input. Errors: kInvalidArgument naming the member, below `path`.
  static Result<Grader> FromJson(const json::object& object, const std::string& path);

  struct Grade {
    double score = 0;  // 0 to 1
    bool passed = false;
  };
  // Errors: those of FillIn; kOutOfRange "text_too_long" above 4000 characters
  // of fuzzy_match, or words of rouge_l.
  Result<Grade> Judge(const json::object& values) const;
  const std::string& name() const { return name_; }
  const std::string& type() const { return type_; }

 private:
  std::string name_{};
  std::string type_{};
  std::string input_{};
  std::string reference_{};
  std::string how_{};  // operation or metric
  double threshold_ = 1;
};

}  // namespace atelier::learning
