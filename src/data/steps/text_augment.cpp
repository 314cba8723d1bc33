// augment_text: variants of texts as further rows.
#include "base/rng.h"
#include "data/manifest.h"
#include "data/steps/kinds.h"
#include "data/steps/values.h"
#include "text/language/augment.h"

namespace atelier::data::steps {
namespace {

namespace language = text::language;

struct Tools {
  std::unique_ptr<language::Segmenter> segmenter;
  std::unique_ptr<language::WordNet> net;  // null: no synonyms
  language::StopWords stop_words;
  bool spaces;  // between words
};

struct Settings {
  std::vector<size_t> columns;
  language::AugmentOptions options;
  size_t copies = 1;
  bool train_only = true;
  uint64_t seed = 0;
};

class AugmentStep final : public Step {
 public:
  AugmentStep(Tools tools, Settings settings)
      : Step(kChangesRows | (settings.train_only ? kReadsSplit : 0)),
        tools_(std::move(tools)),
        settings_(std::move(settings)) {}

  size_t MostCopies() const override { return settings_.copies + 1; }

  Status Apply(Batch& batch) override {
    std::vector<uint32_t> rows;
    std::vector<size_t> copies;  // 0: the row itself
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      const bool chosen = !settings_.train_only || batch.splits[row] == static_cast<uint8_t>(Split::kTrain);
      for (size_t copy = 0; copy <= (chosen ? settings_.copies : 0); ++copy) {
        rows.push_back(row);
        copies.push_back(copy);
      }
    }
    batch.Take(rows);
    for (const size_t column : settings_.columns) {
      ATELIER_TRY(Change(batch.columns[column], {batch.first, column, rows, copies}));
    }
    return {};
  }

 private:
  struct Origin {
    int64_t first;
    size_t column;
    const std::vector<uint32_t>& rows;
    const std::vector<size_t>& copies;
  };

  Status Change(ColumnRows& values, const Origin& origin) const {
    const language::Augmenter augmenter(*tools_.segmenter, tools_.spaces, tools_.net.get(), tools_.stop_words);
    ColumnRows changed;
    changed.offsets = {0};
    for (size_t i = 0; i < origin.rows.size(); ++i) {
      if (origin.copies[i] == 0) {
        changed.AddText(values.Text(i));
        continue;
      }
      SeededRng rng(RowHash(settings_.seed + origin.column, origin.first + origin.rows[i]), origin.copies[i]);
      ATELIER_ASSIGN(variant, augmenter.Variant(values.Text(i), settings_.options, rng));
      changed.AddText(variant);
    }
    values = std::move(changed);
    return {};
  }

  Tools tools_;
  Settings settings_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& /*schema*/) {
  const std::string code = arguments.Text("language");
  Settings settings;
  settings.columns = arguments.Columns("columns");
  settings.options = {arguments.Number("synonyms"), arguments.Number("deletion"), arguments.Number("swaps")};
  settings.copies = static_cast<size_t>(arguments.Integer("copies"));
  settings.train_only = arguments.Text("rows") == "train";
  settings.seed = arguments.seed();
  if (settings.options.synonyms > 0 && code != "en") {
    return arguments.Wrong("synonyms", "there are synonyms of English only: set 'synonyms' to 0");
  }
  auto segmenter = language::Segmenter::Create(code);
  if (!segmenter.ok()) {
    return arguments.Wrong("language", segmenter.error().message);
  }
  std::unique_ptr<language::WordNet> net;
  if (settings.options.synonyms > 0) {
    ATELIER_ASSIGN(opened, language::WordNet::Open());
    net = std::move(opened);
  }
  ATELIER_ASSIGN(stop_words, language::StopWords::Of("en"));
  Tools tools{std::move(segmenter).value(), std::move(net), std::move(stop_words), code != "zh" && code != "ja"};
  return std::unique_ptr<Step>(std::make_unique<AugmentStep>(std::move(tools), std::move(settings)));
}

constexpr Parameter Share(std::string_view name, std::string_view help) {
  return {.name = name, .type = ParameterType::kNumber, .help = help, .fallback = "0.1", .minimum = 0, .maximum = 1};
}

constexpr Parameter kParameters[] = {
    {.name = "columns", .type = ParameterType::kColumns, .help = "Text columns", .fallback = "all", .columns = kText},
    {.name = "language", .type = ParameterType::kText, .help = "Of the texts", .fallback = "\"en\""},
    {.name = "copies",
     .type = ParameterType::kInteger,
     .help = "Variants of each row, which come after it",
     .fallback = "1",
     .minimum = 1,
     .maximum = 16},
    {.name = "rows",
     .type = ParameterType::kChoice,
     .help = "Which rows: the training split, or all",
     .fallback = "\"train\"",
     .choices = "train|all"},
    Share("synonyms", "Share of the words that become a synonym of WordNet (en)"),
    Share("deletion", "Share of the words that are left out"),
    Share("swaps", "Share of the words that change places with the next"),
    kSeedParameter};

}  // namespace

const StepKind kAugmentTextStep{"augment_text", "Variants of texts as further rows", kParameters, Make};

}  // namespace atelier::data::steps
