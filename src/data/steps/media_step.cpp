#include "data/steps/media_step.h"

#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 30U;  // that one column of a batch may grow to

class MediaStep final : public Step {
 public:
  MediaStep(std::vector<std::vector<int64_t>> shapes, MediaStepOptions options)
      : Step(options.effects | (options.variants.copies > 0 ? kChangesRows : 0) |
             (options.variants.train_only ? kReadsSplit : 0)),
        shapes_(std::move(shapes)),
        options_(std::move(options)) {}

  void Use(const MediaTools* tools) override { tools_ = tools; }
  size_t MostCopies() const override { return (options_.variants.copies + 1) * options_.growth; }

  Status Apply(Batch& batch) override {
    if (tools_ == nullptr) {
      return Internal("a step over pictures or sounds runs in a program without the libraries for them");
    }
    const auto origins = Spread(batch.rows(), options_.variants.copies, [&](uint32_t row) {
      return !options_.variants.train_only || batch.splits[row] == static_cast<uint8_t>(Split::kTrain);
    });
    if (options_.variants.copies > 0) {
      batch.Take(origins.rows);
    }
    for (size_t i = 0; i < options_.columns.size(); ++i) {
      ATELIER_TRY(Change(batch, options_.columns[i], shapes_[i], origins));
    }
    return {};
  }

 private:
  Status Change(Batch& batch, size_t column, const std::vector<int64_t>& shape, const Origins& origins) const {
    const ColumnRows before = std::move(batch.columns[column]);
    ColumnRows after;
    after.offsets = before.offsets.empty() ? std::vector<int64_t>{} : std::vector<int64_t>{0};
    for (size_t row = 0; row < batch.rows(); ++row) {
      if (after.bytes.size() > kMostBytes) {
        return MakeError(Code::kResourceExhausted,
                         RowName(batch, origins.rows[row]) +
                             ": the rows of one batch have more than 1 GiB after this step: they are too large, or too "
                             "many copies of them are asked for");
      }
      SeededRng rng(RowHash(options_.variants.seed, batch.first + origins.rows[row]), origins.variants[row]);
      const bool missing = !before.offsets.empty() && before.Text(row).empty();
      if (missing || origins.variants[row] == 0 || rng.Uniform() >= options_.variants.probability) {
        AppendAsIs(before, batch.rows(), row, after);
        continue;
      }
      const MediaContext context{*tools_, rng, batch.splits[row] == static_cast<uint8_t>(Split::kTrain)};
      if (auto status = ChangeOne(before, shape, row, context, after); !status.ok()) {
        return NamingRow(batch, origins.rows[row], status.error());
      }
    }
    batch.columns[column] = std::move(after);
    return {};
  }

  Status ChangeOne(const ColumnRows& before, const std::vector<int64_t>& shape, size_t row, const MediaContext& context,
                   ColumnRows& after) const {
    if (options_.picture) {
      ATELIER_ASSIGN(picture, ReadPicture(before, shape, row, *tools_));
      ATELIER_TRY(options_.picture(picture, context));
      return AppendPicture(picture, before, row, *tools_, after);
    }
    ATELIER_ASSIGN(sound, tools_->DecodeSound(before.Text(row)));
    ATELIER_TRY(options_.sound(sound, context));
    ATELIER_ASSIGN(bytes, tools_->EncodeSound(sound));
    after.AddText(bytes);
    return {};
  }

  std::vector<std::vector<int64_t>> shapes_;
  MediaStepOptions options_;
  const MediaTools* tools_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> MakeMediaStep(const Schema& before, MediaStepOptions options) {
  std::vector<std::vector<int64_t>> shapes;
  for (const size_t column : options.columns) {
    shapes.push_back(before.columns[column].shape);
  }
  return std::make_unique<MediaStep>(std::move(shapes), std::move(options));
}

Variants VariantsOf(const Arguments& arguments) {
  return {.probability = arguments.Number("probability"),
          .copies = static_cast<size_t>(arguments.Integer("copies")),
          .train_only = arguments.Text("rows") == "train",
          .seed = arguments.seed()};
}

Origins Spread(size_t rows, size_t copies, const std::function<bool(uint32_t row)>& chosen) {
  Origins out;
  for (uint32_t row = 0; row < rows; ++row) {
    const bool changes = chosen(row);
    for (size_t copy = 0; copy <= (changes ? copies : 0); ++copy) {
      out.rows.push_back(row);
      out.variants.push_back(copies == 0 && changes ? 1 : copy);
    }
  }
  return out;
}

Error NamingRow(const Batch& batch, size_t row, Error error) {
  error.message = RowName(batch, row) + ": " + error.message;
  return error;
}

Result<Picture> ReadPicture(const ColumnRows& values, const std::vector<int64_t>& shape, size_t row,
                            const MediaTools& tools) {
  if (shape.empty()) {
    return tools.DecodePicture(values.Text(row));
  }
  Picture picture{.channels = shape[0], .height = shape[1], .width = shape[2]};
  const auto size = static_cast<size_t>(shape[0] * shape[1] * shape[2]);
  const auto begin = values.bytes.begin() + static_cast<std::ptrdiff_t>(row * size);
  picture.pixels.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
  return picture;
}

Status AppendPicture(const Picture& picture, const ColumnRows& before, size_t row, const MediaTools& tools,
                     ColumnRows& out) {
  if (before.offsets.empty()) {
    out.bytes.append(reinterpret_cast<const char*>(picture.pixels.data()), picture.pixels.size());
    return {};
  }
  ATELIER_ASSIGN(bytes, tools.EncodePicture(picture, before.Text(row)));
  out.AddText(bytes);
  return {};
}

void AppendAsIs(const ColumnRows& before, size_t rows, size_t row, ColumnRows& out) {
  if (!before.offsets.empty()) {
    out.AddText(before.Text(row));
    return;
  }
  const size_t width = before.bytes.size() / rows;
  out.bytes.append(before.bytes, row * width, width);
}

}  // namespace atelier::data::steps
