#include "engine/hugging_face/tensors.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace atelier::engine::hugging_face {
namespace {

using tensor::GgmlType;

Error Bad(const std::string& name, const std::string& what) {
  return InvalidArgument("tensor '" + name + "' " + what, name, "invalid_model_file");
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) {
    text += (text.empty() ? "[" : ", ") + std::to_string(size);
  }
  return text + "]";
}

// What llama.cpp adds up or chooses by is F32.
bool IsSmall(std::string_view pattern) {
  return pattern == "position_embd" || pattern == "token_types" || pattern.ends_with(".ffn_gate_inp") ||
         pattern.ends_with("norm");
}

bool IsShifted(const Family& family, const Match& match) {
  return family.norms_plus_one && match.row->gguf.ends_with("norm") && match.suffix == ".weight";
}

// Heads of which each has rotated rows that GGUF has as pairs; 0: none.
int64_t PairedHeads(const Family& family, const TensorRow& row, const Layout& layout) {
  if (family.row().rope != Rope::kPairs) {
    return 0;
  }
  return row.gguf.ends_with(".attn_q") ? layout.heads : row.gguf.ends_with(".attn_k") ? layout.kv_heads : 0;
}

// Both ways: what is done to the rows of a tensor.
Status SetOrder(const Family& family, const TensorRow& row, const Layout& layout, bool to_gguf, Recipe& recipe) {
  Weave& weave = recipe.weave;
  const bool grouped = row.change == Change::kGroups;
  const int64_t paired = PairedHeads(family, row, layout);
  if (recipe.shape.size() == 1 && (grouped || paired > 0)) {
    std::swap(weave.rows, weave.columns);  // each number of a bias is a row
  }
  const int64_t heads = grouped ? layout.heads + 2 * layout.kv_heads : paired;
  if (heads > 0 && (weave.rows % heads != 0 || (paired > 0 && weave.rows / heads % 2 != 0) ||
                    (grouped && layout.heads % layout.kv_heads != 0))) {
    return Bad(recipe.name,
               "of the shape " + ShapeText(recipe.shape) + " has no rows for " + std::to_string(heads) + " heads");
  }
  if (grouped) {
    const Heads all{layout.heads, layout.kv_heads, weave.rows / heads};
    weave.order = to_gguf ? KindsOfGroups(all) : GroupsOfKinds(all);
  } else if (paired > 0) {
    weave.order = to_gguf ? PairsOfHalves(weave.rows / paired) : HalvesOfPairs(weave.rows / paired);
  } else if (row.change == Change::kSkipRows) {
    const int64_t skipped = to_gguf ? layout.skipped_rows : -layout.skipped_rows;
    if (weave.rows <= skipped) {
      return Bad(recipe.name, "of the shape " + ShapeText(recipe.shape) + " has no rows behind the padding's");
    }
    weave.rows -= skipped;
    recipe.shape.front() = weave.rows;
    weave.order = [skipped](int64_t at) { return std::max<int64_t>(at + skipped, -1); };
  } else if (row.change == Change::kTranspose && recipe.shape.size() == 2) {
    weave.transposed = true;
    std::swap(weave.rows, weave.columns);
    std::swap(recipe.shape[0], recipe.shape[1]);
  }
  return {};
}

// Tensors of Hugging Face's that become one of GGUF's.
struct Group {
  Match match;
  std::map<int64_t, std::pair<std::string, const tensor::View*>> parts;  // by their numbers
};
using Groups = std::map<std::string, Group>;

Status AddToGroup(const Family& family, const Layout& layout, const std::string& name, const tensor::View& view,
                  Groups& groups) {
  if (IsNeedless(family, name, layout.ranks)) {
    return {};
  }
  const Match match = MatchHuggingFace(family, name);
  if (match.row == nullptr || match.layer >= layout.layers) {
    return Bad(name, "has no use in a model of the type '" + std::string(family.model_type) + "' with " +
                         std::to_string(layout.layers) + " layers");
  }
  if (layout.tied && match.row->gguf == "output" && match.suffix == ".weight") {
    return {};
  }
  if (!layout.ranks && match.row->gguf.starts_with("cls")) {
    return Bad(name, "is of a head that is not supported");
  }
  Group& group = groups[GgufName(match)];
  group.match = match;
  const auto [place, added] =
      group.parts.emplace(match.row->change == Change::kParts ? match.part : 0, std::pair(name, &view));
  return added ? Status() : Status(Bad(name, "is the same as '" + place->second.first + "'"));
}

