// Texts as the labels of a category column.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/formats/inference.h"
#include "data/steps/step.h"

namespace atelier::data::steps {

// Finds the place of a label.
class LabelIndex {
 public:
  explicit LabelIndex(const std::vector<std::string>& labels);
  int32_t Find(std::string_view label) const;  // -1: none of them

 private:
  Codes codes_;
};

// The labels that text or scalar columns have, all rows together; Labels reads its result. Errors of Observe:
// kInvalidArgument where there are too many, or too long ones.
std::unique_ptr<Fitter> MakeLabelFitter(std::vector<size_t> columns, std::vector<SchemaColumn> definitions);
Result<std::vector<std::vector<std::string>>> LabelsFromJson(const boost::json::object& state, size_t columns);

}  // namespace atelier::data::steps
