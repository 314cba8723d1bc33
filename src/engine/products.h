// Products of weights with many rows of activations.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/adapter.h"
#include "engine/thread_pool.h"
#include "engine/weights.h"
#include "tensor/kernels/float_kernels.h"
#include "tensor/packed/packed_kernels.h"

namespace atelier::engine {

// outputs[j] = matrix * inputs[j] + bias, for `count` inputs; strides in floats.
struct Product {
  const Matrix* matrix = nullptr;
  std::span<const float> bias;    // [rows], or empty
  const float* inputs = nullptr;  // [count, columns]
  size_t input_stride = 0;
  size_t count = 0;
  float* outputs = nullptr;  // [count, rows]
  size_t output_stride = 0;
  std::span<const AdaptedRows> adapted{};  // of the inputs; their outputs get what the adapter adds to the matrix
};

// Packed quantised weights are multiplied as integers with activations that are rounded to bytes. Others are multiplied
// as floats: those of 16 bits as they are, others turned into floats a few rows at a time. An input's
// outputs do not depend on the other inputs nor on the number of threads. For one calling thread.
class Products {
 public:
  Products(ThreadPool& threads, const tensor::FloatKernels& kernels)
      : threads_(threads),
        kernels_(kernels),
        packed_kernels_(tensor::BestPackedKernels()),
        scratch_(threads.threads()) {}

  // All of them, in any order; outputs must not overlap.
  void Run(std::span<const Product> products);

 private:
  struct Addition {  // of an adapter, to the outputs of a few inputs
    const Product* product;
    const LowRank* part;
    size_t first;  // input
    size_t count;
  };

  struct Plan {                          // of a product
    const tensor::PackedFormat* format;  // of weights that are multiplied as integers, or nullptr
    size_t rounded;                      // where their inputs begin in rounded_
    size_t first_block;
    size_t block_rows;
  };

  struct Rounded {
    const Product* product;  // whose inputs they are
    size_t first;            // of its blocks in rounded_
  };

  size_t MakePlans(std::span<const Product> products);  // returns the number of all blocks
  void RoundInputs(std::span<const Product> products);
  size_t BlockRows(const Matrix& matrix, const tensor::PackedFormat* format) const;
  void RunBlock(const Product& product, const Plan& plan, size_t block, size_t thread);
  void MultiplyPanels(const Product& product, const Plan& plan, size_t first_row, size_t rows) const;
  void MultiplyHalves(const Product& product, size_t first_row, size_t rows) const;
  void MultiplyFloats(const Product& product, size_t first_row, size_t rows, std::vector<float>& scratch) const;
  void AddAdapters(std::span<const Product> products);
  void Add(const Addition& addition, std::vector<float>& scratch) const;

  ThreadPool& threads_;
  const tensor::FloatKernels& kernels_;
  const tensor::PackedKernels& packed_kernels_;
  std::vector<std::vector<float>> scratch_;  // by thread

  std::vector<Plan> plans_;                       // by product of this run
  std::vector<Rounded> rounded_inputs_;           // those that differ
  std::vector<tensor::ActivationBlock> rounded_;  // [inputs of all of them, cells]
  std::vector<Addition> additions_;
};

// The weights of whole rows as floats: borrowed where they lie as such, or else in `scratch`.
const float* FloatRows(const Matrix& matrix, size_t first, size_t count, std::vector<float>& scratch);

}  // namespace atelier::engine
