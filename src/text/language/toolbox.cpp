#include "text/language/toolbox.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxSegmenters = 32;

}  // namespace

Result<std::shared_ptr<const Segmenter>> Toolbox::SegmenterOf(const std::string& language) {
  using Found = Result<std::shared_ptr<const Segmenter>>;
  return made_.With([&](Made& made) -> Found {
    if (const auto found = made.segmenters.find(language); found != made.segmenters.end()) {
      return found->second;
    }
    ATELIER_ASSIGN(segmenter, Segmenter::Create(language));
    if (made.segmenters.size() >= kMaxSegmenters) {
      made.segmenters.clear();
    }
    return made.segmenters[language] = std::shared_ptr<const Segmenter>(std::move(segmenter));
  });
}

Result<std::shared_ptr<const WordNet>> Toolbox::Net() {
  using Found = Result<std::shared_ptr<const WordNet>>;
  return made_.With([&](Made& made) -> Found {
    if (made.net == nullptr) {
      ATELIER_ASSIGN(net, WordNet::Open(word_net_));
      made.net = std::move(net);
    }
    return made.net;
  });
}

std::shared_ptr<const LanguageIdentifier> Toolbox::Identifier() {
  return made_.With([](Made& made) {
    if (made.identifier == nullptr) {
      made.identifier = std::make_shared<LanguageIdentifier>();
    }
    return made.identifier;
  });
}

}  // namespace atelier::text::language
