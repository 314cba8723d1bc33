// The rows of a data set as what a GPT learns from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/reader.h"
#include "families/gpt/prompts.h"
#include "families/spec/gpt.h"

namespace atelier::families::gpt {

// A cell as text: of a text column, or the label of a category; empty where it is missing. Errors: kInvalidArgument (a
// column of another type); those of the reader.
Result<std::string> Cell(const data::Reader& reader, const std::string& column, int64_t row);

// The sequences of instructions and conversations. Rows that are none are left out and counted in `skipped`.
struct Examples {
  std::vector<Sequence> sequences{};
  int64_t skipped = 0;
  std::string first_reason{};  // why the first was left out
};
Result<Examples> ReadExamples(const data::Reader& reader, std::span<const int64_t> rows, Material material,
                              const Prompts& prompts);

// Two answers to the same prompt, of which the first is better.
struct Preference {
  Sequence chosen;
  Sequence rejected;
};
Result<std::vector<Preference>> ReadPreferences(const data::Reader& reader, std::span<const int64_t> rows,
                                                const Prompts& prompts);

}  // namespace atelier::families::gpt
