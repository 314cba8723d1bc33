// A trained sequence model: its network and its preprocessing, as files of a model version.
#pragma once

#include <memory>

#include "base/result.h"
#include "families/learner.h"
#include "families/sequence/network.h"
#include "families/sequence/preprocessor.h"

namespace atelier::families {

struct SequenceModel {
  SequenceConfig config{};
  SequencePreprocessor preprocessor{};
  std::shared_ptr<SequenceNetwork> network{};
};

// In evaluation mode. Errors: kNotFound, kInvalidArgument "invalid_model_file".
Result<SequenceModel> LoadSequenceModel(const ModelFiles& files);

Result<std::map<std::string, storage::BlobRef>> SaveSequenceModel(const SequenceModel& model,
                                                                  storage::BlobStore& blobs);

Signature SignatureOf(const SequenceModel& model);

}  // namespace atelier::families
