#include "data/steps/labels.h"

#include <unordered_set>

#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

constexpr size_t kMaxLabelBytes = 1024;

class LabelFitter final : public Fitter {
 public:
  LabelFitter(std::vector<size_t> columns, std::vector<SchemaColumn> definitions)
      : columns_(std::move(columns)), definitions_(std::move(definitions)), labels_(columns_.size()) {}

  Status Observe(const Batch& batch) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      for (size_t row = 0; row < batch.rows(); ++row) {
        std::string label = TextOf(definitions_[i], batch.columns[columns_[i]], row);
        if (label.empty() || labels_[i].contains(label)) {
          continue;
        }
        if (label.size() > kMaxLabelBytes || labels_[i].size() == kMaxCategories) {
          return InvalidArgument("column '" + definitions_[i].name +
                                     "' has too many different values, or too long ones, for categories: at most " +
                                     std::to_string(kMaxCategories) + " of " + std::to_string(kMaxLabelBytes) +
                                     " bytes",
                                 definitions_[i].name, "too_many_categories");
        }
        labels_[i].insert(std::move(label));
      }
    }
    return {};
  }

  Result<json::object> Finish() override {
    json::array columns;
    for (const auto& set : labels_) {
      const SortedLabels sorted = SortLabels({set.begin(), set.end()});
      columns.push_back(json::array(sorted.labels.begin(), sorted.labels.end()));
    }
    return json::object{{"labels", std::move(columns)}};
  }

 private:
  std::vector<size_t> columns_;
  std::vector<SchemaColumn> definitions_;
  std::vector<std::unordered_set<std::string>> labels_;
};

}  // namespace

LabelIndex::LabelIndex(const std::vector<std::string>& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    codes_.emplace(labels[i], static_cast<int32_t>(i));
  }
}

int32_t LabelIndex::Find(std::string_view label) const {
  const auto found = codes_.find(label);
  return found == codes_.end() ? -1 : found->second;
}

std::unique_ptr<Fitter> MakeLabelFitter(std::vector<size_t> columns, std::vector<SchemaColumn> definitions) {
  return std::make_unique<LabelFitter>(std::move(columns), std::move(definitions));
}

Result<std::vector<std::vector<std::string>>> LabelsFromJson(const json::object& state, size_t columns) {
  const Error damaged = DataLoss("the labels of a step are damaged");
  const json::value* list = state.if_contains("labels");
  if (list == nullptr || !list->is_array() || list->get_array().size() != columns) {
    return damaged;
  }
  std::vector<std::vector<std::string>> out(columns);
  for (size_t i = 0; i < columns; ++i) {
    const json::array* labels = list->get_array()[i].if_array();
    for (size_t k = 0; labels != nullptr && k < labels->size(); ++k) {
      if (!(*labels)[k].is_string()) {
        return damaged;
      }
      out[i].emplace_back((*labels)[k].get_string());
    }
  }
  return out;
}

}  // namespace atelier::data::steps
