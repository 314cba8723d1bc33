#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include "base/clock.h"
#include "base/json.h"
#include "engine/service/generator.h"
#include "families/gpt/corpus.h"
#include "families/gpt/prepare.h"
#include "learning/language_models.h"

namespace atelier::learning {
namespace {

namespace gpt = families::gpt;
using engine::GenerationDelta;

constexpr size_t kAtATime = 16;          // requests that the engine has
constexpr int32_t kLongestAnswer = 256;  // tokens
constexpr int64_t kLongestWindow = 2048;

// What came of one request.
class Answer final : public engine::GenerationSink {
 public:
  void OnDeltas(std::vector<GenerationDelta> deltas) override {
    for (auto& delta : deltas) {
      if (delta.kind == GenerationDelta::Kind::kPrompt) {
        prompt_ = std::move(delta.logprobs);
      } else if (delta.kind == GenerationDelta::Kind::kContent) {
        text_ += delta.text;
      }
    }
  }
  void OnDone(Status status, const engine::GenerationUsage&) override {
    const std::scoped_lock lock(mutex_);
    status_ = std::move(status);
    done_.notify_one();
  }

  Status Wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return status_.has_value(); });
    return *status_;
  }
  // After Wait: of each token of the prompt, the first being 0; and what was said.
  const std::vector<engine::TokenInfo>& prompt() const { return prompt_; }
  const std::string& text() const { return text_; }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Status> status_;
  std::vector<engine::TokenInfo> prompt_;
  std::string text_;
};

struct Sum {
  double loss = 0;
  int64_t tokens = 0;
  int64_t characters = 0;
};

class Measurer {
 public:
  Measurer(engine::Generator& generator, const gpt::Language& language, const families::MeasureInput& input,
           bool adapted)
      : generator_(generator),
        tokenizer_(*language.tokenizer),
        characters_(gpt::CharactersOfTokens(tokenizer_)),
        input_(input),
        adapter_(adapted ? kAdapter : "") {}

  static constexpr const char* kAdapter = "adapter";

  // One text, in windows that know nothing of each other.
  Status Stream(const std::vector<int32_t>& ids) {
    std::vector<gpt::Sequence> windows;
    const auto before = Beginning();
    const auto length = static_cast<size_t>(std::min<int64_t>(kLongestWindow, context())) - before.size();
    for (size_t first = 0; first + 1 < ids.size(); first += length - 1) {
      const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
      gpt::Sequence& window = windows.emplace_back();
      window.Add(before, false);
      window.Add({begin, begin + static_cast<std::ptrdiff_t>(std::min(length, ids.size() - first))}, true);
      // It follows from nothing, or counted in the window before.
      window.learnt[before.size()] = first == 0 && !before.empty();
    }
    return Losses(windows);
  }

  // What the model thinks of the tokens that count.
  Status Losses(const std::vector<gpt::Sequence>& sequences) {
    return ForAll(
        sequences.size(),
        [&](size_t i) {
          auto ids = sequences[i].ids;
          ids.resize(std::min<size_t>(ids.size(), static_cast<size_t>(context())));
          auto request = Request(std::move(ids), engine::kPromptOnly);
          request.prompt_logprobs = 0;
          return request;
        },
        [&](size_t i, const Answer& answer) {
          for (size_t place = 1; place < answer.prompt().size(); ++place) {
            if (sequences[i].learnt[place]) {
              sum_.loss -= answer.prompt()[place].logprob;
              sum_.characters += characters_[static_cast<size_t>(sequences[i].ids[place])];
              ++sum_.tokens;
            }
          }
        });
  }

  // What the model itself says in the place of each sequence's last answer, beside that.
  Status Answers(const std::vector<gpt::Sequence>& sequences, families::Outcomes& outcomes) {
    outcomes.texts.resize(sequences.size());
    for (const auto& sequence : sequences) {
      const auto [begin, end] = AnswerOf(sequence);
      outcomes.references.push_back(tokenizer_.Decode({begin, end}));
    }
    return ForAll(
        sequences.size(),
        [&](size_t i) {
          std::vector<int32_t> prompt(sequences[i].ids.begin(), AnswerOf(sequences[i]).first);
          const auto most = static_cast<size_t>(context() - std::min<int64_t>(kLongestAnswer, context() / 2));
          if (prompt.size() > most) {  // its end asks
            prompt.erase(prompt.begin(), prompt.end() - static_cast<std::ptrdiff_t>(most));
          }
          const auto room = static_cast<int32_t>(context() - std::ssize(prompt));
          return Request(std::move(prompt), std::min(kLongestAnswer, room));
        },
        [&](size_t i, const Answer& answer) { outcomes.texts[i] = answer.text(); });
  }

  const Sum& sum() const { return sum_; }

 private:
  int64_t context() const { return generator_.description().max_context; }
  // What stands before every text.
  std::vector<int32_t> Beginning() const {
    const auto& spec = tokenizer_.spec();
    return spec.add_bos && spec.bos ? std::vector<int32_t>{*spec.bos} : std::vector<int32_t>();
  }

  using Place = std::vector<int32_t>::const_iterator;

  // The last run of tokens that count.
  static std::pair<Place, Place> AnswerOf(const gpt::Sequence& sequence) {
    const auto end = std::find(sequence.learnt.rbegin(), sequence.learnt.rend(), true);
    const auto begin = std::find(end, sequence.learnt.rend(), false);
    return {sequence.ids.begin() + (sequence.learnt.rend() - begin),
            sequence.ids.begin() + (sequence.learnt.rend() - end)};
  }

