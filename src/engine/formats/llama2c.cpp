#include "engine/formats/llama2c.h"

#include <array>
#include <cstring>
#include <limits>

#include "tensor/mapped_file.h"
#include "text/llama2c.h"

namespace atelier::engine {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr double kRopeBase = 10000.0;
constexpr int32_t kMaxDimension = 1 << 24;

Error Bad(const std::string& what) {
  return InvalidArgument("not a valid llama2.c checkpoint: " + what, "", "invalid_model_file");
}

struct Header {
  int32_t width = 0;
  int32_t feed_forward = 0;
  int32_t layers = 0;
  int32_t heads = 0;
  int32_t kv_heads = 0;
  int32_t vocabulary = 0;
  int32_t context = 0;
  bool own_head = false;
};

Result<Header> ReadHeader(std::span<const std::byte> bytes) {
  std::array<int32_t, 7> numbers{};
  if (bytes.size() < sizeof(numbers)) {
    return Bad("it has only " + std::to_string(bytes.size()) + " bytes");
  }
  std::memcpy(numbers.data(), bytes.data(), sizeof(numbers));
  Header header{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[5] < 0};
  if (header.own_head) {
    header.vocabulary = numbers[5] == std::numeric_limits<int32_t>::min() ? 0 : -numbers[5];
  }
  constexpr std::array<const char*, 7> kNames{"dim",        "hidden_dim", "n_layers", "n_heads",
                                              "n_kv_heads", "vocab_size", "seq_len"};
  const std::array<int32_t, 7> sizes{header.width,    header.feed_forward, header.layers, header.heads,
                                     header.kv_heads, header.vocabulary,   header.context};
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 1 || sizes[i] > kMaxDimension) {
      return Bad(std::string(kNames[i]) + " is " + std::to_string(numbers[i]));
    }
  }
  if (header.width % header.heads != 0 || header.heads % header.kv_heads != 0 || header.width / header.heads % 2 != 0) {
    return Bad("n_heads or n_kv_heads does not divide dim");
  }
  return header;
}

// Cuts tensors off the front of what is left of the file.
class Cutter {
 public:
  Cutter(std::span<const std::byte> bytes, MemoryFile& to) : bytes_(bytes), to_(to) {}

  // One tensor, given a name.
  Status Cut(const std::string& name, std::vector<int64_t> shape) {
    ATELIER_ASSIGN(bytes, CutBytes(name, shape));
    to_.AddTensor(name, {tensor::GgmlType::kF32, std::move(shape), bytes});
    return {};
  }
  // The same tensor of every layer.
  Status CutLayers(int64_t layers, const std::string& suffix, const std::vector<int64_t>& shape) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      ATELIER_TRY(Cut("blk." + std::to_string(layer) + "." + suffix, shape));
    }
    return {};
  }
  Status Skip(const std::string& what, const std::vector<int64_t>& shape) {
    ATELIER_ASSIGN(bytes, CutBytes(what, shape));
    static_cast<void>(bytes);
    return {};
  }
  size_t left() const { return bytes_.size(); }

 private:
  Result<std::span<const std::byte>> CutBytes(const std::string& name, const std::vector<int64_t>& shape) {
    size_t size = sizeof(float);
    for (const int64_t dimension : shape) {
      if (__builtin_mul_overflow(size, static_cast<size_t>(dimension), &size)) {
        return Bad("the size of tensor '" + name + "' overflows");
      }
    }
    if (size > bytes_.size()) {
      return Bad("it ends within tensor '" + name + "'");
    }
    const auto cut = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return cut;
  }

  std::span<const std::byte> bytes_;
  MemoryFile& to_;
};

Status CutTensors(const Header& header, std::span<const std::byte> bytes, MemoryFile& to) {
  const int64_t layers = header.layers;
  const int64_t width = header.width;
  const int64_t hidden = header.feed_forward;
  const int64_t head = width / header.heads;
  const int64_t key_width = head * header.kv_heads;
  Cutter cutter(bytes, to);
  ATELIER_TRY(cutter.Cut("token_embd.weight", {header.vocabulary, width}));
  ATELIER_TRY(cutter.CutLayers(layers, "attn_norm.weight", {width}));
  ATELIER_TRY(cutter.CutLayers(layers, "attn_q.weight", {width, width}));
  ATELIER_TRY(cutter.CutLayers(layers, "attn_k.weight", {key_width, width}));
  ATELIER_TRY(cutter.CutLayers(layers, "attn_v.weight", {key_width, width}));
  ATELIER_TRY(cutter.CutLayers(layers, "attn_output.weight", {width, width}));
  ATELIER_TRY(cutter.CutLayers(layers, "ffn_norm.weight", {width}));
  ATELIER_TRY(cutter.CutLayers(layers, "ffn_gate.weight", {hidden, width}));
  ATELIER_TRY(cutter.CutLayers(layers, "ffn_down.weight", {width, hidden}));
  ATELIER_TRY(cutter.CutLayers(layers, "ffn_up.weight", {hidden, width}));
  ATELIER_TRY(cutter.Cut("output_norm.weight", {width}));
  // Cosines and sines of every position, which follow from the numbers above.
  ATELIER_TRY(cutter.Skip("freq_cis_real", {header.context, head / 2}));
  ATELIER_TRY(cutter.Skip("freq_cis_imag", {header.context, head / 2}));
  if (header.own_head) {
    ATELIER_TRY(cutter.Cut("output.weight", {header.vocabulary, width}));
  }
  if (cutter.left() != 0) {
    return Bad("it has " + std::to_string(cutter.left()) + " bytes too many");
  }
  return {};
}

