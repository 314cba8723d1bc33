#include <algorithm>
#include <array>

#include "base/json.h"
#include "data/steps/kinds.h"

namespace atelier::data::steps {

std::span<const StepKind* const> StepKinds() {
  static constexpr std::array kKinds{
      &kSelectStep,        &kDropStep,          &kRenameStep,         &kTargetStep,
      &kCastStep,          &kFilterStep,        &kDeduplicateStep,    &kNearDeduplicateStep,
      &kDropMissingStep,   &kFillMissingStep,   &kOutliersStep,       &kNormalizeStep,
      &kStandardizeStep,   &kOneHotStep,        &kOrdinalStep,        &kMapLabelsStep,
      &kJoinTextStep,      &kSampleStep,        &kBalanceStep,        &kShuffleStep,
      &kSplitStep,         &kNormalizeTextStep, &kStripHtmlStep,      &kCleanWhitespaceStep,
      &kLowerStep,         &kRedactStep,        &kFilterLanguageStep, &kFilterLengthStep,
      &kTokenizeStep,      &kStemStep,          &kLemmatizeStep,      &kRemoveStopWordsStep,
      &kAugmentTextStep,   &kResizeImageStep,   &kCropImageStep,      &kFlipImageStep,
      &kRotateImageStep,   &kColourImageStep,   &kCutOutImageStep,    &kMixupImageStep,
      &kResampleAudioStep, &kTrimAudioStep,     &kNoiseAudioStep,     &kSpeedAudioStep,
      &kSpecAugmentStep,
  };
  return kKinds;
}

const StepKind* FindStepKind(std::string_view name) {
  const auto kinds = StepKinds();
  const auto found = std::ranges::find_if(kinds, [&](const StepKind* kind) { return kind->name == name; });
  return found == kinds.end() ? nullptr : *found;
}

bool NeedsMedia(const json::object& request) {
  const json::value* steps = request.if_contains("steps");
  const json::array* list = steps == nullptr ? nullptr : steps->if_array();
  return list != nullptr && std::ranges::any_of(*list, [](const json::value& step) {
           const StepKind* kind = step.is_object() ? FindStepKind(GetString(step.get_object(), "step")) : nullptr;
           return kind != nullptr && kind->needs_media;
         });
}

}  // namespace atelier::data::steps
