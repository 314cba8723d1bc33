// How models of Hugging Face's `transformers` are called in GGUF, as rows of data: modules, keys of config.json, and
// what is done to the numbers on the way. Read both ways: by importing and by exporting. Sources: the classes of
// https://github.com/huggingface/transformers and llama.cpp's published conversion (its folder conversion/).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "engine/architectures.h"
#include "tensor/gguf.h"

namespace atelier::engine::hugging_face {

// What becomes of a tensor's rows, besides what the architecture asks for (see Family).
enum class Change : uint8_t {
  kNone,
  kTranspose,  // inputs and outputs change places
  kGroups,     // queries, keys and values of each group of heads, one behind the other; GGUF: all queries first
  kParts,      // '#' in the name counts tensors that GGUF stacks
  kSkipRows,   // GGUF leaves out the rows up to the padding's
};

// Names without ".weight" and ".bias"; '%' is the number of a layer.
struct TensorRow {
  std::string_view gguf;
  std::string_view hugging_face;
  Change change = Change::kNone;
  std::string_view beside{};  // the name in files that also have this tensor of GGUF's
};

enum class Number : uint8_t { kInteger, kReal };
enum class Presence : uint8_t { kMust, kMay };

struct KeyRow {
  std::string_view gguf;  // behind "<architecture>."
  std::string_view name;  // in config.json
  Number number = Number::kInteger;
  Presence presence = Presence::kMust;
  double otherwise = 0;           // the value where it is absent; 0: GGUF has none, either
  std::string_view other_name{};  // what other files call it
};

// A key that decides what a model computes: refused with another value, and written with the first one.
struct Demand {
  std::string_view key;
  std::array<std::string_view, 3> values;  // as JSON; an absent key is the first
};

// A key that says whether a tensor is there. Written, never read: the tensors are there or not.
struct FlagRow {
  std::string_view key;
  std::string_view tensor;  // of GGUF
  bool negated = false;
};

struct Family {
  std::string_view model_type;
  std::string_view class_name;    // of `architectures`
  std::string_view architecture;  // of GGUF, a row of engine/architectures.h
  std::string_view prefix;        // of most names; files may leave it out
  std::array<std::span<const TensorRow>, 3> tensors;
  std::array<std::span<const KeyRow>, 3> keys;
  std::span<const Demand> demands{};
  std::span<const FlagRow> flags{};
  double rope_base = 10000;
  bool norms_plus_one = false;      // GGUF's weights of norms are larger by one
  std::string_view ranker_class{};  // with a head that classifies
  std::string_view tokenizer{};     // tokenizer.ggml.model, where it tells families apart
  std::string_view text_config{};   // key of the language model's part in a config of several parts

  const Architecture& row() const;  // of the engine
};

std::span<const Family> Families();

// The part of config.json that tells of the language model, borrowed.
Result<const json::object*> TextConfig(const Family& family, const json::object& config);

// The family of a config.json. Errors: kInvalidArgument (no model_type); kUnimplemented "unsupported_architecture",
// naming the model_type, or "unsupported_model", naming the key whose value is not supported.
Result<const Family*> FindFamily(const json::object& config);

// The family that has a name for every tensor of the file. Errors: kUnimplemented "unsupported_architecture", or naming
// the tensor that has none.
Result<const Family*> FindFamily(const tensor::GgufFile& file);

// Which row a name belongs to.
struct Match {
  const TensorRow* row = nullptr;  // nullptr: none
  int64_t layer = 0;
  int64_t part = 0;
  std::string_view suffix{};  // ".weight" or ".bias", static
};
Match MatchGguf(const Family& family, std::string_view name, const tensor::GgufFile& file);
Match MatchHuggingFace(const Family& family, std::string_view name);

std::string GgufName(const Match& match);
std::string HuggingFaceName(const Match& match);

// Whether a tensor is nothing that GGUF holds: buffers, heads of training, pictures.
bool IsNeedless(const Family& family, std::string_view hugging_face, bool ranks);

}  // namespace atelier::engine::hugging_face
