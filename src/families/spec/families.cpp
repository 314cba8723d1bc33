#include "families/spec/families.h"

#include <algorithm>
#include <array>

namespace atelier::families {
namespace {

constexpr std::array kDenseKinds{LayerKind::kDense, LayerKind::kBatchNorm, LayerKind::kDropout, LayerKind::kActivation,
                                 LayerKind::kFlatten};
constexpr std::array kImageKinds{LayerKind::kDense,   LayerKind::kConv,       LayerKind::kPool,   LayerKind::kBatchNorm,
                                 LayerKind::kDropout, LayerKind::kActivation, LayerKind::kFlatten};

constexpr std::array<Family, 2> kFamilies{{
    {.name = "mlp",
     .summary = "Multilayer perceptron: dense layers on tables or pictures",
     .default_layers = "128,128",
     .takes_images = true,
     .takes_tables = true,
     .layer_kinds = kDenseKinds},
    {.name = "cnn",
     .summary = "Convolutional network on pictures",
     .default_layers = "conv32x3,pool2,conv64x3,pool2,dense64",
     .takes_images = true,
     .layer_kinds = kImageKinds},
}};

}  // namespace

std::span<const Family> Families() { return kFamilies; }

std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const auto& family : kFamilies) {
    names.emplace_back(family.name);
  }
  return names;
}

Result<const Family*> FindFamily(std::string_view name) {
  std::string known;
  for (const auto& family : kFamilies) {
    if (family.name == name) {
      return &family;
    }
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  }
  return InvalidArgument("there is no model family '" + std::string(name.substr(0, 64)) + "'; known are " + known,
                         "family", "unknown_family");
}

Status CheckLayerKinds(const Family& family, const std::vector<Layer>& layers) {
  for (size_t i = 0; i < layers.size(); ++i) {
    if (std::ranges::find(family.layer_kinds, layers[i].kind) == family.layer_kinds.end()) {
      const std::string param = "layers[" + std::to_string(i) + "]";
      return InvalidArgument("'" + param + "': the family " + std::string(family.name) +
                                 " has no such layers; use cnn for convolution and pooling",
                             param);
    }
  }
  return {};
}

}  // namespace atelier::families