Result<Recipe> RecipeOf(const Family& family, const Layout& layout, const std::string& name, const Group& group) {
  Recipe recipe{.name = name, .shape = {}, .weave = {}};
  const tensor::View* first = group.parts.begin()->second.second;
  int64_t next = 0;
  for (const auto& [number, named] : group.parts) {
    const auto& [part, view] = named;
    if (number != next++) {
      Match missing = group.match;
      missing.part = next - 1;
      return Bad(HuggingFaceName(missing), "is missing");
    }
    const auto type = TypeOf(view->type);
    if (!type || view->type != first->type) {
      return Bad(part, "is of the type " + std::string(tensor::Name(view->type)) +
                           (type ? ", unlike the tensors beside it" : ", not F32, F16 or BF16"));
    }
    if (view->shape.empty() || view->shape.size() > 2 || view->shape != first->shape || view->bytes.empty()) {
      return Bad(part, "has the shape " + ShapeText(view->shape) + ", which does not fit");
    }
    recipe.weave.from_type = *type;
    recipe.weave.parts.push_back(view->bytes);
  }
  const bool vector = first->shape.size() == 1;
  const bool stacked = group.match.row->change == Change::kParts;
  recipe.shape = first->shape;
  recipe.weave.rows = vector ? 1 : first->shape[0];
  recipe.weave.columns = first->shape.back();
  recipe.weave.type = vector || IsSmall(group.match.row->gguf) ? GgmlType::kF32 : recipe.weave.from_type;
  recipe.weave.shift = IsShifted(family, group.match) ? 1 : 0;
  if (stacked) {
    recipe.weave.rows *= static_cast<int64_t>(group.parts.size());
    recipe.shape.insert(recipe.shape.begin(), static_cast<int64_t>(group.parts.size()));
    return recipe;
  }
  ATELIER_TRY(SetOrder(family, *group.match.row, layout, true, recipe));
  return recipe;
}

// The tensors that one of GGUF's becomes.
Status AddRecipes(const Family& family, const Layout& layout,
                  const std::pair<const std::string, tensor::GgufTensor>& named, Match match, std::vector<Recipe>& to) {
  const auto& [name, tensor] = named;
  const bool stacked = match.row->change == Change::kParts;
  if (tensor.shape.size() < (stacked ? 2U : 1U) || tensor.shape.size() > (stacked ? 3U : 2U)) {
    return Bad(name, "has the shape " + ShapeText(tensor.shape) + ", which does not fit");
  }
  const auto parts = stacked ? static_cast<size_t>(tensor.shape.front()) : 1;
  const bool plain = tensor.type == GgmlType::kF32 || tensor.type == GgmlType::kF16 || tensor.type == GgmlType::kBF16;
  for (size_t part = 0; part < parts; ++part) {
    match.part = static_cast<int64_t>(part);
    Recipe recipe{.name = HuggingFaceName(match), .shape = tensor.shape, .weave = {}};
    if (stacked) {
      recipe.shape.erase(recipe.shape.begin());
    }
    const size_t bytes = tensor.bytes.size() / parts;
    recipe.weave.from_type = tensor.type;
    recipe.weave.type = plain ? tensor.type : GgmlType::kF16;
    recipe.weave.rows = recipe.shape.size() == 1 ? 1 : recipe.shape.front();
    recipe.weave.columns = recipe.shape.back();
    recipe.weave.parts.push_back(tensor.bytes.subspan(part * bytes, bytes));
    recipe.weave.shift = IsShifted(family, match) ? -1 : 0;
    if (!stacked) {
      ATELIER_TRY(SetOrder(family, *match.row, layout, false, recipe));
    }
    to.push_back(std::move(recipe));
  }
  return {};
}

}  // namespace

std::optional<tensor::GgmlType> TypeOf(tensor::DataType type) {
  switch (type) {
    case tensor::DataType::kF32:
      return GgmlType::kF32;
    case tensor::DataType::kF16:
      return GgmlType::kF16;
    case tensor::DataType::kBF16:
      return GgmlType::kBF16;
    default:
      return std::nullopt;
  }
}

Result<std::vector<Recipe>> ToGguf(const Family& family, const std::map<std::string, tensor::View>& tensors,
                                   const Layout& layout) {
  Groups groups;
  for (const auto& [name, view] : tensors) {
    ATELIER_TRY(AddToGroup(family, layout, name, view, groups));
  }
  std::vector<Recipe> recipes;
  for (const auto& [name, group] : groups) {
    ATELIER_ASSIGN(recipe, RecipeOf(family, layout, name, group));
    recipes.push_back(std::move(recipe));
  }
  return recipes;
}

Result<std::vector<Recipe>> FromGguf(const Family& family, const tensor::GgufFile& file, const Layout& layout) {
  std::vector<Recipe> recipes;
  for (const auto& named : file.tensors()) {
    const Match match = MatchGguf(family, named.first, file);
    if (match.row != nullptr) {  // the others are numbers of config.json, see FindFamily
      ATELIER_TRY(AddRecipes(family, layout, named, match, recipes));
    }
  }
  return recipes;
}

}  // namespace atelier::engine::hugging_face
