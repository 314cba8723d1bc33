#include "engine/quantising/recipes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "tensor/quants/formats.h"

namespace atelier::engine {
namespace {

using tensor::GgmlType;

constexpr Recipe kRecipes[] = {
    {"f32", GgmlType::kF32, 0},       {"f16", GgmlType::kF16, 1},      {"bf16", GgmlType::kBF16, 32},
    {"q8_0", GgmlType::kQ8_0, 7},     {"q4_0", GgmlType::kQ4_0, 2},    {"q4_1", GgmlType::kQ4_1, 3},
    {"q5_0", GgmlType::kQ5_0, 8},     {"q5_1", GgmlType::kQ5_1, 9},    {"q2_k", GgmlType::kQ2_K, 10},
    {"q3_k_s", GgmlType::kQ3_K, 11},  {"q3_k_m", GgmlType::kQ3_K, 12}, {"q3_k_l", GgmlType::kQ3_K, 13},
    {"q4_k_s", GgmlType::kQ4_K, 14},  {"q4_k_m", GgmlType::kQ4_K, 15}, {"q5_k_s", GgmlType::kQ5_K, 16},
    {"q5_k_m", GgmlType::kQ5_K, 17},  {"q6_k", GgmlType::kQ6_K, 18},   {"iq4_nl", GgmlType::kIQ4_NL, 25},
    {"iq4_xs", GgmlType::kIQ4_XS, 30}};

// What a tensor is for, by a part of its name. Fused projections count as values.
enum class Part { kOther, kOutput, kEmbedding, kValue, kKey, kAttentionOutput, kDown };
struct PartName {
  std::string_view text;
  Part part;
};
constexpr PartName kParts[] = {{"attn_v.weight", Part::kValue},
                               {"attn_qkv.weight", Part::kValue},
                               {"attn_kv_b.weight", Part::kValue},
                               {"attn_k.weight", Part::kKey},
                               {"attn_output.weight", Part::kAttentionOutput},
                               {"ffn_down", Part::kDown}};

// In which layers, of which models.
enum class When { kAlways, kFirstTwo, kFirstFour, kFirstEighth, kFirstSixteenth, kMoreBits, kFourHeadsShare };

struct Rule {
  std::string_view recipe;
  Part part;
  When when;
  GgmlType type;
};
// The first that holds counts.
constexpr Rule kRules[] = {{"q2_k", Part::kValue, When::kFourHeadsShare, GgmlType::kQ4_K},
                           {"q2_k", Part::kValue, When::kAlways, GgmlType::kQ3_K},
                           {"q2_k", Part::kDown, When::kAlways, GgmlType::kQ3_K},
                           {"q2_k", Part::kAttentionOutput, When::kAlways, GgmlType::kQ3_K},
                           {"q3_k_m", Part::kValue, When::kFirstTwo, GgmlType::kQ5_K},
                           {"q3_k_m", Part::kValue, When::kAlways, GgmlType::kQ4_K},
                           {"q3_k_m", Part::kDown, When::kFirstSixteenth, GgmlType::kQ5_K},
                           {"q3_k_m", Part::kDown, When::kAlways, GgmlType::kQ4_K},
                           {"q3_k_m", Part::kAttentionOutput, When::kAlways, GgmlType::kQ4_K},
                           {"q3_k_l", Part::kValue, When::kAlways, GgmlType::kQ5_K},
                           {"q3_k_l", Part::kDown, When::kAlways, GgmlType::kQ5_K},
                           {"q3_k_l", Part::kAttentionOutput, When::kAlways, GgmlType::kQ5_K},
                           {"q4_k_s", Part::kValue, When::kFirstFour, GgmlType::kQ5_K},
                           {"q4_k_s", Part::kDown, When::kFirstEighth, GgmlType::kQ5_K},
                           {"q4_k_m", Part::kValue, When::kMoreBits, GgmlType::kQ6_K},
                           {"q4_k_m", Part::kDown, When::kMoreBits, GgmlType::kQ6_K},
                           {"q5_k_m", Part::kValue, When::kMoreBits, GgmlType::kQ6_K},
                           {"q5_k_m", Part::kDown, When::kMoreBits, GgmlType::kQ6_K},
                           {"iq4_nl", Part::kValue, When::kFourHeadsShare, GgmlType::kQ5_K},
                           {"iq4_nl", Part::kDown, When::kFirstEighth, GgmlType::kQ5_K},
                           {"iq4_xs", Part::kValue, When::kFourHeadsShare, GgmlType::kQ5_K},
                           {"iq4_xs", Part::kDown, When::kFirstEighth, GgmlType::kQ5_K}};

// Models of eight experts share their attention among all of them, so these bits cost little.
constexpr int64_t kSharingExperts = 8;
constexpr std::string_view kRaisedOutputs[] = {"q2_k", "q3_k_s", "q3_k_m", "q4_k_s", "q4_k_m", "iq4_nl", "iq4_xs"};

// For rows that are no whole super-blocks.
struct Fallback {
  GgmlType from;
  GgmlType to;
};
constexpr Fallback kFallbacks[] = {{GgmlType::kIQ4_XS, GgmlType::kIQ4_NL}, {GgmlType::kQ2_K, GgmlType::kQ4_0},
                                   {GgmlType::kQ3_K, GgmlType::kQ4_0},     {GgmlType::kQ4_K, GgmlType::kQ5_0},
                                   {GgmlType::kQ5_K, GgmlType::kQ5_1},     {GgmlType::kQ6_K, GgmlType::kQ8_0}};

// Small, and felt in every token.
constexpr std::string_view kKeptParts[] = {"_norm.weight", "ffn_gate_inp.weight", "position_embd", "token_types.weight",
                                           "attn_rel_b.weight"};

Part PartOf(std::string_view tensor) {
  if (tensor == "output.weight") {
    return Part::kOutput;
  }
  if (tensor == "token_embd.weight") {
    return Part::kEmbedding;
  }
  const auto* found = std::ranges::find_if(
      kParts, [&](const PartName& part) { return tensor.find(part.text) != std::string_view::npos; });
  return found == std::end(kParts) ? Part::kOther : found->part;
}

// Of "blk.7.ffn_down.weight"; 0 where a name says none.
int64_t LayerOf(std::string_view tensor) {
  const size_t at = tensor.find("blk.");
  int64_t layer = 0;
  if (at != std::string_view::npos) {
    std::from_chars(tensor.data() + at + 4, tensor.data() + tensor.size(), layer);
  }
  return layer;
}

bool Holds(When when, int64_t layer, const RecipeModel& model) {
  const int64_t eighth = model.layers / 8;
  switch (when) {
    case When::kAlways:
      return true;
    case When::kFirstTwo:
      return layer < 2;
    case When::kFirstFour:
      return layer < 4;
    case When::kFirstEighth:
      return layer < eighth;
    case When::kFirstSixteenth:
      return layer < model.layers / 16;
    case When::kMoreBits:  // the first and last eighth, and every third between them
      return layer < eighth || layer >= 7 * model.layers / 8 || (layer - eighth) % 3 == 2;
    case When::kFourHeadsShare:
      return model.heads_per_kv_head >= 4;
  }
  return false;
}

bool Fits(GgmlType type, int64_t columns) { return columns % tensor::FormatOf(type).weights == 0; }

GgmlType Wanted(const Recipe& recipe, const RecipeModel& model, std::string_view tensor, int64_t columns) {
  const Part part = PartOf(tensor);
  if (!IsQuantised(recipe.type)) {
    return recipe.type;
  }
  if (part == Part::kOutput || (part == Part::kEmbedding && model.tied)) {
    const bool eight_bits =
        model.architecture == "falcon" || recipe.type == GgmlType::kQ8_0 || !Fits(recipe.type, columns);
    return eight_bits ? GgmlType::kQ8_0 : GgmlType::kQ6_K;
  }
  if (model.experts == kSharingExperts) {
    if (part == Part::kValue || part == Part::kKey) {
      return GgmlType::kQ8_0;
    }
    if (part == Part::kAttentionOutput) {
      return std::ranges::find(kRaisedOutputs, recipe.name) != std::end(kRaisedOutputs) ? GgmlType::kQ5_K : recipe.type;
    }
  }
  const auto* rule = std::ranges::find_if(kRules, [&](const Rule& row) {
    return row.recipe == recipe.name && row.part == part && Holds(row.when, LayerOf(tensor), model);
  });
  return rule == std::end(kRules) ? recipe.type : rule->type;
}

GgmlType Fitting(GgmlType wanted, int64_t columns) {
  if (Fits(wanted, columns)) {
    return wanted;
  }
  const auto* fallback = std::ranges::find(kFallbacks, wanted, &Fallback::from);
  return fallback != std::end(kFallbacks) && Fits(fallback->to, columns) ? fallback->to : GgmlType::kF16;
}

}  // namespace

std::span<const Recipe> Recipes() { return kRecipes; }

const Recipe* FindRecipe(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "q3_k" || lower == "q4_k" || lower == "q5_k") {
    lower += "_m";
  }
  const auto* found = std::ranges::find(kRecipes, std::string_view(lower), &Recipe::name);
  return found == std::end(kRecipes) ? nullptr : found;
}

std::string RecipeNames() {
  std::string names;
  for (const Recipe& recipe : kRecipes) {
    names += (names.empty() ? "" : ", ") + std::string(recipe.name);
  }
  return names;
}

bool IsQuantised(GgmlType type) { return tensor::FormatOf(type).weights > 1; }

bool StaysAsItIs(std::string_view tensor, std::span<const int64_t> shape) {
  return shape.size() < 2 || !tensor.ends_with("weight") || std::ranges::any_of(kKeptParts, [&](std::string_view part) {
           return tensor.find(part) != std::string_view::npos;
         });
}

FormatChoice ChooseFormat(const Recipe& recipe, const RecipeModel& model, std::string_view tensor, int64_t columns) {
  const GgmlType wanted = Wanted(recipe, model, tensor, columns);
  return {wanted, Fitting(wanted, columns)};
}

}  // namespace atelier::engine
