#include "families/sequential/chain_predictor.h"

#include <torch/torch.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "families/process.h"
#include "families/sequential/learner.h"
#include "media/image.h"

namespace atelier::families {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

std::string Quote(std::string_view name) { return "'" + std::string(name.substr(0, 128)) + "'"; }

Result<float> NumberOf(const std::string& field, const std::variant<double, std::string>& value) {
  double number = 0;
  if (const auto* given = std::get_if<double>(&value)) {
    number = *given;
  } else {
    const auto& text = std::get<std::string>(value);
    if (text.empty()) {
      return kMissing;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return InvalidArgument("the field " + Quote(field) + " must be a number", field);
    }
  }
  const auto narrow = static_cast<float>(number);
  if (!std::isfinite(narrow)) {
    return InvalidArgument("the field " + Quote(field) + " must be a finite number of float range", field);
  }
  return narrow;
}

// The label as text: a number given for a category is written as the data set writes it.
std::string LabelOf(const std::variant<double, std::string>& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::get<double>(value));
  return {buffer.data(), result.ptr};
}

Status CheckFinite(const std::vector<float>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return InvalidArgument("value " + std::to_string(i) + " of the input is not a finite number", "inputs");
    }
  }
  return {};
}

int64_t Product(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || (size > 0 && count > kMaxActivations / size)) {
      return -1;
    }
    count *= size;
  }
  return count;
}

class Preparer {
 public:
  Preparer(const Preprocessor& preprocessor, const ModelConfig& config)
      : preprocessor_(preprocessor), shape_(config.input_shape) {}

  Result<std::vector<float>> operator()(const InstanceTensor& tensor) const {
    if (const auto* table = std::get_if<TableInput>(&preprocessor_.input)) {
      for (const auto& field : table->fields) {
        if (field.category) {
          return InvalidArgument(
              "the field " + Quote(field.name) + " is a category, so an input must be a record {\"field\": value, ...}",
              "inputs");
        }
      }
    }
    if (!FitsShape(tensor.shape)) {
      return InvalidArgument("the input has the shape " + ShapeText(tensor.shape) + ", expected " + Expected(),
                             "inputs", "invalid_shape");
    }
    if (Product(tensor.shape) != static_cast<int64_t>(tensor.values.size())) {
      return InvalidArgument("the input has " + std::to_string(tensor.values.size()) + " values, its shape says " +
                                 ShapeText(tensor.shape),
                             "inputs", "invalid_shape");
    }
    ATELIER_TRY(CheckFinite(tensor.values));
    return tensor.values;
  }

  Result<std::vector<float>> operator()(const InstanceImage& image) const {
    if (!preprocessor_.is_image()) {
      return InvalidArgument("the model reads records or numbers, not pictures", "inputs");
    }
    ATELIER_ASSIGN(decoded, media::Decode(image.bytes, shape_[0], shape_[1], shape_[2]));
    return std::vector<float>(decoded.pixels.begin(), decoded.pixels.end());
  }

  Result<std::vector<float>> operator()(const InstanceRecord& record) const {
    const auto* table = std::get_if<TableInput>(&preprocessor_.input);
    if (table == nullptr) {
      return InvalidArgument("the model reads pictures, not records", "inputs");
    }
    std::vector<float> values;
    values.reserve(static_cast<size_t>(shape_[0]));
    for (const auto& field : table->fields) {
      const auto found = record.find(field.name);
      if (found == record.end()) {
        return InvalidArgument("the field " + Quote(field.name) + " is missing", field.name,
                               "missing_required_parameter");
      }
      ATELIER_TRY(AppendField(field, found->second, values));
    }
    if (record.size() != table->fields.size()) {
      return UnknownField(record, *table);
    }
    return values;
  }

  Result<std::vector<float>> operator()(const InstanceText& /*text*/) const {
    return InvalidArgument(
        std::string("the model reads ") + (preprocessor_.is_image() ? "pictures" : "records or numbers") + ", not text",
        "inputs");
  }

