#include <algorithm>
#include <cmath>

#include "families/word_vectors/index.h"
#include "families/word_vectors/model_files.h"
#include "families/words/words.h"

namespace atelier::families {
namespace {

namespace wv = word_vectors;

constexpr size_t kDefaultTop = 10;
constexpr size_t kMaxTop = 1000;
constexpr size_t kMaxListed = 100;  // words of one query
constexpr size_t kMaxTextBytes = 1U << 20U;

// What there is to compute of one instance: a search, or values that are there already.
struct Prepared final : PreparedInstance {
  wv::Query query{};
  bool searches = false;
  std::vector<float> values{};
};

class Preparer {
 public:
  Preparer(const wv::WordIndex& index, const wv::ModelConfig& config) : index_(index), config_(config) {}

  template <class Other>
  Result<std::unique_ptr<Prepared>> operator()(const Other&) const {
    return InvalidArgument("the model reads text, or records such as {\"word\": \"king\"}, not pictures or numbers",
                           "inputs");
  }

  Result<std::unique_ptr<Prepared>> operator()(const InstanceText& text) const {
    auto prepared = std::make_unique<Prepared>();
    if (const auto word = wv::FindWord(index_.vocabulary(), text.text); word.has_value()) {
      const auto vector = index_.Vector(*word);
      prepared->values.assign(vector.begin(), vector.end());
      return prepared;
    }
    if (text.text.size() > kMaxTextBytes) {
      return InvalidArgument("a text has at most 1 MiB", "inputs");
    }
    ATELIER_ASSIGN(mean, MeanOf(text.text));
    prepared->values = std::move(mean);
    return prepared;
  }

  Result<std::unique_ptr<Prepared>> operator()(const InstanceRecord& record) const {
    auto prepared = std::make_unique<Prepared>();
    if (record.contains("first")) {
      ATELIER_TRY(CheckFields(record, {"first", "second"}));
      ATELIER_ASSIGN(first, WordOf(record, "first"));
      ATELIER_ASSIGN(second, WordOf(record, "second"));
      prepared->values = {index_.Similarity(first, second)};
      return prepared;
    }
    ATELIER_TRY(CheckFields(record, {"word", "positive", "negative", "top"}));
    prepared->searches = true;
    prepared->query.vector.resize(index_.dimensions());
    if (record.contains("word")) {
      ATELIER_ASSIGN(word, WordOf(record, "word"));
      AddWord(word, 1, prepared->query);
    }
    ATELIER_TRY(AddWords(record, "positive", 1, prepared->query));
    ATELIER_TRY(AddWords(record, "negative", -1, prepared->query));
    if (prepared->query.left_out.empty()) {
      return InvalidArgument("a record must have 'word', 'positive', 'negative', or 'first' and 'second'", "inputs",
                             "missing_required_parameter");
    }
    ATELIER_ASSIGN(top, TopOf(record));
    prepared->query.top = top;
    return prepared;
  }

 private:
  static Status CheckFields(const InstanceRecord& record, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : record) {
      if (std::ranges::find(known, std::string_view(name)) == known.end()) {
        return InvalidArgument("the model knows no field '" + name.substr(0, 64) + "'", name.substr(0, 64),
                               "unknown_parameter");
      }
    }
    return {};
  }

  static Result<std::string> TextOf(const InstanceRecord& record, const std::string& field) {
    const auto found = record.find(field);
    const auto* text = found == record.end() ? nullptr : std::get_if<std::string>(&found->second);
    if (text == nullptr) {
      return InvalidArgument("the field '" + field + "' must be a text", field);
    }
    return *text;
  }

  Result<int32_t> Known(const std::string& word, const std::string& field) const {
    const auto found = wv::FindWord(index_.vocabulary(), word);
    if (!found.has_value()) {
      return InvalidArgument("the word '" + word.substr(0, 128) + "' has no vector", field, "unknown_word");
    }
    return *found;
  }

  Result<int32_t> WordOf(const InstanceRecord& record, const std::string& field) const {
    ATELIER_ASSIGN(word, TextOf(record, field));
    return Known(word, field);
  }

  void AddWord(int32_t word, float sign, wv::Query& query) const {
    const auto vector = index_.Vector(word);
    for (size_t k = 0; k < query.vector.size(); ++k) {
      query.vector[k] += sign * index_.Scale(word) * vector[k];
    }
    query.left_out.push_back(word);
  }

