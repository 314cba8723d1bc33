#include "engine/grammar/grammar_cache.h"

#include <utility>

#include "engine/grammar/gbnf.h"
#include "engine/grammar/network.h"

namespace atelier::engine::grammar {
namespace {

// Unambiguous: each part goes with its length.
std::string KeyOf(const GrammarSource& source) {
  std::string key = std::to_string(static_cast<int>(source.kind)) + ":" +
                    std::to_string(static_cast<int>(source.json.order)) + ":" +
                    std::to_string(static_cast<int>(source.json.whitespace)) + ":" +
                    std::to_string(source.text.size()) + ":" + source.text;
  for (const auto& choice : source.choices) {
    key += std::to_string(choice.size()) + ":" + choice;
  }
  return key;
}

}  // namespace

Result<GrammarPtr> CompileGrammar(const GrammarSource& source, const GrammarLimits& limits, const Clock* clock) {
  Budget budget(limits, clock);
  if (source.text.size() > limits.max_source_bytes) {
    return TooComplex("the source of the grammar");
  }
  switch (source.kind) {
    case SourceKind::kJsonSchema:
      return CompileJsonSchemaText(source.text, source.json, budget);
    case SourceKind::kJsonObject:
      return CompileJsonObject(source.json, budget);
    case SourceKind::kRegex:
      return CompileRegexGrammar(source.text, budget);
    case SourceKind::kChoice:
      return CompileChoices(source.choices, budget);
    case SourceKind::kGrammar:
      return CompileGrammarText(source.text, budget);
  }
  return Internal("an unknown kind of grammar");
}

GrammarCache::GrammarCache(VocabularyPtr vocabulary, const Clock& clock, GrammarCacheOptions options)
    : vocabulary_(std::move(vocabulary)), clock_(clock), options_(options) {}

Result<Matcher> GrammarCache::MakeMatcher(const GrammarSource& source) {
  std::string key = KeyOf(source);
  auto masks = Find(key);
  if (masks == nullptr) {
    ATELIER_ASSIGN(grammar, CompileGrammar(source, options_.limits, &clock_));
    const size_t bytes = grammar->MemoryBytes() + 2 * key.size();
    masks = Keep({std::move(key), std::make_shared<MaskCache>(grammar, vocabulary_, options_.masks), bytes});
  }
  return Matcher(std::move(masks));
}

size_t GrammarCache::size() const {
  return store_.With([](const Store& store) { return store.entries.size(); });
}

std::shared_ptr<MaskCache> GrammarCache::Find(const std::string& key) {
  return store_.With([&](Store& store) -> std::shared_ptr<MaskCache> {
    const auto found = store.by_key.find(key);
    if (found == store.by_key.end()) {
      return nullptr;
    }
    store.entries.splice(store.entries.begin(), store.entries, found->second);
    return found->second->masks;
  });
}

std::shared_ptr<MaskCache> GrammarCache::Keep(Entry entry) {
  return store_.With([&](Store& store) {
    // Another request may have compiled the same in the meantime.
    if (const auto found = store.by_key.find(entry.key); found != store.by_key.end()) {
      return found->second->masks;
    }
    auto masks = entry.masks;
    store.bytes += entry.bytes;
    store.entries.push_front(std::move(entry));
    store.by_key.emplace(store.entries.front().key, store.entries.begin());
    while (store.entries.size() > 1 &&
           (store.entries.size() > options_.max_entries || store.bytes > options_.max_bytes)) {
      store.bytes -= store.entries.back().bytes;
      store.by_key.erase(store.entries.back().key);
      store.entries.pop_back();
    }
    return masks;
  });
}

}  // namespace atelier::engine::grammar
