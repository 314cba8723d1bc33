// Networks as data: a list of layers, written as short text or as JSON, and checked before anything is built from it.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::families {

enum class LayerKind { kDense, kConv, kPool, kBatchNorm, kDropout, kActivation, kFlatten };
enum class Activation { kNone, kRelu, kLeakyRelu, kElu, kGelu, kSilu, kTanh, kSigmoid };

// Only the members that the kind names mean anything.
struct Layer {
  LayerKind kind = LayerKind::kDense;
  int64_t units = 0;                          // dense: units; conv: filters
  int64_t kernel = 0;                         // conv: side of the square kernel; pool: side of the window
  int64_t stride = 1;                         // conv, pool
  int64_t padding = 0;                        // conv: zeros added on each side
  bool average = false;                       // pool: average instead of maximum
  double rate = 0;                            // dropout: share of values set to zero, [0, 1)
  Activation activation = Activation::kRelu;  // activation

  bool operator==(const Layer&) const = default;
};

inline constexpr int64_t kMaxLayers = 256;
inline constexpr int64_t kMaxUnits = 65536;
inline constexpr int64_t kMaxParameters = int64_t{1} << 31;
inline constexpr int64_t kMaxActivations = int64_t{1} << 28;  // values of one layer's output for one instance

std::string_view Name(Activation activation);  // "none" | "relu" | "leaky_relu" ...
Result<Activation> ActivationFromName(std::string_view name, std::string_view param);

// Reads "128,128" or "conv32x3,pool2,conv64x3s1p1,avgpool2,dense64,bn,relu,dropout0.5,flatten" (blanks may
// separate the items too). A number alone is a dense layer. Errors: kInvalidArgument naming `param` and the item.
Result<std::vector<Layer>> LayersFromText(std::string_view text, const std::string& param = "layers");

// Reads that text, a list of numbers (dense units), or a list of such texts and objects:
//   {"type":"dense","units":64}  {"type":"conv","filters":32,"kernel":3,"stride":1,"padding":0}
//   {"type":"pool","mode":"max"|"average","size":2,"stride":2}  {"type":"batch_norm"}  {"type":"dropout","rate":0.5}
//   {"type":"activation","name":"relu"}  {"type":"flatten"}
// Unknown members are refused. Errors: kInvalidArgument naming e.g. "layers[2].units".
Result<std::vector<Layer>> LayersFromJson(const boost::json::value& value, const std::string& param = "layers");

// The canonical form: a list of objects with every member of the kind, which LayersFromJson reads back unchanged.
boost::json::array ToJson(const std::vector<Layer>& layers);

}  // namespace atelier::families
