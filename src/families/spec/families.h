// Which model families there are, and what each takes. The part that needs no LibTorch: the gateway checks with it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "families/spec/layers.h"

namespace atelier::families {

struct Family {
  std::string_view name;
  std::string_view summary;
  std::string_view default_layers;  // hidden layers where the user gives none
  bool takes_images = false;
  bool takes_tables = false;
  std::span<const LayerKind> layer_kinds;  // allowed in `layers`
};

// The list: families.cpp.
std::span<const Family> Families();
std::vector<std::string> FamilyNames();
// Errors: kInvalidArgument "unknown_family", naming the known ones.
Result<const Family*> FindFamily(std::string_view name);
// Errors: kInvalidArgument naming the first layer of a kind that the family does not have.
Status CheckLayerKinds(const Family& family, const std::vector<Layer>& layers);

}  // namespace atelier::families
