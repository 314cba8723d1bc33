#include "families/spec/families.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "families/spec/bert.h"
#include "families/spec/chain.h"
#include "families/spec/gpt.h"
#include "families/spec/sequence.h"
#include "families/spec/translation.h"
#include "families/spec/word_vectors.h"

namespace atelier::families {
namespace {

const auto kFamilies = std::to_array<Family>({
    {.name = "mlp",
     .summary = "Multilayer perceptron: dense layers on tables or pictures",
     .settings = MlpSettings(),
     .fit = FitChain},
    {.name = "cnn", .summary = "Convolutional network on pictures", .settings = CnnSettings(), .fit = FitChain},
    {.name = "lstm",
     .summary = "Long short-term memory on texts, tokens to tag, sequences of numbers or a time series",
     .settings = RecurrentSettings(),
     .defaults = RecurrentDefaults(),
     .fit = FitSequence},
    {.name = "gru",
     .summary = "Gated recurrent units on the same",
     .settings = RecurrentSettings(),
     .defaults = RecurrentDefaults(),
     .fit = FitSequence},
    {.name = "rnn",
     .summary = "Plain recurrent network (tanh) on the same",
     .settings = RecurrentSettings(),
     .defaults = RecurrentDefaults(),
     .fit = FitSequence},
    {.name = "textcnn",
     .summary = "Convolutions over the words of a text",
     .settings = TextCnnSettings(),
     .defaults = TextCnnDefaults(),
     .fit = FitSequence},
    {.name = "textbag",
     .summary = "Mean of the embeddings of a text's words and n-grams: quick and strong on short texts",
     .settings = TextBagSettings(),
     .defaults = TextBagDefaults(),
     .fit = FitSequence},
    {.name = "word2vec",
     .summary = "Word vectors from text: skip-gram or CBOW with negative sampling",
     .settings = Word2vecSettings(),
     .defaults = Word2vecDefaults(),
     .fit = FitWordVectors},
    {.name = "glove",
     .summary = "Word vectors from the counts of words near each other",
     .settings = GloveSettings(),
     .defaults = GloveDefaults(),
     .fit = FitWordVectors},
    {.name = "gpt",
     .summary = "Language models in the shapes of Llama and GPT-2: from scratch, further, or as an adapter",
     .settings = GptSettings(),
     .defaults = GptDefaults(),
     .takes_base = true,
     .fit = FitGpt},
    {.name = "bert",
     .summary =
         "Encoder: classes, numbers or tags of texts and pairs, embeddings, masked words; also from published BERTs",
     .settings = BertSettings(),
     .defaults = BertDefaults(),
     .takes_base = true,
     .base_defaults = BertFineTuning(),
     .fit = FitBert},
    {.name = "translation",
     .summary = "Encoder-decoder transformer from one text to another: languages, spelling to sounds",
     .settings = TranslationSettings(),
     .defaults = TranslationDefaults(),
     .takes_base = true,
     .fit = FitTranslation},
});

Status CheckClasses(const data::Column& target) {
  if (target.type != data::ColumnType::kCategory) {
    return Unfit("classification needs a category as target, but '" + target.name + "' is a " +
                 std::string(Name(target.type)) + " column");
  }
  if (target.categories.size() < 2) {
    return Unfit("classification needs at least 2 classes, but the target '" + target.name + "' has " +
                 (target.categories.empty() ? "none" : "only '" + target.categories[0] + "'"));
  }
  const auto& counts = target.statistics.counts;
  if (!counts.empty() && std::ranges::count_if(counts, [](int64_t count) { return count > 0; }) < 2) {
    return Unfit("the target '" + target.name + "' has the same class in every row: there is nothing to learn");
  }
  return {};
}

}  // namespace

std::span<const Family> Families() { return kFamilies; }

std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const auto& family : kFamilies) {
    names.emplace_back(family.name);
  }
  return names;
}

Result<const Family*> FindFamily(std::string_view name) {
  std::string known;
  for (const auto& family : kFamilies) {
    if (family.name == name) {
      return &family;
    }
    known += (known.empty() ? "" : ", ") + std::string(family.name);
  }
  return InvalidArgument("there is no model family '" + std::string(name.substr(0, 64)) + "'; known are " + known,
                         "family", "unknown_family");
}

Error Unfit(std::string message, std::string param) {
  return InvalidArgument(std::move(message), std::move(param), "dataset_unsuitable");
}

Status CheckTrainRows(const FitInput& input) {
  const auto& rows = input.manifest.split_rows;
  const int64_t train = rows[static_cast<size_t>(data::Split::kTrain)];
  if (train <= 0) {
    return Unfit("the data set has no rows for training; give it a split with a train part");
  }
  const int64_t validation = rows[static_cast<size_t>(data::Split::kValidation)];
  if (validation == 0 && GetNumber(input.settings, "validation") > 0 && train < 2) {
    return Unfit("one training row cannot be divided into training and validation", "settings.validation");
  }
  return {};
}

Status CheckTarget(const data::Manifest& manifest) {
  if (manifest.task == data::Task::kNone || manifest.target.empty()) {
    return Unfit("the data set has no target to learn; import it with a target column");
  }
  const data::Column* target = manifest.Target();
  if (target == nullptr) {
    return Unfit("the target column '" + manifest.target + "' is not in the data set");
  }
  if (manifest.rows() > 0 && target->statistics.missing >= manifest.rows()) {
    return Unfit("every value of the target '" + target->name + "' is missing");
  }
  if (manifest.task == data::Task::kClassification) {
    return CheckClasses(*target);
  }
  if (target->type != data::ColumnType::kNumber || !target->shape.empty()) {
    return Unfit("regression needs a number as target, but '" + target->name + "' is no single number");
  }
  if (target->statistics.minimum == target->statistics.maximum) {
    return Unfit("the target '" + target->name + "' is the same in every row: there is nothing to learn");
  }
  return {};
}

}  // namespace atelier::families
