// Steps over the values of picture and sound columns.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "data/steps/media_tools.h"
#include "data/steps/step.h"

namespace atelier::data::steps {

// What a change may know and draw from: a picture and its mask in two columns of a row see the same numbers.
struct MediaContext {
  const MediaTools& tools;
  SeededRng& rng;
  bool train;  // the row is of the training split
};
// Changes one value in place. Errors: kInvalidArgument; the step names the row.
using PictureChange = std::function<Status(Picture& picture, const MediaContext& context)>;
using SoundChange = std::function<Status(Sound& sound, const MediaContext& context)>;

// Which rows are changed. Where `copies` is not zero they stay as they are, and so many changed ones come after each.
struct Variants {
  double probability = 1;  // of each to be changed at all
  size_t copies = 0;
  bool train_only = false;
  uint64_t seed = 0;
};

struct MediaStepOptions {
  std::vector<size_t> columns;  // pictures, or sounds
  Variants variants{};
  unsigned effects = 0;     // of the change
  size_t growth = 1;        // about how many 2 KiB a changed value has, so that batches stay small
  PictureChange picture{};  // one of the two
  SoundChange sound{};
};
std::unique_ptr<Step> MakeMediaStep(const Schema& before, MediaStepOptions options);

// Of a step that has the parameters of `probability`, `copies`, `rows` and `seed`.
Variants VariantsOf(const Arguments& arguments);

// What a batch becomes: its rows, each with the copies that come after it.
struct Origins {
  std::vector<uint32_t> rows{};    // of the batch before
  std::vector<size_t> variants{};  // 0: the row as it is, n: its n-th variant
};
// Rows that `chosen` names are changed themselves where `copies` is zero; else they have so many copies.
Origins Spread(size_t rows, size_t copies, const std::function<bool(uint32_t row)>& chosen);

// The same error, naming a row of the batch before.
Error NamingRow(const Batch& batch, size_t row, Error error);

constexpr Parameter NumberParameter(std::string_view name, std::string_view help, std::string_view fallback,
                                    double minimum, double maximum) {
  return {.name = name,
          .type = ParameterType::kNumber,
          .help = help,
          .fallback = fallback,
          .minimum = minimum,
          .maximum = maximum};
}

inline constexpr Parameter kProbabilityParameter =
    NumberParameter("probability", "With which a row is changed", "1", 0, 1);
inline constexpr Parameter kCopiesParameter{
    .name = "copies",
    .type = ParameterType::kInteger,
    .help = "Variants of each row, which come after it; 0: it is changed itself",
    .fallback = "0",
    .minimum = 0,
    .maximum = 8};
inline constexpr Parameter kRowsParameter{.name = "rows",
                                          .type = ParameterType::kChoice,
                                          .help = "Which rows: the training split, or all",
                                          .fallback = "\"train\"",
                                          .choices = "train|all"};
inline constexpr Parameter kPictureColumns{.name = "columns",
                                           .type = ParameterType::kColumns,
                                           .help = "Columns of pictures",
                                           .fallback = "all",
                                           .columns = kImage};
inline constexpr Parameter kSoundColumns{.name = "columns",
                                         .type = ParameterType::kColumns,
                                         .help = "Columns of sounds",
                                         .fallback = "all",
                                         .columns = kAudio};

// The picture of one row: cut out of raw pixels of this shape, or decoded where the shape is empty.
Result<Picture> ReadPicture(const ColumnRows& values, const std::vector<int64_t>& shape, size_t row,
                            const MediaTools& tools);
// The other way round; a file is of the format of `before`, the row that it came from.
Status AppendPicture(const Picture& picture, const ColumnRows& before, size_t row, const MediaTools& tools,
                     ColumnRows& out);
// Takes over the value of a row as it is.
void AppendAsIs(const ColumnRows& before, size_t rows, size_t row, ColumnRows& out);

// A number from `low` to `high`.
inline double Draw(SeededRng& rng, double low, double high) { return low + (high - low) * rng.Uniform(); }
// One that is not larger than `last`.
inline int64_t DrawIndex(SeededRng& rng, int64_t last) {
  return static_cast<int64_t>(rng.Below(static_cast<uint32_t>(last + 1)));
}

}  // namespace atelier::data::steps
