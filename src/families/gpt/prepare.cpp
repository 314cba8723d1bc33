#include "families/gpt/prepare.h"

#include <algorithm>
#include <fstream>

#include "base/json.h"
#include "families/gpt/weights.h"
#include "text/training/train.h"

namespace atelier::families::gpt {
namespace {

constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::string_view kBeginTurn = "<|im_start|>";
constexpr std::string_view kEndTurn = "<|im_end|>";

// Every text that a row holds, for learning a vocabulary.
Status ForEachText(const data::Reader& reader, std::span<const int64_t> rows,
                   const std::function<Status(std::string_view)>& each) {
  constexpr const char* kColumns[] = {"text",     "instruction",   "input",  "output",
                                      "messages", "conversations", "prompt", "completion"};
  for (const int64_t row : rows) {
    for (const char* column : kColumns) {
      if (reader.manifest().Find(column) != nullptr) {
        ATELIER_ASSIGN(cell, Cell(reader, column, row));
        ATELIER_TRY(each(cell));
      }
    }
  }
  return {};
}

// The shape of a model from scratch but for its vocabulary.
Shape ShapeOfSettings(const json::object& settings) {
  const bool llama = GetString(settings, "architecture") != "gpt2";
  const int64_t width = GetInt(settings, "width");
  const int64_t heads = GetInt(settings, "heads");
  return {.kind = llama ? Kind::kLlama : Kind::kGpt2,
          .width = width,
          .layers = GetInt(settings, "layers"),
          .heads = heads,
          .kv_heads = GetInt(settings, "kv_heads"),
          .head = width / heads,
          .hidden = GetInt(settings, "hidden"),
          .context = GetInt(settings, "context")};
}

Result<Language> LearnLanguage(const LearnInput& input, Material material) {
  const bool characters = GetString(input.settings, "tokenizer") == "characters";
  const bool talks = material != Material::kText && material != Material::kCompletions;
  text::TokenizerTraining training{
      .algorithm = characters ? text::TokenizerAlgorithm::kCharacters : text::TokenizerAlgorithm::kByteBpe,
      .vocabulary_size = GetInt(input.settings, "vocabulary_size")};
  training.special.bos = kEndOfText;
  training.special.eos = talks ? kEndTurn : kEndOfText;
  if (talks) {
    training.special.others = {std::string(kBeginTurn)};
  }
  if (input.progress) {
    input.progress({{"stage", "tokenizer"}});
  }
  ATELIER_ASSIGN(
      trained, text::TrainTokenizer([&](const auto& each) { return ForEachText(input.reader, input.rows.train, each); },
                                    training));
  ATELIER_ASSIGN(language, ReadLanguage({trained.tokenizer_json, trained.tokenizer_config_json}));
  if (talks) {
    language.chat_template = PlainChatTemplate();
  }
  return language;
}

Status AddAdapter(const json::object& settings, NetworkImpl& network) {
  const std::string method = GetString(settings, "method");
  if (method == "full") {
    return {};
  }
  if (method == "qlora") {
    network.Quantise();
  }
  network.AddLora({.rank = GetInt(settings, "rank"),
                   .alpha = GetNumber(settings, "alpha"),
                   .dropout = GetNumber(settings, "lora_dropout")},
                  GetString(settings, "lora_targets") == "attention");
  return {};
}

}  // namespace

Result<Start> Begin(const LearnInput& input, Material material) {
  Start start;
  Shape shape;
  if (input.base.empty()) {
    ATELIER_ASSIGN(language, LearnLanguage(input, material));
    start.language = std::move(language);
    shape = ShapeOfSettings(input.settings);
    shape.vocabulary = start.language.tokenizer->size();
    ATELIER_TRY(CheckShape(shape));
  } else {
    ATELIER_ASSIGN(opened, OpenModel(input.base));
    start.language = std::move(opened.language);
    shape = opened.shape;
  }
  const bool full = GetString(input.settings, "method") == "full";
  const int64_t length = std::min(GetInt(input.settings, "context"), shape.context);
  ATELIER_TRY(CheckMemory(EstimateMemory(shape, full ? ParametersOf(shape) : ParametersOf(shape) / 50,
                                         GetInt(input.settings, "batch_size"), length)));
  torch::manual_seed(static_cast<uint64_t>(GetInt(input.settings, "seed", 1)));
  start.network = Network(shape, GetNumber(input.settings, "dropout"));
  if (!input.base.empty()) {
    ATELIER_TRY(ReadWeights(input.base, *start.network));
  }
  ATELIER_TRY(AddAdapter(input.settings, *start.network));
  return start;
}

Result<std::vector<int32_t>> ReadStream(const data::Reader& reader, std::span<const int64_t> rows,
                                        const Language& language, const json::object& settings) {
  const text::TokenizerSpec& spec = language.tokenizer->spec();
  const std::string separator = GetString(settings, "separator");
  std::vector<int32_t> between;
  if (!separator.empty()) {
    between = language.tokenizer->Encode(separator, {.add_special = false, .parse_special = false});
  } else if (spec.eos) {
    between.push_back(*spec.eos);
  }
  std::vector<int32_t> stream;
  for (const int64_t row : rows) {
    ATELIER_ASSIGN(text, Cell(reader, "text", row));
    const auto ids = language.tokenizer->Encode(text, {.add_special = false, .parse_special = false});
    stream.insert(stream.end(), ids.begin(), ids.end());
    stream.insert(stream.end(), between.begin(), between.end());
  }
  return stream;
}

std::vector<int32_t> CharactersOfTokens(const text::Tokenizer& tokenizer) {
  std::vector<int32_t> counts;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string_view bytes = tokenizer.Bytes(id);
    counts.push_back(static_cast<int32_t>(std::ranges::count_if(
        bytes, [](char byte) { return (static_cast<uint8_t>(byte) & 0xC0U) != 0x80U; })));  // that begin a character
  }
  return counts;
}

int64_t EstimateMemory(const Shape& shape, int64_t trained, int64_t batch, int64_t length) {
  constexpr int64_t kFloat = 4;
  const int64_t tokens = batch * length;
  // Kept for the way back: the inputs of the maps, norms and products of a block; logits, their softmax and gradient.
  const int64_t block = 10 * shape.width + 4 * shape.heads * shape.head + 5 * shape.hidden;
  const int64_t floats = tokens * (shape.layers * block + 3 * shape.vocabulary);
  return kFloat * (ParametersOf(shape) + 3 * trained + floats);
}

Status CheckMemory(int64_t bytes) {
  std::ifstream meminfo("/proc/meminfo");
  std::string word;
  int64_t kilobytes = 0;
  while (meminfo >> word) {
    if (word == "MemAvailable:") {
      meminfo >> kilobytes;
      break;
    }
  }
  const int64_t available = kilobytes * 1024;
  if (kilobytes == 0 || bytes <= available) {
    return {};
  }
  const auto gigabytes = [](int64_t count) {
    return std::to_string((count + 99'999'999) / 100'000'000 / 10) + "." +
           std::to_string((count + 99'999'999) / 100'000'000 % 10) + " GB";
  };
  return MakeError(Code::kResourceExhausted,
                   "this training needs about " + gigabytes(bytes) + " of memory and " + gigabytes(available) +
                       " are free; make batch_size, context or the model smaller, or train an adapter",
                   "not_enough_memory", "settings.batch_size");
}

}  // namespace atelier::families::gpt
