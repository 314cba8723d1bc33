#include "families/translation/config.h"

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr int64_t kMaxWidth = 8192;
constexpr int64_t kMaxVocabulary = 1'000'000;
constexpr int64_t kMaxLayers = 48;
constexpr int64_t kMaxHidden = 65536;
constexpr int64_t kMaxLength = 4096;
constexpr int64_t kMaxBeam = 64;
constexpr int64_t kMaxHeads = 256;

Status CheckIds(const TranslationConfig& config) {
  for (const int64_t id : {config.padding, config.unknown, config.end}) {
    if (id >= config.vocabulary) {
      return InvalidArgument("config.json: an id is beyond the vocabulary", "vocab_size");
    }
  }
  if (config.width % config.heads != 0 || config.width % 2 != 0) {
    return InvalidArgument("config.json: d_model must be even and a multiple of the heads", "d_model");
  }
  return {};
}

}  // namespace

TranslationConfig TranslationConfigOf(const json::object& settings) {
  TranslationConfig config;
  config.width = GetInt(settings, "width", config.width);
  config.heads = GetInt(settings, "heads", config.heads);
  config.hidden = GetInt(settings, "hidden", config.hidden);
  config.encoder_layers = GetInt(settings, "encoder_layers", config.encoder_layers);
  config.decoder_layers = GetInt(settings, "decoder_layers", config.decoder_layers);
  config.max_length = GetInt(settings, "max_length", config.max_length);
  config.dropout = GetNumber(settings, "dropout", config.dropout);
  config.source = GetString(settings, "source");
  config.target = GetString(settings, "target");
  config.beam = GetInt(settings, "beam", config.beam);
  config.length_penalty = GetNumber(settings, "length_penalty", config.length_penalty);
  return config;
}

json::object ToJson(const TranslationConfig& config) {
  return {{"model_type", "m2m_100"},
          {"architectures", json::array{"M2M100ForConditionalGeneration"}},
          {"vocab_size", config.vocabulary},
          {"d_model", config.width},
          {"encoder_layers", config.encoder_layers},
          {"decoder_layers", config.decoder_layers},
          {"encoder_attention_heads", config.heads},
          {"decoder_attention_heads", config.heads},
          {"encoder_ffn_dim", config.hidden},
          {"decoder_ffn_dim", config.hidden},
          {"activation_function", "relu"},
          {"max_position_embeddings", config.max_length},
          {"scale_embedding", true},
          {"tie_word_embeddings", true},
          {"dropout", config.dropout},
          {"attention_dropout", 0.0},
          {"activation_dropout", 0.0},
          {"encoder_layerdrop", 0.0},
          {"decoder_layerdrop", 0.0},
          {"pad_token_id", config.padding},
          {"unk_token_id", config.unknown},
          {"eos_token_id", config.end},
          {"bos_token_id", config.end},
          {"decoder_start_token_id", config.end},
          {"torch_dtype", "float32"},
          {"family", "translation"},
          {"source", config.source},
          {"target", config.target},
          {"num_beams", config.beam},
          {"gnmt_length_penalty", config.length_penalty}};
}

Result<TranslationConfig> TranslationConfigFromJson(const json::object& object) {
  Fields fields(object, "config.json");
  TranslationConfig out;
  const auto read = [&](std::string_view name, int64_t& value, int64_t min, int64_t max) -> Status {
    ATELIER_ASSIGN(number, fields.Int(name, min, max));
    value = number;
    return {};
  };
  ATELIER_TRY(read("vocab_size", out.vocabulary, 4, kMaxVocabulary));
  ATELIER_TRY(read("d_model", out.width, 2, kMaxWidth));
  ATELIER_TRY(read("encoder_attention_heads", out.heads, 1, kMaxHeads));
  ATELIER_TRY(read("encoder_ffn_dim", out.hidden, 1, kMaxHidden));
  ATELIER_TRY(read("encoder_layers", out.encoder_layers, 1, kMaxLayers));
  ATELIER_TRY(read("decoder_layers", out.decoder_layers, 1, kMaxLayers));
  ATELIER_TRY(read("max_position_embeddings", out.max_length, 2, kMaxLength));
  ATELIER_TRY(read("pad_token_id", out.padding, 0, kMaxVocabulary));
  ATELIER_TRY(read("unk_token_id", out.unknown, 0, kMaxVocabulary));
  ATELIER_TRY(read("eos_token_id", out.end, 0, kMaxVocabulary));
  ATELIER_TRY(read("num_beams", out.beam, 1, kMaxBeam));
  ATELIER_ASSIGN(penalty, fields.Number("gnmt_length_penalty", 0, 10));
  out.length_penalty = penalty;
  ATELIER_ASSIGN(dropout, fields.NumberOr("dropout", 0, 0, 0.99));
  out.dropout = dropout;
  ATELIER_ASSIGN(source, fields.String("source", 256));
  ATELIER_ASSIGN(target, fields.String("target", 256));
  out.source = std::move(source);
  out.target = std::move(target);
  // What the network is, and another could be.
  const TranslationConfig& known = out;
  const json::object expected = ToJson(known);
  for (const char* same : {"model_type", "decoder_attention_heads", "decoder_ffn_dim", "activation_function",
                           "scale_embedding", "tie_word_embeddings", "decoder_start_token_id"}) {
    const auto* value = object.if_contains(same);
    if (value == nullptr || *value != expected.at(same)) {
      return InvalidArgument(std::string("config.json: '") + same + "' is not what this family has", same);
    }
  }
  ATELIER_TRY(CheckIds(out));
  return out;
}

}  // namespace atelier::families
