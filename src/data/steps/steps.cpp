#include <algorithm>
#include <array>

#include "data/steps/kinds.h"

namespace atelier::data::steps {

std::span<const StepKind* const> StepKinds() {
  static constexpr std::array kKinds{
      &kSelectStep,      &kDropStep,          &kRenameStep,         &kTargetStep,
      &kCastStep,        &kFilterStep,        &kDeduplicateStep,    &kNearDeduplicateStep,
      &kDropMissingStep, &kFillMissingStep,   &kOutliersStep,       &kNormalizeStep,
      &kStandardizeStep, &kOneHotStep,        &kOrdinalStep,        &kMapLabelsStep,
      &kJoinTextStep,    &kSampleStep,        &kBalanceStep,        &kShuffleStep,
      &kSplitStep,       &kNormalizeTextStep, &kStripHtmlStep,      &kCleanWhitespaceStep,
      &kLowerStep,       &kRedactStep,        &kFilterLanguageStep, &kFilterLengthStep,
      &kTokenizeStep,    &kStemStep,          &kLemmatizeStep,      &kRemoveStopWordsStep,
      &kAugmentTextStep,
  };
  return kKinds;
}

const StepKind* FindStepKind(std::string_view name) {
  const auto kinds = StepKinds();
  const auto found = std::ranges::find_if(kinds, [&](const StepKind* kind) { return kind->name == name; });
  return found == kinds.end() ? nullptr : *found;
}

}  // namespace atelier::data::steps