void SetMetadata(const Header& header, MemoryFile& to) {
  to.SetText("general.architecture", "llama");
  to.SetText("general.name", "llama2.c");
  to.SetInteger("llama.vocab_size", static_cast<uint64_t>(header.vocabulary));
  to.SetInteger("llama.context_length", static_cast<uint64_t>(header.context));
  to.SetInteger("llama.embedding_length", static_cast<uint64_t>(header.width));
  to.SetInteger("llama.block_count", static_cast<uint64_t>(header.layers));
  to.SetInteger("llama.feed_forward_length", static_cast<uint64_t>(header.feed_forward));
  to.SetInteger("llama.attention.head_count", static_cast<uint64_t>(header.heads));
  to.SetInteger("llama.attention.head_count_kv", static_cast<uint64_t>(header.kv_heads));
  to.SetInteger("llama.rope.dimension_count", static_cast<uint64_t>(header.width / header.heads));
  to.SetNumber("llama.rope.freq_base", kRopeBase);
  to.SetNumber("llama.attention.layer_norm_rms_epsilon", kNormEpsilon);
}

// The first `vocabulary` tokens of the file, as GGUF has them.
Status SetTokenizer(std::span<const std::byte> bytes, int32_t vocabulary, MemoryFile& to) {
  auto read = text::ReadLlama2cTokenizer({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!read.ok()) {
    return Bad(read.error().message);
  }
  text::TokenizerSpec spec = std::move(read).value();
  const auto count = static_cast<size_t>(vocabulary);
  if (spec.tokens.size() < count) {
    return Bad("its tokeniser ends before token " + std::to_string(spec.tokens.size()));
  }
  spec.tokens.resize(count);
  std::vector<int64_t> types;
  for (size_t token = 0; token < count; ++token) {
    types.push_back(1 + static_cast<int64_t>(spec.kinds[token]));  // GGUF's values, in the order of TokenKind, from 1
  }
  const std::vector<double> scores(spec.scores.begin(), spec.scores.begin() + vocabulary);
  to.SetText("tokenizer.ggml.model", "llama");
  to.Set("tokenizer.ggml.tokens", {std::move(spec.tokens)});
  to.Set("tokenizer.ggml.scores", {scores});
  to.Set("tokenizer.ggml.token_type", {std::move(types)});
  to.SetInteger("tokenizer.ggml.unknown_token_id", static_cast<uint64_t>(*spec.unknown));
  to.SetInteger("tokenizer.ggml.bos_token_id", static_cast<uint64_t>(*spec.bos));
  to.SetInteger("tokenizer.ggml.eos_token_id", static_cast<uint64_t>(*spec.eos));
  return {};
}

}  // namespace

Result<std::shared_ptr<const MemoryFile>> ReadLlama2c(const std::filesystem::path& checkpoint,
                                                      const std::filesystem::path& tokenizer) {
  ATELIER_ASSIGN(map, tensor::MappedFile::Open(checkpoint));
  const auto mapped = std::make_shared<tensor::MappedFile>(std::move(map));  // shared: kept by the file made of it
  const auto bytes = mapped->bytes();
  ATELIER_ASSIGN(header, ReadHeader(bytes));
  auto file = std::make_shared<MemoryFile>();
  file->Keep(mapped);
  SetMetadata(header, *file);
  ATELIER_TRY(CutTensors(header, bytes.subspan(7 * sizeof(int32_t)), *file));
  if (!tokenizer.empty()) {
    ATELIER_ASSIGN(pieces, tensor::MappedFile::Open(tokenizer));
    ATELIER_TRY(SetTokenizer(pieces.bytes(), header.vocabulary, *file));
  }
  return std::shared_ptr<const MemoryFile>(std::move(file));
}

}  // namespace atelier::engine
