// What turns a row of a data set, or a client's instance, into the numbers that the network sees. Stored in the model
// as preprocessor_config.json; training and serving use this one code.
//
// Inputs are first made raw (pixels 0..255; numbers as given; categories one-hot), then scaled by x * scale + shift:
//   picture: (x / 255 - mean[channel]) / std[channel]
//   number : (x - mean) / std, where missing (NaN) becomes 0, the mean
//   one-hot: unchanged; an unknown or missing category is all zeros
// Means and standard deviations (population, divided by N) are of the training rows; a std of 0 is replaced by 1.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "families/spec/model_config.h"

namespace atelier::families {

struct ImageInput {
  std::string column{};
  std::vector<int64_t> shape{};  // [channels, height, width]
  std::vector<double> mean{};    // a channel, of pixels / 255
  std::vector<double> std{};
};

struct TableField {
  std::string name{};
  bool category = false;
  std::vector<std::string> categories{};  // category
  std::vector<int64_t> shape{};           // number: [] for one value
  std::vector<double> mean{};             // number: one a value
  std::vector<double> std{};

  int64_t width() const;  // how many inputs of the network it makes
};

struct TableInput {
  std::vector<TableField> fields;
};

struct TargetInfo {
  std::string name{};
  std::vector<std::string> labels{};  // classification; empty: regression
  double mean = 0;                    // regression: the network learns (y - mean) / std
  double std = 1;
};

struct Preprocessor {
  std::variant<ImageInput, TableInput> input;
  TargetInfo target;

  bool is_image() const { return std::holds_alternative<ImageInput>(input); }
};

boost::json::object ToJson(const Preprocessor& preprocessor);
// Errors: kInvalidArgument "invalid_model_file" where it is malformed or does not fit the config.
Result<Preprocessor> PreprocessorFromJson(const boost::json::value& value, const ModelConfig& config);

// The scaling as one affine map a value: out[i] = in[i] * scale[i / repeat] + shift[i / repeat].
struct Affine {
  std::vector<float> scale{};
  std::vector<float> shift{};
  int64_t repeat = 1;  // pictures: height * width
  int64_t values() const { return static_cast<int64_t>(scale.size()) * repeat; }
};
Affine MakeAffine(const Preprocessor& preprocessor);

// Scales one instance of `affine.values()` raw values; not finite becomes 0.
void Scale(const Affine& affine, const uint8_t* raw, float* out);
void Scale(const Affine& affine, const float* raw, float* out);

}  // namespace atelier::families
