#include "families/weights.h"

#include <algorithm>
#include <array>
#include <new>

namespace atelier::families {
namespace {

Error BadFile(const std::string& what) { return InvalidArgument(what, "", "invalid_model_file"); }

struct TypeRow {
  torch::ScalarType torch_type;
  tensor::DataType type;
};
constexpr std::array<TypeRow, 7> kTypes{{{torch::kFloat32, tensor::DataType::kF32},
                                         {torch::kFloat64, tensor::DataType::kF64},
                                         {torch::kInt64, tensor::DataType::kI64},
                                         {torch::kUInt8, tensor::DataType::kU8},
                                         {torch::kFloat16, tensor::DataType::kF16},
                                         {torch::kBFloat16, tensor::DataType::kBF16},
                                         {torch::kInt32, tensor::DataType::kI32}}};

Status CopyInto(const Tensors& own, const Tensors& state) {
  return CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, tensor] : own) {
      const auto found = state.find(name);
      if (found == state.end()) {
        return BadFile("the weights have no tensor '" + name + "'");
      }
      if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type()) {
        return BadFile("the tensor '" + name + "' has another shape or type than config.json says");
      }
      if (tensor.is_floating_point() && !torch::isfinite(found->second).all().item<bool>()) {
        return BadFile("the tensor '" + name + "' holds a number that is not finite");
      }
    }
    if (state.size() != own.size()) {
      return BadFile("the weights hold " + std::to_string(state.size()) + " tensors, the network has " +
                     std::to_string(own.size()));
    }
    for (const auto& [name, tensor] : own) {
      tensor.copy_(state.at(name));
    }
    return {};
  });
}

// Detached tensors, which share memory with the module.
Tensors Detached(const torch::nn::Module& module, bool frozen) {
  Tensors state;
  for (const auto& item : module.named_parameters()) {
    if (frozen || item.value().requires_grad()) {
      state[item.key()] = item.value().detach();
    }
  }
  for (const auto& item : module.named_buffers()) {
    state[item.key()] = item.value().detach();
  }
  return state;
}

Tensors Contiguous(Tensors state) {
  for (auto& [name, tensor] : state) {
    tensor = tensor.contiguous();
  }
  return state;
}

}  // namespace

Tensors StateOf(const torch::nn::Module& module) { return Contiguous(Detached(module, true)); }
Tensors TrainedStateOf(const torch::nn::Module& module) { return Contiguous(Detached(module, false)); }

Status SetState(torch::nn::Module& module, const Tensors& state) { return CopyInto(Detached(module, true), state); }
Status SetTrainedState(torch::nn::Module& module, const Tensors& state) {
  return CopyInto(Detached(module, false), state);
}

int64_t CountParameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const auto& parameter : module.parameters()) {
    count += parameter.numel();
  }
  return count;
}

Result<std::map<std::string, tensor::View>> ViewsOf(const Tensors& tensors) {
  std::map<std::string, tensor::View> views;
  for (const auto& [name, tensor] : tensors) {
    const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const TypeRow& r) { return r.torch_type == tensor.scalar_type(); });
    if (row == kTypes.end() || !tensor.is_contiguous()) {
      return Internal("the tensor '" + name + "' cannot be written");
    }
    views[name] = {row->type,
                   tensor.sizes().vec(),
                   {static_cast<const std::byte*>(tensor.data_ptr()), static_cast<size_t>(tensor.nbytes())}};
  }
  return views;
}

Result<torch::Tensor> TensorFrom(const tensor::View& view) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& r) { return r.type == view.type; });
  if (row == kTypes.end()) {
    return BadFile("the type " + std::string(tensor::Name(view.type)) +
                   " is not one of F32, F64, F16, BF16, I64, I32, U8");
  }
  torch::Tensor tensor;
  ATELIER_TRY(CatchTorch([&]() -> Status {
    tensor = torch::empty(view.shape, torch::dtype(row->torch_type));
    if (tensor.nbytes() != view.bytes.size()) {
      return BadFile("a tensor's bytes do not fit its shape");
    }
    std::copy(view.bytes.begin(), view.bytes.end(), static_cast<std::byte*>(tensor.data_ptr()));
    return {};
  }));
  return tensor;
}

Status WriteTensors(const Tensors& tensors, const std::function<Status(std::span<const std::byte>)>& sink) {
  ATELIER_ASSIGN(views, ViewsOf(tensors));
  return tensor::WriteSafetensors(views, {{"format", "pt"}}, sink);
}

Result<Tensors> ReadTensors(const std::filesystem::path& file) {
  ATELIER_ASSIGN(opened, tensor::SafetensorsFile::Open(file));
  Tensors tensors;
  for (const auto& [name, view] : opened->tensors()) {
    ATELIER_ASSIGN(tensor, TensorFrom(view));
    tensors[name] = tensor;
  }
  return tensors;
}

Status LoadWeights(torch::nn::Module& module, const std::filesystem::path& file) {
  ATELIER_ASSIGN(tensors, ReadTensors(file));
  return SetState(module, tensors);
}

Result<storage::BlobRef> StoreTensors(storage::BlobStore& blobs, const Tensors& tensors) {
  ATELIER_ASSIGN(writer, blobs.Create());
  ATELIER_TRY(WriteTensors(tensors, [&](std::span<const std::byte> bytes) { return writer->Append(bytes); }));
  return writer->Commit();
}

Result<storage::BlobRef> StoreJson(storage::BlobStore& blobs, const boost::json::object& object) {
  return storage::PutBytes(blobs, boost::json::serialize(object) + "\n");
}

Status CatchTorch(const std::function<Status()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return MakeError(Code::kResourceExhausted, "there is not enough memory for this network and batch",
                     "out_of_memory");
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    if (text.find("alloc") != std::string::npos && text.find("memory") != std::string::npos) {
      return MakeError(Code::kResourceExhausted, "there is not enough memory for this network and batch",
                       "out_of_memory");
    }
    return Internal("LibTorch: " + text.substr(0, 2000));
  } catch (const std::exception& error) {
    return Internal(std::string("LibTorch: ") + error.what());
  }
}

}  // namespace atelier::families
