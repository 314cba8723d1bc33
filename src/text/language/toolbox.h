// The tools that take a while to make or read files: made when they are first asked for, and kept.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/guarded.h"
#include "base/result.h"
#include "text/language/identify.h"
#include "text/language/segmenter.h"
#include "text/language/word_net.h"

namespace atelier::text::language {

// Thread-safe.
class Toolbox {
 public:
  explicit Toolbox(std::filesystem::path word_net = kWordNetFolder) : word_net_(std::move(word_net)) {}

  // Errors: those of Segmenter::Create and WordNet::Open.
  Result<std::shared_ptr<const Segmenter>> SegmenterOf(const std::string& language);
  Result<std::shared_ptr<const WordNet>> Net();
  std::shared_ptr<const LanguageIdentifier> Identifier();

 private:
  // Shared with those that still use one.
  struct Made {
    std::map<std::string, std::shared_ptr<const Segmenter>> segmenters;
    std::shared_ptr<const WordNet> net;
    std::shared_ptr<const LanguageIdentifier> identifier;
  };
  const std::filesystem::path word_net_;
  Guarded<Made> made_;
};

}  // namespace atelier::text::language
