#include "train_tagger.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/json.h"
#include "base/rng.h"
#include "storage/blob_json.h"
#include "text/language/tagger.h"

namespace atelier::apps {
namespace {

namespace language = text::language;
using Sentences = std::vector<language::TaggedSentence>;

constexpr uint64_t kMaxFileBytes = 256U << 20U;

Result<Sentences> ReadSentences(storage::BlobStore& store, const json::array& files, size_t column) {
  Sentences sentences;
  for (const auto& file : files) {
    if (!file.is_object()) {
      return InvalidArgument("a file is no object", "files");
    }
    ATELIER_ASSIGN(blob, storage::BlobRefFromJson(file.get_object(), "files"));
    ATELIER_ASSIGN(bytes, storage::ReadAll(store, blob.sha256, kMaxFileBytes));
    auto parsed = language::ParseTagged(bytes, column);
    if (!parsed.ok()) {
      Error error = std::move(parsed).error();
      error.message = GetString(file.get_object(), "path") + ", " + error.message;
      return error;
    }
    std::ranges::move(*parsed, std::back_inserter(sentences));
  }
  return sentences;
}

// Accuracies on sentences that the training did not see.
json::object Evaluate(const language::Tagger& tagger, const Sentences& sentences, const std::set<std::string>& seen) {
  uint64_t words = 0;
  uint64_t right = 0;
  uint64_t unknown = 0;
  uint64_t unknown_right = 0;
  for (const auto& sentence : sentences) {
    std::vector<std::string> texts;
    std::ranges::transform(sentence, std::back_inserter(texts), &language::TaggedWord::word);
    const auto tags = tagger.Tags(texts);
    for (size_t i = 0; i < tags.size(); ++i) {
      const bool hit = tags[i] == sentence[i].tag;
      const bool known = seen.contains(texts[i]);
      ++words;
      right += hit ? 1 : 0;
      unknown += known ? 0 : 1;
      unknown_right += !known && hit ? 1 : 0;
    }
  }
  json::object metrics;
  if (words > 0) {
    metrics["accuracy"] = static_cast<double>(right) / static_cast<double>(words);
    metrics["words"] = words;
  }
  if (unknown > 0) {
    metrics["accuracy_unknown_words"] = static_cast<double>(unknown_right) / static_cast<double>(unknown);
    metrics["unknown_words"] = unknown;
  }
  return metrics;
}

// The last sentences of a random order, `share` of all.
Sentences HoldOut(Sentences& sentences, double share, uint64_t seed) {
  SeededRng(seed, 1).Shuffle(sentences);
  const auto kept = sentences.size() - static_cast<size_t>(std::floor(share * static_cast<double>(sentences.size())));
  Sentences held(std::make_move_iterator(sentences.begin() + static_cast<std::ptrdiff_t>(kept)),
                 std::make_move_iterator(sentences.end()));
  sentences.resize(kept);
  return held;
}

}  // namespace

Result<json::object> TrainTaggerJob(jobs::Host& host) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(files, fields.ArrayOr("files", 100'000));
  ATELIER_ASSIGN(settings, fields.ObjectOr("settings"));
  if (files == nullptr || settings == nullptr) {
    return InvalidArgument("the job's files or settings are missing");
  }
  ATELIER_ASSIGN(store, storage::OpenFolderBlobStore(blob_dir));
  host.Progress({{"stage", "read"}});
  ATELIER_ASSIGN(sentences, ReadSentences(*store, *files, static_cast<size_t>(GetInt(*settings, "column", 2)) - 1));
  const auto seed = static_cast<uint64_t>(GetInt(*settings, "seed", 1));
  const Sentences held = HoldOut(sentences, GetNumber(*settings, "holdout"), seed);
  std::set<std::string> seen;
  for (const auto& sentence : sentences) {
    for (const auto& word : sentence) {
      seen.insert(word.word);
    }
  }
  language::TaggerTraining training;
  training.passes = static_cast<int>(GetInt(*settings, "passes", 5));
  training.seed = seed;
  training.progress = [&](int pass, double accuracy) {
    host.Progress({{"stage", "train"}, {"epoch", pass}, {"epochs", training.passes}, {"accuracy", accuracy}});
    return !host.cancelled();
  };
  const size_t sentence_count = sentences.size();
  ATELIER_ASSIGN(tagger, language::TrainTagger(std::move(sentences), training));
  host.Progress({{"stage", "store"}});
  json::object metrics = Evaluate(tagger, held, seen);
  ATELIER_ASSIGN(blob, storage::PutBytes(*store, json::serialize(tagger.ToJson())));
  json::object metadata{{"family", language::kTaggerFamily},
                        {"task", "part-of-speech tagging"},
                        {"labels", json::value_from(tagger.tag_set())},
                        {"metrics", std::move(metrics)},
                        {"lineage",
                         {{"job_id", GetString(host.spec(), "id")},
                          {"code_version", GetString(host.spec(), "code_version")},
                          {"source_files", *files},
                          {"sentences", sentence_count},
                          {"hyperparameters", *settings}}}};
  return json::object{{"files", {{std::string(language::kTaggerFile), storage::ToJson(blob)}}},
                      {"metadata", std::move(metadata)}};
}

}  // namespace atelier::apps
