#include "engine/hugging_face/weave.h"

#include <algorithm>

#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::engine::hugging_face {
namespace {

constexpr size_t kPieceBytes = 1U << 20U;

// Collects rows into pieces of a sensible size.
class Collector {
 public:
  explicit Collector(const std::function<Status(std::span<const std::byte>)>& sink) : sink_(sink) {}

  Status Add(std::span<const std::byte> bytes) {
    if (bytes.size() >= kPieceBytes) {
      ATELIER_TRY(Flush());
      return sink_(bytes);
    }
    piece_.insert(piece_.end(), bytes.begin(), bytes.end());
    return piece_.size() >= kPieceBytes ? Flush() : Status();
  }
  Status Flush() {
    const Status status = piece_.empty() ? Status() : sink_(piece_);
    piece_.clear();
    return status;
  }

 private:
  const std::function<Status(std::span<const std::byte>)>& sink_;
  std::vector<std::byte> piece_;
};

class Weaver {
 public:
  Weaver(const Weave& weave, const std::function<Status(std::span<const std::byte>)>& sink)
      : weave_(weave), collector_(sink) {}

  Status Write() {
    ATELIER_TRY(Measure());
    for (int64_t row = 0; row < weave_.rows; ++row) {
      ATELIER_TRY(WriteRow(row));
    }
    return collector_.Flush();
  }

 private:
  Status Measure() {
    const auto columns = static_cast<uint64_t>(weave_.columns);
    const auto from = tensor::BytesOf(tensor::FormatOf(weave_.from_type),
                                      weave_.transposed ? static_cast<uint64_t>(weave_.rows) : columns);
    const auto to = tensor::BytesOf(tensor::FormatOf(weave_.type), columns);
    if (!from || !to || *from == 0 || weave_.parts.empty()) {
      return Internal("a tensor has rows of no size");
    }
    from_bytes_ = *from;
    part_rows_ = weave_.parts.front().size() / *from;
    const bool even =
        std::ranges::all_of(weave_.parts, [&](const auto& part) { return part.size() == part_rows_ * from_bytes_; });
    if (!even || part_rows_ == 0 || (weave_.transposed && part_rows_ != columns)) {
      return Internal("the parts of a tensor are not as large as their rows");
    }
    floats_.resize(columns);
    row_.resize(*to);
    if (weave_.transposed) {
      matrix_.resize(columns * static_cast<uint64_t>(weave_.rows));
      return tensor::Dequantise(weave_.from_type, weave_.parts.front(), matrix_);
    }
    return {};
  }

  Status WriteRow(int64_t row) {
    if (weave_.transposed) {
      for (size_t i = 0; i < floats_.size(); ++i) {
        floats_[i] = matrix_[i * static_cast<size_t>(weave_.rows) + static_cast<size_t>(row)];
      }
      return WriteFloats();
    }
    const int64_t from = weave_.order ? weave_.order(row) : row;
    if (from < 0) {
      std::ranges::fill(floats_, 0.0F);
      return WriteFloats();
    }
    const auto index = static_cast<size_t>(from);
    if (index / part_rows_ >= weave_.parts.size()) {
      return Internal("a tensor is made of rows that are not there");
    }
    const auto bytes = weave_.parts[index / part_rows_].subspan(index % part_rows_ * from_bytes_, from_bytes_);
    if (weave_.type == weave_.from_type && weave_.shift == 0) {
      return collector_.Add(bytes);
    }
    ATELIER_TRY(tensor::Dequantise(weave_.from_type, bytes, floats_));
    std::ranges::transform(floats_, floats_.begin(), [&](float x) { return x + weave_.shift; });
    return WriteFloats();
  }

  Status WriteFloats() {
    ATELIER_TRY(tensor::Quantise(weave_.type, floats_, row_));
    return collector_.Add(row_);
  }

  const Weave& weave_;
  Collector collector_;
  size_t from_bytes_ = 0;  // of a row of a part
  size_t part_rows_ = 0;
  std::vector<float> floats_;   // [columns]
  std::vector<std::byte> row_;  // of the result
  std::vector<float> matrix_;   // [columns, rows], if it is transposed
};

}  // namespace

Status WriteWeave(const Weave& weave, const std::function<Status(std::span<const std::byte>)>& sink) {
  return Weaver(weave, sink).Write();
}

RowOrder PairsOfHalves(int64_t head) {
  return [head](int64_t row) { return row / head * head + row % 2 * (head / 2) + row % head / 2; };
}

RowOrder HalvesOfPairs(int64_t head) {
  return [head](int64_t row) {
    const int64_t within = row % head;
    return row - within + within % (head / 2) * 2 + within / (head / 2);
  };
}

RowOrder KindsOfGroups(const Heads& heads) {
  return [heads](int64_t row) {
    const int64_t each = heads.heads / heads.kv_heads;  // queries of a group
    int64_t head = row / heads.head;
    int64_t place = each;  // of the head within its group
    if (head < heads.heads) {
      place = head % each;
      head /= each;
    } else if (head -= heads.heads; head >= heads.kv_heads) {
      head -= heads.kv_heads;
      ++place;
    }
    return (head * (each + 2) + place) * heads.head + row % heads.head;
  };
}

RowOrder GroupsOfKinds(const Heads& heads) {
  return [heads](int64_t row) {
    const int64_t each = heads.heads / heads.kv_heads;
    const int64_t group = row / heads.head / (each + 2);
    const int64_t place = row / heads.head % (each + 2);
    const int64_t head = place < each ? group * each + place : heads.heads + (place - each) * heads.kv_heads + group;
    return head * heads.head + row % heads.head;
  };
}

}  // namespace atelier::engine::hugging_face
