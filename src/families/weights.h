// The weights of a module as a file, and what else all families need of LibTorch.
#pragma once

#include <torch/torch.h>

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "storage/blob_store.h"
#include "tensor/safetensors.h"

namespace atelier::families {

using Tensors = std::map<std::string, torch::Tensor>;

// All parameters and buffers by name, detached, contiguous, sharing memory with the module where they can.
Tensors StateOf(const torch::nn::Module& module);
// The same without parameters that require no gradient: what a training changes.
Tensors TrainedStateOf(const torch::nn::Module& module);

// Copies tensors into the module. Errors: kInvalidArgument "invalid_model_file" unless names, shapes and types are
// exactly those of StateOf (or of TrainedStateOf) and every number is finite; the module is then unchanged.
Status SetState(torch::nn::Module& module, const Tensors& state);
Status SetTrainedState(torch::nn::Module& module, const Tensors& state);

int64_t CountParameters(const torch::nn::Module& module);

// Borrowed views for WriteSafetensors; the tensors must be contiguous and outlive the views.
Result<std::map<std::string, tensor::View>> ViewsOf(const Tensors& tensors);
// A copy as a torch tensor. Errors: kInvalidArgument for types other than F32, F64, F16, BF16, I64, I32, U8.
Result<torch::Tensor> TensorFrom(const tensor::View& view);

// The bytes of model.safetensors, streamed. A pure function of the tensors.
Status WriteTensors(const Tensors& tensors, const std::function<Status(std::span<const std::byte>)>& sink);
Result<Tensors> ReadTensors(const std::filesystem::path& file);
Status LoadWeights(torch::nn::Module& module, const std::filesystem::path& file);

Result<storage::BlobRef> StoreTensors(storage::BlobStore& blobs, const Tensors& tensors);
Result<storage::BlobRef> StoreJson(storage::BlobStore& blobs, const boost::json::object& object);

// Runs `work` and turns exceptions of LibTorch into kInternal, or kResourceExhausted when memory is short.
Status CatchTorch(const std::function<Status()>& work);

}  // namespace atelier::families
