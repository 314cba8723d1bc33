// The tensors of a model, from the names and layout of Hugging Face's to those of GGUF and back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/hugging_face/families.h"
#include "engine/hugging_face/weave.h"
#include "engine/model_config.h"
#include "tensor/gguf_writer.h"
#include "tensor/safetensors.h"

namespace atelier::engine::hugging_face {

// What the layout of tensors depends on.
struct Layout {
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t skipped_rows = 0;  // see Change::kSkipRows
  bool ranks = false;        // has a head that classifies
  bool tied = false;         // the output's matrix is that of the token embeddings, even if there is another
};

// The type of GGUF for weights of a folder; nothing for other types than F32, F16 and BF16.
std::optional<tensor::GgmlType> TypeOf(tensor::DataType type);

struct Recipe {
  std::string name;
  std::vector<int64_t> shape;  // outermost first
  Weave weave;                 // borrows
};

// By names of GGUF. Numbers keep their type but for vectors and what llama.cpp wants as F32. Errors: kInvalidArgument
// "invalid_model_file", naming the tensor (not known, given twice, of a type or shape that does not fit, a part that
// is missing).
Result<std::vector<Recipe>> ToGguf(const Family& family, const std::map<std::string, tensor::View>& tensors,
                                   const Layout& layout);

// By names of Hugging Face's. Numbers keep their type, quantised ones become F16. Errors: kUnimplemented or
// kInvalidArgument, naming the tensor.
Result<std::vector<Recipe>> FromGguf(const Family& family, const tensor::GgufFile& file, const Layout& layout);

}  // namespace atelier::engine::hugging_face
