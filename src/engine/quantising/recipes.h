// Which tensor of a model gets which format: plain formats, and the mixes that llama.cpp made known under names such as
// "q4_k_m". Source of the rules: https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp, without those
// for importance matrices, for falcon's layers and for models of 70 B parameters.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tensor/gguf.h"

namespace atelier::engine {

struct Recipe {
  std::string_view name;  // "q4_k_m"
  tensor::GgmlType type;  // of most tensors
  int64_t file_type;      // general.file_type of the files made by it; the format's numbers
};

// Static, thread-safe.
std::span<const Recipe> Recipes();
// In any case; "q3_k", "q4_k" and "q5_k" are the medium mixes. nullptr: there is none of that name.
const Recipe* FindRecipe(std::string_view name);
// "f32, f16, ...", for messages.
std::string RecipeNames();

// What the rules ask about a model.
struct RecipeModel {
  std::string architecture;
  int64_t layers = 0;
  int64_t heads_per_kv_head = 1;
  int64_t experts = 0;
  bool tied = false;  // the token embedding is the output, too
};

// The format of a tensor with `columns` weights a row, before it is known whether it fits; nothing for one that stays
// as it is: norms, biases, routers, positions.
struct FormatChoice {
  tensor::GgmlType wanted;
  tensor::GgmlType fitting;  // of which a row is whole blocks
};
bool StaysAsItIs(std::string_view tensor, std::span<const int64_t> shape);
FormatChoice ChooseFormat(const Recipe& recipe, const RecipeModel& model, std::string_view tensor, int64_t columns);

bool IsQuantised(tensor::GgmlType type);  // neither F32 nor F16 nor BF16

}  // namespace atelier::engine
