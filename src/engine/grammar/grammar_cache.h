// Compiled grammars by their source, so that a schema that comes with every request is compiled once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "engine/grammar/json_schema.h"
#include "engine/grammar/mask_cache.h"
#include "engine/grammar/matcher.h"
#include "engine/grammar/vocabulary.h"

namespace atelier::engine::grammar {

enum class SourceKind : uint8_t { kJsonSchema, kJsonObject, kRegex, kChoice, kGrammar };

// What a request asks its answer to be.
struct GrammarSource {
  SourceKind kind = SourceKind::kJsonObject;
  std::string text{};                  // the schema as JSON, the expression, or the grammar (GBNF or Lark)
  std::vector<std::string> choices{};  // kChoice
  JsonOptions json{};                  // kJsonSchema, kJsonObject
};

// Errors: those of the compilers; all are kInvalidArgument and the client's.
Result<GrammarPtr> CompileGrammar(const GrammarSource& source, const GrammarLimits& limits, const Clock* clock);

struct GrammarCacheOptions {
  GrammarLimits limits;
  size_t max_entries = 64;
  size_t max_bytes = 128U << 20U;  // of the compiled grammars; their masks are bounded by `masks` each
  MaskCache::Limits masks{.max_bytes = 8U << 20U};
};

// One per model. Thread-safe; compiling happens outside of the lock. The clock must outlive it.
class GrammarCache {
 public:
  GrammarCache(VocabularyPtr vocabulary, const Clock& clock, GrammarCacheOptions options = {});

  // A matcher at the beginning of the grammar's text. Errors: those of CompileGrammar; errors are not remembered.
  Result<Matcher> MakeMatcher(const GrammarSource& source);
  size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<MaskCache> masks;  // shared with the matchers at work
    size_t bytes = 0;
  };
  struct Store {
    std::list<Entry> entries;  // the latest used first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key;
    size_t bytes = 0;
  };

  std::shared_ptr<MaskCache> Find(const std::string& key);
  std::shared_ptr<MaskCache> Keep(Entry entry);

  VocabularyPtr vocabulary_;
  const Clock& clock_;
  GrammarCacheOptions options_;
  Guarded<Store> store_;
};

}  // namespace atelier::engine::grammar
