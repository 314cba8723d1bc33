#include "predictor_adapter.h"

namespace atelier::apps {
namespace {

struct ToFamily {
  families::Instance operator()(const serving::Tensor& tensor) const {
    return families::InstanceTensor{tensor.shape, tensor.values};
  }
  families::Instance operator()(const serving::Image& image) const { return families::InstanceImage{image.bytes}; }
  families::Instance operator()(const serving::Record& record) const { return families::InstanceRecord(record); }
  families::Instance operator()(const serving::Text& text) const { return families::InstanceText{text.text}; }
};

std::vector<serving::TensorSpec> ToServing(const std::vector<families::TensorSpec>& specs) {
  std::vector<serving::TensorSpec> converted;
  for (const auto& spec : specs) {
    converted.push_back({spec.name, spec.datatype, spec.shape});
  }
  return converted;
}

serving::Signature ToServing(const families::Signature& signature) {
  return {.family = signature.family,
          .task = signature.task,
          .inputs = ToServing(signature.inputs),
          .outputs = ToServing(signature.outputs),
          .labels = signature.labels,
          .input_fields = signature.input_fields,
          .output_fields = signature.output_fields};
}

struct PreparedForServing final : serving::Prepared {
  explicit PreparedForServing(std::unique_ptr<families::PreparedInstance> prepared) : instance(std::move(prepared)) {}
  std::unique_ptr<families::PreparedInstance> instance;
};

class Adapter final : public serving::Predictor {
 public:
  explicit Adapter(std::unique_ptr<families::Predictor> predictor)
      : predictor_(std::move(predictor)), signature_(ToServing(predictor_->signature())) {}

  const serving::Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<serving::Prepared>> Prepare(const serving::Instance& instance) const override {
    ATELIER_ASSIGN(prepared, predictor_->Prepare(std::visit(ToFamily{}, instance)));
    return std::unique_ptr<serving::Prepared>(std::make_unique<PreparedForServing>(std::move(prepared)));
  }

  Result<std::vector<serving::Answer>> Predict(std::span<const serving::Prepared* const> batch) override {
    std::vector<const families::PreparedInstance*> instances;
    instances.reserve(batch.size());
    for (const auto* prepared : batch) {
      instances.push_back(static_cast<const PreparedForServing*>(prepared)->instance.get());
    }
    ATELIER_ASSIGN(answers, predictor_->Predict(instances));
    std::vector<serving::Answer> converted;
    converted.reserve(answers.size());
    for (auto& answer : answers) {
      converted.push_back({std::move(answer.values), std::move(answer.texts), std::move(answer.tokens)});
    }
    return converted;
  }

 private:
  std::unique_ptr<families::Predictor> predictor_;
  serving::Signature signature_;
};

}  // namespace

std::unique_ptr<serving::Predictor> Adapt(std::unique_ptr<families::Predictor> predictor) {
  return std::make_unique<Adapter>(std::move(predictor));
}

}  // namespace atelier::apps
