#include "serving/wire.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "serving/generative_wire.h"

namespace atelier::serving {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors travel in little-endian order");

constexpr size_t kMaxMessageText = 1000;  // bytes; a status travels in headers, which gRPC limits to 8 KiB
constexpr int kMaxRank = 8;

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

void RecordToWire(const Record& record, pb::Record& out) {
  for (const auto& [name, value] : record) {
    pb::Value& field = (*out.mutable_fields())[name];
    if (const auto* number = std::get_if<double>(&value)) {
      field.set_number(*number);
    } else {
      field.set_text(std::get<std::string>(value));
    }
  }
}

Result<Instance> TensorFromWire(const pb::Tensor& tensor) {
  if (tensor.shape_size() > kMaxRank) {
    return InvalidArgument("a tensor has at most 8 dimensions", "inputs");
  }
  Tensor out;
  const uint64_t values = tensor.fp32().size() / sizeof(float);
  uint64_t product = 1;
  for (const int64_t size : tensor.shape()) {
    // The message's size bounds the values, so the product stays far below an overflow.
    if (size < 0 || (size > 0 && product > values / static_cast<uint64_t>(size))) {
      return InvalidArgument("a tensor's values do not fit its shape", "inputs");
    }
    product *= static_cast<uint64_t>(size);
    out.shape.push_back(size);
  }
  if (product * sizeof(float) != tensor.fp32().size()) {
    return InvalidArgument("a tensor's values do not fit its shape", "inputs");
  }
  out.values.resize(product);
  if (product > 0) {
    std::memcpy(out.values.data(), tensor.fp32().data(), tensor.fp32().size());
  }
  return Instance(std::move(out));
}

Result<Instance> RecordFromWire(const pb::Record& record) {
  Record out;
  for (const auto& [name, value] : record.fields()) {
    switch (value.kind_case()) {
      case pb::Value::kNumber:
        out.emplace(name, value.number());
        break;
      case pb::Value::kText:
        out.emplace(name, value.text());
        break;
      case pb::Value::KIND_NOT_SET:
        return InvalidArgument("the field '" + name + "' has no value", "inputs");
    }
  }
  return Instance(std::move(out));
}

void SpecsToWire(const std::vector<TensorSpec>& specs, google::protobuf::RepeatedPtrField<pb::TensorSpec>& out) {
  for (const TensorSpec& spec : specs) {
    pb::TensorSpec& one = *out.Add();
    one.set_name(spec.name);
    one.set_datatype(spec.datatype);
    one.mutable_shape()->Assign(spec.shape.begin(), spec.shape.end());
  }
}

std::vector<TensorSpec> SpecsFromWire(const google::protobuf::RepeatedPtrField<pb::TensorSpec>& specs) {
  std::vector<TensorSpec> out;
  for (const pb::TensorSpec& spec : specs) {
    out.push_back({spec.name(), spec.datatype(), {spec.shape().begin(), spec.shape().end()}});
  }
  return out;
}

// Cuts at a character's edge.
std::string Shortened(std::string text) {
  if (text.size() > kMaxMessageText) {
    size_t end = kMaxMessageText;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    text.resize(end);
  }
  return text;
}

}  // namespace

void ToWire(Instance&& instance, pb::Instance& out) {
  std::visit(Overloaded{[&](Tensor& tensor) {
                          out.mutable_tensor()->mutable_shape()->Assign(tensor.shape.begin(), tensor.shape.end());
                          out.mutable_tensor()->set_fp32(tensor.values.data(), tensor.values.size() * sizeof(float));
                        },
                        [&](Image& image) { out.set_image(std::move(image.bytes)); },
                        [&](Record& record) { RecordToWire(record, *out.mutable_record()); },
                        [&](Text& text) { out.set_text(std::move(text.text)); }},
             instance);
}

Result<Instance> FromWire(const pb::Instance& instance) {
  switch (instance.kind_case()) {
    case pb::Instance::kTensor:
      return TensorFromWire(instance.tensor());
    case pb::Instance::kImage:
      return Instance(Image{instance.image()});
    case pb::Instance::kRecord:
      return RecordFromWire(instance.record());
    case pb::Instance::kText:
      return Instance(Text{instance.text()});
    case pb::Instance::KIND_NOT_SET:
      break;
  }
  return InvalidArgument("an instance is empty", "inputs");
}

void ToWire(Answer&& answer, pb::Prediction& out) {
  out.mutable_values()->Assign(answer.values.begin(), answer.values.end());
  for (std::string& text : answer.texts) {
    out.add_texts(std::move(text));
  }
  for (std::string& token : answer.tokens) {
    out.add_tokens(std::move(token));
  }
}

Answer FromWire(const pb::Prediction& prediction) {
  return {.values = {prediction.values().begin(), prediction.values().end()},
          .texts = {prediction.texts().begin(), prediction.texts().end()},
          .tokens = {prediction.tokens().begin(), prediction.tokens().end()}};
}

pb::DescribeResponse ToWire(const Signature& signature) {
  pb::DescribeResponse out;
  out.set_family(signature.family);
  out.set_task(signature.task);
  SpecsToWire(signature.inputs, *out.mutable_inputs());
  SpecsToWire(signature.outputs, *out.mutable_outputs());
  out.mutable_labels()->Assign(signature.labels.begin(), signature.labels.end());
  out.mutable_input_fields()->Assign(signature.input_fields.begin(), signature.input_fields.end());
  out.mutable_output_fields()->Assign(signature.output_fields.begin(), signature.output_fields.end());
  if (signature.generative) {
    *out.mutable_generative() = ToWire(*signature.generative);
  }
  return out;
}

Signature FromWire(const pb::DescribeResponse& response) {
  Signature out;
  out.family = response.family();
  out.task = response.task();
  out.inputs = SpecsFromWire(response.inputs());
  out.outputs = SpecsFromWire(response.outputs());
  out.labels.assign(response.labels().begin(), response.labels().end());
  out.input_fields.assign(response.input_fields().begin(), response.input_fields().end());
  out.output_fields.assign(response.output_fields().begin(), response.output_fields().end());
  if (response.has_generative()) {
    out.generative = FromWire(response.generative());
  }
  return out;
}

grpc::Status ToGrpc(const Error& error) {
  json::object details{{"reason", error.reason}, {"param", error.param}};
  if (error.retry_after_s) {
    details["retry_after_s"] = *error.retry_after_s;
  }
  return {static_cast<grpc::StatusCode>(error.code), Shortened(error.message), json::serialize(details)};
}

Error FromGrpc(const grpc::Status& status) {
  const auto code = static_cast<Code>(status.error_code());
  if (auto details = ParseJson(status.error_details()); details.ok() && details->is_object()) {
    const json::object& fields = details->get_object();
    Error error = MakeError(code, status.error_message(), GetString(fields, "reason"), GetString(fields, "param"));
    if (fields.contains("retry_after_s")) {
      error.retry_after_s = static_cast<int>(GetInt(fields, "retry_after_s"));
    }
    return error;
  }
  switch (code) {
    case Code::kDeadlineExceeded:
      return MakeError(code, "the model did not answer in time", "timeout");
    case Code::kResourceExhausted:
      return MakeError(Code::kOutOfRange, "the request is too large for the model's worker", "request_too_large");
    case Code::kUnimplemented:
      return Internal("the worker speaks another version of the protocol");
    default:
      return Unavailable("the model's worker ended while it had the request", "worker_crashed");
  }
}

}  // namespace atelier::serving
