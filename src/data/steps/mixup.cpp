// mixup_image: pictures laid over each other.
//
// H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018: a picture
// becomes share * a + (1 - share) * b with the share drawn from Beta(alpha, alpha), and its label the same mixture of
// both labels. A label here is one of the categories, so it is drawn: a's with the probability `share`, else b's. The
// expectation of a cross-entropy over this draw is the cross-entropy of the mixed label. b is another training row of
// the same batch, so rows must not come label by label.
#include <algorithm>
#include <cmath>

#include "data/steps/kinds.h"
#include "data/steps/media_step.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

// The method of M. D. Joehnk (1964), which needs nothing but uniform numbers: the same on every machine.
double DrawBeta(SeededRng& rng, double alpha) {
  for (int attempt = 0; attempt < 10000; ++attempt) {
    const double x = std::pow(rng.Uniform(), 1 / alpha);
    const double y = std::pow(rng.Uniform(), 1 / alpha);
    if (x + y > 0 && x + y <= 1) {
      return x / (x + y);
    }
  }
  return 0.5;
}

struct MixupOptions {
  size_t picture, label;
  bool several_labels;
  std::vector<int64_t> shape;  // of the pictures
  double alpha;
  double probability;
  size_t copies;
  uint64_t seed;
};

class MixupStep final : public Step {
 public:
  explicit MixupStep(MixupOptions options)
      : Step(kReadsSplit | (options.copies > 0 ? kChangesRows : 0)), options_(std::move(options)) {}

  void Use(const MediaTools* tools) override { tools_ = tools; }
  std::vector<size_t> AlsoTouches() const override { return {options_.label}; }
  size_t MostCopies() const override { return options_.copies + 1; }

  Status Apply(Batch& batch) override {
    if (tools_ == nullptr) {
      return Internal("a step over pictures runs in a program without the libraries for them");
    }
    std::vector<uint32_t> partners;  // rows that may be laid over others
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      if (Usable(batch, row)) {
        partners.push_back(row);
      }
    }
    if (options_.several_labels && OneLabel(batch, partners)) {
      return InvalidArgument("rows " + std::to_string(batch.first + 1) + " to " +
                             std::to_string(batch.first + static_cast<int64_t>(batch.rows())) +
                             " have one label, so that no pictures of different ones can be laid over each other: put "
                             "the step 'shuffle' before 'mixup_image'");
    }
    const auto [rows, variants] =
        Spread(batch.rows(), options_.copies, [&](uint32_t row) { return partners.size() > 1 && Usable(batch, row); });
    const ColumnRows pictures = std::move(batch.columns[options_.picture]);
    const std::vector<int32_t> labels = batch.columns[options_.label].codes;
    const size_t before = batch.rows();
    batch.columns[options_.picture] = {};
    if (options_.copies > 0) {
      batch.Take(rows);
    }
    ColumnRows mixed;
    mixed.offsets = pictures.offsets.empty() ? std::vector<int64_t>{} : std::vector<int64_t>{0};
    for (size_t i = 0; i < rows.size(); ++i) {
      SeededRng rng(RowHash(options_.seed, batch.first + rows[i]), variants[i]);
      if (variants[i] == 0 || rng.Uniform() >= options_.probability) {
        AppendAsIs(pictures, before, rows[i], mixed);
        continue;
      }
      const double share = DrawBeta(rng, options_.alpha);
      const uint32_t other = Partner(partners, rows[i], rng);
      batch.columns[options_.label].codes[i] = labels[rng.Uniform() < share ? rows[i] : other];
      if (auto status = Mix(pictures, {rows[i], other}, share, mixed); !status.ok()) {
        return NamingRow(batch, rows[i], status.error());
      }
    }
    batch.columns[options_.picture] = std::move(mixed);
    return {};
  }

 private:
  bool Usable(const Batch& batch, size_t row) const {
    const ColumnRows& pictures = batch.columns[options_.picture];
    return batch.splits[row] == static_cast<uint8_t>(Split::kTrain) && batch.columns[options_.label].codes[row] >= 0 &&
           (pictures.offsets.empty() || !pictures.Text(row).empty());
  }

  // The few rows of a last batch may have one label by chance.
  bool OneLabel(const Batch& batch, const std::vector<uint32_t>& rows) const {
    constexpr size_t kFewest = 32;
    const auto& labels = batch.columns[options_.label].codes;
    return rows.size() >= kFewest &&
           std::ranges::all_of(rows, [&](uint32_t row) { return labels[row] == labels[rows.front()]; });
  }

  static uint32_t Partner(const std::vector<uint32_t>& partners, uint32_t row, SeededRng& rng) {
    uint32_t other = row;
    while (other == row) {
      other = partners[rng.Below(static_cast<uint32_t>(partners.size()))];
    }
    return other;
  }

  Status Mix(const ColumnRows& pictures, std::pair<uint32_t, uint32_t> rows, double share, ColumnRows& out) const {
    ATELIER_ASSIGN(picture, ReadPicture(pictures, options_.shape, rows.first, *tools_));
    ATELIER_ASSIGN(other, ReadPicture(pictures, options_.shape, rows.second, *tools_));
    ATELIER_TRY(tools_->Resize(other, picture.height, picture.width));
    for (size_t i = 0; i < picture.pixels.size(); ++i) {
      picture.pixels[i] = static_cast<uint8_t>(std::lround(share * picture.pixels[i] + (1 - share) * other.pixels[i]));
    }
    return AppendPicture(picture, pictures, rows.first, *tools_, out);
  }

  MixupOptions options_;
  const MediaTools* tools_ = nullptr;
};

Result<std::unique_ptr<Step>> MakeMixup(const Arguments& arguments, Schema& schema) {
  std::optional<size_t> label = schema.Find(schema.target);
  if (arguments.Has("label")) {
    label = arguments.Column("label");
  } else if (!label || schema.columns[*label].type != ColumnType::kCategory) {
    return arguments.Wrong("label", "'label' is missing, and the target is no category");
  }
  const size_t picture = arguments.Column("column");
  return std::unique_ptr<Step>(
      std::make_unique<MixupStep>(MixupOptions{.picture = picture,
                                               .label = *label,
                                               .several_labels = schema.columns[*label].categories.size() > 1,
                                               .shape = schema.columns[picture].shape,
                                               .alpha = arguments.Number("alpha"),
                                               .probability = arguments.Number("probability"),
                                               .copies = static_cast<size_t>(arguments.Integer("copies")),
                                               .seed = arguments.seed()}));
}

constexpr Parameter kParameters[] = {
    {.name = "column", .type = ParameterType::kColumn, .help = "The pictures", .fallback = "", .columns = kImage},
    {.name = "label",
     .type = ParameterType::kColumn,
     .help = "Their labels; absent: the target",
     .fallback = "null",
     .columns = kCategory},
    {.name = "alpha",
     .type = ParameterType::kNumber,
     .help = "The share of the first picture is drawn from Beta(alpha, alpha), and so is whose label counts",
     .fallback = "0.2",
     .minimum = 0.05,
     .maximum = 2},
    kProbabilityParameter,
    kCopiesParameter,
    kSeedParameter};

}  // namespace

const StepKind kMixupImageStep{"mixup_image",
                               "Pictures of the training split laid over others of their batch: put 'shuffle' before",
                               kParameters, MakeMixup, true};

}  // namespace atelier::data::steps