  engine::GenerationRequest Request(std::vector<int32_t> ids, int32_t max_tokens) const {
    engine::GenerationRequest request;
    request.prompt = engine::TokenPrompt{std::move(ids)};
    request.max_tokens = max_tokens;
    request.sampling.temperature = 0;
    request.adapter = adapter_;
    return request;
  }

  template <class Make, class Use>
  Status ForAll(size_t count, const Make& make, const Use& use) {
    for (size_t first = 0; first < count; first += kAtATime) {
      if (input_.cancelled && input_.cancelled()) {
        return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
      }
      std::vector<std::shared_ptr<Answer>> answers;  // shared with the engine, as it wants them
      for (size_t i = first; i < std::min(count, first + kAtATime); ++i) {
        generator_.Generate(make(i), answers.emplace_back(std::make_shared<Answer>()));
      }
      for (size_t i = 0; i < answers.size(); ++i) {
        ATELIER_TRY(answers[i]->Wait());
        use(first + i, *answers[i]);
      }
    }
    return {};
  }

  engine::Generator& generator_;
  const text::Tokenizer& tokenizer_;
  std::vector<int32_t> characters_;
  const families::MeasureInput& input_;
  std::string adapter_;
  Sum sum_;
};

// The settings that a model of ours was trained with; of others none.
json::object SettingsOf(const families::ModelFiles& files) {
  const auto metadata = families::JsonFile(files, families::kMetadataFile);
  return metadata.ok() ? GetObject(GetObject(*metadata, "lineage"), "settings") : json::object();
}

Result<gpt::Language> LanguageOf(const engine::ModelFiles& files) {
  ATELIER_ASSIGN(tokenizer, text::Tokenizer::Make(files.tokenizer));
  return gpt::Language{.tokenizer = std::move(tokenizer), .chat_template = files.chat_template};
}

Status MeasureMaterial(const gpt::Language& language, const json::object& settings, const families::MeasureInput& input,
                       Measurer& measurer, families::Outcomes& outcomes) {
  ATELIER_ASSIGN(material, families::MaterialOf(input.reader.manifest()));
  if (material == families::Material::kText) {
    ATELIER_ASSIGN(stream, gpt::ReadStream(input.reader, input.rows, language, settings));
    outcomes.rows.assign(input.rows.begin(), input.rows.end());
    return measurer.Stream(stream);
  }
  if (material == families::Material::kPreferences) {
    return MakeError(Code::kUnimplemented, "language models are not evaluated on preferences", "model_not_supported");
  }
  ATELIER_ASSIGN(prompts, gpt::Prompts::Make(*language.tokenizer, language.chat_template));
  std::vector<gpt::Sequence> sequences;
  for (const int64_t row : input.rows) {
    ATELIER_ASSIGN(examples, gpt::ReadExamples(input.reader, std::span(&row, 1), material, prompts));
    if (!examples.sequences.empty()) {  // else the row asks nothing that can be answered
      outcomes.rows.push_back(row);
      sequences.push_back(std::move(examples.sequences.front()));
    }
  }
  ATELIER_TRY(measurer.Losses(sequences));
  return measurer.Answers(sequences, outcomes);
}

}  // namespace

Result<families::Outcomes> MeasureLanguageModel(const LanguageModelFiles& files, const families::MeasureInput& input) {
  const bool adapted = !files.base.empty();
  ATELIER_ASSIGN(path, adapted ? GgufOf(files.base, "base") : GgufOf(files.model, "model"));
  ATELIER_ASSIGN(opened, engine::ReadModelFiles(path));
  ATELIER_ASSIGN(language, LanguageOf(opened));
  SystemClock clock;
  ATELIER_ASSIGN(generator,
                 engine::MakeGenerator(std::move(opened), {.threads = static_cast<size_t>(input.threads)}, clock));
  if (!generator->description().generates) {
    return MakeError(Code::kUnimplemented, "the model says nothing, so there is nothing to evaluate",
                     "model_not_supported");
  }
  if (adapted) {
    ATELIER_ASSIGN(adapter, GgufOf(files.model, "model"));
    ATELIER_TRY(generator->LoadAdapter(Measurer::kAdapter, adapter));
  }
  families::Outcomes outcomes{.task = "text-generation"};
  Measurer measurer(*generator, language, input, adapted);
  ATELIER_TRY(MeasureMaterial(language, SettingsOf(files.model), input, measurer, outcomes));
  const Sum& sum = measurer.sum();
  if (sum.tokens == 0) {
    return InvalidArgument("the rows hold no text that the model could be measured by", "split", "dataset_unsuitable");
  }
  outcomes.loss = sum.loss / static_cast<double>(sum.tokens);
  const double perplexity = std::exp(outcomes.loss);
  if (!std::isfinite(perplexity)) {
    return FailedPrecondition("the model's loss is not finite: its weights are damaged", "model_not_finite");
  }
  outcomes.extra = {{"perplexity", perplexity}, {"tokens", sum.tokens}};
  if (sum.characters > 0) {
    outcomes.extra["loss_per_character"] = sum.loss / static_cast<double>(sum.characters);
  }
  return outcomes;
}

}  // namespace atelier::learning
