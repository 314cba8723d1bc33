#include "families/word_vectors/index.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/float_kernels.h"

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kRowsAtOnce = 1024;
constexpr size_t kQueriesAtOnce = 48;

// What makes a vector one of length one; 0 for zeros.
float ScaleOf(std::span<const float> vector) {
  double squares = 0;
  for (const float value : vector) {
    squares += static_cast<double>(value) * value;
  }
  return squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0;
}

bool Nearer(const Neighbour& a, const Neighbour& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.word < b.word;
}

// The best so far, as a heap whose front is the worst of them.
class Best {
 public:
  explicit Best(const Query& query) : query_(query) {}

  void Offer(const Neighbour& one) {
    if (found_.size() == query_.top && (query_.top == 0 || !Nearer(one, found_.front()))) {
      return;
    }
    if (std::ranges::find(query_.left_out, one.word) != query_.left_out.end()) {
      return;
    }
    if (found_.size() == query_.top) {
      std::ranges::pop_heap(found_, Nearer);
      found_.pop_back();
    }
    found_.push_back(one);
    std::ranges::push_heap(found_, Nearer);
  }

  std::vector<Neighbour> Take() && {
    std::ranges::sort(found_, Nearer);
    return std::move(found_);
  }

 private:
  const Query& query_;
  std::vector<Neighbour> found_;
};

}  // namespace

WordIndex::WordIndex(WordVectors vectors) : vectors_(std::move(vectors)) {
  scales_.reserve(vectors_.vectors.rows());
  for (size_t i = 0; i < vectors_.vectors.rows(); ++i) {
    scales_.push_back(ScaleOf(vectors_.vectors.row(i)));
  }
}

float WordIndex::Similarity(int32_t a, int32_t b) const {
  double sum = 0;
  for (size_t k = 0; k < dimensions(); ++k) {
    sum += static_cast<double>(Vector(a)[k]) * Vector(b)[k];
  }
  return static_cast<float>(sum * Scale(a) * Scale(b));
}

std::vector<std::vector<Neighbour>> WordIndex::Nearest(std::span<const Query> queries) const {
  const Table& table = vectors_.vectors;
  std::vector<std::vector<Neighbour>> answers;
  for (size_t first = 0; first < queries.size(); first += kQueriesAtOnce) {
    const auto some = queries.subspan(first, std::min(kQueriesAtOnce, queries.size() - first));
    Table inputs(some.size(), dimensions());
    std::vector<Best> best;
    for (size_t i = 0; i < some.size(); ++i) {
      const float scale = ScaleOf(some[i].vector);
      std::ranges::transform(some[i].vector, inputs.row(i).begin(), [scale](float value) { return value * scale; });
      best.emplace_back(some[i]);
    }
    std::vector<float> scores(some.size() * kRowsAtOnce);
    for (size_t row = 0; row < table.rows(); row += kRowsAtOnce) {
      const size_t rows = std::min(kRowsAtOnce, table.rows() - row);
      tensor::BestFloatKernels().multiply({.weights = table.data() + row * table.stride(),
                                           .rows = rows,
                                           .weight_stride = table.stride(),
                                           .inputs = inputs.data(),
                                           .count = some.size(),
                                           .input_stride = inputs.stride(),
                                           .width = table.width(),
                                           .outputs = scores.data(),
                                           .output_stride = kRowsAtOnce});
      for (size_t i = 0; i < some.size(); ++i) {
        const size_t end = some[i].among > 0 ? std::min(some[i].among, row + rows) : row + rows;
        for (size_t word = row; word < end; ++word) {
          best[i].Offer({static_cast<int32_t>(word), scores[i * kRowsAtOnce + word - row] * scales_[word]});
        }
      }
    }
    for (Best& one : best) {
      answers.push_back(std::move(one).Take());
    }
  }
  return answers;
}

Query WordIndex::Analogy(int32_t a, int32_t b, int32_t c) const {
  Query query{.vector = std::vector<float>(dimensions()), .left_out = {a, b, c}};
  for (size_t k = 0; k < dimensions(); ++k) {
    query.vector[k] = Vector(b)[k] * Scale(b) - Vector(a)[k] * Scale(a) + Vector(c)[k] * Scale(c);
  }
  return query;
}

}  // namespace atelier::families::word_vectors
