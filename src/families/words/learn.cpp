#include <new>

#include "base/hash.h"
#include "base/json.h"
#include "families/weights.h"
#include "families/word_vectors/model_files.h"
#include "families/word_vectors/training/glove.h"
#include "families/word_vectors/training/train.h"
#include "families/word_vectors/training/word2vec.h"
#include "families/words/texts.h"
#include "families/words/words.h"

namespace atelier::families {
namespace {

namespace wv = word_vectors;

constexpr int64_t kAskEvery = 4096;  // rows between two questions whether the job was cancelled

wv::SplitOptions SplitOf(const json::object& settings) {
  return {.splitting = GetString(settings, "tokens") == "spaces" ? wv::Splitting::kSpaces : wv::Splitting::kWords,
          .lowercase = GetBool(settings, "lowercase", true)};
}

Result<wv::Corpus> ReadCorpus(const LearnInput& input) {
  const json::object& settings = input.settings;
  ATELIER_ASSIGN(builder, wv::CorpusBuilder::Create({.split = SplitOf(settings),
                                                     .min_count = GetInt(settings, "min_count", 1),
                                                     .max_vocabulary = GetInt(settings, "max_vocabulary", 2)}));
  for (const auto& name : settings.at("columns").as_array()) {
    ATELIER_ASSIGN(texts, TextColumn::Open(input.reader, std::string(name.as_string())));
    int64_t seen = 0;
    for (const int64_t row : input.rows.train) {
      if (seen++ % kAskEvery == 0 && input.cancelled && input.cancelled()) {
        return MakeError(Code::kCancelled, "the training was cancelled", "cancelled");
      }
      ATELIER_ASSIGN(text, texts.At(row));
      ATELIER_TRY(builder.Add(text));
    }
  }
  return std::move(builder).Finish();
}

Result<std::unique_ptr<wv::Run>> MakeRun(const LearnInput& input, const wv::Corpus& corpus) {
  const json::object& settings = input.settings;
  const auto seed = static_cast<uint64_t>(GetInt(settings, "seed"));
  if (input.family == "glove") {
    ATELIER_ASSIGN(pairs, wv::CountPairs(corpus, {.window = GetInt(settings, "window", 1),
                                                  .max_pairs = GetInt(settings, "max_pairs", 1),
                                                  .threads = input.threads}));
    return wv::MakeGloveRun(std::move(pairs), corpus.vocabulary.size(),
                            {.dimensions = GetInt(settings, "dimensions", 1),
                             .learning_rate = GetNumber(settings, "learning_rate"),
                             .x_max = GetNumber(settings, "x_max"),
                             .alpha = GetNumber(settings, "alpha"),
                             .seed = seed,
                             .threads = input.threads});
  }
  const bool cbow = GetString(settings, "algorithm") == "cbow";
  return wv::MakeWord2vecRun(corpus, {.examples = {.algorithm = cbow ? wv::Algorithm::kCbow : wv::Algorithm::kSkipGram,
                                                   .window = GetInt(settings, "window", 1),
                                                   .negative = GetInt(settings, "negative", 1),
                                                   .sample = GetNumber(settings, "sample"),
                                                   .seed = seed},
                                      .dimensions = GetInt(settings, "dimensions", 1),
                                      .epochs = GetInt(settings, "epochs", 1),
                                      .learning_rate = GetNumber(settings, "learning_rate"),
                                      .min_learning_rate = GetNumber(settings, "min_learning_rate"),
                                      .threads = input.threads});
}

// The job's folder is of one data set and one list of settings; the text shows a program that reads it otherwise.
std::string Fingerprint(const LearnInput& input, const wv::Corpus& corpus) {
  Sha256 hash;
  hash.Update(input.family + json::serialize(input.settings));
  hash.Update(wv::VocabularyText(corpus.vocabulary));
  hash.Update(std::as_bytes(std::span(corpus.words)));
  return hash.Finish();
}

wv::TrainLoopOptions LoopOptions(const LearnInput& input, const wv::Corpus& corpus) {
  return {.epochs = GetInt(input.settings, "epochs", 1),
          .checkpoint_directory = input.directory.empty() ? input.directory : input.directory / "checkpoint",
          .fingerprint = Fingerprint(input, corpus),
          .checkpoint_every_steps = GetInt(input.settings, "checkpoint_every_steps"),
          .cancelled = input.cancelled,
          .progress = input.progress,
          .message = input.message};
}

Result<std::map<std::string, storage::BlobRef>> Store(const LearnInput& input, const wv::WordVectors& vectors,
                                                      storage::BlobStore& blobs) {
  const wv::ModelConfig config{.family = input.family,
                               .algorithm = GetString(input.settings, "algorithm", input.family),
                               .split = SplitOf(input.settings)};
  ATELIER_ASSIGN(writer, blobs.Create());
  ATELIER_TRY(wv::WriteVectors(vectors, [&](std::span<const std::byte> bytes) { return writer->Append(bytes); }));
  ATELIER_ASSIGN(weights, writer->Commit());
  ATELIER_ASSIGN(config_file, StoreJson(blobs, wv::ToJson(config, vectors)));
  ATELIER_ASSIGN(vocabulary, storage::PutBytes(blobs, wv::VocabularyText(vectors.vocabulary)));
  return std::map<std::string, storage::BlobRef>{
      {kConfigFile, config_file}, {kWeightsFile, weights}, {wv::kVocabularyFile, vocabulary}};
}

json::object TrainingToJson(const std::vector<wv::EpochLoss>& history, const wv::Corpus& corpus) {
  json::array epochs;
  for (size_t i = 0; i < history.size(); ++i) {
    epochs.push_back(
        json::object{{"epoch", i + 1}, {"loss", history[i].loss}, {"learning_rate", history[i].learning_rate}});
  }
  return {
      {"epochs", history.size()}, {"words", corpus.seen}, {"words_kept", corpus.kept}, {"history", std::move(epochs)}};
}

Result<LearnedModel> Train(const LearnInput& input, storage::BlobStore& blobs) {
  ATELIER_ASSIGN(corpus, ReadCorpus(input));
  if (input.message) {
    input.message("info", std::to_string(corpus.seen) + " words of text, " + std::to_string(corpus.vocabulary.size()) +
                              " in the vocabulary, which are " + std::to_string(corpus.kept) + " of them");
  }
  ATELIER_ASSIGN(run, MakeRun(input, corpus));
  ATELIER_ASSIGN(history, wv::TrainLoop(*run, LoopOptions(input, corpus)));
  json::object training = TrainingToJson(history, corpus);
  const wv::WordVectors vectors{std::move(corpus.vocabulary), run->Vectors()};
  ATELIER_ASSIGN(files, Store(input, vectors, blobs));
  return LearnedModel{std::move(files), wv::Describe(vectors), std::move(training)};
}

}  // namespace

Result<LearnedModel> TrainWordVectors(const LearnInput& input, storage::BlobStore& blobs) {
  try {
    return Train(input, blobs);
  } catch (const std::bad_alloc&) {
    return MakeError(
        Code::kResourceExhausted,
        "the memory is too small for this training: lower max_vocabulary or dimensions, or raise min_count",
        "out_of_memory");
  }
}

}  // namespace atelier::families
