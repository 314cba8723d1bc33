// Jobs that consist of trainings: hyper-parameter searches and cross-validations.
#pragma once

#include "jobs/job.h"

namespace atelier::apps {

// spec of both: {"plan": learning::Plan, "settings": [those of each trial], "train": spec of a training without
// settings, "fold": {"count","seed"} of a cross-validation}. Their children are of the kind "trial": a training that
// publishes nothing, with {"trial": {"trial","rung"}} in its spec.
//
// result of a search: the best training's {"files","metadata"}, for the commit, {"metrics"} and {"search"}:
// learning::SearchReport. Errors: kFailedPrecondition "all_trials_failed", with the first one's reason.
Result<jobs::Step> AdvanceSearch(const jobs::Job& job, std::span<const jobs::Job> children);

// result: learning::FoldsReport. Errors: those of the first fold that failed.
Result<jobs::Step> AdvanceFolds(const jobs::Job& job, std::span<const jobs::Job> children);

}  // namespace atelier::apps
