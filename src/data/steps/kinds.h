// Every kind of step that there is, for the list in steps.cpp.
#pragma once

#include "data/steps/step.h"

namespace atelier::data::steps {

extern const StepKind kSelectStep;
extern const StepKind kDropStep;
extern const StepKind kRenameStep;
extern const StepKind kTargetStep;
extern const StepKind kCastStep;
extern const StepKind kFilterStep;
extern const StepKind kDeduplicateStep;
extern const StepKind kNearDeduplicateStep;
extern const StepKind kDropMissingStep;
extern const StepKind kFillMissingStep;
extern const StepKind kOutliersStep;
extern const StepKind kNormalizeStep;
extern const StepKind kStandardizeStep;
extern const StepKind kOneHotStep;
extern const StepKind kOrdinalStep;
extern const StepKind kMapLabelsStep;
extern const StepKind kJoinTextStep;
extern const StepKind kSampleStep;
extern const StepKind kBalanceStep;
extern const StepKind kShuffleStep;
extern const StepKind kSplitStep;
extern const StepKind kNormalizeTextStep;
extern const StepKind kStripHtmlStep;
extern const StepKind kCleanWhitespaceStep;
extern const StepKind kLowerStep;
extern const StepKind kRedactStep;
extern const StepKind kFilterLanguageStep;
extern const StepKind kFilterLengthStep;
extern const StepKind kTokenizeStep;
extern const StepKind kStemStep;
extern const StepKind kLemmatizeStep;
extern const StepKind kRemoveStopWordsStep;
extern const StepKind kAugmentTextStep;
extern const StepKind kResizeImageStep;
extern const StepKind kCropImageStep;
extern const StepKind kFlipImageStep;
extern const StepKind kRotateImageStep;
extern const StepKind kColourImageStep;
extern const StepKind kCutOutImageStep;
extern const StepKind kMixupImageStep;
extern const StepKind kResampleAudioStep;
extern const StepKind kTrimAudioStep;
extern const StepKind kNoiseAudioStep;
extern const StepKind kSpeedAudioStep;
extern const StepKind kSpecAugmentStep;

}  // namespace atelier::data::steps