 private:
  bool FitsShape(const std::vector<int64_t>& shape) const {
    if (shape == shape_ || shape == std::vector<int64_t>{Product(shape_)}) {
      return true;
    }
    return shape_.size() == 3 && shape_[0] == 1 && shape == std::vector<int64_t>{shape_[1], shape_[2]};
  }

  std::string Expected() const {
    if (shape_.size() == 1) {
      return ShapeText(shape_);
    }
    return ShapeText(shape_) + (shape_[0] == 1 ? ", " + ShapeText({shape_[1], shape_[2]}) : "") + " or [" +
           std::to_string(Product(shape_)) + "], of pixel values 0 to 255";
  }

  static Status AppendField(const TableField& field, const std::variant<double, std::string>& value,
                            std::vector<float>& out) {
    if (field.category) {
      const std::string label = LabelOf(value);
      for (const auto& category : field.categories) {
        out.push_back(category == label ? 1.0F : 0.0F);
      }
      return {};
    }
    if (field.width() != 1) {
      return InvalidArgument("the field " + Quote(field.name) + " has the shape " + ShapeText(field.shape) +
                                 "; give the whole input as a tensor",
                             field.name);
    }
    ATELIER_ASSIGN(number, NumberOf(field.name, value));
    out.push_back(number);
    return {};
  }

  static Error UnknownField(const InstanceRecord& record, const TableInput& table) {
    for (const auto& [name, value] : record) {
      bool known = false;
      for (const auto& field : table.fields) {
        known = known || field.name == name;
      }
      if (!known) {
        return InvalidArgument("the model has no field " + Quote(name), name.substr(0, 128), "unknown_parameter");
      }
    }
    return InvalidArgument("the record does not have the model's fields", "inputs");
  }

  const Preprocessor& preprocessor_;
  const std::vector<int64_t>& shape_;
};

class ModelPredictor final : public Predictor {
 public:
  explicit ModelPredictor(Model model)
      : model_(std::move(model)),
        signature_(MakeSignature(model_.config, model_.preprocessor)),
        affine_(MakeAffine(model_.preprocessor)) {}

  const Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<PreparedInstance>> Prepare(const Instance& instance) const override {
    ATELIER_ASSIGN(values, std::visit(Preparer(model_.preprocessor, model_.config), instance));
    return std::unique_ptr<PreparedInstance>(std::make_unique<PreparedValues>(std::move(values)));
  }

  Result<std::vector<Answer>> Predict(std::span<const PreparedInstance* const> batch) override {
    std::vector<Answer> answers;
    ATELIER_TRY(CatchTorch([&]() -> Status {
      const c10::InferenceMode inference;
      std::vector<int64_t> shape{static_cast<int64_t>(batch.size())};
      shape.insert(shape.end(), model_.config.input_shape.begin(), model_.config.input_shape.end());
      auto input = torch::empty(shape, torch::kFloat32);
      auto* target = input.data_ptr<float>();
      for (const auto* prepared : batch) {
        Scale(affine_, static_cast<const PreparedValues&>(*prepared).values.data(), target);
        target += affine_.values();
      }
      auto output = model_.network->Forward(input);
      const auto& info = model_.preprocessor.target;
      output = info.labels.empty() ? output * info.std + info.mean : torch::softmax(output, 1);
      output = output.contiguous();
      const auto* values = output.data_ptr<float>();
      for (size_t i = 0; i < batch.size(); ++i) {
        answers.push_back({.values = {values, values + output.size(1)}});
        values += output.size(1);
      }
      return {};
    }));
    return answers;
  }

 private:
  Model model_;
  Signature signature_;
  Affine affine_;
};

}  // namespace

Result<std::unique_ptr<Predictor>> OpenChain(const ModelFiles& files, int threads) {
  ATELIER_ASSIGN(model, LoadModel(files));
  // For one instance: whatever comes in at once shares the cores with the gateway and other workers.
  ATELIER_ASSIGN(useful, UsefulThreads(model.config, 1, threads));
  ConfigureProcess(useful);
  return std::unique_ptr<Predictor>(std::make_unique<ModelPredictor>(std::move(model)));
}

}  // namespace atelier::families