  Status AddWords(const InstanceRecord& record, const std::string& field, float sign, wv::Query& query) const {
    if (!record.contains(field)) {
      return {};
    }
    ATELIER_ASSIGN(text, TextOf(record, field));
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      ATELIER_ASSIGN(word, Known(text.substr(begin, end - begin), field));
      if (query.left_out.size() >= kMaxListed) {
        return InvalidArgument("a query has at most " + std::to_string(kMaxListed) + " words", field);
      }
      AddWord(word, sign, query);
      begin = end + 1;
    }
    return {};
  }

  static Result<size_t> TopOf(const InstanceRecord& record) {
    const auto found = record.find("top");
    if (found == record.end()) {
      return kDefaultTop;
    }
    const auto* number = std::get_if<double>(&found->second);
    if (number == nullptr || !(*number >= 1) || *number > kMaxTop || *number != std::floor(*number)) {
      return InvalidArgument("the field 'top' must be an integer from 1 to " + std::to_string(kMaxTop), "top");
    }
    return static_cast<size_t>(*number);
  }

  Result<std::vector<float>> MeanOf(const std::string& text) const {
    ATELIER_ASSIGN(splitter, wv::WordSplitter::Create(config_.split));
    std::vector<double> sum(index_.dimensions());
    int64_t count = 0;
    ATELIER_TRY(splitter->Split(text, [&](std::string_view word) {
      if (const auto id = index_.vocabulary().Find(word); id.has_value()) {
        const auto vector = index_.Vector(*id);
        for (size_t k = 0; k < sum.size(); ++k) {
          sum[k] += vector[k];
        }
        ++count;
      }
    }));
    if (count == 0) {
      return InvalidArgument("no word of the text has a vector", "inputs", "unknown_word");
    }
    std::vector<float> mean;
    for (const double value : sum) {
      mean.push_back(static_cast<float>(value / static_cast<double>(count)));
    }
    return mean;
  }

  const wv::WordIndex& index_;
  const wv::ModelConfig& config_;
};

class WordsPredictor final : public Predictor {
 public:
  explicit WordsPredictor(wv::Model model) : config_(std::move(model.config)), index_(std::move(model.vectors)) {
    signature_ = {.family = config_.family,
                  .task = "feature-extraction",
                  .inputs = {{"text", "BYTES", {-1, 1}}},
                  .outputs = {{"vector", "FP32", {-1, static_cast<int64_t>(index_.dimensions())}}},
                  .labels = {},
                  .input_fields = {},
                  .output_fields = {}};
  }

  const Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<PreparedInstance>> Prepare(const Instance& instance) const override {
    ATELIER_ASSIGN(prepared, std::visit(Preparer(index_, config_), instance));
    return std::unique_ptr<PreparedInstance>(std::move(prepared));
  }

  Result<std::vector<Answer>> Predict(std::span<const PreparedInstance* const> batch) override {
    std::vector<Answer> answers(batch.size());
    std::vector<wv::Query> queries;
    std::vector<size_t> places;
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto& prepared = static_cast<const Prepared&>(*batch[i]);
      answers[i].values = prepared.values;
      if (prepared.searches) {
        queries.push_back(prepared.query);
        places.push_back(i);
      }
    }
    const auto found = index_.Nearest(queries);
    for (size_t i = 0; i < found.size(); ++i) {
      Answer& answer = answers[places[i]];
      for (const wv::Neighbour& neighbour : found[i]) {
        answer.texts.push_back(index_.vocabulary().words()[static_cast<size_t>(neighbour.word)]);
        answer.values.push_back(neighbour.similarity);
      }
    }
    return answers;
  }

 private:
  wv::ModelConfig config_;
  wv::WordIndex index_;
  Signature signature_;
};

}  // namespace

Result<std::unique_ptr<Predictor>> OpenWordVectors(const ModelFiles& files, int /*threads*/) {
  ATELIER_ASSIGN(config, FileOf(files, kConfigFile));
  ATELIER_ASSIGN(weights, FileOf(files, kWeightsFile));
  ATELIER_ASSIGN(vocabulary, FileOf(files, wv::kVocabularyFile));
  ATELIER_ASSIGN(model, wv::LoadModel({config, weights, vocabulary}));
  return std::unique_ptr<Predictor>(std::make_unique<WordsPredictor>(std::move(model)));
}

}  // namespace atelier::families
