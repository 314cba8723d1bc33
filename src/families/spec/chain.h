// The families whose network is one chain of layers: mlp and cnn.
#pragma once

#include "families/spec/families.h"
#include "families/spec/layers.h"
#include "families/spec/model_config.h"

namespace atelier::families {

std::span<const Setting> MlpSettings();
std::span<const Setting> CnnSettings();

// The network for these settings on this data set. Errors: kInvalidArgument where they do not fit: no target, no
// picture column for cnn, fewer than two classes, a constant or wholly missing target, a text column in a table, layers
// that the input is too small for, an empty train split ...
Result<ModelConfig> MakeModelConfig(const FitInput& input);

// Checks all of the above and that the loss fits the task; `layers` becomes its canonical form.
Result<boost::json::object> FitChain(const FitInput& input);

// The loss that the setting means for a task: "auto" is sparse_cross_entropy or mse.
std::string ResolveLoss(const boost::json::object& settings, std::string_view task);

// The column that a picture model reads: the only image column. Errors: kInvalidArgument (none, or several).
Result<const data::Column*> ImageColumn(const data::Manifest& manifest);

// The columns of a table model: all but the target, in order. Errors: kInvalidArgument on text and image columns.
Result<std::vector<const data::Column*>> TableColumns(const data::Manifest& manifest);

// Errors: kInvalidArgument naming the first layer of a kind that the family does not have.
Status CheckLayerKinds(std::string_view family, const std::vector<Layer>& layers);

}  // namespace atelier::families
